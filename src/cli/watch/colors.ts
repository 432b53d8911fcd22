// The colours of the report as a style sheet, so that page and report look alike.

import { colors, darkColors, dendriteColor } from "../../report/look.ts";

/** How many colours there are for numbers of dendrites and for runs. */
const COUNT = 8;

/** Custom properties `--ink`, `--paper`, …, and `--series-0` to `--series-7`, each for light and dark. */
export function colorSheet(): string {
  const series = Array.from({ length: COUNT }, (_, i) => [`series-${i}`, dendriteColor(i)] as const);
  const lines = [...Object.entries(colors), ...series].map(
    ([name, color]) => `  --${name}: light-dark(${color}, ${darkColors.get(color)});`,
  );
  return `:root {\n${lines.join("\n")}\n}\n`;
}
