// The running score, and what counts as an improvement of it.

import { forDendrites, type GrowthSettings } from "./settings.ts";
import { type Branch, epochsInCycle } from "./state.ts";

/**
 * The running score after `score`, the present cycle's next one. It starts from the first score; while the
 * cycle settles it is the mean of the cycle's scores and of the running score which they go on from, if any;
 * afterwards an exponential mean that moves 1/lookback of the way.
 */
export function nextRunningScore(branch: Branch, settings: GrowthSettings, score: number): number {
  const inCycle = epochsInCycle(branch);
  const carriesOver = !settings.resetRunningScore && inCycle < branch.history.length;
  const observations = inCycle + (carriesOver ? 1 : 0);
  const previous = branch.history.at(-1);
  if (observations === 0 || previous === undefined) return score;
  const settling = observations < forDendrites(settings.initialHistory, branch.dendrites);
  const weight = settling ? 1 / (observations + 1) : 1 / forDendrites(settings.lookback, branch.dendrites);
  return previous.runningScore * (1 - weight) + score * weight;
}

/**
 * Whether running score `candidate` improves on `best`: it must still be better, strictly, after its relative
 * margin was taken off, and so after its raw margin. Margins always count against the candidate, whatever its
 * sign.
 */
export function improves(
  candidate: number,
  best: number,
  settings: GrowthSettings,
  dendrites: number,
): boolean {
  const relative = forDendrites(settings.improvementThreshold, dendrites);
  const raw = forDendrites(settings.rawThreshold, dendrites);
  const upward = settings.maximize ? 1 : -1;
  return (
    isBetter(candidate * (1 - upward * Math.sign(candidate) * relative), best, settings) &&
    isBetter(candidate - upward * raw, best, settings)
  );
}

/** Whether `a` is better than `b` at all. */
export function isBetter(a: number, b: number, { maximize }: GrowthSettings): boolean {
  return maximize ? a > b : a < b;
}
