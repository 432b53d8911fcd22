// docs/guide.md, gone through as a new user would: every file on it written, every command run, in order, in one folder.
// Without PyTorch, what its Python programs leave behind is made by test/support/guide-files.ts.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { compiled } from "./support/compiled.ts";
import { temporaryFolders } from "./support/folders.ts";
import { python } from "./support/python.ts";

const ROOT = join(import.meta.dirname, "..");
const folder = temporaryFolders()("guide");
const inFolder = (...path: string[]) => join(folder, ...path);

/** A block of code: a program with its file's name, commands, or what the last of them prints. */
interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

const guide = readFileSync(join(ROOT, "docs", "guide.md"), "utf8");
const blocks = [...guide.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(
  ([, language, file, text]): Block => ({ language: language!, file, text: text! }),
);

if (!python) console.warn("skipped: the Python of docs/guide.md, for python3 has no torch here");

/** Runs a program of Node's in the folder. */
function node(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
}

/** The same in TypeScript. */
const tsx = (...args: string[]) => node("--import", import.meta.resolve("tsx"), ...args);

/** How each command is run here; null for what installs, which is done already. */
const RUNNERS: readonly [RegExp, (words: readonly string[]) => ReturnType<typeof node> | null][] = [
  [/^npm (init|pkg|install) /, () => null],
  [/^npx tsx /, (words) => tsx(...words.slice(2))],
  [/^npx arborize /, (words) => node(compiled("src/cli/main.ts"), ...words.slice(2))],
  [
    /^python3 /,
    ([, program]) =>
      python
        ? spawnSync(python, [program!], { cwd: folder, encoding: "utf8" })
        : node(compiled("test/support/guide-files.ts"), program!),
  ],
];

/** What a command of the guide prints. */
function execute(command: string): string {
  const [, runner] = RUNNERS.find(([pattern]) => pattern.test(command)) ?? [];
  if (!runner) throw new Error(`the test does not know how to run "${command}"`);
  const ended = runner(command.split(" "));
  if (ended) expect([ended.status, ended.status === 0 ? "" : ended.stderr], command).toEqual([0, ""]);
  return ended?.stdout ?? "";
}

beforeAll(() => {
  mkdirSync(inFolder("node_modules", "arborize"), { recursive: true });
  // The package as npm would install it.
  const source = pathToFileURL(compiled("src/index.ts")).href;
  writeFileSync(
    inFolder("node_modules", "arborize", "package.json"),
    '{ "type": "module", "exports": "./index.js" }',
  );
  writeFileSync(
    inFolder("node_modules", "arborize", "index.js"),
    `export * from ${JSON.stringify(source)};\n`,
  );
  symlinkSync(
    join(ROOT, "node_modules", "onnxruntime-node"),
    inFolder("node_modules", "onnxruntime-node"),
    "junction",
  );
  writeFileSync(inFolder("package.json"), '{ "type": "module" }');
  // A few lines in its place where the package is missing.
  if (python && spawnSync(python, ["-c", "import safetensors.torch"]).status !== 0) {
    mkdirSync(inFolder("safetensors"));
    copyFileSync(join(import.meta.dirname, "support", "safetensors.py"), inFolder("safetensors", "torch.py"));
  }
});

describe("docs/guide.md", () => {
  it("has programs, commands and what they print, and nothing that is not run", () => {
    const languages = new Set(blocks.map(({ language }) => language));
    expect([...languages].sort()).toEqual(["py", "sh", "text", "ts"]);
    expect(blocks.filter(({ language }) => language === "sh").length).toBeGreaterThan(8);
    for (const { language, file } of blocks) {
      expect(file !== undefined, `${language} ${file}`).toBe(language === "ts" || language === "py");
    }
    // No program is only shown.
    const commands = blocks.filter(({ language }) => language === "sh").map(({ text }) => text);
    const programs = blocks.map(({ file }) => file).filter((file) => file !== undefined);
    const read = [...commands, ...blocks.map(({ text }) => text)].join("\n");
    for (const file of programs) {
      const name = file.replace(/\.(ts|py)$/, "");
      expect(
        read.includes(` ${file}`) || read.includes(`"./${file}"`) || read.includes(`from ${name} `),
        file,
      ).toBe(true);
    }
  });

  it("does all that it says, in order", { timeout: 300_000 }, () => {
    for (const { file, text } of blocks) if (file) writeFileSync(inFolder(file), text);
    let printed = "";
    for (const { language, text } of blocks) {
      if (language === "sh") for (const command of text.trim().split("\n")) printed = execute(command);
      if (language === "text") expect(printed.trim()).toMatch(patternOf(text.trim()));
    }
  });
});

/** What is printed, where `…` stands for anything. */
function patternOf(text: string): RegExp {
  const parts = text.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^\\n]*")}$`);
}
