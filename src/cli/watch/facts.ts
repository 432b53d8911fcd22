// The numbers of a run that matter most: how good, how big, how fast, how long yet.

import { formatCompact, formatCount, formatDuration, scoreFormat } from "../../report/format.ts";
import { bestEpoch, type EpochRecord, type RunHistory } from "../../report/history.ts";
import type { ReportOptions } from "../../report/page.ts";

/** A number, what it is, and what is to be said of it. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  /** How much of it is done, from 0 to 1, where that is known. */
  readonly share?: number;
}

type About = Omit<ReportOptions, "name">;

/** How many of the last epochs tell how fast it goes. */
const RECENT = 5;

const secondsOf = ({ trainSeconds, validationSeconds }: EpochRecord) => trainSeconds + validationSeconds;
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** Whether a run is at its end: growth is, or its epochs are over. */
export function isOver({ ended, epochs }: RunHistory, about: About): boolean {
  return ended !== undefined || epochs.length >= (settingOf(about, "data", "maxEpochs") ?? Infinity);
}

/** Before the first epoch there are none. */
export function factsOf(history: RunHistory, about: About): Fact[] {
  const { epochs, metric } = history;
  const best = bestEpoch(history);
  const last = epochs.at(-1);
  if (!best || !last) return [];
  const { format } = scoreFormat(history);
  const base = epochs.find(({ dendrites }) => dendrites === 0);
  const most = settingOf(about, "growth", "maxDendrites");
  const over = isOver(history, about);
  const tested = best.test === undefined ? "" : `, test ${format(best.test)}`;
  const times = base && base.parameters < best.parameters ? best.parameters / base.parameters : 0;
  return [
    { label: `Best ${metric}`, value: format(best.validation), note: `epoch ${best.epoch}${tested}` },
    {
      label: "Dendrites",
      value: String(best.dendrites),
      note: !over && last.dendrites !== best.dendrites ? `now trying ${last.dendrites}` : limitText(most),
    },
    {
      label: "Parameters",
      value: formatCompact(best.parameters),
      note: times > 0 ? `${times.toFixed(2)} times those without dendrites` : formatCount(best.parameters),
    },
    ...paceOf(history, about, over),
  ];
}

const limitText = (most: number | undefined) => (most === undefined ? "" : `of at most ${most}`);

function paceOf({ epochs }: RunHistory, about: About, over: boolean): Fact[] {
  const recent = epochs.slice(-RECENT);
  const epochTime = sum(recent.map(secondsOf)) / recent.length;
  const training = sum(recent.map(({ trainSeconds }) => trainSeconds)) / recent.length;
  const examples = settingOf(about, "data", "examples", "train");
  const most = settingOf(about, "data", "maxEpochs");
  const time = { label: "Time left", note: `${formatDuration(sum(epochs.map(secondsOf)))} so far` };
  const left = most === undefined ? undefined : formatDuration((most - epochs.length) * epochTime);
  return [
    {
      label: "Epochs",
      value: formatCount(epochs.length),
      note: limitText(most),
      ...(most === undefined ? {} : { share: over ? 1 : epochs.length / most }),
    },
    ...(examples !== undefined && training > 0
      ? [
          {
            label: "Examples a second",
            value: formatCompact(examples / training),
            note: `${formatDuration(epochTime)} an epoch`,
          },
        ]
      : [{ label: "An epoch takes", value: formatDuration(epochTime), note: "" }]),
    over
      ? { label: "Time", value: formatDuration(sum(epochs.map(secondsOf))), note: "it is over" }
      : left === undefined
        ? { ...time, value: "open", note: `until dendrites no longer help; ${time.note}` }
        : { ...time, value: `< ${left}` },
  ];
}

/** A number among the settings, where it is one. */
function settingOf({ settings }: About, ...path: readonly string[]): number | undefined {
  const value = path.reduce<unknown>(
    (at, name) => (at as Record<string, unknown> | undefined)?.[name],
    settings,
  );
  return typeof value === "number" ? value : undefined;
}
