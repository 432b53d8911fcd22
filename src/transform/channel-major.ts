// A layout for training convolutional networks on a CPU: the outputs of convolutions stay in tiles, with channels before places
// and the batch innermost, until something needs them in order. Elementwise operators and batch normalization don't care how
// values lie, and pooling is cheaper in tiles; so whole stretches of a network, dendrites included, run without moving an
// element.

import type { Graph, Node, Value } from "../graph/graph.ts";
import { type Shape, shapeSize } from "../graph/shape.ts";
import * as op from "../ops/index.ts";
import { type Window, windows } from "../ops/window.ts";
import { type Form, TILE, TOEPLITZ, tiledConv, tilesFor, WINOGRAD } from "./bilinear.ts";
import { type Replacement, type Rewritten, rewrite } from "./rewrite.ts";
import { areFull, inOrder, sameTiles, type Tiles, untiled } from "./tiles.ts";
import { unfoldedConv } from "./unfolded.ts";
import { type Users, usersOf } from "./users.ts";

/** Channels below which transforms save little: half of the time at 8 and 16 channels. */
const LEAST_TRANSFORMED = 8;

/** Channels below which unfolding does not pay. */
const LEAST_UNFOLDED = 16;

/** What the transforms add to the cost of the products. */
const TRANSFORM_COST = 1.5;

/** The operators that work on each element for itself. */
const ELEMENTWISE: ReadonlySet<unknown> = new Set([
  op.reluOp,
  op.leakyReluOp,
  op.eluOp,
  op.seluOp,
  op.celuOp,
  op.geluOp,
  op.mishOp,
  op.softplusOp,
  op.softsignOp,
  op.hardSigmoidOp,
  op.hardSwishOp,
  op.sigmoidOp,
  op.tanhOp,
  op.negOp,
  op.absOp,
  op.sqrtOp,
  op.expOp,
  op.addOp,
  op.subOp,
  op.mulOp,
  op.divOp,
]);

/**
 * The network with its convolutions in Winograd's form and what follows them in tiles, where that pays. `others` replaces
 * what is neither.
 */
export function channelMajor(network: Graph, others?: Replacement): Graph {
  return laidOut(network, others, network.outputs).graph;
}

/** A value where it is computed. */
export interface Laid {
  readonly value: Value;
  /** How it lies; null for a value in its order. */
  readonly tiles: Tiles | null;
}

/**
 * The graph of `channelMajor`, and where the values of the old one are in it.
 *
 * @param ordered of its outputs those that are read in their order; of others it does not matter how they lie.
 */
export function laidOut(
  network: Graph,
  others: Replacement | undefined,
  ordered: readonly Value[],
): { readonly graph: Graph; readonly laid: (old: Value) => Laid } {
  const layout = new Layout(network, others, ordered);
  const options = { shareSubexpressions: true, finish: (value: Value) => layout.inOrder(value) };
  const { graph, mapped } = rewrite(network, layout.replace, options);
  return { graph, laid: (old) => ({ value: mapped(old), tiles: layout.tilesOf(mapped(old)) }) };
}

class Layout {
  readonly #tiles = new Map<Value, Tiles>();
  readonly #others: Replacement | undefined;
  readonly #users: Users;
  /** Whether values of the network are wanted in tiles. */
  readonly #wanted: Map<Value, boolean>;

  constructor(network: Graph, others: Replacement | undefined, ordered: readonly Value[]) {
    this.#others = others;
    this.#users = usersOf(network);
    this.#wanted = new Map(ordered.map((value) => [value, false]));
  }

  readonly replace: Replacement = (node, inputs, target) => {
    const tiled = inputs.some((input) => input && this.#tiles.has(input));
    const moved =
      this.#convolution(node, inputs) ??
      (tiled ? (this.#elementwise(node, inputs) ?? this.#pool(node, inputs)) : null);
    if (moved) return [moved];
    if (tiled && node.operator === op.batchNormalizationOp) {
      const made = this.#byChannel(node, inputs, target);
      if (made) return made;
    }
    const ordered = inputs.map((input) => input && this.inOrder(input));
    const replaced = this.#others?.(node, ordered, target);
    if (replaced || !tiled) return replaced;
    return target.graph.add(node.operator, ordered, node.attributes).outputs;
  };

  /** The value as `[B, C, H, W]`. */
  inOrder(value: Value): Value {
    const tiles = this.#tiles.get(value);
    return tiles ? inOrder(value, tiles) : value;
  }

  tilesOf(value: Value): Tiles | null {
    return this.#tiles.get(value) ?? null;
  }

  /** The value as `[C, H, W, B]`. */
  #batchInnermost(value: Value): Value {
    const tiles = this.#tiles.get(value);
    return tiles ? untiled(value, tiles) : op.transpose(value, [1, 2, 3, 0]);
  }

  #shapeOf(value: Value): Shape {
    return this.#tiles.get(value)?.shape ?? value.shape;
  }

  #mark(value: Value, tiles: Tiles): Value {
    this.#tiles.set(value, tiles);
    return value;
  }

  #convolution(node: Node, [x, w, b]: readonly (Value | null)[]): Value | null {
    if (node.operator !== op.convOp || !x || !w) return null;
    const before = this.#shapeOf(x);
    const over = imageWindows(node, before, w);
    if (!over) return null;
    const [rows, columns] = over;
    const outputs = w.shape[0] as number;
    const shape = [before[0]!, outputs, rows.output, columns.output];
    const form = formOf(over, w);
    if (form) {
      const tiles = [tilesFor(rows.output, form), tilesFor(columns.output, form)] as const;
      const padding = form === TOEPLITZ ? ([0, 0] as const) : ([rows.before, columns.before] as const);
      const y = tiledConv(this.#batchInnermost(x), w, b ?? null, { form, padding, tiles });
      return this.#mark(y, { side: form.side, tiles, shape });
    }
    // A first layer of few channels costs as much either way, but comes in tiles.
    const first = x.kind === "input" && isNarrow(over, w) && this.#wantedInTiles(node.output);
    if (!first && !paysUnfolded(over, w)) return null;
    const tiles = [rows.output, columns.output] as const;
    const unfolded = unfoldedConv(this.#batchInnermost(x), w, over);
    const alone = op.reshape(unfolded, [1, outputs, ...tiles, before[0]!]);
    const y = b ? op.add(alone, op.reshape(b, [outputs, 1, 1, 1])) : alone;
    return this.#mark(y, { side: 1, tiles, shape });
  }

  /** Whether all that reads a value of the network is a convolution that moves its input into tiles, or leads to such alone. */
  #wantedInTiles(value: Value): boolean {
    const known = this.#wanted.get(value);
    if (known !== undefined) return known;
    const users = this.#users.get(value) ?? [];
    const isWanted = (user: Node | null): boolean => {
      if (!user) return true;
      const { operator, inputs, output } = user;
      if (ELEMENTWISE.has(operator) || (operator === op.batchNormalizationOp && inputs[0] === value))
        return this.#wantedInTiles(output);
      const over =
        operator === op.convOp && inputs[0] === value && imageWindows(user, value.shape, inputs[1]!);
      return over ? formOf(over, inputs[1]!) !== null || paysUnfolded(over, inputs[1]!) : false;
    };
    const wanted = users.length > 0 && users.every(isWanted);
    this.#wanted.set(value, wanted);
    return wanted;
  }

  /** Batch normalization of tiles that hold nothing but the value: its channels are on axis 1 as well. */
  #byChannel(
    node: Node,
    inputs: readonly (Value | null)[],
    target: Rewritten,
  ): readonly (Value | undefined)[] | null {
    const x = inputs[0]!;
    const tiles = this.#tiles.get(x);
    if (!tiles || !areFull(tiles)) return null;
    const made =
      this.#others?.(node, inputs, target) ??
      target.graph.add(node.operator, inputs, node.attributes).outputs;
    this.#mark(made[0]!, tiles);
    return made;
  }

  #elementwise({ operator, attributes }: Node, inputs: readonly (Value | null)[]): Value | null {
    if (!ELEMENTWISE.has(operator)) return null;
    const first = inputs.find((input) => input && this.#tiles.has(input))!;
    const tiles = this.#tiles.get(first)!;
    const alike = inputs.map((input) => input && this.#alike(input, tiles));
    if (alike.includes(null)) return null;
    return this.#mark(first.graph.add(operator, alike, attributes).output, tiles);
  }

  /** An operand that fits values in tiles: itself, or weights per channel; null for what would have to be moved. */
  #alike(value: Value, tiles: Tiles): Value | null {
    const own = this.#tiles.get(value);
    if (own) return sameTiles(own, tiles) ? value : null;
    const { shape } = tiles;
    // Broadcasting aligns shapes at their ends: what is left of [B, C, H, W] must be a length per channel, or 1.
    const channels = value.rank < 3 ? 1 : value.shape[value.rank - 3]!;
    const perChannel = value.rank <= 4 && shapeSize(value.shape) === channels;
    return perChannel && (channels === 1 || channels === shape[1])
      ? op.reshape(value, [channels, 1, 1, 1])
      : null;
  }

  /** The maximum over 2x2 windows that do not overlap. */
  #pool(node: Node, [x]: readonly (Value | null)[]): Value | null {
    const tiles = x && this.#tiles.get(x);
    if (!tiles || node.operator !== op.maxPoolOp || tiles.side !== TILE) return null;
    const over = windows(tiles.shape, node.attributes.kernel_shape as number[], node.attributes);
    const inPairs = (window: Window) =>
      window.kernel === 2 &&
      window.stride === 2 &&
      window.dilation === 1 &&
      window.before === 0 &&
      window.output === Math.floor(window.input / 2);
    if (!over.every(inPairs)) return null;
    const [batch, channels, height, width] = tiles.shape as [Value["shape"][0], number, number, number];
    const [ty, tx] = tiles.tiles;
    const pooled = firstMax(op.reshape(x, [4, shapeSize([4, ...x.shape.slice(1)])]));
    return this.#mark(op.reshape(pooled, [4, channels, ty, tx, x.shape[4]!]), {
      side: 2,
      tiles: tiles.tiles,
      shape: [batch, channels, Math.floor(height / 2), Math.floor(width / 2)],
    });
  }
}

/** The windows of a convolution of images in one group; null for others. */
function imageWindows({ attributes }: Node, shape: Shape, w: Value): readonly [Window, Window] | null {
  const { group = 1, kernel_shape: kernel } = attributes;
  if (group !== 1 || w.rank !== 4 || w.dtype !== "float32") return null;
  return windows(shape, kernel as number[], attributes) as [Window, Window];
}

/** The form with transforms that is cheaper than the direct one, for 3x3 of stride 1 with enough channels; null for none. */
function formOf(over: readonly [Window, Window], { shape: [outputs, inputs] }: Value): Form | null {
  if (Math.min(inputs as number, outputs as number) < LEAST_TRANSFORMED) return null;
  if (!over.every(({ kernel, stride, dilation }) => kernel === 3 && stride === 1 && dilation === 1))
    return null;
  const isPair = ({ input, output, before }: Window) => input === 2 && output === 2 && before === 1;
  const form = over.every(isPair) ? TOEPLITZ : WINOGRAD;
  const products = over.reduce(
    (product, { output }) => product * tilesFor(output, form),
    form.input.length ** 2,
  );
  const direct = over.reduce((product, { output }) => product * output, 9);
  return products * TRANSFORM_COST < direct ? form : null;
}

/**
 * Whether one product for the batch is cheaper than one for each image: unfolding then moves less than the images' weight
 * gradients take, which are as large as the weights each.
 */
function paysUnfolded(
  [rows, columns]: readonly [Window, Window],
  { shape: [outputs, inputs] }: Value,
): boolean {
  const places = rows.output * columns.output;
  return Math.min(inputs as number, outputs as number) >= LEAST_UNFOLDED && (outputs as number) >= places;
}

/** Whether a place of the output reads no more numbers than it has. */
function isNarrow(over: readonly Window[], { shape: [outputs, inputs] }: Value): boolean {
  const taps = over.reduce((product, { kernel }) => product * kernel, 1);
  return (inputs as number) * taps <= (outputs as number);
}

/** `[4, N]` to its maxima `[1, N]`; the gradient goes to the first of equal maxima, as in MaxPool. */
function firstMax(x: Value): Value {
  const halves = op.split(x, [2, 2], 0);
  const quarters = op.split(op.max(halves[0]!, halves[1]!), [1, 1], 0);
  const y = op.max(quarters[0]!, quarters[1]!);
  x.graph.customGradients.set(y, { inputs: [x], rule: (dy) => [op.mul(firstWinners(x, y), dy)] });
  return y;
}

/** 1 at the first place of each column of `[4, N]` that holds the maximum `[1, N]`, else 0. */
function firstWinners(x: Value, y: Value): Value {
  const places = op.split(op.equal(x, y), [1, 1, 1, 1], 0);
  let before = places[0]!;
  const first = [before];
  for (const place of places.slice(1)) {
    first.push(op.and(place, op.not(before)));
    before = op.or(before, place);
  }
  return op.cast(op.concat(first, 0), x.dtype);
}
