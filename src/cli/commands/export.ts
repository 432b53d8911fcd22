// `arborize export`: a network as a file for others.

import { stat } from "node:fs/promises";
import { join, parse, resolve } from "node:path";
import { ArborizeError } from "../../base/errors.ts";
import { exists, writeFileAtomic } from "../../data/files.ts";
import { nodeEngine } from "../../engine/node.ts";
import { formatCount, grownText } from "../../report/format.ts";
import { encodeNetwork } from "../../train/export.ts";
import { readOnnx } from "../../train/open.ts";
import { RunFolder } from "../../train/run-folder.ts";
import { type Command, JSON_OPTION, numberOf, onlyOperand, textOf, UsageError } from "../command.ts";

export const exportCommand: Command = {
  name: "export",
  operands: "RUN_OR_FILE.onnx",
  summary: "a network as an ONNX file for other programs",
  about: `Writes the best network of a finished run (a folder), or of an ONNX file, as it is used: without dropout, normalized by running
statistics. Its modules and dendrites stay as they are, so that it can be grown on, unless --clean is given.`,
  options: {
    output: {
      value: "FILE",
      short: "o",
      help: "what to write (default: beside the model, its name with -export or -clean)",
    },
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
    const source = await modelAt(resolve(onlyOperand(exportCommand, given)));
    const { dir, name } = parse(source);
    const output = resolve(
      textOf(given, "output") ?? join(dir, `${name}-${clean ? "clean" : "export"}.onnx`),
    );
    if (output === source) throw new UsageError(`-o is the model itself, "${output}": name another file.`);
    const { graph, metadata } = await readOnnx(source);
    const options = { clean, foldBatchNorm, ...(opset === undefined ? {} : { opset }) };
    const bytes = await encodeNetwork(graph, nodeEngine(), options, metadata);
    await writeFileAtomic(output, bytes);
    const { metadata: facts } = await readOnnx(bytes);
    if (given.values.json) return `${JSON.stringify({ output, bytes: bytes.length, ...facts }, null, 2)}\n`;
    const grown = `${facts["arborize.form"]}, ${grownText(countsOf(facts))}`;
    return `${output}\n${formatCount(bytes.length)} bytes; ${grown}\n`;
  },
};

/** The ONNX file that an operand names: itself, or that of a run's folder. */
async function modelAt(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return path;
  const model = new RunFolder(path).file("model");
  if (await exists(model)) return model;
  throw new ArborizeError(
    "bad_file",
    `"${path}" holds no ${parse(model).base}: it is not the folder of a run that has ended. Resume it until it has.`,
  );
}

/** How many dendrites the modules of a file have, as its metadata says. */
function countsOf(facts: Readonly<Record<string, string>>): [module: string, count: number][] {
  const counts = (facts["arborize.dendrites"] ?? "").split(" ").map(Number);
  const modules = (facts["arborize.sites"] ?? "").split(" ").filter((module) => module !== "");
  return modules.map((module, i) => [module, counts[i] ?? counts[0]!]);
}
