// Moves that pick elements by index and put them back.

import type { Value } from "../../../src/graph/graph.ts";
import { isStatic, type Shape } from "../../../src/graph/shape.ts";
import * as op from "../../../src/ops/index.ts";
import { staticAxis } from "./movement.ts";
import type { Drawn, Move, Net } from "./net.ts";

const last = (x: Drawn, axis: number) => x.shape.at(axis)!;

/** An index along an axis of this length when run, counted from the end at times. */
const place = (net: Net, length: number) => net.random.integer(length) - (net.chance(0.2) ? length : 0);

function gathered(net: Net): Drawn | undefined {
  const x = net.any(({ value }) => value.rank > 0);
  if (!x) return undefined;
  const axis = net.random.integer(x.value.rank);
  const shape = net.choose<Shape>([[], [1], [net.between(1, 3)], net.shape(1), net.shape(2)]);
  const indices = net.integers(shape, () => place(net, x.shape[axis]!));
  const made = op.gather(x.value, indices, net.chance(0.5) ? axis : axis - x.value.rank);
  return net.small(made.shape) ? net.drawn(made, x.bound) : undefined;
}

/** Picks by what is computed: where the largest or smallest elements are. */
function pickedByValue(net: Net): Drawn | undefined {
  const x = net.any(({ value }) => value.rank > 0);
  if (!x) return undefined;
  const axis = net.random.integer(x.value.rank);
  const found = net.choose([op.argMax, op.argMin])(x.value, axis, { keepDims: true });
  return net.drawn(op.gatherElements(x.value, found, axis), x.bound);
}

function gatheredElements(net: Net): Drawn | undefined {
  const x = net.any(({ value }) => value.rank > 0);
  if (!x) return undefined;
  const axis = net.random.integer(x.value.rank);
  const shape = x.value.shape.with(axis, net.between(1, 4));
  const indices = net.integers(shape, () => place(net, x.shape[axis]!));
  return net.drawn(op.gatherElements(x.value, indices, axis), x.bound);
}

/** Writes over some elements, each at most once, or adds to them. */
function scatteredElements(net: Net): Drawn | undefined {
  const x = net.any(({ value }) => staticAxis(net, value) !== undefined);
  if (!x) return undefined;
  const axis = staticAxis(net, x.value)!;
  const length = x.shape[axis]!;
  const reduction = net.choose(["none", "add"] as const);
  const count = reduction === "add" ? net.between(1, 4) : net.between(1, length);
  const shape = x.value.shape.with(axis, count);
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const turn = net.random.integer(length);
  const indices = net.integers(shape, (at) => ((Math.floor(at / inner) + turn) % count) % length);
  const updates = net.operand(shape);
  const made = op.scatterElements(x.value, indices, updates.value, { axis, reduction });
  return net.drawn(
    made,
    reduction === "none" ? Math.max(x.bound, updates.bound) : x.bound + 4 * updates.bound,
  );
}

/** Coordinates of the first axes of a value. */
function coordinates(net: Net, x: Drawn, rows: Shape, depth: number, first = 0): Value {
  return net.integers([...rows, depth], (at) => place(net, x.shape[first + (at % depth)]!));
}

function gatheredSlices(net: Net): Drawn | undefined {
  const x = net.any(({ value }) => value.rank > 1);
  if (!x) return undefined;
  const shared = x.value.rank > 2 && net.chance(0.4) ? 1 : 0;
  const depth = net.between(1, x.value.rank - shared);
  const rows = [...x.value.shape.slice(0, shared), net.between(1, 3)];
  const made = op.gatherND(x.value, coordinates(net, x, rows, depth, shared), shared);
  return net.small(made.shape) ? net.drawn(made, x.bound) : undefined;
}

function scatteredSlices(net: Net): Drawn | undefined {
  const x = net.any(({ value }) => value.rank > 0);
  if (!x) return undefined;
  const depth = net.between(1, x.value.rank);
  // One slice may replace what is there; several, of which two may be the same, are added.
  const single = net.chance(0.5);
  const count = single ? 1 : net.between(2, 4);
  const updates = net.operand([count, ...x.value.shape.slice(depth)]);
  const made = op.scatterND(x.value, coordinates(net, x, [count], depth), updates.value, {
    reduction: single && net.chance(0.7) ? "none" : "add",
  });
  return net.drawn(made, x.bound + count * updates.bound);
}

function ordered(net: Net): Drawn | Drawn[] | undefined {
  const x = net.any(({ value }) => staticAxis(net, value) !== undefined);
  if (!x) return undefined;
  const axis = staticAxis(net, x.value)!;
  const count = net.between(1, last(x, axis));
  const [values, indices] = op.topK(x.value, count, { axis, largest: net.chance(0.5) });
  const drawn = net.drawn(values, x.bound);
  if (net.chance(0.7)) return drawn;
  const other = net.operand(x.value.shape);
  return [drawn, net.drawn(op.gatherElements(other.value, indices, axis), other.bound)];
}

/** Rows of a table by one-hot vectors, as a product. */
function byOneHot(net: Net): Drawn | undefined {
  const table = net.any(({ value }) => value.rank === 2 && isStatic(value.shape[0]!));
  if (!table) return undefined;
  const depth = table.value.shape[0] as number;
  const indices = net.integers(net.shape(1), () => net.random.integer(depth));
  const values = op.concat(
    [op.scalar(table.value, 0), op.scalar(table.value, 1)].map((x) => op.unsqueeze(x, [0])),
    0,
  );
  const hot = op.oneHot(indices, op.int64s(table.value, [depth]), values);
  return net.drawn(op.matMul(hot, table.value), table.bound);
}

export const INDEXING: readonly Move[] = [
  { name: "Gather", build: gathered },
  { name: "ArgMax or ArgMin", build: pickedByValue },
  { name: "GatherElements", build: gatheredElements },
  { name: "ScatterElements", build: scatteredElements },
  { name: "GatherND", build: gatheredSlices },
  { name: "ScatterND", build: scatteredSlices },
  { name: "TopK", build: ordered },
  { name: "OneHot", single: true, build: byOneHot },
];
