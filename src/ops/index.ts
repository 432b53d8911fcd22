// All operators. Adding a family is one line here.

export * from "./activation.ts";
export * from "./attention.ts";
export * from "./batch-norm.ts";
export * from "./bitwise.ts";
export * from "./cast.ts";
export { concat, concatOp, split, splitOp } from "./concat.ts";
export * from "./conv.ts";
export * from "./cumulative.ts";
export { int64s, scalar } from "./define.ts";
export * from "./dropout.ts";
export * from "./einsum.ts";
export * from "./elementwise.ts";
export * from "./extrema.ts";
export * from "./gather.ts";
export * from "./global-pool.ts";
export * from "./group-norm.ts";
export * from "./hard-sigmoid.ts";
export * from "./layer-norm.ts";
export * from "./logic.ts";
export * from "./loss.ts";
export * from "./matmul.ts";
export * from "./max-pool.ts";
export * from "./normalization.ts";
export * from "./order.ts";
export {
  type AveragePoolOptions,
  averagePool,
  averagePoolOp,
  type LpPoolOptions,
  lpPool,
  lpPoolOp,
  type PoolOptions,
} from "./pool.ts";
export * from "./range.ts";
export * from "./rectifiers.ts";
export { type GruOptions, gru, gruOp } from "./recurrent/gru.ts";
export { type LstmOptions, lstm, lstmOp } from "./recurrent/lstm.ts";
export { type RnnOptions, rnn, rnnOp } from "./recurrent/rnn.ts";
export * from "./reduce.ts";
export * from "./reshape.ts";
export * from "./resize.ts";
export * from "./rounding.ts";
export { scanOp } from "./scan.ts";
export * from "./scatter.ts";
export {
  type Padding,
  type PadMode,
  pad,
  padOp,
  type Range,
  slice,
  sliceOp,
} from "./slice.ts";
export * from "./space.ts";
export * from "./trigonometry.ts";
