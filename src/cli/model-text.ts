// What `inspect` found, for people.

import type { ModelReport, ModuleReport, ValueReport } from "../dendrites/inspect.ts";
import { shapeText } from "../graph/shape.ts";
import { formatCount, grownText } from "../report/format.ts";
import { textTable } from "../report/table.ts";
import { oneLine, type Styles, styles, truncate } from "../report/terminal.ts";

/** Files may call things by long paths, several of them after another. */
const short = (name: string) => truncate(oneLine(name), 50);

/** A line of the table of modules. */
interface Row {
  readonly name: string;
  readonly type: string;
  readonly output: string;
  readonly parameters: string;
  readonly trains: string;
  readonly grows: string;
}

/** A model's report as text, without a line end after the last line. */
export function modelText(report: ModelReport, color: boolean): string {
  const style = styles(color);
  const rows = [
    ...report.modules.flatMap((module) => moduleRows(module, 0, style)),
    ...outsideRows(report, style),
  ];
  const table = textTable(
    rows,
    [
      { header: "module", value: ({ name }) => name },
      { header: "type", value: ({ type }) => type },
      { header: "output", value: ({ output }) => output },
      { header: "parameters", value: ({ parameters }) => parameters, align: "right" },
      { header: "trains", value: ({ trains }) => trains },
      { header: "dendrites", value: ({ grows }) => grows },
    ],
    { color },
  );
  return [
    [
      style.bold(oneLine(report.name)),
      ...border("input", report.inputs),
      ...border("output", report.outputs),
    ].join("\n"),
    table,
    ...blocksText(report, style),
    ...obstaclesText(report),
    ...uncoveredText(report),
    summary(report),
  ].join("\n\n");
}

function border(what: string, values: readonly ValueReport[]): string[] {
  return values.map(
    ({ name, dtype, shape }) => `${what.padEnd(6)}  ${oneLine(name)}: ${dtype}${shapeText(shape)}`,
  );
}

function moduleRows(module: ModuleReport, depth: number, style: Styles): Row[] {
  const { id, type, outputs, parameters, trains, trainsNot, modules } = module;
  const name = depth === 0 ? id : id.slice(id.lastIndexOf(".") + 1);
  const row = {
    name: "  ".repeat(depth) + short(name),
    type: oneLine(type ?? ""),
    // Of a container that a file only knows by its name, what is between its modules lies outside.
    output: type === null ? "" : outputs.map(shapeText).join(", "),
    parameters: parameters > 0 ? formatCount(parameters) : "",
    trains: answer(trains, trainsNot, style),
    grows: verdictText(module, style),
  };
  return [row, ...modules.flatMap((each) => moduleRows(each, depth + 1, style))];
}

function outsideRows({ outside }: ModelReport, style: Styles): Row[] {
  return outside.map(({ name, shape, size, trains, trainsNot }) => ({
    name: short(name),
    type: style.dim("outside of modules"),
    output: style.dim(shapeText(shape)),
    parameters: formatCount(size),
    trains: answer(trains, trainsNot, style),
    grows: "",
  }));
}

function answer(yes: boolean | null, whyNot: string | undefined, style: Styles): string {
  if (yes === null) return "";
  return yes ? style.green("yes") : `no: ${whyNot}`;
}

/** What becomes of a module, with the rule that says so where it is not the default. */
function verdictText({ verdict, reason }: Pick<ModuleReport, "verdict" | "reason">, style: Styles): string {
  if (verdict === null) return "";
  if (verdict === "stays") return `no: ${reason}`;
  if (verdict !== "grows") return `${verdict}: ${reason}`;
  return style.green("yes") + (reason?.endsWith(" grows by default") ? "" : `: ${reason}`);
}

function blocksText({ blocks }: ModelReport, style: Styles): string[] {
  if (blocks.length === 0) return [];
  const lines = blocks.map((block) => `  ${oneLine(block.id)}   ${verdictText(block, style)}`);
  return [["Between two values", ...lines].join("\n")];
}

/** How many names are shown of a list that may be long. */
const SHOWN = 8;

function uncoveredText({ uncovered }: ModelReport): string[] {
  if (uncovered.length === 0) return [];
  const more = uncovered.length - SHOWN;
  const names = uncovered.slice(0, more === 1 ? SHOWN + 1 : SHOWN).map((name) => `  ${short(name)}`);
  if (more > 1) names.push(`  and ${formatCount(more)} more, which --json lists`);
  const parameters = uncovered.length === 1 ? "1 parameter" : `${formatCount(uncovered.length)} parameters`;
  return [[`${parameters} that no dendrite follows, in no module that is tracked`, ...names].join("\n")];
}

function obstaclesText({ obstacles }: ModelReport): string[] {
  if (obstacles.length === 0) return [];
  const lines = obstacles.map(({ node, reason, blocks }) => {
    const shown = blocks.length > 5 ? [...blocks.slice(0, 4), `${blocks.length - 4} more`] : blocks;
    return `  ${node}: ${reason}\n    keeps from learning: ${shown.map(oneLine).join(", ")}`;
  });
  return [["No gradient passes", ...lines].join("\n")];
}

function summary({ sites, blocks, dendrites, count }: ModelReport): string {
  const learned = count.learned === count.parameters ? "all learn" : `${formatCount(count.learned)} learn`;
  const buffers = count.buffers > 0 ? `, and ${formatCount(count.buffers)} numbers in buffers` : "";
  const what = blocks.length > 0 ? ["module or block", "modules and blocks"] : ["module", "modules"];
  const takes = sites === 1 ? `1 ${what[0]} takes dendrites` : `${sites} ${what[1]} take dendrites`;
  const counts = Object.entries(dendrites.modules);
  const grown =
    counts.length > 0 ? `\n${grownText(counts)}: ${formatCount(dendrites.parameters)} parameters more` : "";
  return `${formatCount(count.parameters)} parameters (${learned})${buffers}; ${takes}${grown}`;
}
