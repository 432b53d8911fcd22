// The learning-rate search through a real training: recorded runs of the original give the scores, and the rates, counts of
// dendrites and ends must come out as recorded. Where they deviate by intent, test/growth-traces.test.ts says how and why.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  arborize,
  type GrowthOptions,
  losses,
  nn,
  optim,
  readSafetensors,
  Tensor,
  type Training,
  type Value,
} from "../src/index.ts";
import { missing, SHARED } from "./support/golden.ts";

class Net extends nn.Module {
  first = new nn.Linear(2, 3);
  second = new nn.Linear(3, 2);
  forward(x: Value) {
    return this.second.call(this.first.call(x).relu());
  }
}

interface Recorded {
  readonly name: string;
  readonly scores: readonly number[];
  readonly maximizingScore: boolean;
  readonly optimizer: { readonly lr: number };
  readonly scheduler: { readonly args: { readonly step_size: number; readonly gamma: number } };
  readonly configOverrides: Readonly<Record<string, number>>;
  readonly steps: readonly {
    readonly expect: {
      readonly restructured: boolean;
      readonly trainingComplete: boolean;
      readonly lrAfter: number;
      readonly state: { readonly dendriteSets: number; readonly lrCommitted: boolean };
    };
  }[];
}

const RUNS = ["lr_steplr_first_rate_wins", "lr_steplr_second_rate_wins", "lr_steplr_lowest_rate_wins"];

const batch = {
  x: Tensor.of([4, 2], [0.5, -1, 1, 2, -0.3, 0.7, 1.5, -0.2]),
  target: Tensor.of([4], [0, 1, 1, 0], "int64"),
};

function makeTraining(run: Recorded) {
  const growth: GrowthOptions = {
    maximize: run.maximizingScore,
    patience: run.configOverrides.n_epochs_to_switch ?? 10,
    maxTries: (run.configOverrides.max_dendrite_tries ?? 2) + 1,
    maxDendrites: run.configOverrides.max_dendrites ?? 100,
  };
  return arborize(new Net(), {
    inputs: { x: ["batch", 2] },
    loss: losses.crossEntropy(),
    optimizer: optim.adam({ learningRate: run.optimizer.lr }),
    scheduler: optim.stepLR({ stepSize: run.scheduler.args.step_size, gamma: run.scheduler.args.gamma }),
    growth,
  });
}

const absent = missing("spec", "growth-traces.json");
if (absent) console.warn(absent);
describe.skipIf(absent)("the learning-rate search in a training", () => {
  const recorded = (name: string): Recorded => {
    const { scenarios } = JSON.parse(readFileSync(join(SHARED, "spec", "growth-traces.json"), "utf8"));
    return scenarios.find((scenario: Recorded) => scenario.name === name);
  };

  for (const name of RUNS) {
    it(`${name}: rates, dendrites and ends as recorded`, async () => {
      const run = recorded(name);
      const training = await makeTraining(run);
      for (const [call, score] of run.scores.entries()) {
        await training.step(batch);
        const { complete } = await training.addValidationScore(score);
        const wanted = run.steps[call]!.expect;
        expect(complete, `call ${call}`).toBe(wanted.trainingComplete);
        expect(training.dendrites, `call ${call}`).toBe(wanted.state.dendriteSets);
        if (!complete) expect(training.learningRate, `call ${call}`).toBeCloseTo(wanted.lrAfter, 12);
      }
      await training.release();
    });
  }

  it("goes back to the better run bit for bit: weights, optimizer, schedule", async () => {
    const run = recorded("lr_steplr_first_rate_wins");
    const training = await makeTraining(run);
    let kept: Kept | null = null;
    for (const score of run.scores) {
      await training.step(batch);
      const before = await stateOf(training);
      const { decisions } = await training.addValidationScore(score);
      const types: readonly string[] = decisions.map(({ type }) => type);
      if (types.includes("next_rate")) {
        // The first run is set aside whole, and the second has begun from the network as it had just grown.
        kept = before;
        expect((await stateOf(training)).tensors).not.toEqual(before.tensors);
        expect((await stateOf(training)).progress.steps).toBe(0);
      }
      if (types.includes("rates_compared")) {
        const after = await stateOf(training);
        expect(after.tensors).toEqual(kept!.tensors);
        expect(after.progress.steps).toBe(kept!.progress.steps);
        expect(after.progress.masks).toEqual(kept!.progress.masks);
        // Its last epoch had taken a step of the schedule before it was set aside.
        expect(after.progress.scheduler.steps).toBe(kept!.progress.scheduler.steps + 1);
        return;
      }
    }
    expect.unreachable("the search never compared its runs");
  });

  it("stopped in the second run, has the history of the best network", async () => {
    const run = recorded("lr_steplr_first_rate_wins");
    const training = await makeTraining(run);
    let second = false;
    for (const score of run.scores) {
      await training.step(batch);
      const { decisions } = await training.addValidationScore(score);
      if (second) break;
      second = decisions.some(({ type }) => type === "next_rate");
    }
    const scores = training.history.epochs.map(({ validation }) => validation);
    const best = run.maximizingScore ? Math.max(...scores) : Math.min(...scores);
    const kept = () => training.history.epochs.filter(({ abandoned }) => !abandoned);
    expect(kept().map(({ validation }) => validation)).not.toContain(best);
    await training.restoreBest();
    expect(kept().at(-1)).toMatchObject({ validation: best, dendrites: training.dendrites });
    // What is trained next comes after that.
    await training.addValidationScore(best);
    expect(
      kept()
        .slice(-2)
        .map(({ validation }) => validation),
    ).toEqual([best, best]);
    await training.release();
  });
});

interface Kept {
  readonly tensors: readonly (readonly [string, readonly unknown[]])[];
  readonly progress: {
    readonly steps: number;
    readonly masks: unknown;
    readonly scheduler: { readonly steps: number };
  };
}

/** Parameters and optimizer, and where training stands. */
async function stateOf(training: Training): Promise<Kept> {
  const { tensors, metadata } = readSafetensors(await training.toCheckpoint());
  const own = [...tensors].filter(([key]) => !key.startsWith("checkpoint."));
  return {
    tensors: own.map(([key, { data }]) => [key, [...data]] as const),
    progress: JSON.parse(metadata.arborize!).now.progress,
  };
}
