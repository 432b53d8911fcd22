// The sources as JavaScript, for processes that tests start: Node loads them in a third of the time that tsx takes.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { transformWithEsbuild } from "vite";

const ROOT = join(import.meta.dirname, "..", "..");
const TARGET = join(ROOT, ".test-build");
/** What the sources read beside themselves. */
const ASSETS = ["src/report/fonts", "src/cli/watch/page"];

// All of src and test/support is brought up to date when this file is imported.
for (const folder of ["src", "test/support"]) {
  for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || /\.(test|fixture)\.ts$/.test(name)) continue;
    await bringUpToDate(join(ROOT, folder, name), compiled(join(folder, name)));
  }
}
for (const asset of ASSETS) {
  const place = join(TARGET, asset);
  mkdirSync(dirname(place), { recursive: true });
  try {
    symlinkSync(join(ROOT, asset), place, "junction");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
cpSync(join(ROOT, "package.json"), join(TARGET, "package.json"));

/** The JavaScript of `path`, a source from the repository's root. */
export function compiled(path: string): string {
  return join(TARGET, path.replace(/\.ts$/, ".js"));
}

async function bringUpToDate(source: string, target: string): Promise<void> {
  if (existsSync(target) && statSync(target).mtimeMs >= statSync(source).mtimeMs) return;
  const options = { loader: "ts", target: "es2022", sourcemap: false } as const;
  const { code } = await transformWithEsbuild(readFileSync(source, "utf8"), source, options);
  mkdirSync(dirname(target), { recursive: true });
  // Another worker may read it meanwhile.
  const own = `${target}.${process.pid}`;
  writeFileSync(own, code.replaceAll(/(\b(?:from|import)[ (]*"\.[^"\n]*)\.ts"/g, '$1.js"'));
  renameSync(own, target);
}
