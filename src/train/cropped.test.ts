// Training with cropped kernels against the same steps with whole ones.

import { describe, expect, it } from "vitest";
import { largestError, randn } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { findSites } from "../dendrites/sites.ts";
import { nodeEngine } from "../engine/node.ts";
import { correlationSettings } from "../growth/correlation-settings.ts";
import * as nn from "../nn/index.ts";
import { crossEntropy } from "../nn/losses.ts";
import { neg } from "../ops/index.ts";
import * as optim from "../optim/index.ts";
import { namesOf } from "./candidate-objective.ts";
import { CandidateProgram, FRESH_MEMORY, type MemoryStanding } from "./candidate-program.ts";
import { computedOf, withCandidates } from "./candidate-step.ts";
import { CroppedNetwork, CroppedState } from "./cropped.ts";
import { GrowingNetwork, type NetworkParts } from "./network.ts";
import { StepProgram } from "./program.ts";
import { buildTrainStep, keptName } from "./step.ts";
import { leavesUntouched } from "./update.ts";

/** `second` sees maps of 2x2 in every second window, `third` maps of one place. */
const base = nn.trace(
  new nn.Sequential(
    ...[new nn.Conv2d(2, 16, 3, { stride: 2, padding: 1 }), new nn.ReLU()],
    ...[new nn.Conv2d(16, 16, 3, { stride: 2, padding: 1 }), new nn.BatchNorm2d(16), new nn.Tanh()],
    ...[new nn.Conv2d(16, 16, 3, { padding: 1 }), new nn.Flatten(), new nn.Linear(16, 3)],
  ),
  { inputs: { x: ["batch", 2, 4, 4] }, seed: 1 },
);
const THIRD = "5.weight";
const sites = findSites(base, { types: ["Conv2d"] });
const engine = nodeEngine({ threads: 1 });
const batch = {
  x: randn([6, 2, 4, 4], "x"),
  target: Tensor.of([6], [0, 1, 2, 2, 1, 0], "int64"),
};

const partsWith = (optimizer: optim.Optimizer, own = engine): NetworkParts => ({
  ...{ base, sites, optimizer, engine: own, loss: crossEntropy() },
  ...{ activation: "sigmoid", initialScale: 0.3, correlation: null, start: null },
});
const newWeights = (name: string) => Random.stream(4, name);

/** A network with a dendrite a site, and what it starts from. */
async function grown(
  optimizer: optim.Optimizer,
  changes: ReadonlyMap<string, Tensor> = new Map(),
  own = engine,
) {
  const network = new GrowingNetwork(partsWith(optimizer, own));
  await network.rebuild(1, new Map([...base.state, ...changes]), newWeights);
  return network;
}

async function step(network: GrowingNetwork, optimizer: optim.Optimizer, number: number) {
  return network.step(batch, Random.stream(1, "masks"), optimizer.knobs(number, optimizer.learningRate));
}

/** All state and the losses of three steps with whole kernels. */
async function withWhole(optimizer: optim.Optimizer, initial: ReadonlyMap<string, Tensor>) {
  const graph = (await grown(optimizer)).graph;
  const step = buildTrainStep(graph, crossEntropy(), optimizer, { inPlace: true });
  const program = await StepProgram.compile(step, engine, initial);
  const losses: number[] = [];
  for (const i of [1, 2, 3]) {
    const knobs = optimizer.knobs(i, optimizer.learningRate);
    losses.push((await program.run(Object.entries(batch), knobs)).loss);
  }
  const state = await program.snapshot();
  await program.release();
  return { state, losses };
}

const UNTOUCHED: Readonly<Record<string, optim.Optimizer>> = {
  sgd: optim.sgd({ learningRate: 0.1 }),
  "sgd with momentum": optim.sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.1 }),
  adam: optim.adam({ learningRate: 0.01 }),
  "adam, amsgrad": optim.adam({ learningRate: 0.01, amsgrad: true }),
  "adamw without decay": optim.adamw({ learningRate: 0.01, weightDecay: 0 }),
  adadelta: optim.adadelta(),
  adagrad: optim.adagrad({ learningRate: 0.1, initialAccumulator: 0.1 }),
  rmsprop: optim.rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true }),
};
const OTHERS: Readonly<Record<string, optim.Optimizer>> = {
  "sgd with weight decay": optim.sgd({ learningRate: 0.1, weightDecay: 0.1 }),
  adamw: optim.adamw({ learningRate: 0.01 }),
  "adadelta with weight decay": optim.adadelta({ weightDecay: 0.1 }),
  // Not made of arithmetic alone: nobody looks.
  quickprop: optim.quickprop(),
};

describe("cropped networks", () => {
  it("are trained by optimizers that leave untouched what has no gradient", () => {
    for (const [name, optimizer] of Object.entries(UNTOUCHED))
      expect(leavesUntouched(optimizer), name).toBe(true);
    for (const [name, optimizer] of Object.entries(OTHERS))
      expect(leavesUntouched(optimizer), name).toBe(false);
  });

  it.each(Object.keys(UNTOUCHED))("learn what whole ones learn: %s", async (name) => {
    const optimizer = UNTOUCHED[name]!;
    const network = await grown(optimizer);
    const initial = await network.state();
    expect(new CroppedNetwork(network.graph, optimizer, initial).partsOf(initial).get(THIRD)!.shape).toEqual([
      16, 16, 1, 1,
    ]);
    const losses: number[] = [];
    for (const i of [1, 2, 3]) losses.push(await step(network, optimizer, i));
    const wanted = await withWhole(optimizer, initial);
    expect(largestError(losses, wanted.losses)).toBeLessThan(1e-5);
    const state = await network.state();
    for (const [key, tensor] of wanted.state) {
      expect(`${state.get(key)}`, key).toBe(`${tensor}`);
      const [found, whole] = [state.get(key)!.toNumbers(), tensor.toNumbers()];
      // Of a gradient that is rounding alone, as of a bias before a normalization, some optimizers make whole steps.
      if (!/^2\.(.*\.)?bias/.test(key.replace(/^optimizer\./, ""))) {
        expect(largestError(found, whole), key).toBeLessThan(1e-3);
      }
    }
    // What never reads the input is as it was, bit for bit.
    const [before, after] = [initial.get(THIRD)!.data, state.get(THIRD)!.data];
    for (let i = 0; i < before.length; i++) expect(before[i] === after[i]).toBe(i % 9 !== 4);
    await network.release();
  });

  it.each(Object.keys(OTHERS))("are whole with other optimizers: %s", async (name) => {
    const network = await grown(OTHERS[name]!);
    const cropped = new CroppedNetwork(network.graph, OTHERS[name]!, await network.state());
    expect(cropped.graph).toBe(network.graph);
  });

  it("are whole where another training has left running means outside", async () => {
    const optimizer = optim.adam();
    const kept = keptName(THIRD, "exp_avg");
    const means = Tensor.zeros([16, 16, 3, 3]);
    means.data[4] = 1;
    const inside = await grown(optimizer, new Map([[kept, means.clone()]]));
    means.data[5] = 1;
    const outside = await grown(optimizer, new Map([[kept, means]]));
    const shapeIn = async (network: GrowingNetwork) => {
      const state = await network.state();
      return new CroppedNetwork(network.graph, optimizer, state).graph.state.get(THIRD)!.shape;
    };
    expect(await shapeIn(inside)).toEqual([16, 16, 1, 1]);
    expect(await shapeIn(outside)).toEqual([16, 16, 3, 3]);
    const before = (await outside.state()).get(THIRD)!.data;
    await step(outside, optimizer, 1);
    const after = (await outside.state()).get(THIRD)!.data;
    expect(after[5]).not.toBe(before[5]);
    await outside.release();
  });

  it("are scored with whole tensors in the place of their own", async () => {
    const network = await grown(UNTOUCHED.adam!);
    const score = (changed?: ReadonlyMap<string, Tensor>) => network.evaluate([batch], null, changed);
    const started = await score();
    const initial = (await network.state()).get(THIRD)!;
    await step(network, UNTOUCHED.adam!, 1);
    const learned = await score();
    expect(learned).not.toBe(started);
    const own = (await network.state()).get(THIRD)!;
    expect(await score(new Map([[THIRD, own]]))).toBe(learned);
    expect(await score(new Map([[THIRD, initial]]))).not.toBe(learned);
    await network.release();
  });

  it("learn the same where the engine has the update as nodes", async () => {
    const optimizer = UNTOUCHED.adadelta!;
    const states = await Promise.all(
      [engine, { ...engine, sharesMemory: false }].map(async (own) => {
        const network = await grown(optimizer, new Map(), own);
        for (const i of [1, 2]) await step(network, optimizer, i);
        const state = await network.state();
        await network.release();
        return state;
      }),
    );
    const [inPlace, asNodes] = states as [ReadonlyMap<string, Tensor>, ReadonlyMap<string, Tensor>];
    for (const name of [THIRD, keptName(THIRD, "acc_delta"), "2.weight", "5.dendrites.0.weight"]) {
      expect(`${asNodes.get(name)}`, name).toBe(`${inPlace.get(name)}`);
      const numbers = [asNodes, inPlace].map((state) => state.get(name)!.toNumbers());
      expect(largestError(numbers[0]!, numbers[1]!), name).toBeLessThan(1e-5);
    }
  });

  it.each(["sgd with momentum", "adagrad"])(
    "go on from their state as if it was never taken: %s",
    async (name) => {
      const optimizer = UNTOUCHED[name]!;
      const network = await grown(optimizer);
      await step(network, optimizer, 1);
      const between = await network.state();
      await step(network, optimizer, 2);
      const wanted = await network.state();
      await network.rebuild(1, between, newWeights);
      const again = new CroppedNetwork(network.graph, optimizer, between);
      expect(again.graph.state.get(THIRD)!.shape).toEqual([16, 16, 1, 1]);
      await step(network, optimizer, 2);
      const found = await network.state();
      for (const [key, tensor] of wanted) expect([...found.get(key)!.data], key).toEqual([...tensor.data]);
      await network.release();
    },
  );
});

describe("candidates of cropped kernels", () => {
  const candidate = `${THIRD.replace(".weight", "")}.candidates.0.weight`;
  /** The same, by more than arithmetic. */
  const asNodes = (optimizer: optim.Optimizer): optim.Optimizer => ({
    ...optimizer,
    update: (...given) => {
      const { parameter, state } = optimizer.update(...given);
      return { parameter: neg(neg(parameter)), state };
    },
  });

  /** What three steps tell and leave, with the network in each step or on what is kept of it. */
  async function learned(optimizer: optim.Optimizer, standing: MemoryStanding | null) {
    const settings = { ...correlationSettings({ candidates: 2 }), optimizer };
    const parts = { ...partsWith(optim.sgd()), correlation: settings };
    const frozen = { dendrites: 0, values: base.state, draw: newWeights };
    const whole = withCandidates(parts, frozen, settings);
    const { crops } = new CroppedState(whole.graph, optimizer, whole.graph.state, computedOf(whole));
    const program = await CandidateProgram.compile(parts, frozen, settings, new Map(), standing);
    const gains = sites.flatMap((site) =>
      [0, 1].map((j): [string, Tensor] => [namesOf(site.id, j).gain, Tensor.full([16], 1)]),
    );
    const told: number[] = [];
    for (const i of [1, 2, 3]) {
      const knobs = optimizer.knobs(i, optimizer.learningRate);
      const { loss, measures } = await program.run(batch, gains, knobs, true);
      told.push(loss, ...[...measures.values()].flatMap((each) => [...each.toNumbers()]));
    }
    const state = await program.snapshot();
    const { initial } = program;
    await program.release();
    return { told, state, initial, cropped: [...crops.keys()] };
  }

  it.each([null, FRESH_MEMORY])(
    "learn what whole ones learn, and come out whole: kept %o",
    async (standing) => {
      const optimizer = optim.adadelta();
      const [found, wanted] = [
        await learned(optimizer, standing),
        await learned(asNodes(optimizer), standing),
      ];
      expect(found.cropped).toContain(candidate);
      expect(wanted.cropped).toEqual([]);
      expect(largestError(found.told, wanted.told)).toBeLessThan(1e-4);
      for (const [key, tensor] of wanted.state) {
        expect(`${found.state.get(key)}`, key).toBe(`${tensor}`);
        expect(largestError(found.state.get(key)!.toNumbers(), tensor.toNumbers()), key).toBeLessThan(1e-3);
      }
      const [before, after] = [found.initial.get(candidate)!.data, found.state.get(candidate)!.data];
      for (let i = 0; i < before.length; i++) expect(before[i] === after[i]).toBe(i % 9 !== 4);
    },
  );
});
