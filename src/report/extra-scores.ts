// Which extra scores share the panel of the validation score: those that leave it the room that it needs.

import { interestingRange, plottable } from "./axes.ts";
import { type EpochRecord, keptEpochs, type RunHistory } from "./history.ts";

/** An extra score of the kept epochs in which it was measured. */
export interface ExtraScore {
  name: string;
  points: { epoch: EpochRecord; value: number }[];
}

/** The extra scores that are shown, the names of the others, and the range that shows the former as well. */
export interface ExtraScores {
  shown: ExtraScore[];
  others: string[];
  range: [low: number, high: number];
}

/** The panel's range may become this many times as long for extra scores. */
const mostStretch = 2.5;
const mostShown = 5;

/**
 * Chooses among the extra scores of a run by whether they lie on the scale of the validation scores, whose range is
 * `range`: whether both fit into a range that isn't much longer. `percent` scores lie between 0 and 1; `log` compares
 * lengths as a logarithmic axis does.
 */
export function chooseExtraScores(
  history: RunHistory,
  range: [low: number, high: number],
  { percent, log }: { percent: boolean; log: boolean },
): ExtraScores {
  const kept = keptEpochs(history);
  const names = [...new Set(kept.flatMap((e) => Object.keys(e.scores ?? {})))];
  const at = (value: number) => (log ? Math.log(value) : value);
  const length = ([low, high]: [number, number]) => at(high) - at(low);
  const least = percent ? 0.005 : log ? 0.1 : Math.abs(range[1]) / 20;
  const most = Math.max(length(range), least) * mostStretch;
  const chosen: ExtraScores = { shown: [], others: [], range };
  for (const name of names) {
    const points = kept.flatMap((epoch) => {
      const value = epoch.scores?.[name];
      return value === undefined ? [] : [{ epoch, value }];
    });
    const values = points.map((p) => p.value).filter(plottable);
    const [low, high] = interestingRange(values, [], history.maximize);
    const joined: [number, number] = [Math.min(low, chosen.range[0]), Math.max(high, chosen.range[1])];
    const possible = percent ? values.every((v) => v >= 0 && v <= 1) : !log || low > 0;
    if (values.length > 0 && possible && length(joined) <= most && chosen.shown.length < mostShown) {
      chosen.shown.push({ name, points });
      chosen.range = joined;
    } else chosen.others.push(name);
  }
  return chosen;
}
