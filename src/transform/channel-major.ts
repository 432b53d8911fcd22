// A layout for training convolutional networks on a CPU: the outputs of convolutions stay in tiles, with channels before places
// and the batch innermost, until something needs them in order. Elementwise operators, dropout and batch normalization don't care
// how values lie, pooling is cheaper in tiles, and linear layers take columns as well as rows; so whole stretches of a network,
// dendrites included, run without moving an element.

import type { Graph, Node, Value } from "../graph/graph.ts";
import { type Shape, shapeSize } from "../graph/shape.ts";
import * as op from "../ops/index.ts";
import { type Window, windows } from "../ops/window.ts";
import { TILE, TOEPLITZ, tiledConv, tilesFor } from "./bilinear.ts";
import { givesRows, multipliesRows, rowsFromColumns } from "./columns.ts";
import { formOf, imageWindows, isNarrow, paysUnfolded } from "./conv-form.ts";
import { firstMax } from "./pairs.ts";
import { type Replacement, type Rewritten, rewrite } from "./rewrite.ts";
import { areFull, inOrder, sameTiles, type Tiles, untiled } from "./tiles.ts";
import { unfoldedConv } from "./unfolded.ts";
import { type Users, usersOf } from "./users.ts";

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
  return { graph, laid: (old) => layout.laid(mapped(old)) };
}

/** What a node of the network becomes. */
type Made = readonly (Value | undefined)[] | null;

class Layout {
  readonly #tiles = new Map<Value, Tiles>();
  /** Values that lie as `[N, B]` where the network has `[B, N]`. */
  readonly #columns = new Set<Value>();
  readonly #others: Replacement | undefined;
  readonly #users: Users;
  /** Whether values of the network are wanted in tiles, and of maps as columns. */
  readonly #wanted: Map<Value, boolean>;

  constructor(network: Graph, others: Replacement | undefined, ordered: readonly Value[]) {
    this.#others = others;
    this.#users = usersOf(network);
    this.#wanted = new Map(ordered.map((value) => [value, false]));
  }

  readonly replace: Replacement = (node, inputs, target) => {
    const moved = inputs.some((input) => input && (this.#tiles.has(input) || this.#columns.has(input)));
    const made = this.#convolution(node, inputs) ?? (moved ? this.#asTheyLie(node, inputs, target) : null);
    if (made) return made;
    const ordered = inputs.map((input) => input && this.inOrder(input));
    const replaced = this.#others?.(node, ordered, target);
    if (replaced || !moved) return replaced;
    return target.graph.add(node.operator, ordered, node.attributes).outputs;
  };

  /** The value as `[B, C, H, W]` or `[B, N]`. */
  inOrder(value: Value): Value {
    const tiles = this.#tiles.get(value);
    if (tiles) return inOrder(value, tiles);
    return this.#columns.has(value) ? op.transpose(value) : value;
  }

  laid(value: Value): Laid {
    const tiles = this.#tiles.get(value) ?? null;
    return { value: tiles ? value : this.inOrder(value), tiles };
  }

  /** The value as `[C, H, W, B]`. */
  #batchInnermost(value: Value): Value {
    const tiles = this.#tiles.get(value);
    return tiles ? untiled(value, tiles) : op.transpose(value, [1, 2, 3, 0]);
  }

  #shapeOf(value: Value): Shape {
    return this.#tiles.get(value)?.shape ?? value.shape;
  }

  #inTiles(value: Value, tiles: Tiles): Made {
    this.#tiles.set(value, tiles);
    return [value];
  }

  #asColumns(value: Value): Made {
    this.#columns.add(value);
    return [value];
  }

  /** What a node makes of values as they lie; null where it needs them in order. */
  #asTheyLie(node: Node, inputs: readonly (Value | null)[], target: Rewritten): Made {
    const x = inputs[0]!;
    if (ELEMENTWISE.has(node.operator)) return this.#elementwise(node, inputs);
    switch (node.operator) {
      case op.dropoutOp:
        return this.#dropout(node, inputs, target);
      case op.batchNormalizationOp:
        return this.#byChannel(node, inputs, target);
      case op.maxPoolOp:
        return this.#pool(node, x, target);
      default:
    }
    if (this.#columns.has(x) && multipliesRows(node, node.inputs[0]!)) return [rowsFromColumns(node, inputs)];
    return this.#rows(node, x);
  }

  #convolution(node: Node, [x, w, b]: readonly (Value | null)[]): Made {
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
      return this.#inTiles(y, { side: form.side, tiles, shape });
    }
    // A first layer of few channels costs as much either way, but comes in tiles.
    const first = x.kind === "input" && isNarrow(over, w) && this.#wantedInTiles(node.output);
    if (!first && !paysUnfolded(over, w)) return null;
    const tiles = [rows.output, columns.output] as const;
    const unfolded = unfoldedConv(this.#batchInnermost(x), w, first && b ? b : null, over);
    const alone = op.reshape(unfolded, [1, outputs, ...tiles, before[0]!]);
    const y = b && !first ? op.add(alone, op.reshape(b, [outputs, 1, 1, 1])) : alone;
    return this.#inTiles(y, { side: 1, tiles, shape });
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

  /** Whether all that reads rows of the network multiplies them by a matrix, or leads to such alone. */
  #wantedAsColumns(value: Value): boolean {
    const known = this.#wanted.get(value);
    if (known !== undefined) return known;
    const users = this.#users.get(value) ?? [];
    const wanted = users.every(
      (user) =>
        user !== null &&
        (multipliesRows(user, value) || (isForEach(user) && this.#wantedAsColumns(user.output))),
    );
    this.#wanted.set(value, wanted);
    return wanted;
  }

  /** Batch normalization of tiles that hold nothing but the value: its channels are on axis 1 as well. */
  #byChannel(node: Node, inputs: readonly (Value | null)[], target: Rewritten): Made {
    const tiles = this.#tiles.get(inputs[0]!);
    if (!tiles || !areFull(tiles)) return null;
    const made =
      this.#others?.(node, inputs, target) ??
      target.graph.add(node.operator, inputs, node.attributes).outputs;
    this.#inTiles(made[0]!, tiles);
    return made;
  }

  /** What becomes of dropout is elementwise, with masks that are drawn for the values as they lie. */
  #dropout(node: Node, inputs: readonly (Value | null)[], target: Rewritten): Made {
    const made = this.#others?.(node, inputs, target)?.[0];
    if (!made) return null;
    const tiles = this.#tiles.get(inputs[0]!);
    return tiles ? this.#inTiles(made, tiles) : this.#asColumns(made);
  }

  #elementwise({ operator, attributes }: Node, inputs: readonly (Value | null)[]): Made {
    const [x, ...others] = inputs as [Value];
    if (this.#columns.has(x) && others.length === 0)
      return this.#asColumns(x.graph.add(operator, [x], attributes).output);
    const first = inputs.find((input) => input && this.#tiles.has(input));
    if (!first) return null;
    const tiles = this.#tiles.get(first)!;
    const alike = inputs.map((input) => input && this.#alike(input, tiles));
    if (alike.includes(null)) return null;
    return this.#inTiles(first.graph.add(operator, alike, attributes).output, tiles);
  }

  /** A map as rows, where what reads them takes columns. */
  #rows(node: Node, x: Value): Made {
    const tiles = this.#tiles.get(x);
    if (!tiles || !givesRows(node, tiles.shape) || !this.#wantedAsColumns(node.output)) return null;
    const [batch, ...elements] = tiles.shape;
    return this.#asColumns(op.reshape(untiled(x, tiles), [shapeSize(elements), batch!]));
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

  /** The maximum over 2x2 windows that do not overlap. What each channel adds is added to the pooled map, which is smaller. */
  #pool(node: Node, x: Value, target: Rewritten): Made {
    const tiles = this.#tiles.get(x);
    if (!tiles || tiles.side !== TILE) return null;
    const over = windows(tiles.shape, node.attributes.kernel_shape as number[], node.attributes);
    const inPairs = (window: Window) =>
      window.kernel === 2 &&
      window.stride === 2 &&
      window.dilation === 1 &&
      window.before === 0 &&
      window.output === Math.floor(window.input / 2);
    if (!over.every(inPairs)) return null;
    const [batch, channels, height, width] = tiles.shape as [Value["shape"][0], number, number, number];
    const { value, bias } = this.#biasApart(node.inputs[0]!, target);
    const highest = firstMax(op.reshape(value, [4, shapeSize([4, ...x.shape.slice(1)])]));
    const pooled = op.reshape(highest, [4, ...x.shape.slice(1)]);
    return this.#inTiles(bias ? op.add(pooled, op.reshape(bias, [channels, 1, 1, 1])) : pooled, {
      side: 2,
      tiles: tiles.tiles,
      shape: [batch, channels, Math.floor(height / 2), Math.floor(width / 2)],
    });
  }

  /** A value of the network, and apart from it the bias of the convolution that it is, or that others are added to. */
  #biasApart(old: Value, target: Rewritten): { readonly value: Value; readonly bias: Value | null } {
    const { producer } = old;
    const whole = { value: target.mapped(old), bias: null };
    if (!producer || this.#users.get(old)?.length !== 1) return whole;
    const [first, second, b] = producer.inputs as [Value, Value, Value?];
    const within = (build: () => Made) => target.graph.within(producer.scope, build)?.[0];
    if (producer.operator === op.convOp && b) {
      const value = within(() =>
        this.#convolution(producer, [target.mapped(first), target.mapped(second), null]),
      );
      return value ? { value, bias: target.mapped(b) } : whole;
    }
    if (producer.operator !== op.addOp) return whole;
    const { value: without, bias } = this.#biasApart(first, target);
    const value = bias && within(() => this.#elementwise(producer, [without, target.mapped(second)]));
    return value ? { value, bias } : whole;
  }
}

/** Whether a node works on each element of its one input for itself, whatever training makes of it. */
function isForEach({ operator, inputs }: Node): boolean {
  return operator === op.dropoutOp || (ELEMENTWISE.has(operator) && inputs.length === 1);
}
