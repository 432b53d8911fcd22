// A run as a model card: what the network is, from what, how good, how to load it. Markdown from plain data.

import { effortTexts, headingText } from "./chart.ts";
import { effectColumns, effectRows, explanationLead } from "./explanation.ts";
import { type RunHistory, summarize } from "./history.ts";
import type { ReportOptions } from "./page.ts";
import { type SettingRow, settingRows } from "./settings-rows.ts";
import { gainLine, summaryColumns } from "./table.ts";

/**
 * A run's model card. Scores of the test part are those at the best validation score. What is not known is left out; whatever is
 * given is text, never markup. The same values give the same text.
 */
export function modelCard(history: RunHistory, options: ReportOptions): string {
  const { name, settings = {}, defaults = {}, environment = {}, explanation } = options;
  const rows = summarize(history);
  const gain = gainLine(history, rows);
  const all = settingRows(settings, defaults);
  const within = (prefix: string) => all.filter(({ path }) => path.startsWith(`${prefix}.`));
  const basics = all.filter(({ path }) => /^(loss|metric|optimizer|scheduler)(\.|$)/.test(path));
  const seeds = all.filter(({ path }) => /(^|\.)seed$/.test(path));
  const differing = all.filter(({ standard }) => standard !== undefined);
  const parts = [
    `# ${plain(name)}`,
    `${plain(headingText(history))}. ${plain(effortTexts(history).join(", "))}.`,
    history.origin === undefined ? "" : plain(history.origin),
    rows.length === 0
      ? ""
      : part("Scores", [
          table(
            summaryColumns(history, rows).map(({ header, value }) => ({
              header,
              cells: rows.map((row) => value(row)),
            })),
          ),
          gain === "" ? "" : `${plain(gain)}.`,
          rows.some(({ test }) => test !== undefined)
            ? "Test scores are those of the epoch with the best validation score; nothing was chosen by them."
            : "There was no test part: the scores that chose the network are likely to flatter it.",
        ]),
    part("Data", [list(within("data"))]),
    part("Training", [
      list(basics),
      differing.length === 0 ? "Growth and dendrites went by their defaults." : "Other than by default:",
      list(differing),
      seeds.length === 0 ? "" : `Everything random follows from ${seeds.map(asText).join(", ")}.`,
      "All settings are in `about.json`.",
    ]),
    explanation
      ? part("Dendrites", [
          `${plain(explanationLead(explanation))}.`,
          explanation.modules.length === 0
            ? ""
            : table(
                [
                  { header: "module", value: ({ module }: { module: string }) => module },
                  ...effectColumns(explanation),
                ].map(({ header, value }) => ({
                  header,
                  cells: effectRows(explanation).map((row) => value(row)),
                })),
              ),
        ])
      : "",
    part("How to load it", [LOADING]),
    part("Made with", [list(settingRows(environment)), NOTICE, learnsByCorrelation(settings) ? PATENT : ""]),
  ];
  return `${parts.filter((text) => text !== "").join("\n\n")}\n`;
}

function part(title: string, content: readonly string[]): string {
  const filled = content.filter((text) => text !== "");
  return filled.length === 0 ? "" : [`## ${title}`, ...filled].join("\n\n");
}

function list(rows: readonly SettingRow[]): string {
  return rows.map((row) => `- ${asText(row)}`).join("\n");
}

function asText({ path, value, standard }: SettingRow): string {
  const usual = standard === undefined ? "" : ` (default: ${plain(standard)})`;
  return `${plain(path)}: ${plain(value)}${usual}`;
}

function table(columns: readonly { readonly header: string; readonly cells: readonly string[] }[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(plain).join(" | ")} |`;
  const rows = columns[0]!.cells.map((_, i) => line(columns.map(({ cells }) => cells[i]!)));
  const rule = `| ${columns.map(() => "---:").join(" | ")} |`;
  return [line(columns.map(({ header }) => header)), rule, ...rows].join("\n");
}

/** Text that Markdown shows as it is, on one line. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ").replace(/[\\`*_{}[\]<>|#~&]/g, "\\$&");
}

function learnsByCorrelation(settings: object): boolean {
  return (settings as { dendrites?: { learning?: unknown } }).dendrites?.learning === "correlation";
}

const LOADING = `\`model.onnx\` runs wherever ONNX does:

\`\`\`py
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
print([(each.name, each.type, each.shape) for each in session.get_inputs()])
\`\`\`

With Arborize it trains and grows on: \`arborize(await readOnnx("model.onnx"), { loss, optimizer })\`. Its weights by name are in
\`best.safetensors\`; \`npx arborize export . --clean\` writes the smaller form for shipping.`;

const NOTICE = `Arborize is Apache-2.0; what the licence of this network is, its author and its data say. The idea of adding dendrites to trained
networks is that of Perforated AI's PerforatedAI; Arborize is independent of the company.`;

const PATENT =
  "Its dendrites learned by correlation. The company holds US patent 11,580,403 on its own variant of such learning: look at it before you use this network commercially.";
