// PyTorch's functions on values, under PyTorch's names and with its defaults.

export * from "./activation.ts";
export * from "./adaptive.ts";
export { type AttentionOptions, scaledDotProductAttention } from "./attention.ts";
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "./conv.ts";
export * from "./distance.ts";
export * from "./dropout.ts";
export * from "./elementwise.ts";
export * from "./embedding.ts";
export * from "./linear.ts";
export * from "./normalization.ts";
export { type Operand, operand, type PerAxis } from "./operand.ts";
export * from "./pad.ts";
export * from "./parts.ts";
export * from "./pool.ts";
export * from "./reduction.ts";
export * from "./resample.ts";
export * from "./shape.ts";
