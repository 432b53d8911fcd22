// The functions as methods of values, so that a forward reads from left to right: `conv.call(x).relu().maxPool2d(2)`.

import { Value } from "../graph/graph.ts";
import { type Dim, normalizeAxis } from "../graph/shape.ts";
import * as op from "../ops/index.ts";
import type { Operand } from "./functional/index.ts";
import * as F from "./functional/index.ts";

/** Methods of values under PyTorch's names; axes may count from the end. */
interface ValueMethods {
  /** Sum, with broadcasting. */
  add(other: Operand): Value;
  /** Difference, with broadcasting. */
  sub(other: Operand): Value;
  /** Product element by element, with broadcasting. */
  mul(other: Operand): Value;
  /** Quotient element by element, with broadcasting. */
  div(other: Operand): Value;
  /** Power element by element. */
  pow(exponent: Operand): Value;
  /** Matrix product; leading axes broadcast. */
  matmul(other: Operand): Value;
  neg(): Value;
  abs(): Value;
  sqrt(): Value;
  exp(): Value;
  log(): Value;
  /** max(x, 0). */
  relu(): Value;
  /** 1 / (1 + e^-x). */
  sigmoid(): Value;
  tanh(): Value;
  /** Softmax over `dim`; default: the last. */
  softmax(dim?: number): Value;
  /** Logarithm of the softmax over `dim`; default: the last. */
  logSoftmax(dim?: number): Value;
  /** Sum over `dims`; default: all, to a scalar. */
  sum(dims?: number | readonly number[], options?: op.ReduceOptions): Value;
  /** Mean over `dims`; default: all, to a scalar. */
  mean(dims?: number | readonly number[], options?: op.ReduceOptions): Value;
  /** Maximum over `dims`; default: all, to a scalar. */
  amax(dims?: number | readonly number[], options?: op.ReduceOptions): Value;
  /** Minimum over `dims`; default: all, to a scalar. */
  amin(dims?: number | readonly number[], options?: op.ReduceOptions): Value;
  /** Another shape; one -1 stands for what is left over. */
  reshape(...shape: Dim[]): Value;
  /** Axes `startDim` (default 1) to `endDim` (default: the last) as one. */
  flatten(startDim?: number, endDim?: number): Value;
  squeeze(dim: number): Value;
  unsqueeze(dim: number): Value;
  /** Two axes exchanged. */
  transpose(dim0: number, dim1: number): Value;
  /** All axes in another order. */
  permute(...dims: number[]): Value;
  /** The maximum of each window; stride defaults to the kernel's size. */
  maxPool2d(kernelSize: F.PerAxis, options?: F.MaxPoolOptions): Value;
  /** The mean of each window; stride defaults to the kernel's size. */
  avgPool2d(kernelSize: F.PerAxis, options?: F.AvgPoolOptions): Value;
  /** Elements dropped with probability `p` (default 0.5) in training. */
  dropout(p?: number): Value;
  /** The same value, to which no gradient flows back. */
  detach(): Value;
}

declare module "../graph/graph.ts" {
  interface Value extends ValueMethods {}
}

const axes = (dims: number | readonly number[] | undefined) => (typeof dims === "number" ? [dims] : dims);

type Implementations = {
  [K in keyof ValueMethods]: (x: Value, ...rest: Parameters<ValueMethods[K]>) => Value;
};

const METHODS: Implementations = {
  add: (x, other) => op.add(x, F.operand(x, other)),
  sub: (x, other) => op.sub(x, F.operand(x, other)),
  mul: (x, other) => op.mul(x, F.operand(x, other)),
  div: (x, other) => op.div(x, F.operand(x, other)),
  pow: (x, exponent) => op.pow(x, F.operand(x, exponent)),
  matmul: (x, other) => op.matMul(x, F.operand(x, other)),
  neg: op.neg,
  abs: op.abs,
  sqrt: op.sqrt,
  exp: op.exp,
  log: op.log,
  relu: op.relu,
  sigmoid: op.sigmoid,
  tanh: op.tanh,
  softmax: op.softmax,
  logSoftmax: op.logSoftmax,
  sum: (x, dims, options) => op.reduceSum(x, axes(dims), options),
  mean: (x, dims, options) => op.reduceMean(x, axes(dims), options),
  amax: (x, dims, options) => op.reduceMax(x, axes(dims), options),
  amin: (x, dims, options) => op.reduceMin(x, axes(dims), options),
  reshape: (x, ...shape) => F.reshape(x, shape),
  flatten: F.flatten,
  squeeze: (x, dim) => op.squeeze(x, [dim]),
  unsqueeze: (x, dim) => op.unsqueeze(x, [dim]),
  transpose: (x, dim0, dim1) => {
    const order = x.shape.map((_, axis) => axis);
    const [a, b] = [normalizeAxis(dim0, x.rank), normalizeAxis(dim1, x.rank)];
    [order[a], order[b]] = [b, a];
    return op.transpose(x, order);
  },
  permute: (x, ...dims) =>
    op.transpose(
      x,
      dims.map((dim) => normalizeAxis(dim, x.rank)),
    ),
  maxPool2d: F.maxPool2d,
  avgPool2d: F.avgPool2d,
  dropout: F.dropout,
  detach: op.stopGradient,
};

for (const [name, implementation] of Object.entries(METHODS)) {
  Object.defineProperty(Value.prototype, name, {
    value(this: Value, ...rest: never[]) {
      return (implementation as (x: Value, ...rest: never[]) => Value)(this, ...rest);
    },
  });
}
