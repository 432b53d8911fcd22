// What a configuration calls by name.

import type { Loss } from "../../nn/losses.ts";
import { crossEntropy, huber, l1, mse, nll, smoothL1 } from "../../nn/losses.ts";
import { accuracy, auc, type Metric, squaredError } from "../../nn/metrics.ts";
import { adadelta, adagrad, adam, adamw, rmsprop, sgd } from "../../optim/index.ts";
import type { Optimizer } from "../../optim/optimizer.ts";
import type { Scheduler } from "../../optim/scheduler.ts";
import {
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  exponentialLR,
  linearLR,
  multiStepLR,
  oneCycleLR,
  reduceLROnPlateau,
  stepLR,
} from "../../optim/schedulers.ts";

const losses = { crossEntropy, nll, mse, l1, huber, smoothL1 };
const metrics = { accuracy, auc, squaredError };
const optimizers = { sgd, adam, adamw, adadelta, adagrad, rmsprop };
const schedulers = {
  stepLR,
  multiStepLR,
  exponentialLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  reduceLROnPlateau,
  linearLR,
  constantLR,
  oneCycleLR,
};

const namesOf = <T extends object>(things: T) => Object.keys(things) as (keyof T & string)[];

export const MODELS = ["mlp", "cnn", "resnet18", "resnet34", "bagOfWords"] as const;
/** The rules that dendrites learn by. */
export const LEARNING = ["gradient", "correlation"] as const;
export const LOSSES = namesOf(losses);
export const METRICS = namesOf(metrics);
export const OPTIMIZERS = namesOf(optimizers);
export const SCHEDULERS = namesOf(schedulers);

/** A thing by name, or with options beside its name. */
export type Named = string | { readonly name: string; readonly [option: string]: unknown };

/** Name and options. */
export function partsOf(named: Named): { name: string; options: Record<string, unknown> } {
  if (typeof named === "string") return { name: named, options: {} };
  const { name, ...options } = named;
  return { name, options };
}

// The schema has checked the names; what they name checks its options.
type Make<T> = Readonly<Record<string, (options: never) => T>>;

export const lossOf = (named: Named) => make<Loss>(losses, named);
export const optimizerOf = (named: Named) => make<Optimizer>(optimizers, named);
export const schedulerOf = (named: Named) => make<Scheduler>(schedulers, named);
export const metricOf = (name: keyof typeof metrics): Metric => metrics[name];

function make<T>(from: Make<T>, named: Named): T {
  const { name, options } = partsOf(named);
  return from[name]!(options as never);
}
