// Single steps of recurrent layers, for loops that a model writes out itself.

import { Tensor } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";
import * as F from "../functional/index.ts";
import { Module, Parameter } from "../module.ts";
import { type BiasOption, checkCounts, recurrentInit } from "./options.ts";
import { nonlinearityOf } from "./recurrent.ts";

/** What the cells have in common. `H` is `hiddenSize`. */
abstract class Cell extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih: Parameter | null;
  readonly bias_hh: Parameter | null;

  constructor(inputSize: number, hiddenSize: number, gates: number, { bias = true }: BiasOption) {
    super();
    checkCounts(new.target.name, { inputSize, hiddenSize });
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    const parameter = (...shape: number[]) => new Parameter(shape, recurrentInit(hiddenSize));
    this.weight_ih = parameter(gates * hiddenSize, inputSize);
    this.weight_hh = parameter(gates * hiddenSize, hiddenSize);
    this.bias_ih = bias ? parameter(gates * hiddenSize) : null;
    this.bias_hh = bias ? parameter(gates * hiddenSize) : null;
  }

  /** What the gates make of the input and of the hidden state, before their activations. */
  protected sums(x: Value, h: Value): readonly [ofInput: Value, ofState: Value] {
    return [F.linear(x, this.weight_ih, this.bias_ih), F.linear(h, this.weight_hh, this.bias_hh)];
  }

  /** The gates in a row. */
  protected gates(sums: Value): readonly Value[] {
    const count = (sums.shape.at(-1) as number) / this.hiddenSize;
    return op.split(sums, new Array<number>(count).fill(this.hiddenSize), -1);
  }

  /** The state that a sequence starts from, `[B, H]` of zeros. */
  protected zeros(x: Value): Value {
    const shape = op.concat([op.shapeOf(x, 0, x.rank - 1), op.int64s(x, [this.hiddenSize])], 0);
    return op.constantOfShapeOp.emit([shape], { value: Tensor.full([1], 0, x.dtype) }).output;
  }
}

/** One step of `LSTM`. `[B, inputSize]` and two states `[B, H]` to the next two. Gates are in PyTorch's order i, f, g, o. */
export class LSTMCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: BiasOption = {}) {
    super(inputSize, hiddenSize, 4, options);
  }

  /** @param state hidden and cell state. Default: zeros. */
  forward(x: Value, state?: readonly [h: Value, c: Value] | null): readonly [h: Value, c: Value] {
    const [h, c] = state ?? [this.zeros(x), this.zeros(x)];
    const [i, f, g, o] = this.gates(op.add(...this.sums(x, h))) as [Value, Value, Value, Value];
    const kept = op.mul(op.sigmoid(f), c);
    const next = op.add(kept, op.mul(op.sigmoid(i), op.tanh(g)));
    return [op.mul(op.sigmoid(o), op.tanh(next)), next];
  }
}

/** One step of `GRU`. `[B, inputSize]` and a state `[B, H]` to the next one. Gates are in PyTorch's order r, z, n. */
export class GRUCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: BiasOption = {}) {
    super(inputSize, hiddenSize, 3, options);
  }

  /** @param h the hidden state. Default: zeros. */
  forward(x: Value, h: Value | null = null): Value {
    const state = h ?? this.zeros(x);
    const [ofInput, ofState] = this.sums(x, state).map((sums) => this.gates(sums));
    const [ri, zi, ni] = ofInput as [Value, Value, Value];
    const [rh, zh, nh] = ofState as [Value, Value, Value];
    const z = op.sigmoid(op.add(zi, zh));
    const n = op.tanh(op.add(ni, op.mul(op.sigmoid(op.add(ri, rh)), nh)));
    return op.add(n, op.mul(z, op.sub(state, n)));
  }
}

/** Options of `RNNCell`. */
export interface RNNCellOptions extends BiasOption {
  /** Default: "tanh". */
  readonly nonlinearity?: "tanh" | "relu";
}

/** One step of `RNN`. `[B, inputSize]` and a state `[B, H]` to the next one. */
export class RNNCell extends Cell {
  readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    super(inputSize, hiddenSize, 1, options);
    this.nonlinearity = nonlinearityOf("RNNCell", options.nonlinearity);
  }

  /** @param h the hidden state. Default: zeros. */
  forward(x: Value, h: Value | null = null): Value {
    const sums = op.add(...this.sums(x, h ?? this.zeros(x)));
    return this.nonlinearity === "relu" ? op.relu(sums) : op.tanh(sums);
  }
}
