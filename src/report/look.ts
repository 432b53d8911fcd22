// Colours and letter widths of the chart. The chart has its own paper, so one set serves pages of any colour.

/** Everything that is not a dendrite count. */
export const colors = {
  paper: "#ffffff",
  border: "#dfe4ea",
  ink: "#1b2430",
  muted: "#5b6775",
  axis: "#b4bcc7",
  grid: "#edf0f3",
  abandoned: "#cfd5dc",
  extra: "#8e99a6",
};

// No dendrites in slate, then the colours of Okabe and Ito (2008), which people of all colour visions tell apart;
// the light ones are darkened to stand out from white paper.
const palette = ["#465365", "#0072b2", "#d55e00", "#009e73", "#b3478a", "#b8860b", "#2a9fd6", "#7a4fb5"];

/** The colour of a dendrite count; colours come again after eight. */
export function dendriteColor(count: number): string {
  return palette[count % palette.length]!;
}

// From the first module of a network to the last, from light to dark: neighbours lie side by side.
const moduleShades = ["#52b69a", "#34a0a4", "#168aad", "#1a759f", "#3a5a98", "#4a4a8f", "#5b3a82", "#6a2c70"];

/** The colour of a module, the `index`-th of `count`. */
export function moduleColor(index: number, count: number): string {
  const last = moduleShades.length - 1;
  return moduleShades[count < 2 ? 2 : Math.round((index / (count - 1)) * last)]!;
}

/** Every colour of the chart and the one that takes its place on dark paper. */
export const darkColors: ReadonlyMap<string, string> = new Map([
  [colors.paper, "#151b23"],
  [colors.border, "#2b3440"],
  [colors.ink, "#e8edf3"],
  [colors.muted, "#9ba8b7"],
  [colors.axis, "#4c5866"],
  [colors.grid, "#232c37"],
  [colors.abandoned, "#3c4754"],
  [colors.extra, "#7b8896"],
  ...zip(palette, "#a9b8c9 #4ba3e3 #f2883f #2cc295 #dd80bd #dcae3c #62c4f2 #a98ae0".split(" ")),
  ...zip(moduleShades, "#9be3c8 #76d3d0 #5bbfe0 #5aa8dc #7d9de0 #9a95e0 #b286d6 #cc7fcf".split(" ")),
]);

function zip(a: string[], b: string[]): [string, string][] {
  return a.map((item, i) => [item, b[i]!]);
}

/**
 * Pixels that `text` takes in a wide sans-serif font of `size` pixels (DejaVu Sans; most system fonts are narrower):
 * the reader's font isn't known, and labels must not overlap in any.
 */
export function textWidth(text: string, size: number, weight: "normal" | "bold" = "normal"): number {
  let width = 0;
  for (const character of text) {
    if (/[.,:;'|!ijlI ]/.test(character)) width += 0.34;
    else if (/[-tfr()/]/.test(character)) width += 0.43;
    else if (/[cszk]/.test(character)) width += 0.57;
    else if (/[mw]/.test(character)) width += 0.98;
    else if (/[a-z0-9]/.test(character)) width += 0.635;
    else if (/[MW%—…]/.test(character) || character > "\u2e80") width += 1;
    else width += 0.75;
  }
  return width * size * (weight === "bold" ? 1.13 : 1);
}

/** `text` cut to at most `width` pixels, with an ellipsis where something was cut. */
export function shorten(
  text: string,
  size: number,
  width: number,
  weight: "normal" | "bold" = "normal",
): string {
  if (textWidth(text, size, weight) <= width) return text;
  let cut = "";
  for (const character of text) {
    if (textWidth(`${cut}${character}…`, size, weight) > width) break;
    cut += character;
  }
  return `${cut.trimEnd()}…`;
}
