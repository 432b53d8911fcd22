// The chart as pixels.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** How a picture is made. */
export interface PngOptions {
  /** Pixels of the picture per pixel of the chart. Default 2: sharp on screens and slides. */
  scale?: number;
}

// The same path from src/report and from dist/report: the fonts aren't copied by the build.
const folder = new URL("../../src/report/fonts/", import.meta.url);
const fontFiles = ["Inter-Regular.otf", "Inter-SemiBold.otf"].map((name) =>
  fileURLToPath(new URL(name, folder)),
);

/** Letters that the fonts here have not. */
const otherLetters = /[^\n -~\u00a0-\u017f\u0391-\u03c9\u2010-\u2027\u2070-\u208e\u2190-\u2193\u2212\u2605]/u;

/**
 * An SVG as PNG, drawn by resvg off the main thread, which takes about a quarter of a second; its library is loaded
 * with the first call. Letters are those of the font that Arborize brings along, so the picture is the same on every
 * machine and needs none that has fonts; only for other scripts are the machine's own fonts read.
 */
export async function svgToPng(svg: string, { scale = 2 }: PngOptions = {}): Promise<Uint8Array> {
  const { renderAsync } = await import("@resvg/resvg-js");
  const loadSystemFonts = otherLetters.test(svg) || !fontFiles.every((path) => existsSync(path));
  const image = await renderAsync(svg, {
    fitTo: { mode: "zoom", value: scale },
    font: { fontFiles, loadSystemFonts, sansSerifFamily: "Inter", defaultFontFamily: "Inter" },
  });
  return image.asPng();
}
