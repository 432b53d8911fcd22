// Who reads the events of `fit` beside trackers: progress on a terminal, and the run folder.

import { ArborizeError } from "../base/errors.ts";
import type { Explanation } from "../report/explanation.ts";
import { dendriteCount, formatDuration, formatNumber, scoreFormat } from "../report/format.ts";
import type { EpochRecord, RunHistory } from "../report/history.ts";
import type { ReportOptions } from "../report/page.ts";
import type { Progress } from "../report/progress.ts";
import type { Sink } from "./events.ts";
import type { ScoreOutcome } from "./parts.ts";
import { meanScore } from "./recorder.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Training } from "./training.ts";

/** Shows how far a run is, and a line of each epoch. */
export function showProgress(progress: Progress): Sink {
  return {
    receive(event) {
      switch (event.type) {
        case "epochStart": {
          const learning = event.phase === "dendrites" ? ", dendrites learn" : "";
          return progress.start(`epoch ${event.epoch}${learning}`, event.steps);
        }
        case "step":
          return progress.update(event.step, { loss: event.meanLoss, dendrites: event.dendrites });
        case "epochEnd": {
          const { restructured, complete, decisions } = event.outcome;
          progress.finish(epochLine(event.epoch, event.history));
          if (restructured || complete) progress.log(decisions.at(-1)!.text);
        }
      }
    },
  };
}

function epochLine(epoch: EpochRecord, history: RunHistory): string {
  const { format } = scoreFormat(history);
  return [
    `epoch ${epoch.branchEpoch}`.padEnd(9),
    `loss ${formatNumber(epoch.trainLoss)}`,
    `validation ${format(epoch.validation)}`,
    ...(epoch.test === undefined ? [] : [`test ${format(epoch.test)}`]),
    `rate ${formatNumber(epoch.learningRate)}`,
    dendriteCount(epoch.dendrites),
    ...(epoch.dendriteScores ? [`dendrite score ${formatNumber(meanScore(epoch.dendriteScores))}`] : []),
    formatDuration(epoch.trainSeconds + epoch.validationSeconds),
  ].join("  ");
}

/**
 * Keeps a run in its folder.
 *
 * @param about what the report says beside the history.
 * @param explain what its dendrites do, asked for at the end.
 */
export function keepInFolder(
  folder: RunFolder,
  training: Training,
  about: () => Partial<ReportOptions>,
  explain: () => Promise<Explanation | undefined>,
): Sink {
  return {
    async receive(event) {
      switch (event.type) {
        case "start":
          // A run that was killed may have saved its state and not yet its tables.
          if (event.history.epochs.length > 0) await folder.writeReport(event.history, about());
          break;
        case "epochEnd":
          await writeEpoch(training, folder, event.outcome);
          await folder.writeReport(event.history, about());
          break;
        case "end": {
          if (event.status === "failed") break;
          const ended = event.status !== "interrupted";
          if (ended) await training.exportOnnx(folder.file("model"));
          const explanation = ended ? await explain() : undefined;
          await folder.writeReport(event.history, { ...about(), ...(explanation && { explanation }) }, true);
        }
      }
    },
  };
}

/** The best parameters first, then the state that knows of them: whenever this stops, the folder can be gone on from. */
async function writeEpoch(training: Training, folder: RunFolder, outcome: ScoreOutcome): Promise<void> {
  if (outcome.best) {
    const { dendrites, validation } = training.history.epochs.at(-1)!;
    const facts = { dendrites: String(dendrites), [training.history.metric]: String(validation) };
    await folder.writeBest((await training.best()).values, facts);
    await folder.forgetExplanation();
  }
  if (outcome.decisions.some(({ type }) => type === "grow")) {
    await folder.writeBestOf(await training.best());
  }
  await training.save(folder.file("latest"));
}

/**
 * A tracker that cannot stop a training: what it fails with is told once, and it goes on getting events. At the start, before
 * anything is computed, it may refuse, unless its server is away (`tracker_failed`).
 */
export function unstoppable(sink: Sink, warn: (message: string) => void): Sink {
  let started = false;
  let warned = false;
  return {
    async receive(event) {
      if (!started && event.type !== "start") return;
      try {
        await sink.receive(event);
        started = true;
      } catch (error) {
        started ||= error instanceof ArborizeError && error.code === "tracker_failed";
        if (!started) throw error;
        if (!warned) warn(`${(error as Error).message} Training goes on.`);
        warned = true;
      }
    },
  };
}
