// Recurrent layers over sequences.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import { type Dim, sameShape, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import * as F from "../functional/index.ts";
import { operand } from "../functional/operand.ts";
import { Module, Parameter } from "../module.ts";
import { type BiasOption, checkCounts, recurrentInit } from "./options.ts";

/** Options of `LSTM`, `GRU` and `RNN`. */
export interface RecurrentOptions extends BiasOption {
  /** Layers, each on the output of the one before. Default: 1. */
  readonly numLayers?: number;
  /** Inputs and outputs are `[B, L, ...]`, not `[L, B, ...]`; states stay as they are. Default: false. */
  readonly batchFirst?: boolean;
  /** The probability of dropping an element between layers in training. Default: 0. */
  readonly dropout?: number;
  /** Run both ways, and join the outputs. Default: false. */
  readonly bidirectional?: boolean;
}

/** Options of a call of a recurrent layer. */
export interface SequenceOptions {
  /**
   * How many steps of each sequence count, whole numbers `[B]`: what PyTorch packs sequences by. The last states are those
   * after a sequence's own end, and the outputs behind it zeros. Default: all.
   */
  readonly lengths?: Value | null;
}

/** What one layer is run with. */
interface LayerInputs {
  /** `[L, B, width]` */
  readonly x: Value;
  /** `[directions, gates * H, width]` */
  readonly w: Value;
  /** `[directions, gates * H, H]` */
  readonly r: Value;
  readonly options: op.RnnOptions;
  /** Those to start from, `[directions, B, H]`; none for zeros. */
  readonly states: readonly Value[];
}

/** What LSTM, GRU and RNN have in common. `H` is `hiddenSize`, `directions` is 2 if `bidirectional`, else 1. */
abstract class Recurrent extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  /** `weight_ih_l0`, `weight_hh_l0`, … of each layer, with `_reverse` those of the way back. */
  [weight: `weight_${string}`]: Parameter;
  /** `bias_ih_l0`, `bias_hh_l0`, … */
  [bias: `bias_${string}`]: Parameter;
  readonly #gates: readonly number[];
  readonly #ways: readonly string[];
  readonly #biased: boolean;

  /** @param gates where PyTorch has ONNX's gates. */
  constructor(inputSize: number, hiddenSize: number, gates: readonly number[], options: RecurrentOptions) {
    super();
    const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false } = options;
    checkCounts(new.target.name, { inputSize, hiddenSize, numLayers });
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    this.#gates = gates;
    this.#ways = bidirectional ? ["", "_reverse"] : [""];
    this.#biased = bias;
    const rows = gates.length * hiddenSize;
    const parameter = (...shape: number[]) => new Parameter(shape, recurrentInit(hiddenSize));
    for (let layer = 0; layer < numLayers; layer++) {
      const width = layer === 0 ? inputSize : this.#ways.length * hiddenSize;
      for (const way of this.#ways) {
        this[`weight_ih_l${layer}${way}`] = parameter(rows, width);
        this[`weight_hh_l${layer}${way}`] = parameter(rows, hiddenSize);
        if (!bias) continue;
        this[`bias_ih_l${layer}${way}`] = parameter(rows);
        this[`bias_hh_l${layer}${way}`] = parameter(rows);
      }
    }
  }

  /** The output `[L, directions, B, H]` of one layer, and its last states. */
  protected abstract layer(inputs: LayerInputs): readonly [y: Value, ...states: Value[]];

  /** The output, and the last states of all layers. */
  protected run(
    input: Value,
    states: readonly Value[],
    { lengths }: SequenceOptions,
  ): readonly [y: Value, ...states: Value[]] {
    const name = this.constructor.name;
    expectShape(
      input.rank === 3 && input.shape[2] === this.inputSize,
      () =>
        `${name}: its input must have 3 axes, the last of ${this.inputSize}; it is ${shapeText(input.shape)}`,
    );
    const swapped = (value: Value) => (this.batchFirst ? op.transpose(value, [1, 0, 2]) : value);
    let x = swapped(input);
    const ways = this.#ways.length;
    const wanted = [this.numLayers * ways, x.shape[1]!, this.hiddenSize];
    for (const { shape } of states) {
      expectShape(
        sameShape(shape, wanted),
        () => `${name}: a state is ${shapeText(shape)}, wanted ${shapeText(wanted)}`,
      );
    }
    const last: (readonly Value[])[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0) x = F.dropout(x, this.dropout);
      const range = { axis: 0, start: layer * ways, end: (layer + 1) * ways };
      const [y, ...ends] = this.layer({
        x,
        w: this.#ofLayer(x, ["weight_ih"], layer),
        r: this.#ofLayer(x, ["weight_hh"], layer),
        options: {
          bias: this.#biased ? this.#ofLayer(x, ["bias_ih", "bias_hh"], layer) : undefined,
          sequenceLengths: lengths ? op.cast(lengths, "int32") : undefined,
          direction: this.bidirectional ? "bidirectional" : "forward",
        },
        states: states.map((state) => (this.numLayers === 1 ? state : op.slice(state, [range]))),
      });
      last.push(ends);
      x = this.#sideBySide(y);
    }
    const ofAllLayers = last[0]!.map((_, i) =>
      op.concat(
        last.map((ends) => ends[i]!),
        0,
      ),
    );
    return [swapped(x), ...ofAllLayers];
  }

  /** Parameters of a layer one below the other, their gates in ONNX's order, along a first axis of directions. */
  #ofLayer(like: Value, kinds: readonly (`weight_${string}` | `bias_${string}`)[], layer: number): Value {
    const sizes = this.#gates.map(() => this.hiddenSize);
    const ofWays = this.#ways.map((way) => {
      const parts = kinds.flatMap((kind) => {
        const gates = op.split(operand(like, this[`${kind}_l${layer}${way}`]!), sizes, 0);
        return this.#gates.map((at) => gates[at]!);
      });
      return op.unsqueeze(op.concat(parts, 0), [0]);
    });
    return op.concat(ofWays, 0);
  }

  /** `[L, directions, B, H]` to `[L, B, directions * H]`. */
  #sideBySide(y: Value): Value {
    if (!this.bidirectional) return op.squeeze(y, [1]);
    const [length, , batch] = y.shape as [Dim, Dim, Dim];
    return op.reshape(op.transpose(y, [0, 2, 1, 3]), [length, batch, 2 * this.hiddenSize]);
  }
}

/** Options of `LSTM`. */
export interface LSTMOptions extends RecurrentOptions {
  /** Not supported: the runtime's LSTM has no projections. */
  readonly projSize?: 0;
}

/**
 * Long short-term memory. `[L, B, inputSize]` to `[L, B, directions * H]`, with the hidden and the cell state after the last
 * step, `[numLayers * directions, B, H]` each. Gates are in PyTorch's order i, f, g, o.
 */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    super(inputSize, hiddenSize, [0, 3, 1, 2], options);
    if (options.projSize) {
      const problem = `projSize is ${options.projSize}, the runtime's LSTM has no projections`;
      throw new ArborizeError(
        "bad_option",
        `LSTM: ${problem}. Leave it out, and put a Linear behind the layer.`,
      );
    }
  }

  /** @param state hidden and cell state to start from. Default: zeros. */
  forward(
    x: Value,
    state?: readonly [h: Value, c: Value] | null,
    options: SequenceOptions = {},
  ): readonly [output: Value, state: readonly [h: Value, c: Value]] {
    const [y, h, c] = this.run(x, state ?? [], options) as [Value, Value, Value];
    return [y, [h, c]];
  }

  protected layer({ x, w, r, options, states: [initialH, initialC] }: LayerInputs) {
    const { y, yH, yC } = op.lstm(x, w, r, { ...options, initialH, initialC });
    return [y, yH, yC] as const;
  }
}

/**
 * Gated recurrent units. `[L, B, inputSize]` to `[L, B, directions * H]`, with the hidden state after the last step,
 * `[numLayers * directions, B, H]`. Gates are in PyTorch's order r, z, n.
 */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(inputSize, hiddenSize, [1, 0, 2], options);
  }

  /** @param h the hidden state to start from. Default: zeros. */
  forward(x: Value, h?: Value | null, options: SequenceOptions = {}): readonly [output: Value, h: Value] {
    return this.run(x, h ? [h] : [], options) as [Value, Value];
  }

  protected layer({ x, w, r, options, states: [initialH] }: LayerInputs) {
    const { y, yH } = op.gru(x, w, r, { ...options, initialH, linearBeforeReset: true });
    return [y, yH] as const;
  }
}

/** Options of `RNN`. */
export interface RNNOptions extends RecurrentOptions {
  /** Default: "tanh". */
  readonly nonlinearity?: "tanh" | "relu";
}

/**
 * The simple recurrent layer, `h = tanh(W x + b + W h + b)`. `[L, B, inputSize]` to `[L, B, directions * H]`, with the hidden
 * state after the last step, `[numLayers * directions, B, H]`.
 */
export class RNN extends Recurrent {
  readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    super(inputSize, hiddenSize, [0], options);
    this.nonlinearity = nonlinearityOf("RNN", options.nonlinearity);
  }

  /** @param h the hidden state to start from. Default: zeros. */
  forward(x: Value, h?: Value | null, options: SequenceOptions = {}): readonly [output: Value, h: Value] {
    return this.run(x, h ? [h] : [], options) as [Value, Value];
  }

  protected layer({ x, w, r, options, states: [initialH] }: LayerInputs) {
    const activation = this.nonlinearity === "relu" ? "Relu" : "Tanh";
    const activations = this.bidirectional ? [activation, activation] : [activation];
    const { y, yH } = op.rnn(x, w, r, { ...options, initialH, activations });
    return [y, yH] as const;
  }
}

/** @throws `bad_option` for one that PyTorch does not have. */
export function nonlinearityOf(layer: string, name: "tanh" | "relu" = "tanh"): "tanh" | "relu" {
  if (name === "tanh" || name === "relu") return name;
  throw new ArborizeError("bad_option", `${layer}: nonlinearity is "${name}", it must be "tanh" or "relu".`);
}
