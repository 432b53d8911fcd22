// What docs/architecture.md promises of the source tree, checked.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import type { Operator } from "../src/graph/operator.ts";
import * as arborize from "../src/index.ts";
import * as ops from "../src/ops/index.ts";
import * as web from "../src/web.ts";
import { IN_BROWSERS } from "./support/packaged.ts";

const SOURCE = join(import.meta.dirname, "..", "src");

/** Folders of src from top to bottom: a file imports from its own folder and from folders below. */
const ORDER = [
  "cli",
  "index.ts",
  "web.ts",
  "anywhere.ts",
  "train",
  "report",
  "growth",
  "dendrites",
  "optim",
  "nn",
  "transform",
  "onnx",
  "ops",
  "graph",
  "engine",
  "data",
  "base",
];

/** Folders that stand by themselves: they import base and nothing else. */
const ALONE = ["report", "growth", "engine", "data"];

/** Which files may import what is not the language: a package's name or `node:`, and paths that may. */
const RESERVED: Readonly<Record<string, RegExp>> = {
  "onnxruntime-node": /^engine\/node\.ts$/,
  "onnxruntime-common": /^engine\//,
  "onnxruntime-web": /^engine\/web-/,
  "onnxruntime-web/wasm": /^engine\/web-runtime\.ts$/,
  "onnxruntime-web/webgpu": /^engine\/web-runtime\.ts$/,
  "onnx-buf": /^onnx\//,
  "@bufbuild/protobuf": /^onnx\//,
  "@bufbuild/protobuf/wire": /^train\/sinks\/tensorboard\.ts$/,
  "@observablehq/plot": /^report\//,
  "@resvg/resvg-js": /^report\/png\.ts$/,
  "@huggingface/hub": /^data\/hub\.ts$/,
  "@huggingface/tokenizers": /^data\/wordpiece\.ts$/,
  linkedom: /^report\//,
  hono: /^cli\/watch\//,
  "hono/streaming": /^cli\/watch\//,
  "@hono/node-server": /^cli\/watch\//,
  "fast-png": /^(data\/pictures|report\/bitmap)\.ts$/,
  hyparquet: /^data\/parquet\.ts$/,
  "hyparquet-compressors": /^data\/parquet\.ts$/,
  "jpeg-js": /^data\/pictures\.ts$/,
  yauzl: /^data\/archive\.ts$/,
  zod: /^(growth|train|data|cli)\//,
  "node:":
    /^(engine\/node|data\/(archive|files|hub|idx|imdb|source|images|prepare|transform-threads|transform-worker)|report\/(png|progress|terminal)|train\/(run-folder|version|sinks\/(tensorboard|mlflow))|cli\/.*)\.ts$/,
};

/** The one pair of files that is one thing, in types alone: a node holds its operator, whose rules take nodes. */
const MUTUAL = "graph/operator.ts and graph/graph.ts";

interface SourceFile {
  /** Path below src, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** What it imports (types and dynamic imports too): paths below src, or names of packages. */
  readonly imports: readonly string[];
}

function readSources(): SourceFile[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).sort();
  return files
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .map((path) => {
      const text = readFileSync(join(SOURCE, path), "utf8");
      const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => {
        if (!fileName.startsWith(".")) return fileName;
        return relative(SOURCE, resolve(SOURCE, dirname(path), fileName)).replaceAll("\\", "/");
      });
      return { path, text, imports };
    });
}

/** What a file imports when it runs: paths below src, or names of packages. */
function valuesImported({ path, text }: SourceFile): string[] {
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const named = statements.flatMap((statement) => {
    const isImport = ts.isImportDeclaration(statement);
    if (!isImport && !ts.isExportDeclaration(statement)) return [];
    const clause = isImport ? statement.importClause : statement;
    const bindings = isImport ? statement.importClause?.namedBindings : statement.exportClause;
    const elements = bindings && "elements" in bindings ? [...bindings.elements] : [];
    const inTypes = elements.length > 0 && elements.every(({ isTypeOnly }) => isTypeOnly);
    const from = statement.moduleSpecifier;
    if (!from || !ts.isStringLiteral(from) || isTypesOnly(clause) || inTypes) return [];
    return [from.text];
  });
  const later = [...text.matchAll(/\bimport\("([^"]+)"\)/g)].map(([, name]) => name!);
  return [...named, ...later].map((name) =>
    name.startsWith(".") ? join(dirname(path), name).replaceAll("\\", "/") : name,
  );
}

function isTypesOnly(clause: ts.ImportClause | ts.ExportDeclaration | undefined): boolean {
  if (!clause) return false;
  return ts.isExportDeclaration(clause)
    ? clause.isTypeOnly
    : clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

const isPackage = (name: string) => !name.endsWith(".ts");
const folderOf = (path: string) => path.split("/")[0]!;
const sources = readSources();

describe("the source tree", () => {
  it("is read whole, with its imports", () => {
    expect(sources.length).toBeGreaterThan(50);
    const index = sources.find(({ path }) => path === "index.ts")!;
    expect(index.imports).toContain("anywhere.ts");
    const folder = sources.find(({ path }) => path === "train/run-folder.ts")!;
    expect(folder.imports, "a dynamic import").toContain("report/chart.ts");
    expect(folder.imports, "an import of a type alone").toContain("report/history.ts");
  });

  it("has only folders whose place in the order is known", () => {
    const folders = new Set(sources.map(({ path }) => folderOf(path)));
    expect([...folders].filter((folder) => !ORDER.includes(folder))).toEqual([]);
  });

  it("imports only downwards", () => {
    const upwards = sources.flatMap(({ path, imports }) =>
      imports
        .filter((target) => !isPackage(target))
        .filter((target) => ORDER.indexOf(folderOf(target)) < ORDER.indexOf(folderOf(path)))
        .map((target) => `${path} imports ${target}`),
    );
    expect(upwards).toEqual([]);
  });

  it("keeps report, growth, engine and data to themselves", () => {
    const reaching = sources.flatMap(({ path, imports }) => {
      const own = folderOf(path);
      if (!ALONE.includes(own)) return [];
      return imports
        .filter((target) => !isPackage(target) && ![own, "base"].includes(folderOf(target)))
        .map((target) => `${path} imports ${target}`);
    });
    expect(reaching).toEqual([]);
  });

  it("needs nothing of Node.js in a browser", () => {
    const byPath = new Map(sources.map((file) => [file.path, file]));
    const reached = new Set<string>();
    const packages = new Set<string>();
    const visit = (path: string) => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const to of valuesImported(byPath.get(path)!)) {
        if (isPackage(to)) packages.add(to);
        else visit(IN_BROWSERS.get(to) ?? to);
      }
    };
    visit("web.ts");
    expect([...packages].sort()).toEqual([
      "@bufbuild/protobuf",
      "@huggingface/tokenizers",
      "fast-png",
      "onnx-buf",
      "onnxruntime-web/wasm",
      "onnxruntime-web/webgpu",
      "zod",
    ]);
    // All that is swapped is there, and is needed.
    expect([...IN_BROWSERS].filter(([from, to]) => !byPath.has(from) || !reached.has(to))).toEqual([]);
  });

  it("has no import cycles", () => {
    const graph = new Map(
      sources.map(({ path, imports }) => [
        path,
        imports.filter((to) => !isPackage(to) && `${path} and ${to}` !== MUTUAL),
      ]),
    );
    expect(findCycle(graph)).toBeNull();
    // The search itself finds one, also behind a file that is none of it.
    const cyclic = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["d", "b"]],
      ["d", []],
    ]);
    expect(findCycle(cyclic)).toBe("b -> c -> b");
  });

  it("uses each package where it belongs", () => {
    const misplaced = sources.flatMap(({ path, imports }) =>
      imports.filter(isPackage).flatMap((name) => {
        const rule = RESERVED[name.startsWith("node:") ? "node:" : name];
        if (!rule) return [`${path} imports ${name}, which has no place in RESERVED`];
        return rule.test(path) ? [] : [`${path} imports ${name}`];
      }),
    );
    expect(misplaced).toEqual([]);
  });

  it("has no file over 320 lines", () => {
    const long = sources
      .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
      .filter(({ lines }) => lines > 320)
      .map(({ path, lines }) => `${path} has ${lines} lines`);
    expect(long).toEqual([]);
  });
});

/** The first cycle of a graph of names as text, or null. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string | null {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string | null => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name].join(" -> ");
    if (done.has(name)) return null;
    for (const next of graph.get(name) ?? []) {
      const cycle = visit(next, [...path, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return null;
  };
  for (const name of graph.keys()) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return null;
}

describe("operators", () => {
  /** Names under which the tests of ops call an operator whose function is not called like it. */
  const CALLED: Readonly<Record<string, string>> = { expandOp: "expandLike" };
  /** Its gradient is zero where the derivative is not, which is its purpose: see transform/gradient.test.ts. */
  const NO_DERIVATIVE = ["stopGradientOp"];

  it("with a gradient rule all have a case in the tests of ops", () => {
    const folder = join(SOURCE, "ops");
    const tests = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
    const text = tests.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
    const used = new Set([...text.matchAll(/\bop\.(\w+)/g)].map(([, name]) => name));
    const differentiable = Object.entries(ops)
      .filter(([, member]) => typeof member === "object" && "gradient" in member)
      .filter(([, member]) => typeof (member as Operator).gradient === "function")
      .map(([name]) => name);
    expect(differentiable.length).toBeGreaterThan(40);
    const uncovered = differentiable
      .filter((name) => !NO_DERIVATIVE.includes(name))
      .filter((name) => !used.has(CALLED[name] ?? name.replace(/Op$/, "")));
    expect(uncovered).toEqual([]);
  });
});

describe("the public names", () => {
  it("are those that were agreed on", async () => {
    const told =
      "The public names changed. If that is meant, run `npx vitest run test/architecture.test.ts --update`, look at " +
      "the difference of test/public-names.txt, and note it in CHANGELOG.md";
    await expect(publicNames().join("\n"), told).toMatchFileSnapshot("public-names.txt");
  });

  it("in a browser are among them, but for its engine", () => {
    const all = new Set(namesOf(arborize, ""));
    expect(namesOf(web, "").filter((name) => !all.has(name))).toEqual(["webEngine"]);
  });
});

/** Every public name, members of namespaces under them, types marked as such. */
function publicNames(): string[] {
  return [...namesOf(arborize, ""), ...typesOf("index.ts")].sort();
}

/** The types that a file exports by name, or all of another file. */
function typesOf(name: string): string[] {
  const path = join(SOURCE, name);
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
  return file.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement)) return [];
    if (!statement.exportClause) return typesOf((statement.moduleSpecifier as ts.StringLiteral).text);
    if (!ts.isNamedExports(statement.exportClause)) return [];
    const { elements } = statement.exportClause;
    return elements
      .filter((element) => statement.isTypeOnly || element.isTypeOnly)
      .map((element) => `type ${element.name.text}`);
  });
}

function namesOf(namespace: object, prefix: string): string[] {
  return Object.entries(namespace).flatMap(([name, member]) => {
    const isNamespace =
      typeof member === "object" && member !== null && member[Symbol.toStringTag] === "Module";
    return isNamespace ? namesOf(member, `${prefix}${name}.`) : [`${prefix}${name}`];
  });
}
