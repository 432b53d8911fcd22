// Moves that move elements: reshaping, cutting, padding, joining, repeating, reordering.

import type { Value } from "../../../src/graph/graph.ts";
import { type Dim, isStatic, multiplyDims } from "../../../src/graph/shape.ts";
import * as op from "../../../src/ops/index.ts";
import type { Drawn, Move, Net } from "./net.ts";

/** A move of one value of at least `rank` axes that keeps the bound. */
function moving(name: string, rank: number, build: (net: Net, x: Value) => Value | undefined): Move {
  return {
    name,
    build: (net) => {
      const x = net.any(({ value }) => value.rank >= rank);
      const made = x && build(net, x.value);
      return made && net.drawn(made, x.bound);
    },
  };
}

/** One of the axes whose length is known (and is at least `least`). */
export function staticAxis(net: Net, x: Value, least = 1): number | undefined {
  const known = x.shape.flatMap((dim, axis) => (isStatic(dim) && dim >= least ? [axis] : []));
  return known.length === 0 ? undefined : net.choose(known);
}

const lengthOf = (x: Value, axis: number) => x.shape[axis] as number;
const axesOf = (x: Value) => x.shape.map((_, axis) => axis);
const order = (net: Net, x: Value) => [...net.random.permutation(x.rank)];

/** Whether no more than one axis is symbolic: a reshape cannot move several. */
const oneMoves = ({ shape }: Value) => shape.filter((dim) => !isStatic(dim)).length < 2;

/** The shape with two neighbouring axes as one. */
function merged(net: Net, x: Value): Dim[] {
  const at = net.random.integer(x.rank - 1);
  const product = multiplyDims(x.shape[at]!, x.shape[at + 1]!);
  return [...x.shape.slice(0, at), product, ...x.shape.slice(at + 2)];
}

/** The start, end and step of a slice of a known axis that is not empty. */
function cut(net: Net, axis: number, length: number) {
  const [low, high] = [net.between(0, length - 1), net.between(0, length - 1)].sort((a, b) => a - b);
  const step = net.choose([1, 1, 1, 2, -1, -2]);
  if (step > 0) return { axis, start: low!, end: net.chance(0.3) ? 2 ** 31 : high! + 1, step };
  return { axis, start: high! - (net.chance(0.5) ? length : 0), end: low! - 1 - length, step };
}

/** Slices that keep part of a symbolic axis, whose length is at least 2 when run. */
const SYMBOLIC_CUTS = [
  { start: 0, end: -1 },
  { start: 1, end: 2 ** 31 },
  { start: -1, end: 2 ** 31 },
  { start: 0, end: 1 },
];

function sliced(net: Net, x: Value): Value | undefined {
  const axes = net.some(axesOf(x));
  const ranges = axes.flatMap((axis) => {
    const length = x.shape[axis]!;
    if (isStatic(length)) return [cut(net, axis, length)];
    return net.lengths.has(length) ? [{ axis, ...net.choose(SYMBOLIC_CUTS) }] : [];
  });
  return ranges.length === 0 ? undefined : op.slice(x, ranges);
}

function padded(net: Net, x: Value): Value | undefined {
  const mode = net.choose(["constant", "constant", "reflect", "edge", "wrap"] as const);
  const axis = mode === "constant" && net.chance(0.3) ? 0 : staticAxis(net, x);
  if (axis === undefined) return undefined;
  const length = x.shape[axis]!;
  const most = !isStatic(length) ? 2 : mode === "reflect" ? length - 1 : mode === "wrap" ? length : 2;
  const [before, after] = [net.between(0, Math.min(2, most)), net.between(0, Math.min(2, most))];
  const least = mode === "constant" && isStatic(length) && length > 1 && net.chance(0.2) ? -1 : before;
  return op.pad(x, [{ axis, before: least, after }], mode);
}

/** Several values that differ at most along `axis`, joined. */
function joined(net: Net): Drawn | undefined {
  const first = net.any(({ value }) => value.rank > 0);
  if (!first) return undefined;
  const { shape } = first.value;
  const axis = net.random.integer(shape.length);
  const fits = ({ value }: Drawn) =>
    value.rank === shape.length && value.shape.every((dim, i) => i === axis || dim === shape[i]);
  const others = Array.from({ length: net.between(0, 2) }, () =>
    net.chance(0.5) ? net.any(fits)! : net.leaf(shape.with(axis, net.between(1, 3))),
  );
  const parts = [first, ...others];
  const made = op.concat(
    parts.map(({ value }) => value),
    net.chance(0.5) ? axis : axis - shape.length,
  );
  return net.small(made.shape) ? net.drawn(made, Math.max(...parts.map(({ bound }) => bound))) : undefined;
}

/** Parts of a value, some of which are perhaps never used. */
function parted(net: Net): Drawn[] | undefined {
  const x = net.any(({ value }) => value.shape.some((dim) => isStatic(dim) && dim > 1));
  if (!x) return undefined;
  const axis = staticAxis(net, x.value, 2)!;
  const first = net.between(1, lengthOf(x.value, axis) - 1);
  const rest = lengthOf(x.value, axis) - first;
  const lengths = rest > 1 && net.chance(0.4) ? [first, 1, rest - 1] : [first, rest];
  return net.some(op.split(x.value, lengths, axis)).map((part) => net.drawn(part, x.bound));
}

function blocks(net: Net): Drawn | undefined {
  const size = 2;
  const given = net.any(({ value }) => value.rank === 4) ?? net.leaf(net.shape(4));
  const [batch, channels, height, width] = given.value.shape as [Dim, Dim, Dim, Dim];
  if (isStatic(channels) && channels % size ** 2 === 0) {
    const made = op.depthToSpace(given.value, size, net.choose(["DCR", "CRD"]));
    return net.small(made.shape) ? net.drawn(made, given.bound) : undefined;
  }
  const even = isStatic(height) && isStatic(width) && height % size === 0 && width % size === 0;
  const x = even ? given : net.leaf([batch, 1, 4, 2]);
  return net.drawn(op.spaceToDepth(x.value, size), x.bound);
}

const COORDINATES = [
  "half_pixel",
  "half_pixel_symmetric",
  "pytorch_half_pixel",
  "align_corners",
  "asymmetric",
] as const;

/** Images of known size with another. */
function resized(net: Net): Drawn | undefined {
  const rank = net.choose([3, 4]);
  const places = Array.from({ length: rank - 2 }, () => net.between(2, 4));
  const x = net.operand([...net.shape(2), ...places]);
  const sizes = [...net.resolve(x.value.shape).slice(0, 2), ...places.map(() => net.between(1, 5))];
  if (!x.value.shape.slice(0, 2).every(isStatic)) return undefined;
  const mode = net.choose(
    rank === 4 ? (["nearest", "linear", "cubic"] as const) : (["nearest", "linear"] as const),
  );
  const made = op.resize(x.value, { sizes, mode, coordinates: net.choose(COORDINATES) });
  return net.small(made.shape) ? net.drawn(made, 2 * x.bound) : undefined;
}

export const MOVEMENT: readonly Move[] = [
  moving("Reshape, two axes as one", 2, (net, x) =>
    oneMoves(x) ? op.reshape(x, merged(net, x)) : undefined,
  ),
  moving("Reshape, an axis as two", 1, (net, x) => {
    const axis = staticAxis(net, x, 4);
    if (axis === undefined || lengthOf(x, axis) % 2 === 1 || !oneMoves(x)) return undefined;
    return op.reshape(x, x.shape.toSpliced(axis, 1, 2, lengthOf(x, axis) / 2));
  }),
  moving("Reshape, to the shape of another", 2, (net, x) => {
    const like = op.transpose(x, order(net, x));
    return op.mul(op.reshapeLike(x, like), op.sigmoid(like));
  }),
  moving("Flatten", 1, (net, x) => op.flatten(x, net.between(-x.rank, x.rank))),
  moving("Squeeze", 1, (net, x) => {
    const ones = axesOf(x).filter((axis) => x.shape[axis] === 1);
    if (ones.length === 0) return undefined;
    return net.chance(0.5) ? op.squeeze(x) : op.squeeze(x, net.some(ones));
  }),
  moving("Unsqueeze", 0, (net, x) =>
    x.rank > 3 ? undefined : op.unsqueeze(x, net.choose([[0], [x.rank], [-1], [0, -1]])),
  ),
  moving("Transpose", 2, (net, x) => op.transpose(x, net.chance(0.3) ? undefined : order(net, x))),
  moving("Expand", 0, (net, x) => {
    const like = net.operand([net.between(2, 3), ...x.shape.map((dim) => (dim === 1 ? 2 : dim))]).value;
    return net.small(like.shape) ? op.expandLike(x, like) : undefined;
  }),
  moving("Tile", 1, (net, x) => {
    const made = op.tile(
      x,
      x.shape.map(() => (net.chance(0.4) ? net.between(2, 3) : 1)),
    );
    return net.small(made.shape) ? made : undefined;
  }),
  moving("Slice", 1, sliced),
  moving("Pad", 1, (net, x) => {
    const made = padded(net, x);
    return made && net.small(made.shape) ? made : undefined;
  }),
  moving("Trilu", 2, (net, x) => op.trilu(x, { upper: net.chance(0.5), k: net.between(-1, 1) })),
  moving("ReverseSequence", 2, (net, x) => {
    const [timeAxis, batchAxis] = net.choose([
      [0, 1],
      [1, 0],
    ] as const);
    const time = net.resolve(x.shape)[timeAxis]!;
    const lengths = net.integers([x.shape[batchAxis]!], () => net.between(1, time));
    return op.reverseSequence(x, lengths, { timeAxis, batchAxis });
  }),
  { name: "Concat", build: joined },
  { name: "Split", build: parted },
  { name: "DepthToSpace or SpaceToDepth", build: blocks },
  { name: "Resize", single: true, build: resized },
];
