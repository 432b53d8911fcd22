// What happens in a training, as one stream of events: progress, the run folder and trackers read it, and nothing else.

import type { EpochRecord, RunHistory } from "../report/history.ts";
import type { ScoreOutcome } from "./parts.ts";

/** What a run is, told once. */
export interface RunFacts {
  /** What it is called: the run folder's name, where it has one. */
  readonly name: string;
  /** The run folder's path. */
  readonly folder: string | null;
  /** What it was made with: nested plain data. */
  readonly settings: object;
  /** What it runs on: nested plain data. */
  readonly environment: object;
}

/** One thing that happened. */
export type TrainingEvent =
  /** Before the first step. A run that goes on has the epochs so far in its history. */
  | { readonly type: "start"; readonly run: RunFacts; readonly history: RunHistory }
  /** `epoch` is counted along the branch, as decisions and charts do. */
  | {
      readonly type: "epochStart";
      readonly epoch: number;
      readonly steps: number;
      readonly phase: "neurons" | "dendrites";
    }
  /** A step of the epoch is done, `step` of `steps` by now; `meanLoss`: over the epoch so far. */
  | {
      readonly type: "step";
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      readonly meanLoss: number;
      readonly dendrites: number;
    }
  /** An epoch is scored and decided on; it is the history's last. */
  | {
      readonly type: "epochEnd";
      readonly epoch: EpochRecord;
      readonly outcome: ScoreOutcome;
      readonly history: RunHistory;
    }
  /** After the last step: growth is over, `maxEpochs` is reached, `signal` stopped it, or an error did. */
  | {
      readonly type: "end";
      readonly status: "complete" | "stopped" | "interrupted" | "failed";
      readonly history: RunHistory;
    };

/** Reads the events of a training, one after another: the next one comes when the last one is read. */
export interface Sink {
  receive(event: TrainingEvent): void | Promise<void>;
}
