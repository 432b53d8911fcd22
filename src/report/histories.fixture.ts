// Invented runs for the tests of this folder.

import type { EpochRecord, RunHistory } from "./history.ts";

/** An epoch with plausible values; give what a test is about. */
export function epoch(fields: Partial<EpochRecord> & { epoch: number }): EpochRecord {
  return {
    branchEpoch: fields.epoch,
    cycle: 0,
    dendrites: 0,
    parameters: 1_199_882 * (1 + (fields.dendrites ?? 0)),
    learningRate: 0.001,
    trainLoss: 1 / (fields.epoch + 1),
    validation: 0.9,
    running: 0.9,
    trainSeconds: 10,
    validationSeconds: 1,
    abandoned: false,
    ...fields,
  };
}

/** A history of these epochs, scored by accuracy. */
export function history(epochs: EpochRecord[], rest: Partial<RunHistory> = {}): RunHistory {
  return { metric: "accuracy", maximize: true, epochs, switches: [], ...rest };
}

/** `count` kept epochs that learn quickly at first. */
export function learning(count: number, rest: Partial<RunHistory> = {}): RunHistory {
  const at = (i: number) => {
    const validation = 0.99 - 0.5 * Math.exp(-i / 2) + wobble(i) * 0.002;
    return epoch({ epoch: i, validation, running: validation, test: validation - 0.002 });
  };
  return history(
    Array.from({ length: count }, (_, i) => at(i)),
    rest,
  );
}

/** 40 epochs and more with three additions, the last one failing twice; each addition abandons a tail. */
export function grownRun(): RunHistory {
  const run = history([]);
  let [counter, place, cycle] = [0, 0, 0];
  const phase = (dendrites: number, count: number, keep: number, from: number, to: number) => {
    for (let i = 0; i < count; i++) {
      const late = i >= keep ? (i - keep + 1) * 0.0004 : 0;
      const validation = to - (to - from) * Math.exp(-i / 2.5) + wobble(counter) * 0.0012 - late;
      const record = epoch({
        epoch: counter,
        branchEpoch: place + i,
        cycle,
        dendrites,
        learningRate: 0.001 * 0.75 ** i,
        trainLoss: 0.3 * Math.exp(-place / 9 - i / 9) + 0.01,
        validation,
        running: validation,
        test: validation - 0.0018 + wobble(counter + 50) * 0.0006,
        scores: { "top5, any": 0.99 + counter / 10_000 },
        abandoned: i >= keep,
      });
      run.epochs.push(record);
      counter++;
    }
    place += keep;
    cycle++;
  };
  const grow = (dendrites: number) =>
    run.switches.push({ epoch: counter - 1, dendrites, reason: "no improvement for 4 epochs" });
  phase(0, 14, 10, 0.42, 0.981);
  grow(1);
  phase(1, 13, 9, 0.979, 0.9868);
  grow(2);
  phase(2, 5, 0, 0.984, 0.9862);
  grow(2);
  phase(2, 12, 8, 0.9865, 0.9899);
  grow(3);
  phase(3, 5, 0, 0.987, 0.9889);
  grow(3);
  phase(3, 5, 0, 0.986, 0.9892);
  return run;
}

/** Noise between -1 and 1 that is the same in every run. */
export function wobble(i: number): number {
  const x = Math.sin(i * 127.1 + 11.7) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}

/** `grownRun` with everything that a run may record: extra scores, dendrite scores, rates tried, an end. */
export function fullRun(): RunHistory {
  const run = grownRun();
  const modules = ["conv1", "conv2", "layer1.0.conv1", "layer1.0.conv2", "fc1", "fc2"];
  const epochs = run.epochs.map((e, i) => ({
    ...e,
    trainSeconds: 9 + 2.6 * e.dendrites + wobble(i) * 0.4,
    validationSeconds: 1.2 + 0.3 * e.dendrites + wobble(i + 9) * 0.1,
    scores: { "training accuracy": Math.min(1, e.validation + 0.004), "top 5": 0.9995, loss: e.trainLoss },
    ...(e.dendrites === 0
      ? {}
      : {
          dendriteScores: Object.fromEntries(
            modules.map((module, m) => [module, 0.02 + 0.03 * m * (1 - Math.exp(-(e.epoch % 9) / 3))]),
          ),
        }),
  }));
  const switches = run.switches.map((s) => ({
    ...s,
    reason: `no improvement for 4 epochs (best 0.98): dendrite ${s.dendrites} is added to the model of epoch 9`,
  }));
  const ratesTried = [
    { dendrites: 1, startRate: 0.001, score: 0.9868, kept: true },
    { dendrites: 1, startRate: 0.00075, score: 0.9861, kept: false },
    { dendrites: 2, startRate: 0.001, score: 0.9862, kept: false },
    { dendrites: 2, startRate: 0.00075, score: 0.9897, kept: true },
  ];
  const ended = "no improvement for 4 epochs, and dendrite 3 failed 2 times: the model of epoch 25 is final";
  return { ...run, epochs, switches, ratesTried, ended };
}
