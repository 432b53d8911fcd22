// When a dendrite has learned enough: settings and schedule of the phase in which dendrites learn apart from the network.

import { z } from "zod";
import { ArborizeError, didYouMean } from "../base/errors.ts";

/** How dendrites learn by correlation, and for how long. */
export interface CorrelationSettings {
  /** How many dendrites each neuron chooses from. They learn side by side. Whole, at least 1; default 1. */
  readonly candidates: number;
  /** Epochs in which no dendrite of the network gets better that end the phase. Whole, at least 1; default 10. */
  readonly patience: number;
  /** By what fraction of its best score a dendrite must get better for that to count. At least 0; default 0.01. */
  readonly improvementThreshold: number;
  /** By how much as well, in the score's unit. At least 0; default 1e-5. */
  readonly rawThreshold: number;
  /** A score of at most this is noise: getting there counts for nothing. At least 0; default 0.001. */
  readonly minimumScore: number;
  /** End the phase after as many epochs of learning as the neurons had before it. Default true. */
  readonly capAtNeuronPhase: boolean;
  /**
   * Batches that only measure, at the start: the errors' size, and the sign of each covariance. They end with the first
   * epoch at the latest. Whole, at least 1; default 100.
   */
  readonly bootstrapBatches: number;
  /**
   * What a covariance is divided by while learning: `"rms"`, its neuron's root mean square error; `"energy"`, the mean
   * squared error of all neurons of the module together, as in the program of the 1990 paper; `"pearson"`, the standard
   * deviations of output and error; `"none"`, nothing. Default `"rms"`.
   */
  readonly normalizer: "rms" | "energy" | "pearson" | "none";
  /**
   * What the sign of a covariance is taken from: `"epoch"`, all of the epoch before; `"running"`, a mean that each batch
   * moves by a hundredth; `"batch"`, the batch alone. Default `"epoch"`.
   */
  readonly sign: "epoch" | "running" | "batch";
  /**
   * The mean error that errors are taken from: the batch's, which makes the gradient exact, or a running one that each
   * batch moves by a hundredth. Default `"batch"`.
   */
  readonly meanError: "batch" | "running";
  /**
   * What the weight from a new dendrite to its neuron starts from: 0, or `-C / Z` with C the covariance and Z the mean
   * squared error of all neurons of the module, as in the program of the 1990 paper. Default `"zero"`.
   */
  readonly outputWeight: "zero" | "correlation";
  /** Take what such a weight adds on average off the neuron's bias, where it has one. Default true. */
  readonly compensateBias: boolean;
  /** Whether gradients of neurons end at dendrites or go through them, to what they read. Default `"stopped"`. */
  readonly gradients: "stopped" | "through";
  /**
   * Memory, in MiB, for what modules read and the errors at them, which are the same in each epoch: as far as those of all
   * examples fit, the network runs once for each and not again. 0 keeps nothing. At least 0; default 1024.
   */
  readonly cacheMegabytes: number;
  /** Whether a validation score that changes while dendrites learn is an error: the network must not. Default true. */
  readonly requireFlat: boolean;
}

const whole = z.int().min(1).describe("a whole number of at least 1");
const threshold = z.number().min(0).describe("a number of at least 0");
const flag = z.boolean().default(true).describe("true or false");

function word<const T extends readonly [string, ...string[]]>(...words: T) {
  const wanted = words.map((each) => `"${each}"`).join(" or ");
  return z
    .enum(words)
    .default(words[0] as never)
    .describe(wanted);
}

const schema = z.strictObject({
  candidates: whole.default(1),
  patience: whole.default(10),
  improvementThreshold: threshold.default(0.01),
  rawThreshold: threshold.default(1e-5),
  minimumScore: threshold.default(0.001),
  capAtNeuronPhase: flag,
  bootstrapBatches: whole.default(100),
  normalizer: word("rms", "energy", "pearson", "none"),
  sign: word("epoch", "running", "batch"),
  meanError: word("batch", "running"),
  outputWeight: word("zero", "correlation"),
  compensateBias: flag,
  gradients: word("stopped", "through"),
  cacheMegabytes: threshold.default(1024),
  requireFlat: flag,
}) satisfies z.ZodType<CorrelationSettings>;

/**
 * The settings that `options` ask for, with the defaults filled in.
 *
 * @throws `bad_option` naming every problem at once.
 */
export function correlationSettings(options: Partial<CorrelationSettings> = {}): CorrelationSettings {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map(
        (name) => `${name}: there is no such setting.${didYouMean(name, Object.keys(schema.shape))}`,
      );
    }
    const name = issue.path[0] as keyof CorrelationSettings | undefined;
    if (name === undefined) return ["wanted an object of settings."];
    return [
      `${name}: found ${JSON.stringify(options[name])}, wanted ${schema.shape[name].description ?? schema.shape[name].def.innerType.description}.`,
    ];
  });
  throw new ArborizeError(
    "bad_option",
    ["The settings of dendrites.correlation have problems:", ...problems].join("\n- "),
  );
}

/** Where a dendrite phase stands. Plain JSON. */
export interface PhaseProgress {
  /** Epochs in which dendrites learned. */
  readonly epochs: number;
  /** Epochs since a dendrite last got better by what counts. */
  readonly waited: number;
}

/** Why a dendrite phase is over. */
export type PhaseEnd = "patience" | "cap" | "forced";

/** Whether a dendrite of score `score` got better than `reference` by what counts. */
export function dendriteImproves(score: number, reference: number, settings: CorrelationSettings): boolean {
  const { improvementThreshold, rawThreshold, minimumScore } = settings;
  return (
    score > minimumScore &&
    score > reference &&
    score >= reference * (1 + improvementThreshold) &&
    score >= reference + rawThreshold
  );
}

/** The progress after another epoch of learning. */
export function nextPhaseProgress({ epochs, waited }: PhaseProgress, improved: boolean): PhaseProgress {
  return { epochs: epochs + 1, waited: improved ? 0 : waited + 1 };
}

/** Why the phase is over after these epochs; null while it goes on. `cap`: epochs that the neurons had before. */
export function phaseEnd(
  { epochs, waited }: PhaseProgress,
  cap: number,
  { patience, capAtNeuronPhase }: CorrelationSettings,
): PhaseEnd | null {
  if (waited >= patience) return "patience";
  return capAtNeuronPhase && epochs >= cap ? "cap" : null;
}
