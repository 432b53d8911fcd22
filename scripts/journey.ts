// A stranger's first hour, in an empty folder, with the package as it will be published:
//
//   npm run build && npm run journey
//
// Packs, unpacks, and runs the command from configuration to exported model, each step in a process of its own with plain Node.js.
// Needs no network: what the package depends on, and nothing else, is linked from here. Says what each step printed, and stops
// at the first that is not as it should be.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = join(import.meta.dirname, "..");
const home = mkdtempSync(join(tmpdir(), "arborize-journey-"));
const modules = join(home, "node_modules");
const main = join(modules, "arborize", "dist", "cli", "main.js");

const inRoot = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

function install(): void {
  mkdirSync(modules);
  const [packed] = JSON.parse(inRoot("npm", "pack", "--json", "--pack-destination", home)) as {
    filename: string;
  }[];
  execFileSync("tar", ["xzf", packed!.filename], { cwd: home });
  renameSync(join(home, "package"), join(modules, "arborize"));
  chmodSync(main, 0o755);
  const needed = inRoot("npm", "ls", "--omit=dev", "--all", "--parseable").trim().split("\n").slice(1);
  for (const path of needed) {
    const name = relative(join(ROOT, "node_modules"), path);
    // What lies within another package comes along with it.
    if (name.includes("node_modules")) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(path, join(modules, name));
  }
}

interface Step {
  readonly code?: number;
  /** What its outputs must say. */
  readonly says?: readonly RegExp[];
  /** Sends Ctrl-C once this has been said. */
  readonly interruptAt?: RegExp;
}

/** Runs a program of Node.js as a stranger would, and checks what it says. */
async function step(args: readonly string[], { code = 0, says = [], interruptAt }: Step = {}): Promise<void> {
  const shown = args.map((arg) => (arg === main ? "arborize" : arg)).join(" ");
  console.log(`\n$ ${shown}`);
  const { FORCE_COLOR: _, ...env } = process.env;
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: home,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let interrupted = false;
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (!interruptAt?.test(said) || interrupted) return;
      interrupted = true;
      child.kill("SIGINT");
    });
  }
  const ended = await new Promise<number | null>((done) => child.on("close", done));
  console.log(said.trimEnd());
  const problems = says.filter((each) => !each.test(said)).map((each) => `it does not say ${each}`);
  if (ended !== code) problems.push(`it ended with ${ended}, not ${code}`);
  if (said.includes("\u001b")) problems.push("it has colours in a pipe");
  if (problems.length > 0) throw new Error(`${shown}: ${problems.join("; ")}`);
}

const RUN_MODEL = `
import * as ort from "onnxruntime-node";
const session = await ort.InferenceSession.create("house.onnx");
const feeds = Object.fromEntries(session.inputMetadata.map(({ name, shape, type }) => {
  const dims = shape.map((length) => (typeof length === "number" && length > 0 ? length : 3));
  const size = dims.reduce((a, b) => a * b, 1);
  return [name, new ort.Tensor(type, type === "int64" ? new BigInt64Array(size) : new Float32Array(size), dims)];
}));
const [output] = Object.values(await session.run(feeds));
console.log("predicts", output.dims.join(" x "));
`;

const PAGE = `
import { arborize, data, losses, nn, optim, webEngine } from "arborize/web";
const training = await arborize(new nn.Linear(4, 2), {
  inputs: { x: ["batch", 4] }, loss: losses.crossEntropy(), optimizer: optim.adam(), engine: webEngine({ threads: 1 }),
});
console.log(training.sites, data.digits);
`;

/** Bundles the page for browsers, and says what of Node.js came along. */
const BUNDLE = `
import { build } from ${JSON.stringify(pathToFileURL(join(ROOT, "node_modules", "vite", "dist", "node", "index.js")))};
const { output } = await build({ root: "site", configFile: false, logLevel: "error", build: { target: "esnext", write: false } });
const chunks = output.filter(({ type }) => type === "chunk");
const foreign = chunks.flatMap(({ moduleIds }) => moduleIds).filter((id) => /browser-external|onnxruntime-node/.test(id));
console.log("bundled for browsers, with", foreign.length === 0 ? "nothing" : foreign.join(", "), "of Node.js");
`;

/** Houses whose price follows from size, age and district. */
function houses(): string {
  const rows = Array.from({ length: 300 }, (_, i) => {
    const [size, age] = [40 + ((i * 37) % 120), (i * 61) % 90];
    const district = ["north", "south", "harbour"][i % 3]!;
    return `${size},${age},${district},${size * (district === "harbour" ? 5 : 3) - age}`;
  });
  return `size,age,district,price\n${rows.join("\n")}\n`;
}

install();
writeFileSync(join(home, "table.csv"), houses());
const arborize = [main];
await step([...arborize, "--help"], { says: [/Usage: arborize COMMAND/, /train +train a network/] });
await step([...arborize, "tran"], { code: 2, says: [/Did you mean "train"\?/] });
await step([...arborize, "init", "tabular"], { says: [/Wrote arborize\.jsonc/] });
await step([...arborize, "train", "arborize.jsonc", "--out", "runs/house"], {
  code: 130,
  says: [/240 examples to learn from/, /Go on with: arborize resume runs\/house/],
  interruptAt: /epoch 2 /,
});
await step([...arborize, "resume", "runs/house", "--epochs", "8", "--dendrites", "1", "--patience", "2"], {
  says: [/epoch 3 /, /best +mean squared error/, /network +runs\/house\/model\.onnx/],
});
await step([...arborize, "report", "runs/house"], { says: [/dendrites +parameters/] });
await step([...arborize, "evaluate", "runs/house"], { says: [/squared error/i] });
await step([...arborize, "export", "runs/house", "--clean", "-o", "house.onnx"], { says: [/house\.onnx/] });
await step([...arborize, "inspect", "house.onnx"], { says: [/Linear/] });
writeFileSync(join(home, "use.mjs"), RUN_MODEL);
await step(["use.mjs"], { says: [/^predicts 3 x 1$/m] });
await step([...arborize, "init", "cnn", "pictures"], { says: [/pictures\/arborize\.mjs/] });
await step([...arborize, "train", "pictures/arborize.mjs", "--epochs", "1"], {
  says: [/epoch 0 /, /★? *0 +/],
});
symlinkSync(join(ROOT, "node_modules", "onnxruntime-web"), join(modules, "onnxruntime-web"));
mkdirSync(join(home, "site"));
writeFileSync(join(home, "site", "index.html"), '<script type="module" src="main.js"></script>');
writeFileSync(join(home, "site", "main.js"), PAGE);
writeFileSync(join(home, "bundle.mjs"), BUNDLE);
await step(["bundle.mjs"], { says: [/bundled for browsers, with nothing of Node\.js/] });
writeFileSync(
  join(home, "typed.ts"),
  'const path: string = "table.csv";\nexport default { data: { path }, maxEpochs: 1 };\n',
);
const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
if (major > 22 || (major === 22 && minor >= 18))
  await step([...arborize, "train", "typed.ts"], { says: [/epoch 0 /] });
else
  await step([...arborize, "train", "typed.ts"], { code: 1, says: [/Node\.js 22\.18 or later.*tsx.*\.mjs/] });
console.log(`\nAll as it should be, in ${home}: ${readdirSync(home).join(", ")}`);
