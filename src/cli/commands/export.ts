// `arborize export`: a network as a file for others.

import { stat } from "node:fs/promises";
import { join, parse, resolve } from "node:path";
import { ArborizeError } from "../../base/errors.ts";
import { exists, writeFileAtomic } from "../../data/files.ts";
import { nodeEngine } from "../../engine/node.ts";
import { formatCount, grownText } from "../../report/format.ts";
import { arborize } from "../../train/arborize.ts";
import { type ExportOptions, encodeNetwork } from "../../train/export.ts";
import { readOnnx } from "../../train/open.ts";
import { RUN_FILES, RunFolder } from "../../train/run-folder.ts";
import { type Command, JSON_OPTION, numberOf, onlyOperand, textOf, UsageError } from "../command.ts";
import { build } from "../train/build.ts";
import { readRunConfig } from "../train/open-run.ts";

export const exportCommand: Command = {
  name: "export",
  operands: "RUN_OR_FILE.onnx",
  summary: "a network as an ONNX file for other programs",
  about: `Writes the best network of a run (a folder), or of an ONNX file, as it is used: without dropout, normalized by running
statistics. Its modules and dendrites stay as they are, so that it can be grown on, unless --clean is given. A run that has
not ended gives the best network so far, from its checkpoint; --latest that of its last epoch.`,
  options: {
    output: {
      value: "FILE",
      short: "o",
      help: "what to write (default: beside the model, its name with -export or -clean)",
    },
    latest: { help: "the network of the run's last epoch in place of its best one" },
    clean: { help: "the least graph: neurons and their dendrites as one wide product; it grows no more" },
    "fold-batch-norm": { help: "normalizations multiplied into the weights before them; needs --clean" },
    opset: { value: "N", help: "the opset to write, 17 to 21 (default: 21)" },
    json: JSON_OPTION,
  },
  async run(given) {
    const clean = given.values.clean === true;
    const foldBatchNorm = given.values["fold-batch-norm"] === true;
    if (foldBatchNorm && !clean) throw new UsageError("--fold-batch-norm needs --clean.");
    const opset = numberOf(given, "opset", 1);
    const path = resolve(onlyOperand(exportCommand, given));
    const latest = given.values.latest === true;
    const { file, folder } = await sourceAt(path, latest);
    const { dir, name } = parse(file);
    const output = resolve(
      textOf(given, "output") ?? join(dir, `${name}-${clean ? "clean" : "export"}.onnx`),
    );
    if (output === file) throw new UsageError(`-o is the model itself, "${output}": name another file.`);
    const options = { clean, foldBatchNorm, ...(opset === undefined ? {} : { opset }) };
    const bytes = await (folder ? fromCheckpoint(folder, latest, options) : fromFile(file, options));
    await writeFileAtomic(output, bytes);
    const { metadata: facts } = await readOnnx(bytes);
    if (given.values.json) return `${JSON.stringify({ output, bytes: bytes.length, ...facts }, null, 2)}\n`;
    const grown = `${facts["arborize.form"]}, ${grownText(countsOf(facts))}`;
    return `${output}\n${formatCount(bytes.length)} bytes; ${grown}\n`;
  },
};

/** Where a network comes from: the file that the output lies beside, and the run whose checkpoint has it. */
async function sourceAt(path: string, latest: boolean): Promise<{ file: string; folder: RunFolder | null }> {
  const found = await stat(path).catch(() => null);
  if (!found?.isDirectory()) {
    if (!latest) return { file: path, folder: null };
    throw new UsageError(`--latest is of a run's folder, "${path}" is none.`);
  }
  const folder = new RunFolder(path);
  const file = folder.file("model");
  // A run that went on after its end has a better network than the file of its first end.
  const [ended, improved] = [await writtenAt(file), await writtenAt(folder.file("best"))];
  if (!latest && ended > 0 && ended >= improved) return { file, folder: null };
  if (await folder.holdsRun()) return { file, folder };
  throw new ArborizeError(
    "bad_file",
    `"${path}" is not the folder of a run: it holds neither ${parse(file).base} nor a checkpoint.`,
  );
}

/** When a file was written; before all others, where there is none. */
async function writtenAt(file: string): Promise<number> {
  const found = await stat(file).catch(() => null);
  return found?.mtimeMs ?? 0;
}

async function fromFile(file: string, options: ExportOptions): Promise<Uint8Array> {
  const { graph, metadata } = await readOnnx(file);
  return encodeNetwork(graph, nodeEngine(), options, metadata);
}

/** @throws `bad_file` for the run of a program, which alone knows its network. */
async function fromCheckpoint(
  folder: RunFolder,
  latest: boolean,
  options: ExportOptions,
): Promise<Uint8Array> {
  if (!(await exists(folder.file("config")))) {
    throw new ArborizeError(
      "bad_file",
      `The run in "${folder.path}" has not ended, and was made by a program, which alone knows its network: there, await training.load("${RUN_FILES.latest}"), ${latest ? "" : "await training.restoreBest(), "}and await training.exportOnnx(path).`,
    );
  }
  const job = await build(await readRunConfig(folder.path));
  const training = await arborize(job.model, job.options);
  await training.load(folder.file("latest"));
  if (!latest) await training.restoreBest();
  const bytes = await training.toOnnx(options);
  await training.release();
  return bytes;
}

/** How many dendrites the modules of a file have, as its metadata says. */
function countsOf(facts: Readonly<Record<string, string>>): [module: string, count: number][] {
  const counts = (facts["arborize.dendrites"] ?? "").split(" ").map(Number);
  const modules = (facts["arborize.sites"] ?? "").split(" ").filter((module) => module !== "");
  return modules.map((module, i) => [module, counts[i] ?? counts[0]!]);
}
