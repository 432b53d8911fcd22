// What package.json tells bundlers of the built files, told of the sources: paths below src.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const path = join(import.meta.dirname, "..", "..", "package.json");
const { browser, sideEffects } = JSON.parse(readFileSync(path, "utf8")) as {
  browser: Record<string, string>;
  sideEffects: string[];
};
const sourceOf = (built: string) => built.replace(/^\.\/dist\/(.*)\.js$/, "$1.ts");

/** Which file takes another's place in a browser. */
export const IN_BROWSERS: ReadonlyMap<string, string> = new Map(
  Object.entries(browser).map(([from, to]) => [sourceOf(from), sourceOf(to)]),
);

/** Files that do something when they are imported. */
export const WITH_EFFECTS: ReadonlySet<string> = new Set(sideEffects.map(sourceOf));
