// What the dendrites of a network do, as plain data and as a table.

import { formatCount, grownText, type ScoreFormat, scoreFormatOf } from "./format.ts";
import { type TableOptions, textTable } from "./table.ts";
import { oneLine, styles } from "./terminal.ts";

/** What is known of a dendrite, or of all of a module. */
export interface Effect {
  /** How many numbers would go with it: its weights, and those from it to its neuron and to later dendrites. */
  readonly parameters: number;
  /**
   * Its share of the variance of the module's output, over examples, positions and neurons: the covariance of what it adds with
   * the output, over the output's variance. Those of the module itself and of all its dendrites make 1; a negative one works
   * against the others.
   */
  readonly share: number;
  /** The score of the network that does not hear it. */
  readonly scoreWithout: number;
}

/** A dendrite, one for each neuron of its module. */
export interface DendriteExplanation extends Effect {
  /** Where the examples are that move most what it adds, the first one first; none where examples can't be told apart. */
  readonly examples: readonly number[];
}

/** What a neuron of a first convolution sees, and its dendrites with it. */
export interface NeuronKernels {
  /** Its own kernel: channels, rows, columns. */
  readonly kernel: readonly number[];
  readonly dendrites: readonly {
    readonly kernel: readonly number[];
    readonly outputWeight: number;
    /** Where the example is that moves most what it adds. */
    readonly example: number;
  }[];
}

/** A module with its dendrites. */
export interface ModuleExplanation extends Effect {
  readonly id: string;
  readonly type: string;
  /** By their numbers in the names of weights. */
  readonly dendrites: readonly DendriteExplanation[];
  /** Of a convolution that reads the network's image: the kernels of its neurons. */
  readonly kernels?: {
    /** Channels, height, width. */
    readonly shape: readonly [number, number, number];
    readonly neurons: readonly NeuronKernels[];
  };
}

/** What the dendrites of a network do, measured on validation examples. */
export interface Explanation {
  readonly metric: string;
  readonly maximize: boolean;
  /** How many examples it was measured on, and of how many. */
  readonly examples: number;
  readonly of: number;
  readonly score: number;
  /** The score of the network that hears none of its dendrites. */
  readonly scoreWithout: number;
  /** The modules that have dendrites. */
  readonly modules: readonly ModuleExplanation[];
  /** Of networks that read images: the examples that are named above, as PNG in a data URI by their place. */
  readonly pictures: Readonly<Record<string, string>>;
}

/** How much of the score a part of the network is worth: what is lost without it. */
export function worthOf(
  { score, maximize }: Pick<Explanation, "score" | "maximize">,
  { scoreWithout }: Pick<Effect, "scoreWithout">,
): number {
  return maximize ? score - scoreWithout : scoreWithout - score;
}

/** How the scores of an explanation are written. */
export function explanationFormat({ metric, score, scoreWithout, modules }: Explanation): ScoreFormat {
  const effects = modules.flatMap((module) => [module, ...module.dendrites]);
  return scoreFormatOf(metric, [score, scoreWithout, ...effects.map((effect) => effect.scoreWithout)]);
}

/** A row of the table: a module with all its dendrites, or one of them. */
export interface EffectRow extends Effect {
  readonly module: string;
  /** Which one; null for all of the module. */
  readonly dendrite: number | null;
}

/** Each module, its dendrites after it. Of a single one, the module says it all. */
export function effectRows({ modules }: Explanation): EffectRow[] {
  return modules.flatMap(({ id, dendrites, ...all }) => [
    { ...all, module: id, dendrite: dendrites.length === 1 ? 0 : null },
    ...(dendrites.length > 1 ? dendrites.map((each, i) => ({ ...each, module: id, dendrite: i })) : []),
  ]);
}

/** The columns of effects, for text and page alike. */
export function effectColumns(explanation: Explanation) {
  const { format, difference } = explanationFormat(explanation);
  return [
    { header: "dendrite", value: ({ dendrite }: EffectRow) => (dendrite === null ? "all" : `${dendrite}`) },
    { header: "parameters", value: ({ parameters }: EffectRow) => formatCount(parameters) },
    { header: "share of variance", value: ({ share }: EffectRow) => shareText(share) },
    { header: `${explanation.metric} without`, value: (row: EffectRow) => format(row.scoreWithout) },
    { header: "change", value: (row: EffectRow) => difference(explanation.score, row.scoreWithout) },
  ];
}

/** A share as a percentage: "12.3%". */
export function shareText(share: number): string {
  if (!Number.isFinite(share)) return "–";
  const text = (share * 100).toFixed(1).replace("-", "\u2212");
  return `${text === "\u22120.0" ? "0.0" : text}%`;
}

/** What was measured, in one line. */
export function explanationLead(explanation: Explanation): string {
  const { metric, score, scoreWithout, examples, of, modules } = explanation;
  const { format } = explanationFormat(explanation);
  const counts = modules.map(({ id, dendrites }) => [oneLine(id), dendrites.length] as const);
  const measured = `${formatCount(examples)}${examples < of ? ` of ${formatCount(of)}` : ""} validation examples`;
  if (modules.length === 0) return `No dendrites; ${metric} ${format(score)} on ${measured}`;
  return `${grownText(counts)}; ${metric} ${format(score)} with them, ${format(scoreWithout)} if none is heard, on ${measured}`;
}

/** An explanation as a table: what each dendrite does, and what the score is without it. */
export function explanationTable(explanation: Explanation, options: TableOptions = {}): string {
  const lead = explanationLead(explanation);
  if (explanation.modules.length === 0) return lead;
  const style = styles(options.color ?? false);
  const whole = ({ dendrite }: EffectRow) => dendrite === null;
  const columns = effectColumns(explanation).map(({ header, value }) => ({
    header,
    align: "right" as const,
    value: (row: EffectRow) => (whole(row) ? style.bold(value(row)) : value(row)),
  }));
  const rows = effectRows(explanation);
  const first = (row: EffectRow) => rows.find(({ module }) => module === row.module) === row;
  const module = { header: "module", value: (row: EffectRow) => (first(row) ? oneLine(row.module) : "") };
  return `${textTable(rows, [module, ...columns], options)}\n\n${lead}`;
}
