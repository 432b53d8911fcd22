// What trackers are told of an epoch.

import type { EpochRecord, RunHistory } from "../../report/history.ts";

/**
 * The numbers of an epoch by the names that all trackers have them under: `train/loss`, `validation/accuracy` (by the metric),
 * `validation/running`, `test/accuracy`, `score/NAME` of extra scores, `dendrite_score/MODULE`, `learning_rate`, `dendrites`,
 * `parameters`, `time/train_seconds`, `time/validation_seconds`. What is no finite number is left out.
 */
export function seriesOf(epoch: EpochRecord, { metric }: Pick<RunHistory, "metric">): Map<string, number> {
  const all: [string, number | undefined][] = [
    ["train/loss", epoch.trainLoss],
    [`validation/${metric}`, epoch.validation],
    ["validation/running", epoch.running],
    [`test/${metric}`, epoch.test],
    ...named("score", epoch.scores),
    ...named("dendrite_score", epoch.dendriteScores),
    ["learning_rate", epoch.learningRate],
    ["dendrites", epoch.dendrites],
    ["parameters", epoch.parameters],
    ["time/train_seconds", epoch.trainSeconds],
    ["time/validation_seconds", epoch.validationSeconds],
  ];
  return new Map(
    all.flatMap(([name, value]) =>
      value === undefined || !Number.isFinite(value) ? [] : [[clean(name), value] as const],
    ),
  );
}

/** Why dendrites were added after an epoch, where they were. */
export function growthAfter(epoch: EpochRecord, { switches }: RunHistory): string | undefined {
  return switches.find((entry) => entry.epoch === epoch.epoch)?.reason;
}

function named(group: string, values: Readonly<Record<string, number>> = {}): [string, number][] {
  return Object.entries(values).map(([name, value]) => [`${group}/${name}`, value]);
}

/** With the letters that every tracker takes. */
function clean(name: string): string {
  return name.replace(/[^\w./-]/g, "_");
}
