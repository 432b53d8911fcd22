// What an optimizer is: a few nodes appended to the training graph.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";

/** The numbers an update reads that change from step to step, computed in float64 and fed as scalars. */
export type Knobs = Readonly<Record<string, number>>;

/** The nodes of one update. */
export interface Update {
  /** The parameter after the step. */
  readonly parameter: Value;
  /** The optimizer's state after the step, by name. */
  readonly state: Readonly<Record<string, Value>>;
}

/** An optimizer, as PyTorch computes it: a recipe without state of its own, so one can serve several trainings. */
export interface Optimizer {
  readonly name: string;
  /** The learning rate that training starts from; a scheduler or the user may change it at any time. */
  readonly learningRate: number;
  /** Everything it was made with, for reports. */
  readonly options: Readonly<Record<string, number | boolean>>;
  /** The state kept for each parameter, in its shape, under PyTorch's names, and the number it is filled with. */
  readonly state: Readonly<Record<string, number>>;
  /**
   * Whether parameters and state stay as they are where the gradient is zero. Rows of an embedding that are not in the batch
   * are then left out of the update. Default: false.
   */
  readonly sparse?: boolean;
  /** The knobs of step number `step` (the first is 1) at a learning rate. */
  knobs(step: number, learningRate: number): Knobs;
  /** Appends the update of one parameter. */
  update(
    parameter: Value,
    gradient: Value,
    state: Readonly<Record<string, Value>>,
    knobs: Readonly<Record<string, Value>>,
  ): Update;
}

/** Options that every optimizer has. */
export interface OptimizerOptions {
  readonly learningRate?: number;
  /** How much of each parameter is added to its gradient (L2 penalty). Default: 0. */
  readonly weightDecay?: number;
}

/** The least and the largest (exclusive) value of an option. */
type Bounds = readonly [least: number, below: number];

/** PyTorch's names that are not ours in camel case. */
const TORCH_NAMES: Readonly<Record<string, string>> = {
  lr: "learningRate",
  lr_decay: "learningRateDecay",
  initial_accumulator_value: "initialAccumulator",
  min_lr: "minLearningRate",
  max_lr: "maxLearningRate",
};

/**
 * Checks what an optimizer or a scheduler is made with.
 *
 * @param given what the user wrote.
 * @param options everything, with defaults, but for `others`.
 * @param bounds where the default, from 0 on, is not what is wanted.
 * @param others the names of options that are checked elsewhere.
 * @throws `bad_option` naming every option that is unknown or out of bounds.
 */
export function checkOptions(
  owner: string,
  given: object,
  options: Readonly<Record<string, number | boolean | string>>,
  bounds: Readonly<Record<string, Bounds>> = {},
  others: readonly string[] = [],
): void {
  const known = [...others, ...Object.keys(options)];
  const unknown = Object.keys(given).flatMap((name) => {
    if (known.includes(name)) return [];
    const ours = TORCH_NAMES[name];
    const hint = ours && known.includes(ours) ? ` Did you mean "${ours}"?` : didYouMean(name, known);
    return [`there is no option "${name}".${hint}`];
  });
  const outside = Object.entries(options).flatMap(([name, value]) => {
    if (typeof value === "boolean" || typeof value === "string") return [];
    const [least, below] = bounds[name] ?? [0, Number.POSITIVE_INFINITY];
    if (value >= least && value < below) return [];
    const range =
      below === Number.POSITIVE_INFINITY ? `at least ${least}` : `at least ${least} and below ${below}`;
    return [`${name} is ${value}, it must be ${range}.`];
  });
  const problems = [...unknown, ...outside];
  if (problems.length > 0) throw new ArborizeError("bad_option", `${owner}: ${problems.join("; ")}`);
}
