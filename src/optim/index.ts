// The public `optim`: PyTorch's torch.optim. Adding an optimizer or a scheduler is one function in its file.

export type { Knobs, Optimizer, OptimizerOptions, Update } from "./optimizer.ts";
export * from "./optimizers.ts";
export * from "./quickprop.ts";
export * from "./schedulers.ts";
