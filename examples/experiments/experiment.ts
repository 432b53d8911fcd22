// An experiment: a few ways to train on the same data, each over the same seeds, and what came of them.

import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import {
  costLine,
  type Dataset,
  data,
  estimateRun,
  type FitOptions,
  fit,
  formatBytes,
  type GrowthOptions,
  losses,
  metrics,
  type nn,
  nodeEngine,
  type RunCost,
  summarize,
} from "../../src/index.ts";
import { folderName, trainOnce } from "./kept.ts";

/** How much is run: seconds, within an hour, or all that the publication did. */
export type Scale = "smoke" | "quick" | "full";

/** What an experiment is run with. */
export interface Context {
  readonly scale: Scale;
  /** The folder of the data sets; undefined: they are downloaded where that is possible. */
  readonly data: string | undefined;
  /** Where runs go, a folder each; undefined: nowhere. */
  readonly runs: string | undefined;
  /** Seeds 1 … this many. Default: the experiment's own for the scale. */
  readonly seeds?: number;
  /** A safetensors file that the network of an experiment with pretrained weights starts from. */
  readonly weights?: string;
  /** Go on with what `runs` holds: trainings that have ended are not run again, one that was stopped goes on. */
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
  readonly log: (line: string) => void;
  /** Called with what there is after each training, so that a run that is stopped leaves it. */
  readonly onOutcome?: (soFar: Results) => Promise<void>;
}

/** What one training gave. */
export interface Outcome {
  readonly seed: number;
  readonly parameters: number;
  readonly dendrites: number;
  /** The best validation score. */
  readonly validation: number;
  /** The test score of the network that had it. */
  readonly test: number;
  readonly epochs: number;
  readonly seconds: number;
}

/** Where a training goes, whether it goes on from there, and what stops it. */
export type ArmRun = Pick<FitOptions, "runFolder" | "resume" | "signal">;

/** One way to train. */
export interface Arm {
  readonly name: string;
  train(seed: number, how?: ArmRun): Promise<Outcome>;
  /** What a training costs, measured by a few steps. */
  readonly estimate?: () => Promise<RunCost>;
}

/** Arms on data that have been loaded. */
export interface Prepared {
  /** What was trained and tested on, in words. */
  readonly data: string;
  readonly arms: readonly Arm[];
}

/** An experiment as its file under `examples/` describes it. */
export interface Experiment {
  readonly name: string;
  readonly title: string;
  /** What was published. */
  readonly published: string;
  /** What was done here at this scale, where it differs. */
  readonly setup: Readonly<Record<Scale, string>>;
  /** What `Outcome.test` is. */
  readonly score: string;
  /** Whether it is a share, to be shown in percent. */
  readonly percent: boolean;
  readonly seeds: Readonly<Record<Scale, number>>;
  /** What `Outcome.dendrites` counts. Default: dendrites. */
  readonly grows?: string;
  /** Lines of the page that say more of the results than the table and the comparisons. */
  readonly findings?: (results: Results) => readonly string[];
  /** Which arms to compare, seed by seed: the first should win. */
  readonly comparisons: readonly (readonly [arm: string, against: string])[];
  prepare(context: Context): Promise<Prepared>;
}

/** What came of an experiment: plain JSON, from which the page is made. */
export interface Results {
  readonly experiment: string;
  readonly scale: Scale;
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly data: string;
  readonly arms: readonly { readonly name: string; readonly outcomes: readonly Outcome[] }[];
}

/** Runs every arm with every seed, the seeds outermost, so that stopping early leaves the arms comparable. */
export async function runExperiment(
  experiment: Experiment,
  context: Context,
  prepared?: Prepared,
): Promise<Results> {
  const { scale, runs, log, signal, resume = false } = context;
  const { data: words, arms } = prepared ?? (await experiment.prepare(context));
  const seeds = context.seeds ?? experiment.seeds[scale];
  const total = seeds * arms.length;
  log(`${experiment.name}: ${arms.length} arms, ${seeds} ${seeds === 1 ? "seed" : "seeds"}, ${words}`);
  const outcomes = new Map<string, Outcome[]>(arms.map(({ name }) => [name, []]));
  const resultsOf = (finished: number): Results => ({
    experiment: experiment.name,
    scale,
    command: `npm run experiments -- --only ${experiment.name} --scale ${scale} --seeds ${finished}`,
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} threads, Node ${process.versions.node}`,
    data: words,
    arms: [...outcomes]
      .filter(([, found]) => found.length > 0)
      .map(([name, found]) => ({ name, outcomes: [...found] })),
  });
  const start = performance.now();
  let done = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    for (const arm of arms) {
      signal?.throwIfAborted();
      const how = {
        ...(runs === undefined ? {} : { runFolder: join(runs, experiment.name, folderName(arm, seed)) }),
        ...(signal ? { signal } : {}),
        resume,
      };
      const outcome = await trainOnce(arm, seed, how, `${experiment.name}, ${scale}: ${words}`);
      outcomes.get(arm.name)!.push(outcome);
      done += 1;
      const left = ((performance.now() - start) / done) * (total - done);
      const found = `test ${outcome.test.toFixed(4)}, ${outcome.parameters} parameters, ${outcome.seconds.toFixed(0)} s`;
      log(
        `  ${done}/${total}  seed ${seed}  ${arm.name}: ${found}; about ${Math.ceil(left / 60_000)} min left`,
      );
      await context.onOutcome?.(resultsOf(seed));
    }
  }
  return resultsOf(seeds);
}

/** Says what an experiment will cost: each arm with one seed, and all of them with all seeds. */
export async function estimateExperiment(
  experiment: Experiment,
  { scale, seeds = experiment.seeds[scale], log }: Context,
  { arms }: Prepared,
): Promise<void> {
  log(`${experiment.name}: what it will cost, by a few steps of each arm`);
  let total = 0;
  let bytes = 0;
  for (const { name, estimate } of arms) {
    if (!estimate) continue;
    const cost = await estimate();
    log(`  ${name}: ${costLine(cost)}`);
    total += cost.seconds?.growing ?? 0;
    bytes = Math.max(bytes, cost.bytes);
  }
  if (bytes === 0) return log("  no estimate");
  const minutes = Math.ceil((total * seeds) / 60);
  log(
    `  with ${seeds} ${seeds === 1 ? "seed" : "seeds"} at most ${minutes} min, ${formatBytes(bytes)} of memory`,
  );
}

/** What `trainArm` needs beside what `fit` does. */
export interface ArmOptions
  extends Omit<FitOptions, "loss" | "seed" | "train" | "validation" | "test" | "runFolder"> {
  readonly name: string;
  readonly model: (seed: number) => nn.Module;
  readonly loss?: FitOptions["loss"];
  readonly parts: { readonly train: Dataset; readonly validation: Dataset; readonly test: Dataset };
  readonly epochs: number;
  /** What becomes of training batches. */
  readonly transform?: data.BatchTransform;
  /** How many numbers are learned, where that is not all parameters. */
  readonly parameters?: (model: nn.Module) => number;
}

/** Examples in a batch of an evaluation: it needs no gradients, so larger ones are faster. */
const EVALUATED = 500;

/** An arm by `fit`: cross entropy, scored by accuracy, the network of the best validation score tested once. */
export function trainArm(options: ArmOptions): Arm {
  const { name, model, parts, epochs, parameters, transform, batchSize = 64, ...rest } = options;
  const engine = nodeEngine();
  const optionsFor = (seed: number) => ({
    loss: losses.crossEntropy(),
    metric: metrics.accuracy,
    engine,
    progress: false,
    ...rest,
    train: data.batches(parts.train, { batchSize, shuffle: true, seed, ...(transform ? { transform } : {}) }),
    validation: data.batches(parts.validation, { batchSize: EVALUATED }),
    batchSize,
    seed,
    maxEpochs: epochs,
  });
  return {
    name,
    estimate: () => estimateRun(model(0), optionsFor(0)),
    async train(seed, how = {}) {
      const net = model(seed);
      const start = performance.now();
      let run = 0;
      const onEpoch = () => void run++;
      const { training, history, interrupted } = await fit(net, { ...optionsFor(seed), ...how, onEpoch });
      if (interrupted) {
        await training.release();
        how.signal?.throwIfAborted();
      }
      // A training that goes on has its first epochs' time in its history alone.
      const before = history.epochs.slice(0, history.epochs.length - run);
      const seconds =
        before.reduce((sum, epoch) => sum + epoch.trainSeconds + epoch.validationSeconds, 0) +
        (performance.now() - start) / 1000;
      const best = summarize(history).find((row) => row.best)!;
      const test = await training.evaluate(data.batches(parts.test, { batchSize: EVALUATED }));
      await training.release();
      const outcome = { validation: best.validation, test, epochs: history.epochs.length, seconds };
      return {
        seed,
        parameters: parameters?.(net) ?? best.parameters,
        dendrites: best.dendrites,
        ...outcome,
      };
    },
  };
}

/** The first `count` examples of a data set, or all of a smaller one. */
export function firstOf(dataset: Dataset, count: number): Dataset {
  return data.subset(
    dataset,
    Array.from({ length: Math.min(count, dataset.length) }, (_, i) => i),
  );
}

/** Growth by plan, so that every seed does the same: a dendrite after each cycle of so many epochs, tried once, at one rate. */
export function plannedGrowth(cycle: number, maxDendrites = 1): GrowthOptions {
  return { switchMode: "fixed", fixedEpochs: cycle, maxDendrites, maxTries: 1, findBestRate: false };
}

/**
 * An arm whose dendrites learn by correlation: the network has as many epochs as with `plannedGrowth`, and before each new
 * dendrite joins it learns apart for as many epochs as the network had at most, after one that may only measure.
 */
export function correlatedGrowth(cycle: number, maxDendrites = 1) {
  return {
    epochs: cycle * (maxDendrites + 1) + (cycle + 1) * maxDendrites,
    growth: plannedGrowth(cycle, maxDendrites),
    dendrites: { learning: "correlation" },
  } as const satisfies Partial<ArmOptions>;
}
