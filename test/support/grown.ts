// What must be true of a network with dendrites, wherever they are.

import { expect } from "vitest";
import { Random } from "../../src/base/random.ts";
import { sizeOf, Tensor } from "../../src/base/tensor.ts";
import type { Site } from "../../src/dendrites/site.ts";
import type { Graph } from "../../src/graph/graph.ts";
import {
  type ArborizeOptions,
  arborize,
  attachDendrites,
  type DendriteOptions,
  findSites,
  gradients,
  losses,
  nodeEngine,
  ops,
  optim,
  readOnnx,
  rewrite,
  type Selection,
  writeOnnx,
} from "../../src/index.ts";
import { evaluationForm, trainingForm } from "../../src/transform/mode.ts";
import { largestError, outputOf, randn, runBytes } from "./run.ts";

const engine = nodeEngine({ threads: 1 });

/** Numbers that a site's dendrites have by the original's rule: k (P + C) + C k (k - 1) / 2. */
function dendriteNumbers({ parameters, channels }: Site, k: number): number {
  const own = parameters.reduce((sum, { data }) => sum + sizeOf(data!.shape), 0);
  return k * (own + channels) + (channels * k * (k - 1)) / 2;
}

const numbersOf = (graph: Graph) => graph.parameters.reduce((sum, { data }) => sum + sizeOf(data!.shape), 0);

/** Fresh dendrites change nothing, neither in training nor in evaluation, and there are as many numbers as the rule says. */
export async function expectUnchanged(base: Graph, selection: Selection, x: Tensor): Promise<void> {
  const sites = findSites(base, selection);
  const random = (name: string) => Random.stream(1, name);
  const forms = [
    (graph: Graph) => evaluationForm(graph).graph,
    (graph: Graph) => rewrite(graph, trainingForm([])).graph,
  ];
  const before = await Promise.all(forms.map((form) => outputOf(form(base), x)));
  for (const count of [1, 2]) {
    const grown = attachDendrites(base, { sites, count, random });
    const added = sites.reduce((sum, site) => sum + dendriteNumbers(site, count), 0);
    expect(numbersOf(grown)).toBe(numbersOf(base) + added);
    for (const [i, form] of forms.entries()) {
      const after = await outputOf(form(grown), x);
      expect(after.shape).toEqual(before[i]!.shape);
      expect(largestError(after.toNumbers(), before[i]!.toNumbers())).toBeLessThan(1e-6);
    }
  }
}

/**
 * Gradients of two dendrites and of what they grow on, against central differences along the gradient: by each parameter's, the
 * loss rises by the square of its length. In float32, so that the loss is a sum of few outputs and the bound is wide.
 */
export async function expectSlopes(
  base: Graph,
  selection: Selection,
  x: Tensor,
  bound = 0.02,
): Promise<void> {
  const sites = findSites(base, selection);
  const plan = { sites, count: 2, random: (name: string) => Random.stream(2, name) };
  const fresh = attachDendrites(base, plan);
  const values = new Map(
    fresh.parameters.map(({ name, data }) => {
      const start = base.state.get(name)?.toNumbers();
      const drawn = randn(data!.shape, name, 0.4).toNumbers();
      return [
        name,
        Tensor.of(
          data!.shape,
          Array.from(drawn, (each, i) => each + (start?.[i] ?? 0)),
        ),
      ];
    }),
  );
  const { graph } = rewrite(attachDendrites(base, { ...plan, values }), trainingForm([]), {
    shareSubexpressions: true,
  });
  const y = graph.outputs[0]!;
  const loss = ops.reduceMean(ops.mul(ops.tanh(y), ops.tanh(y)));
  const { parameters } = graph;
  const grads = gradients(loss, parameters);
  const outputs = new Map([
    ["loss", loss],
    ...parameters.map(({ name }, i) => [`grad.${name}`, grads[i]!] as const),
  ]);
  const program = await engine.compile(writeOnnx(graph, { outputs, fed: parameters }), { name: "slopes" });
  const start = new Map(parameters.map(({ name, data }) => [name, data!]));
  const run = async (changed: ReadonlyMap<string, Tensor>, names: readonly string[]) => {
    const given = new Map([[graph.inputs[0]!.name, x], ...start, ...changed]);
    const feeds = new Map([...given].map(([name, tensor]) => [name, engine.upload(tensor)]));
    const found = await program.run(feeds, new Map(names.map((name) => [name, null])));
    const results = new Map<string, Tensor>();
    for (const [name, resident] of found) results.set(name, (await engine.download(resident)).clone());
    return results;
  };
  const found = await run(new Map(), [...outputs.keys()]);
  const gradient = (name: string) => Array.from(found.get(`grad.${name}`)!.toNumbers());
  const groups = [...sites.map(({ id }) => `${id}.dendrites.`), ""];
  for (const group of groups) {
    const names = parameters.map(({ name }) => name).filter((name) => name.startsWith(group));
    const length = Math.hypot(...names.flatMap(gradient));
    expect(length, `gradient of ${group}`).toBeGreaterThan(1e-6);
    const lossAt = async (step: number) => {
      const moved = names.map((name) => {
        const numbers = start.get(name)!.toNumbers();
        const along = gradient(name).map((g, i) => numbers[i]! + (step * g) / length);
        return [name, Tensor.of(start.get(name)!.shape, along)] as const;
      });
      return (await run(new Map(moved), ["loss"])).get("loss")!.item();
    };
    // Wide steps cross kinks of relu, narrow ones are lost in rounding.
    const slopes: number[] = [];
    for (const step of [0.03, 0.004, 0.001, 0.0004]) {
      slopes.push(((await lossAt(step)) - (await lossAt(-step))) / (2 * step));
      if (Math.abs(slopes.at(-1)! / length - 1) < bound) break;
    }
    const error = Math.min(...slopes.map((slope) => Math.abs(slope / length - 1)));
    expect(error, `${group}: ${slopes}, not ${length}`).toBeLessThan(bound);
  }
  await program.release();
}

/**
 * A network of the input `x` with two dendrites that have learned: what is exported computes it, is read and grows on, and a state is loaded. */
export async function expectJourney(
  start: () => Parameters<typeof arborize>[0],
  options: Pick<ArborizeOptions, "inputs" | "batchNorm">,
  dendrites: DendriteOptions,
  x: Tensor,
): Promise<void> {
  const all: ArborizeOptions = {
    ...options,
    dendrites: { initialScale: 0.3, ...dendrites },
    loss: losses.mse(),
    optimizer: optim.adam({ learningRate: 0.02 }),
    growth: { switchMode: "fixed", fixedEpochs: 1, maxDendrites: 2, maximize: true },
    engine,
  };
  const training = await arborize(start(), all);
  const y = await training.predict({ x });
  const batch = { x, target: randn(y.shape, "target") };
  for (let epoch = 0; epoch < 2; epoch++) {
    for (let i = 0; i < 2; i++) await training.step(batch);
    const before = await training.predict({ x });
    await training.addValidationScore(epoch);
    expect(training.dendrites).toBe(epoch + 1);
    const after = await training.predict({ x });
    expect(largestError(after.toNumbers(), before.toNumbers())).toBeLessThan(1e-6);
  }
  for (let i = 0; i < 3; i++) await training.step(batch);
  const trained = (await training.predict({ x })).toNumbers();
  const bytes = await training.toOnnx();
  const exported = await readOnnx(bytes);
  const name = exported.graph.outputs[0]!.name;
  const computed = (await runBytes(bytes, { x }, [name]))[name]!;
  expect(largestError(computed.toNumbers(), trained)).toBeLessThan(1e-5);
  const again = await arborize(exported, all);
  expect([again.dendrites, again.sites]).toEqual([2, training.sites]);
  expect(again.parameterCount).toBe(training.parameterCount);
  expect(largestError((await again.predict({ x })).toNumbers(), trained)).toBeLessThan(1e-5);
  await again.step(batch);
  for (const each of [training, again]) await each.release();
}
