// How a run may go, before it starts: epochs with each number of dendrites.

import type { CorrelationSettings } from "./correlation-settings.ts";
import { forDendrites, type GrowthSettings } from "./settings.ts";

/** Some epochs in a row. */
export interface PlannedEpochs {
  readonly dendrites: number;
  readonly epochs: number;
  /** Whether the last of the dendrites learns apart from the network meanwhile. */
  readonly apart: boolean;
}

/**
 * The course of a run that grows as fast as the settings let it: each dendrite helps at its first try, from one learning
 * rate, and cycles are as short as they can be. Ends with `maxEpochs`; the last epochs may be infinitely many where neither
 * that nor growth ends it.
 *
 * @param start dendrites that there are.
 * @param correlation how dendrites learn apart; null where they do not.
 */
export function fastestGrowth(
  settings: GrowthSettings,
  start: number,
  maxEpochs: number,
  correlation: CorrelationSettings | null,
): PlannedEpochs[] {
  const plan: PlannedEpochs[] = [];
  let left = maxEpochs;
  for (let dendrites = start; left > 0; dendrites++) {
    const epochs = Math.min(left, cycleOf(settings, dendrites));
    plan.push({ dendrites, epochs, apart: false });
    left -= epochs;
    if (dendrites >= settings.maxDendrites) break;
    // One epoch may only measure; then at most as many as the neurons had, or until nothing gets better.
    const learning = correlation?.capAtNeuronPhase === false ? correlation.patience + 1 : epochs;
    const apart = correlation ? Math.min(left, learning + 1) : 0;
    if (apart > 0) plan.push({ dendrites: dendrites + 1, epochs: apart, apart: true });
    left -= apart;
  }
  return plan;
}

/** The fewest epochs that a cycle has. */
function cycleOf(settings: GrowthSettings, dendrites: number): number {
  switch (settings.switchMode) {
    case "never":
      return Number.POSITIVE_INFINITY;
    case "every":
      return 1;
    case "fixed":
      return forDendrites(settings.fixedEpochs, dendrites);
    case "history":
      return (
        forDendrites(settings.patience, dendrites) + forDendrites(settings.initialHistory, dendrites) + 1
      );
  }
}
