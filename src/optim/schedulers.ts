// Learning-rate schedulers, as PyTorch computes them, step by step where that differs from a closed form.

export type { Scheduler, SchedulerOption, SchedulerState } from "./scheduler.ts";
export * from "./schedulers/cosine.ts";
export * from "./schedulers/decay.ts";
export * from "./schedulers/one-cycle.ts";
export * from "./schedulers/plateau.ts";
export * from "./schedulers/sequential.ts";
export * from "./schedulers/warm-up.ts";
