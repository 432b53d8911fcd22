// Outputs, losses, gradients and optimizers against PyTorch's own numbers.

import { afterAll, describe, expect, it } from "vitest";
import type { Tensor } from "../src/base/tensor.ts";
import { attachDendrites } from "../src/dendrites/attach.ts";
import { fromPerforatedAI, toPerforatedAI } from "../src/dendrites/interchange.ts";
import { findSites } from "../src/dendrites/sites.ts";
import { nodeEngine } from "../src/engine/node.ts";
import type { Graph, Value } from "../src/graph/graph.ts";
import * as nn from "../src/nn/index.ts";
import { crossEntropy, type Loss, mse } from "../src/nn/losses.ts";
import { readOnnx } from "../src/onnx/read.ts";
import { writeOnnx } from "../src/onnx/write.ts";
import * as optim from "../src/optim/index.ts";
import { StepProgram } from "../src/train/program.ts";
import { appendLoss, buildTrainStep } from "../src/train/step.ts";
import { gradients } from "../src/transform/gradient.ts";
import { trainingForm } from "../src/transform/mode.ts";
import { rewrite } from "../src/transform/rewrite.ts";
import { type Golden, missing, readGolden, relativeError } from "./support/golden.ts";
import { GOLDEN_NETS } from "./support/golden-nets.ts";

const engine = nodeEngine({ threads: 2 });
const BOUND = 1e-4;
const worst: Record<string, number> = {};
afterAll(() => console.log("largest relative error:", worst));

function expectClose(kind: string, name: string, found: Tensor, wanted: Tensor): void {
  expect(found.shape, name).toEqual(wanted.shape);
  const error = relativeError(found, wanted);
  worst[kind] = Math.max(worst[kind] ?? 0, error);
  expect(error, `${kind} of ${name}`).toBeLessThan(BOUND);
}

function lossOf({ settings }: Golden): Loss {
  return settings.loss === "cross_entropy" ? crossEntropy() : mse();
}

/** Output, loss and gradients of a network on a case's batch, by name. */
async function differentiate(network: Graph, golden: Golden): Promise<Map<string, Tensor>> {
  const { graph } = rewrite(network, trainingForm([]), { shareSubexpressions: true });
  const loss = appendLoss(graph, lossOf(golden));
  const grads = gradients(loss, graph.parameters);
  const outputs = new Map<string, Value>([
    ["output", graph.outputs[0]!],
    ["loss", loss],
  ]);
  graph.parameters.forEach((parameter, i) => {
    outputs.set(`grad.${parameter.name}`, grads[i]!);
  });
  const program = await engine.compile(writeOnnx(graph, { outputs }), { name: "gradients" });
  const feeds = new Map([
    [graph.inputs[0]!.name, engine.upload(golden.tensors.get("input")!)],
    ["target", engine.upload(golden.tensors.get("target")!)],
  ]);
  const results = await program.run(feeds, new Map([...outputs.keys()].map((name) => [name, null])));
  const found = new Map<string, Tensor>();
  for (const [name, resident] of results) found.set(name, await engine.download(resident));
  return found;
}

const OPTIMIZERS: Record<string, (given: Record<string, number | boolean>) => optim.Optimizer> = {
  sgd: optim.sgd,
  adam: optim.adam,
  adamw: optim.adamw,
  adadelta: optim.adadelta,
  adagrad: optim.adagrad,
  rmsprop: optim.rmsprop,
};

/** Every optimizer as nodes of the training step and as the update in place. */
const UPDATES = Object.keys(OPTIMIZERS).flatMap((name) =>
  [false, true].map((inPlace) => [name, inPlace] as const),
);

/** PyTorch's argument names as ours. */
function optionsOf(torch: Readonly<Record<string, number | boolean>>): Record<string, number | boolean> {
  const names: Record<string, string> = { lr: "learningRate", weight_decay: "weightDecay" };
  return Object.fromEntries(Object.entries(torch).map(([name, value]) => [names[name] ?? name, value]));
}

const CASES = Object.keys(GOLDEN_NETS);

/**
 * The parameters whose gradient is zero but for rounding: biases in front of a normalization or of a softmax over what they
 * are added to. Relative errors say nothing of them, nor what optimizers make of them that divide by a gradient's size.
 */
function withoutGradient(golden: Golden): { readonly names: ReadonlySet<string>; readonly bound: number } {
  const grads = [...golden.with("grad.")];
  const bound = 1e-6 * Math.hypot(...grads.map(([, grad]) => norm(grad)));
  return { names: new Set(grads.flatMap(([name, grad]) => (norm(grad) < bound ? [name] : []))), bound };
}

const norm = (tensor: Tensor) => Math.hypot(...tensor.toNumbers());

/** Every gradient within the bound; one that is zero but for rounding must be as small here. */
function expectGradients(golden: Golden, found: ReadonlyMap<string, Tensor>): void {
  const zero = withoutGradient(golden);
  for (const [parameter, wanted] of golden.with("grad.")) {
    const grad = found.get(`grad.${parameter}`)!;
    if (zero.names.has(parameter)) expect(norm(grad), `gradient of ${parameter}`).toBeLessThan(zero.bound);
    else expectClose("gradient", parameter, grad, wanted);
  }
}

/** What a network starts from: exporting in training mode has moved the running statistics in the file. */
function startOf(golden: Golden, { state }: Graph): Map<string, Tensor> {
  return new Map([...state, ...golden.with("before.")]);
}

/** Running statistics after one step, as after one forward. */
async function expectBuffers(golden: Golden, program: StepProgram): Promise<void> {
  const wanted = golden.with("buffer_after_forward.");
  const found = await program.snapshot(wanted.keys());
  for (const [buffer, tensor] of wanted) expectClose("buffer", buffer, found.get(buffer)!, tensor);
}

for (const name of CASES) {
  const absent = missing("golden", name);
  if (absent) console.warn(absent);
  describe.skipIf(absent)(`golden ${name}`, () => {
    const golden = () => readGolden(name);

    it("imported: output, loss and gradients", async () => {
      const found = await differentiate(readOnnx(golden().model).graph, golden());
      expectClose("output", name, found.get("output")!, golden().tensors.get("output")!);
      expectClose("loss", name, found.get("loss")!, golden().tensors.get("loss")!);
      expectGradients(golden(), found);
    });

    const build = GOLDEN_NETS[name];
    if (build) {
      it("built from nn with PyTorch's state dict: output, loss and gradients", async () => {
        const input = golden().tensors.get("input")!;
        const model = build();
        model.loadStateDict(golden().with("before."));
        const shape = ["batch", ...input.shape.slice(1)];
        const network = nn.trace(model, { inputs: { input: { dtype: input.dtype, shape } } });
        const found = await differentiate(network, golden());
        expectClose("output", name, found.get("output")!, golden().tensors.get("output")!);
        expectGradients(golden(), found);
        const sgd = optim.sgd();
        const step = buildTrainStep(network, lossOf(golden()), sgd);
        const program = await StepProgram.compile(step, engine, network.state);
        const feeds = ["input", "target"].map((feed) => [feed, golden().tensors.get(feed)!] as const);
        await program.run(feeds, sgd.knobs(1, 0));
        await expectBuffers(golden(), program);
        await program.release();
      });
    }

    for (const [optimizer, inPlace] of UPDATES) {
      it(`three steps of ${optimizer}${inPlace ? ", in place" : ""}`, async () => {
        const { model, settings, tensors } = golden();
        const network = readOnnx(model).graph;
        const made = OPTIMIZERS[optimizer]!(optionsOf(settings.optimizers[optimizer]!));
        const step = buildTrainStep(network, lossOf(golden()), made, { inPlace });
        const program = await StepProgram.compile(step, engine, startOf(golden(), network));
        for (let i = 1; i <= 3; i++) {
          const feeds = [
            [network.inputs[0]!.name, tensors.get("input")!],
            ["target", tensors.get("target")!],
          ] as const;
          await program.run(feeds, made.knobs(i, made.learningRate));
          if (i === 1) await expectBuffers(golden(), program);
        }
        const state = await program.snapshot();
        const { names: zero } = withoutGradient(golden());
        for (const [parameter, wanted] of golden().with(`${optimizer}3.`)) {
          if (zero.has(parameter) && optimizer !== "sgd") continue;
          expectClose(optimizer, parameter, state.get(parameter)!, wanted);
        }
        await program.release();
      });
    }
  });
}

for (const name of ["dendrites-mlp", "dendrites-mnist-cnn"]) {
  const absent = missing("golden", name);
  if (absent) console.warn(absent);
  describe.skipIf(absent)(`golden ${name}`, () => {
    it("output, loss and gradients of the original's dendritic modules", async () => {
      const golden = readGolden(name);
      const network = readOnnx(golden.model).graph;
      const original = fromPerforatedAI(golden.with("before."));
      expect(original.dendrites).toBe(golden.settings.dendrites);
      const sites = findSites(network);
      expect(sites.map(({ id }) => `.${id}`)).toEqual(golden.settings.modules);
      const grown = attachDendrites(network, {
        sites,
        count: original.dendrites,
        values: original.stateDict,
        random: () => {
          throw new Error("every weight is given");
        },
      });
      expect(original.modules).toEqual(sites.map(({ id }) => id));
      const found = await differentiate(grown, golden);
      expectClose("dendrite output", name, found.get("output")!, golden.tensors.get("output")!);
      expectClose("dendrite loss", name, found.get("loss")!, golden.tensors.get("loss")!);
      const { stateDict: wanted } = fromPerforatedAI(golden.with("grad."));
      expect(wanted.size).toBe(grown.parameters.length);
      for (const [parameter, gradient] of wanted) {
        expectClose("dendrite gradient", parameter, found.get(`grad.${parameter}`)!, gradient);
      }
    });

    it("comes back from our names as it was", () => {
      const before = readGolden(name).with("before.");
      const { stateDict, scaffolding } = fromPerforatedAI(before);
      const again = toPerforatedAI(stateDict, { scaffolding });
      expect([...again.keys()].sort()).toEqual([...before.keys()].sort());
      for (const [key, tensor] of before) expect(again.get(key), key).toEqual(tensor);
    });
  });
}
