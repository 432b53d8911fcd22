import { describe, expect, it } from "vitest";
import type { Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { neuronAxes } from "./neuron-axes.ts";
import { findSites } from "./sites.ts";

class Normalized extends nn.Module {
  conv = new nn.Conv2d(2, 3, 3);
  norm = new nn.BatchNorm2d(3);
  forward(x: Value): Value {
    return this.norm.call(this.conv.call(x));
  }
}

class Deep extends nn.Module {
  one = new nn.Linear(4, 4);
  two = new nn.Linear(4, 4);
  forward(x: Value): Value {
    return this.two.call(this.one.call(x).relu());
  }
}

class Last extends nn.Module {
  lstm = new nn.LSTM(4, 3);
  forward(x: Value): Value {
    return this.lstm.call(x)[0];
  }
}

const image = ["batch", 2, 6, 6] as const;
const CASES: Readonly<
  Record<string, readonly [nn.Module, readonly (string | number)[], object, object | null]>
> = {
  Linear: [new nn.Linear(4, 3), ["batch", 4], {}, { axes: { weight: 0, bias: 0 }, bias: "m.bias" }],
  "Linear of sequences": [
    new nn.Linear(4, 3),
    ["batch", 5, 4],
    {},
    { axes: { weight: 0, bias: 0 }, bias: "m.bias" },
  ],
  "Linear without bias": [
    new nn.Linear(4, 3, { bias: false }),
    ["batch", 4],
    {},
    { axes: { weight: 0 }, bias: null },
  ],
  Conv2d: [new nn.Conv2d(2, 3, 3), image, {}, { axes: { weight: 0, bias: 0 }, bias: "m.bias" }],
  // Running statistics are of a neuron too, and the bias is the normalization's.
  "Conv2d with BatchNorm2d": [
    new Normalized(),
    image,
    { blocks: ["m"] },
    {
      axes: {
        "conv.weight": 0,
        "conv.bias": 0,
        "norm.weight": 0,
        "norm.bias": 0,
        "norm.running_mean": 0,
        "norm.running_var": 0,
      },
      bias: "m.norm.bias",
    },
  ],
  "two layers": [new Deep(), ["batch", 4], { blocks: ["m"] }, null],
  LSTM: [new Last(), [5, "batch", 4], { blocks: ["m"] }, null],
};

describe("the axes along which weights belong to neurons", () => {
  it.each(Object.entries(CASES))("of %s", (_, [module, shape, selection, wanted]) => {
    class Net extends nn.Module {
      m = module;
      forward(x: Value): Value {
        return (this.m as nn.Linear).call(x).tanh();
      }
    }
    const base = nn.trace(new Net(), { inputs: { x: shape } });
    const [site] = findSites(base, { types: ["Linear", "Conv2d"], ...selection });
    const found = neuronAxes(site!);
    const told = found && { axes: Object.fromEntries(found.axes), bias: found.bias };
    expect(told).toEqual(wanted);
  });
});
