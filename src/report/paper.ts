// The sheet that a chart is drawn on.

import { colors } from "./look.ts";
import { Canvas } from "./svg.ts";

const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** An empty sheet of paper, as wide as there is room for. `title` is what screen readers say of it. */
export function paper(width: number, height: number, title: string): Canvas {
  const canvas = new Canvas({
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    fill: colors.ink,
    color: colors.ink,
    "font-family": font,
    style: "max-width: 100%; height: auto",
  });
  canvas.add("title").textContent = title;
  const sheet = { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 10 };
  canvas.add("rect", { ...sheet, fill: colors.paper, stroke: colors.border });
  return canvas;
}
