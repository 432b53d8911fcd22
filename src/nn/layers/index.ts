// Layers under PyTorch's names, with its arguments, defaults and initial values.

export * from "./activation.ts";
export * from "./batch-norm.ts";
export * from "./container.ts";
export * from "./conv.ts";
export * from "./dropout.ts";
export { Bilinear, Identity, Linear } from "./linear.ts";
export type { BiasOption } from "./options.ts";
export * from "./pad.ts";
export * from "./pool.ts";
export * from "./shape.ts";
export * from "./thresholds.ts";
