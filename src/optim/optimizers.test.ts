import { describe, expect, it } from "vitest";
import { largestError, runGraph } from "../../test/support/run.ts";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { mul } from "../ops/index.ts";
import * as optim from "./index.ts";

// Three steps from p = (1, -2, 3) on sum(a p²) / 2 with a = (1, 0.5, 2), in float64. PyTorch's numbers come from
//
//   torch.set_default_dtype(torch.float64)                                           # PyTorch 1.13
//   a, p = torch.tensor([1.0, 0.5, 2.0]), torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
//   optimizer = torch.optim.SGD([p], lr=0.1, momentum=0.9)                           # and so on, with the options below
//   for _ in range(3): optimizer.zero_grad(); (a * p * p / 2).sum().backward(); optimizer.step()
//   print(p.tolist())
const CASES: Readonly<Record<string, [optim.Optimizer, readonly [number, number, number]]>> = {
  "sgd, momentum": [
    optim.sgd({ learningRate: 0.1, momentum: 0.9 }),
    [0.486, -1.4627499999999998, 0.1859999999999999],
  ],
  "sgd, nesterov": [
    optim.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
    [0.32732100000000003, -1.26292525, -0.32505600000000046],
  ],
  "sgd, dampening, weight decay": [
    optim.sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.5, weightDecay: 0.2 }),
    [0.5313279999999999, -1.4384985000000001, 0.558594],
  ],
  "sgd, weight decay alone": [
    optim.sgd({ learningRate: 0.1, weightDecay: 0.2 }),
    [0.681472, -1.608714, 1.4236559999999998],
  ],
  "adam, betas, eps": [
    optim.adam({ learningRate: 0.1, betas: [0.5, 0.8], eps: 0.01 }),
    [0.7078891868611161, -1.7051877180437407, 2.7019056835314976],
  ],
  "adam, amsgrad, weight decay": [
    optim.adam({ learningRate: 0.5, betas: [0.5, 0.5], amsgrad: true, weightDecay: 0.2 }),
    [-0.13190940770726658, -0.591508741857989, 1.5406055812566206],
  ],
  "adamw, defaults": [optim.adamw(), [0.9969701273454019, -1.9969400794799197, 2.9969100637599193]],
  "adamw, amsgrad, weight decay": [
    optim.adamw({ learningRate: 0.5, betas: [0.5, 0.5], amsgrad: true, weightDecay: 0.2 }),
    [-0.1739593185466296, -0.2807486676234843, 0.924624993162017],
  ],
  "adadelta, rho, eps, weight decay": [
    optim.adadelta({ learningRate: 0.5, rho: 0.5, eps: 1e-3, weightDecay: 0.2 }),
    [0.9241487375299623, -1.923767169564281, 2.92360434844939],
  ],
  "adagrad, decay, initial accumulator": [
    optim.adagrad({ learningRate: 0.3, learningRateDecay: 0.5, initialAccumulator: 0.7, eps: 0.01 }),
    [0.6101283550661988, -1.5904804078873187, 2.4902025456432133],
  ],
  "adagrad, weight decay": [
    optim.adagrad({ learningRate: 0.3, weightDecay: 0.2 }),
    [0.40886700157088274, -1.356432514192313, 2.341368544052225],
  ],
  "rmsprop, centered": [
    optim.rmsprop({ learningRate: 0.1, alpha: 0.6, centered: true, eps: 0.01 }),
    [0.4365351201934022, -1.3902380662463691, 2.3666526181726257],
  ],
  "rmsprop, momentum, weight decay": [
    optim.rmsprop({ learningRate: 0.05, alpha: 0.6, momentum: 0.5, weightDecay: 0.2 }),
    [0.7186478399182465, -1.714831099851841, 2.7136543432105684],
  ],
  "rmsprop, centered, momentum": [
    optim.rmsprop({ learningRate: 0.05, alpha: 0.9, centered: true, momentum: 0.5 }),
    [0.4484712069733185, -1.4244247832838348, 2.41739058120492],
  ],
};

const vector = (numbers: readonly number[]) => Tensor.of([3], numbers, "float64");

/** Three steps of an optimizer, its update built in float64. */
async function threeSteps(optimizer: optim.Optimizer): Promise<readonly number[]> {
  const graph = new Graph();
  const input = (name: string, shape: number[]): [string, Value] => [
    name,
    graph.input(name, "float64", shape),
  ];
  const parameter = graph.input("p", "float64", [3]);
  const state = Object.fromEntries(Object.keys(optimizer.state).map((name) => input(name, [3])));
  const knobs = Object.fromEntries(Object.keys(optimizer.knobs(1, 1)).map((name) => input(name, [])));
  const gradient = mul(parameter, graph.constant(vector([1, 0.5, 2])));
  const update = optimizer.update(parameter, gradient, state, knobs);
  expect(Object.keys(update.state).sort()).toEqual(Object.keys(optimizer.state).sort());
  const next = { "p.next": update.parameter } as Record<string, Value>;
  for (const [name, value] of Object.entries(update.state)) next[`${name}.next`] = value;

  let current: Record<string, Tensor> = { p: vector([1, -2, 3]) };
  for (const [name, filling] of Object.entries(optimizer.state)) {
    current[name] = Tensor.full([3], filling, "float64");
  }
  for (let step = 1; step <= 3; step++) {
    const numbers = Object.entries(optimizer.knobs(step, optimizer.learningRate));
    const fed = Object.fromEntries(numbers.map(([name, value]) => [name, Tensor.of([], [value], "float64")]));
    const found = await runGraph(graph, { ...current, ...fed }, next);
    current = Object.fromEntries(Object.keys(current).map((name) => [name, found[`${name}.next`]!]));
  }
  return [...current.p!.toNumbers()];
}

describe("optimizers compute what PyTorch's do", () => {
  it.each(Object.entries(CASES))("%s", async (_, [optimizer, wanted]) => {
    const found = await threeSteps(optimizer);
    // Float64, but for ONNX Runtime's square root and division in another order: a few units of the last place.
    expect(largestError(found, wanted)).toBeLessThan(1e-12);
  });
});

describe("options of optimizers", () => {
  const code = expect.objectContaining({ code: "bad_option" });
  it.each<[string, () => unknown, string]>([
    [
      "a negative rate",
      () => optim.sgd({ learningRate: -1 }),
      "sgd: learningRate is -1, it must be at least 0.",
    ],
    ["no number", () => optim.adam({ learningRate: Number.NaN }), "adam: learningRate is NaN"],
    [
      "an infinite rate",
      () => optim.adagrad({ learningRate: Number.POSITIVE_INFINITY }),
      "learningRate is Infinity",
    ],
    ["negative decay", () => optim.rmsprop({ weightDecay: -0.1 }), "rmsprop: weightDecay is -0.1"],
    [
      "beta of 1",
      () => optim.adamw({ betas: [0.9, 1] }),
      "adamw: beta2 is 1, it must be at least 0 and below 1.",
    ],
    ["one beta", () => optim.adam({ betas: [0.9] as never }), "adam: beta2 is undefined"],
    ["rho of 1", () => optim.adadelta({ rho: 1 }), "adadelta: rho is 1"],
    ["negative alpha", () => optim.rmsprop({ alpha: -0.5 }), "rmsprop: alpha is -0.5"],
    ["nesterov without momentum", () => optim.sgd({ nesterov: true }), "nesterov needs a momentum"],
    [
      "nesterov with dampening",
      () => optim.sgd({ nesterov: true, momentum: 0.9, dampening: 0.1 }),
      "and no dampening",
    ],
    [
      "PyTorch's names",
      () => optim.sgd({ lr: 0.1 } as never),
      'no option "lr". Did you mean "learningRate"?',
    ],
    [
      "several at once",
      () => optim.adam({ eps: -1, weight_decay: 0.1 } as never),
      'adam: there is no option "weight_decay". Did you mean "weightDecay"?; eps is -1, it must be at least 0.',
    ],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(ArborizeError);
    expect(make).toThrow(code);
    expect(make).toThrow(message);
  });
});
