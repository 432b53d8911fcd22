// Both forms of a dendrite phase's step against the same computed without layouts, and how many products they have.

import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { beforeAll, describe, expect, it } from "vitest";
import { largestError, randn, runBytes, runGraph } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { attachDendrites } from "../dendrites/attach.ts";
import { correlation } from "../dendrites/correlation.ts";
import { findSites } from "../dendrites/sites.ts";
import { nodeEngine } from "../engine/node.ts";
import type { Value } from "../graph/graph.ts";
import { correlationSettings } from "../growth/correlation-settings.ts";
import * as nn from "../nn/index.ts";
import * as losses from "../nn/losses.ts";
import { sgd } from "../optim/index.ts";
import { gradients } from "../transform/gradient.ts";
import { partlyTraining } from "../transform/mode.ts";
import { namesOf } from "./candidate-objective.ts";
import { candidateState, computedOf, stepApart, stepTogether, withCandidates } from "./candidate-step.ts";

/** Images of 10 x 10 do not fill the tiles of the second convolution; those of the third are pooled to 5 x 5. */
class Convolutions extends nn.Module {
  first = new nn.Conv2d(3, 16, 3);
  second = new nn.Conv2d(16, 16, 3, { padding: 1 });
  third = new nn.Conv2d(16, 64, 3, { stride: 2, padding: 1 });
  fc = new nn.Linear(64 * 25, 5);
  forward(x: Value): Value {
    const maps = this.second.call(this.first.call(x).relu()).relu().maxPool2d(2, { stride: 1, padding: 1 });
    return this.fc.call(this.third.call(maps.sub(0.1)).relu().maxPool2d(2, { stride: 1 }).flatten());
  }
}

const BATCH = 6;
const [DENDRITES, CANDIDATES] = [1, 2];
const loss = losses.crossEntropy();
const base = nn.trace(new Convolutions(), { inputs: { x: ["batch", 3, 12, 12] }, seed: 2 });
const sites = findSites(base, { types: ["Conv2d", "Linear"] });
const draw = (name: string) => Random.stream(5, name);
const plan = { sites, count: DENDRITES, random: draw, initialScale: 0.3, stopGradients: true };
const values = new Map(attachDendrites(base, plan).state);
for (const [name, tensor] of values)
  if (/dendrites\.output$/.test(name)) values.set(name, randn(tensor.shape, name, 0.3));
const settings = { ...correlationSettings({ candidates: CANDIDATES }), optimizer: sgd({ learningRate: 1 }) };
const parts = {
  ...{
    base,
    sites,
    activation: "sigmoid" as const,
    initialScale: 0.3,
    loss,
    optimizer: sgd({ learningRate: 1 }),
  },
  ...{ engine: nodeEngine({ threads: 1 }), correlation: settings, start: null },
};
const grown = withCandidates(parts, { dendrites: DENDRITES, values, draw }, settings);
const batch = {
  x: randn([BATCH, 3, 12, 12], "x"),
  target: Tensor.of([BATCH], [0, 1, 2, 3, 4, 0], "int64"),
};
const gains = Object.fromEntries(
  sites.flatMap(({ id, channels }) =>
    Array.from({ length: CANDIDATES }, (_, j) => [namesOf(id, j).gain, randn([channels], `${id} ${j}`)]),
  ),
);
const learned = candidateState(grown);

/** Gradients and moments as they follow from the definitions, everything in its order. */
async function reference(): Promise<Record<string, Tensor>> {
  const places = grown.sites.flatMap((site) => site.places);
  const outputs = computedOf(grown);
  const learns = (name: string) => name.includes(".candidates.");
  const { graph, mapped } = partlyTraining(grown.graph, learns, { outputs });
  const { dtype, shape } = loss.target(graph.outputs[0]!);
  const computed = loss.compute(graph.outputs[0]!, graph.input("target", dtype, shape));
  const found = gradients(
    computed,
    places.map(({ sum }) => mapped(sum)),
  );
  const wanted: Record<string, Value> = {};
  const surrogates: Value[] = [];
  for (const [i, { site }] of grown.sites.entries()) {
    const error = found[i]!.mul(BATCH);
    places[i]!.candidates.forEach((candidate, j) => {
      const names = namesOf(site.id, j);
      const gain = graph.input(names.gain, "float32", [site.channels]);
      const { surrogate, statistics } = correlation({
        output: mapped(candidate),
        error,
        channelAxis: 1,
        gain,
      });
      surrogates.push(surrogate);
      for (const [name, value] of Object.entries(statistics)) wanted[`${names.moments} ${name}`] = value;
    });
  }
  const slopes = gradients(
    surrogates.reduce((sum, each) => sum.add(each)),
    graph.parameters,
  );
  graph.parameters.forEach(({ name }, i) => {
    wanted[`gradient.${name}`] = slopes[i]!;
  });
  return runGraph(graph, { ...batch, ...gains }, wanted);
}

const STATISTICS = ["meanOutput", "meanError", "varianceOutput", "varianceError", "covariance"];

function expectAlike(found: Record<string, Tensor>, wanted: Record<string, Tensor>): void {
  const gradientNames = Object.keys(wanted).filter((name) => name.startsWith("gradient."));
  // Weights, biases, cascades.
  expect(gradientNames).toHaveLength(sites.length * CANDIDATES * 3);
  for (const name of gradientNames) {
    const size = Math.hypot(...Array.from(wanted[name]!.toNumbers()));
    expect(size, name).toBeGreaterThan(0);
    const difference = Array.from(
      wanted[name]!.toNumbers(),
      (value, i) => value - Number(found[name]!.data[i]),
    );
    expect(Math.hypot(...difference) / size, name).toBeLessThan(1e-4);
  }
  for (const { id, channels } of sites) {
    for (let j = 0; j < CANDIDATES; j++) {
      const { moments } = namesOf(id, j);
      STATISTICS.forEach((statistic, row) => {
        const told = found[moments]!.data.slice(row * channels, (row + 1) * channels) as Float32Array;
        const right = wanted[`${moments} ${statistic}`]!.toNumbers();
        const largest = Math.max(...Array.from(right, Math.abs));
        const error = largestError(
          told.map((value) => value / largest),
          Array.from(right, (value) => value / largest),
        );
        expect(error, `${moments} ${statistic}`).toBeLessThan(1e-4);
      });
    }
  }
}

/** How many products of matrices a model has, by module. */
function products(model: Uint8Array): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { opType, name } of fromBinary(ModelProtoSchema, model).graph!.node) {
    if (!["Conv", "ConvTranspose", "Gemm", "MatMul"].includes(opType)) continue;
    const owner = name.includes(".candidates.") ? "candidates" : name.split("/")[0]!;
    counts[owner] = (counts[owner] ?? 0) + 1;
  }
  return counts;
}

describe("the step of a dendrite phase", () => {
  let wanted: Record<string, Tensor>;
  const state = Object.fromEntries(learned);
  const outputs = [...learned.keys()].map((name) => `gradient.${name}`);
  const told = sites.flatMap(({ id }) => [0, 1].map((j) => namesOf(id, j).moments));
  beforeAll(async () => {
    wanted = await reference();
  });

  it("as one model gives the gradients and moments of the definitions", async () => {
    const { model } = stepTogether(grown, parts, settings, new Map());
    expectAlike(await runBytes(model, { ...batch, ...gains, ...state }, [...outputs, ...told]), wanted);
  });

  it("as two models gives the gradients and moments of the definitions", async () => {
    const { network, taps, candidates } = stepApart(grown, parts, settings, new Map())!;
    const names = taps.map(({ name }) => name);
    const found = await runBytes(network.model, batch, names);
    const fed = { x: batch.x, ...found, ...gains, ...state };
    expectAlike(await runBytes(candidates.model, fed, [...outputs, ...told]), wanted);
  });

  it("has no gradients of frozen weights, and none of what the first module reads", () => {
    const { network } = stepApart(grown, parts, settings, new Map())!;
    const counts = products(network.model);
    // Forward a neuron and its dendrite; backward the neuron, but for the first module.
    expect(counts).toEqual({
      ...{ first: 1, second: 2, third: 2, fc: 2 },
      ...Object.fromEntries(sites.map(({ id }) => [`${id}.dendrites.0`, 1])),
    });
  });
});
