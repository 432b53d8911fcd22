// What the dendrites do, on the report page: chart, table, kernels, and the inputs that move them.

import { pictureOf } from "./bitmap.ts";
import {
  type EffectRow,
  type Explanation,
  effectColumns,
  effectRows,
  explanationLead,
  type ModuleExplanation,
  type NeuronKernels,
} from "./explanation.ts";
import { explanationChart } from "./explanation-chart.ts";
import { formatNumber } from "./format.ts";
import { html, type Markup, trusted } from "./markup.ts";
import { type Column, chartOf, section, table } from "./page-parts.ts";

/** Neurons whose kernels are shown. */
const MOST_NEURONS = 32;

/** The part of the page; nothing where there are no dendrites. */
export function explanationSection(explanation: Explanation): Markup | false {
  const { modules, pictures } = explanation;
  if (modules.length === 0) return false;
  const draw = (width: number) => trusted(explanationChart(explanation, { width, heading: false }));
  const seen = modules.filter(({ dendrites }) =>
    dendrites.some(({ examples }) => examples.some((at) => picture(pictures, at))),
  );
  return html`${section(
    "What the dendrites do",
    html`<p class="muted">${explanationLead(explanation)}. The share says how much of the variance of a module's output comes from its dendrites; the score without a dendrite, what the network is worth when nothing hears it.</p>`,
  )}
${chartOf("What the dendrites do", draw)}
${details("As a table", effects(explanation))}
${modules.map((module) => module.kernels && details(`Kernels of ${module.id} and its dendrites`, kernels(module, pictures)))}
${seen.length > 0 && details("Inputs that move each dendrite most", inputs(seen, pictures))}`;
}

function details(summary: string, content: Markup): Markup {
  return html`<details class="card"><summary>${summary}</summary><div class="wide">${content}</div></details>`;
}

function effects(explanation: Explanation): Markup {
  const rows = effectRows(explanation);
  const columns: Column<EffectRow>[] = [
    { header: "module", value: ({ module }) => module },
    ...effectColumns(explanation).map((column) => ({ ...column, number: true })),
  ];
  return table(rows, columns);
}

type Pictures = Explanation["pictures"];

/** A validation example; run folders may hold anything. */
function picture(pictures: Pictures, at: number): Markup | false {
  const source = pictures[at];
  if (!source || !/^data:image\/png;base64,[A-Za-z0-9+/=]+$/.test(source)) return false;
  return html`<img class="pixels" src="${source}" alt="validation example ${at}" title="validation example ${at}">`;
}

function kernels({ kernels, dendrites }: ModuleExplanation, pictures: Pictures): Markup {
  const { shape, neurons } = kernels!;
  // Each neuron's kernels by one scale, from its own: a dendrite's is often smaller.
  const draw = (numbers: readonly number[], of: string) => {
    const size = Math.max(...numbers.map(Math.abs), Number.MIN_VALUE);
    const source = pictureOf(numbers, shape, [-size, size]);
    return html`<img class="pixels" src="${source}" alt="${of}" title="${of}, black ${formatNumber(-size)} to white ${formatNumber(size)}">`;
  };
  const rows = neurons.slice(0, MOST_NEURONS).map((neuron, n) => ({ ...neuron, n }));
  const columns: Column<NeuronKernels & { n: number }>[] = [
    { header: "neuron", value: ({ n }) => n },
    { header: "its kernel", value: ({ kernel, n }) => draw(kernel, `kernel of neuron ${n}`) },
    ...dendrites.map((_, j) => ({
      header: `dendrite ${j}: kernel, what moves it, weight`,
      value: ({ dendrites, n }: NeuronKernels & { n: number }) => {
        const { kernel, outputWeight, example } = dendrites[j]!;
        return html`${draw(kernel, `kernel of dendrite ${j} of neuron ${n}`)} ${picture(pictures, example)} ${formatNumber(outputWeight)}`;
      },
    })),
  ];
  const rest =
    neurons.length > MOST_NEURONS &&
    html`<p class="muted">The first ${MOST_NEURONS} of ${neurons.length} neurons.</p>`;
  return html`${table(rows, columns)}${rest}`;
}

function inputs(modules: readonly ModuleExplanation[], pictures: Pictures): Markup {
  const rows = modules.flatMap(({ id, dendrites }) =>
    dendrites.map(({ examples }, j) => ({ id, j, examples })),
  );
  return table(rows, [
    { header: "module", value: ({ id }) => id },
    { header: "dendrite", value: ({ j }) => j, number: true },
    { header: "the most first", value: ({ examples }) => examples.map((at) => picture(pictures, at)) },
  ]);
}
