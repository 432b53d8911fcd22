// Layers under PyTorch's names, with its arguments, defaults and initial values.

export * from "./activation.ts";
export * from "./attention.ts";
export * from "./batch-norm.ts";
export * from "./container.ts";
export * from "./conv.ts";
export * from "./dropout.ts";
export * from "./embedding.ts";
export { Bilinear, Identity, Linear } from "./linear.ts";
export * from "./masked.ts";
export * from "./normalization.ts";
export type { AffineOptions, BiasOption, WeightInitOption } from "./options.ts";
export * from "./pad.ts";
export * from "./pool.ts";
export {
  GRU,
  LSTM,
  type LSTMOptions,
  type RecurrentOptions,
  RNN,
  type RNNOptions,
  type SequenceOptions,
} from "./recurrent.ts";
export * from "./recurrent-cell.ts";
export * from "./shape.ts";
export * from "./thresholds.ts";
export * from "./transformer.ts";
