// The shape of a run for drawing: the branch that was kept, the branches that weren't, and the additions.

import { type EpochRecord, keptEpochs, type RunHistory } from "./history.ts";

/** Epochs that one line is drawn through, each `branchEpoch` following the one before. */
export interface Branch {
  /** Dendrites of the line's own epochs. */
  dendrites: number;
  abandoned: boolean;
  /** True when the first epoch is where the line grows from and belongs to another branch. */
  grafted: boolean;
  epochs: EpochRecord[];
}

/** One or more additions at the same place; several when additions were taken back and tried again. */
export interface Addition {
  /** The branch epoch that training went on from. */
  branchEpoch: number;
  dendrites: number;
  tries: number;
  /** Whether the last try is part of the network that the run holds. */
  kept: boolean;
  reason: string;
}

/** The kept epochs as one branch per dendrite count, each grafted onto the last epoch of the one before. */
export function keptBranches(history: RunHistory): Branch[] {
  const branches: Branch[] = [];
  let current: Branch | undefined;
  for (const e of keptEpochs(history)) {
    if (current?.dendrites === e.dendrites) current.epochs.push(e);
    else {
      const graft = current?.epochs.at(-1);
      current = {
        dendrites: e.dendrites,
        abandoned: false,
        grafted: graft !== undefined,
        epochs: graft ? [graft, e] : [e],
      };
      branches.push(current);
    }
  }
  return branches;
}

/** The abandoned epochs as branches, each grafted onto the epoch that it grew from where that is known. */
export function abandonedBranches(history: RunHistory): Branch[] {
  const branches: Branch[] = [];
  let before: EpochRecord | undefined;
  // The epoch that was last run at each place of the branch: what a restore goes back to.
  const latest = new Map<number, EpochRecord>();
  const kept = new Map(keptEpochs(history).map((e) => [e.branchEpoch, e]));
  for (const e of history.epochs) {
    if (e.abandoned) {
      const follows =
        before?.abandoned && before.branchEpoch + 1 === e.branchEpoch && before.cycle === e.cycle;
      if (follows) branches.at(-1)?.epochs.push(e);
      else {
        const parent = kept.get(e.branchEpoch - 1);
        const graft = parent && parent.epoch < e.epoch ? parent : latest.get(e.branchEpoch - 1);
        const epochs = graft ? [graft, e] : [e];
        branches.push({ dendrites: e.dendrites, abandoned: true, grafted: graft !== undefined, epochs });
      }
    }
    latest.set(e.branchEpoch, e);
    before = e;
  }
  return branches;
}

/** An addition of dendrites and what came of it. */
export interface Attempt {
  /** The last epoch (`EpochRecord.epoch`) that was run before it. */
  epoch: number;
  /** The branch epoch that training went on from. */
  branchEpoch: number;
  /** Dendrites after it. */
  dendrites: number;
  /** Counts the attempts at this many dendrites at this place, from 1. */
  attempt: number;
  /** Trainable parameters after it; undefined before its first epoch has been run. */
  parameters: number | undefined;
  /** Whether it is part of the network that the run holds. */
  kept: boolean;
  reason: string;
}

/** Every addition of dendrites, in the order in which they happened. */
export function attempts(history: RunHistory): Attempt[] {
  const found: Attempt[] = [];
  const end = keptEpochs(history).at(-1)?.branchEpoch ?? 0;
  for (const [i, { epoch, dendrites, reason }] of history.switches.entries()) {
    const next = history.switches[i + 1]?.epoch ?? Number.POSITIVE_INFINITY;
    const epochs = history.epochs.filter((e) => e.epoch > epoch && e.epoch <= next);
    const first = epochs[0];
    const branchEpoch = first ? Math.max(0, first.branchEpoch - 1) : end;
    // An addition that no epoch has tried yet stands until one says otherwise.
    const kept = epochs.length === 0 ? next === Number.POSITIVE_INFINITY : epochs.some((e) => !e.abandoned);
    const before = found.filter((a) => a.branchEpoch === branchEpoch && a.dendrites === dendrites);
    const attempt = before.length + 1;
    found.push({ epoch, branchEpoch, dendrites, attempt, parameters: first?.parameters, kept, reason });
  }
  return found;
}

/** Where dendrites were added, by place; attempts at the same count at the same place are one addition. */
export function additions(history: RunHistory): Addition[] {
  const found: Addition[] = [];
  for (const { branchEpoch, dendrites, kept, reason, attempt } of attempts(history)) {
    const same = found.find((a) => a.branchEpoch === branchEpoch && a.dendrites === dendrites);
    if (same) Object.assign(same, { tries: attempt, kept, reason });
    else found.push({ branchEpoch, dendrites, tries: 1, kept, reason });
  }
  return found.sort((a, b) => a.branchEpoch - b.branchEpoch || a.dendrites - b.dendrites);
}
