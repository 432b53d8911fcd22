// A run as one page that needs nothing else.

import { type Attempt, attempts } from "./branches.ts";
import { effortTexts, headingText, scoreChart } from "./chart.ts";
import type { Explanation } from "./explanation.ts";
import { explanationSection } from "./explanation-section.ts";
import {
  dendriteCount,
  formatCompact,
  formatCount,
  formatDuration,
  formatNumber,
  scoreFormat,
} from "./format.ts";
import { type EpochRecord, type RunHistory, type SummaryRow, summarize } from "./history.ts";
import { type Content, html, type Markup, trusted } from "./markup.ts";
import { type Column, card, chartOf, section, table } from "./page-parts.ts";
import { pageStyle } from "./page-style.ts";
import { type SettingRow, settingRows } from "./settings-rows.ts";
import { gainLine, summaryColumns } from "./table.ts";

/** What a report says beside the history. */
export interface ReportOptions {
  /** What the run is called. */
  name: string;
  /** What it was run with: nested plain data, a table row for each value. Default: no table. */
  settings?: object;
  /** What the settings would be by default, in the same shape: those that differ are marked. */
  defaults?: object;
  /** What it was run on: engine, threads, versions, seeds; nested plain data. Default: no table. */
  environment?: object;
  /** What the dendrites of its best network do. Default: nothing is said of them. */
  explanation?: Explanation;
}

/**
 * A run as one self-contained HTML page without scripts: the result, a summary, the chart, why dendrites were added,
 * the learning rates tried, settings, every epoch, and where it ran. Light or dark as the reader's system is; for
 * phones and paper too. Everything that is given is escaped. The same values give the same text.
 */
export function reportPage(history: RunHistory, options: ReportOptions): string {
  const { name, settings, defaults, environment, explanation } = options;
  const rows = summarize(history);
  const gain = gainLine(history, rows);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}: ${headingText(history)}</title>
<style>${trusted(pageStyle)}</style>
</head>
<body>
<main>
<header>
<p class="name">${name}</p>
<h1>${headingText(history)}</h1>
${gain !== "" && html`<p class="lead">${gain}.</p>`}
<p class="muted">${effortTexts(history).join(" · ")}</p>
</header>
${rows.length > 0 && section("Result by number of dendrites", summary(history, rows))}
${chart(history)}
${explanation && explanationSection(explanation)}
${decisions(history)}
${rates(history)}
${settings && settingsTable("Settings", settings, defaults)}
${rows.length > 0 && epochs(history)}
${environment && settingsTable("Environment", environment)}
<footer>Made by Arborize. Scores by epoch are in <code>scores.csv</code> beside this page.</footer>
</main>
</body>
</html>
`;
  return page.text.replace(/\n{2,}/g, "\n");
}

function summary(history: RunHistory, rows: SummaryRow[]): Markup {
  const columns: Column<SummaryRow>[] = summaryColumns(history, rows).map((column) => ({
    ...column,
    number: true,
  }));
  if (rows.some((row) => !row.kept)) {
    columns.push({ header: "", value: (row) => !row.kept && html`<span class="tag">not kept</span>` });
  }
  return card(table(rows, columns, (row) => (row.best ? "best" : row.kept ? "" : "lost")));
}

function chart(history: RunHistory): Markup {
  return chartOf("Chart", (width) => trusted(scoreChart(history, { width, heading: false })));
}

function decisions(history: RunHistory): Markup | false {
  const { ended, origin } = history;
  const items = attempts(history).map(decision);
  if (items.length === 0 && ended === undefined && origin === undefined) return false;
  const first =
    origin !== undefined &&
    html`<li><strong>The run began</strong>
<span class="at">epoch 0</span><div>${origin}</div></li>`;
  const last =
    ended !== undefined &&
    html`<li><strong>The run ended</strong>
<span class="at">epoch ${history.epochs.at(-1)?.epoch ?? 0}</span><div>${ended}</div></li>`;
  return section("Decisions", html`<ol class="decisions card">${first}${items}${last}</ol>`);
}

function decision({ epoch, branchEpoch, dendrites, attempt, kept, reason }: Attempt): Markup {
  const tag = kept ? html`<span class="tag good">kept</span>` : html`<span class="tag">taken back</span>`;
  const nth = attempt > 1 && `, attempt ${attempt}`;
  return html`<li><strong>${dendriteCount(dendrites)}${nth}</strong> ${tag}
<span class="at">after epoch ${epoch}, from the model of ${branchEpoch}</span><div>${reason}</div></li>
`;
}

function rates({ ratesTried = [], ...history }: RunHistory): Markup | false {
  if (ratesTried.length === 0) return false;
  const score = scoreFormat(history);
  return section(
    "Learning rates tried",
    html`<p class="muted">After each addition, training starts from the first rate, then from lower ones for as long as that does no worse.</p>`,
    card(
      table(
        ratesTried,
        [
          { header: "dendrites", value: (r) => r.dendrites, number: true },
          { header: "start rate", value: (r) => rateText(r.startRate), number: true },
          { header: `best ${history.metric}`, value: (r) => score.format(r.score), number: true },
          {
            header: "",
            value: (r) =>
              r.kept ? html`<span class="tag good">kept</span>` : html`<span class="tag">taken back</span>`,
          },
        ],
        (r) => (r.kept ? "" : "lost"),
      ),
    ),
  );
}

function settingsTable(title: string, settings: object, defaults?: object): Markup | false {
  const rows = settingRows(settings, defaults);
  if (rows.length === 0) return false;
  const value = (row: SettingRow) =>
    row.standard === undefined ? row.value : html`<span class="tag">${row.value}</span>`;
  const columns: Column<SettingRow>[] = [
    { header: defaults ? "setting" : "", value: (row) => breakable(row.path) },
    { header: defaults ? "value" : "", value },
  ];
  if (rows.some((row) => row.standard !== undefined)) {
    columns.push({ header: "default, where it differs", value: (row) => row.standard });
  }
  const content = table(rows, columns);
  return section(title, html`<div class="card wide settings">${content}</div>`);
}

/** A learning rate as one would write it: 0.001, 0.00075. */
const rateText = (rate: number) => String(Number(rate.toPrecision(3)));

/** A path that may be broken after its dots. */
function breakable(path: string): Content {
  return path.split(".").map((part, i) => (i === 0 ? part : [".", html`<wbr>`, part]));
}

function epochs(history: RunHistory): Markup {
  const score = scoreFormat(history);
  const number = (header: string, value: (e: EpochRecord) => string | undefined): Column<EpochRecord> => ({
    header,
    number: true,
    value: (e) => value(e) ?? "–",
  });
  const extra = [...new Set(history.epochs.flatMap((e) => Object.keys(e.scores ?? {})))];
  const tested = history.epochs.some((e) => e.test !== undefined);
  const shown = (value: number | undefined, text: (v: number) => string) =>
    value === undefined ? undefined : text(value);
  const columns = [
    number("epoch", (e) => String(e.epoch)),
    number("on branch", (e) => String(e.branchEpoch)),
    number("dendrites", (e) => String(e.dendrites)),
    number("parameters", (e) => formatCompact(e.parameters)),
    number("rate", (e) => rateText(e.learningRate)),
    number("loss", (e) => formatNumber(e.trainLoss)),
    number("validation", (e) => score.format(e.validation)),
    ...(tested ? [number("test", (e) => shown(e.test, score.format))] : []),
    ...extra.map((name) => number(name, (e) => shown(e.scores?.[name], formatNumber))),
    number("training", (e) => formatDuration(e.trainSeconds)),
    number("validation time", (e) => formatDuration(e.validationSeconds)),
  ];
  const rows = table(history.epochs, columns, (e) => (e.abandoned ? "lost" : ""));
  const [run, lost] = [history.epochs.length, history.epochs.filter((e) => e.abandoned).length];
  const what = `${run === 1 ? "1 epoch" : `All ${formatCount(run)} epochs`}${lost > 0 ? `, ${lost} abandoned ones pale` : ""}`;
  return section(
    "Epochs",
    html`<details class="card"><summary>${what}</summary><div class="wide">${rows}</div></details>`,
  );
}
