import { describe, expect, it } from "vitest";
import { largestError, randn, runGraph } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { quickprop } from "./quickprop.ts";

/** One weight's step, case by case as in the program of 1990. */
function plainStep(slope: number, before: number, last: number, rate: number, mu: number): number {
  const shrink = mu / (1 + mu);
  if (last < 0) {
    const jump = slope >= shrink * before ? mu * last : (last * slope) / (before - slope);
    return jump - (slope > 0 ? rate * slope : 0);
  }
  if (last > 0) {
    const jump = slope <= shrink * before ? mu * last : (last * slope) / (before - slope);
    return jump - (slope < 0 ? rate * slope : 0);
  }
  return -rate * slope;
}

describe("quickprop", () => {
  it.each([0, 0.03])("takes the steps of the program of 1990, with weight decay %d", async (weightDecay) => {
    const [n, rate, mu] = [200, 0.3, 1.75];
    const graph = new Graph();
    const [w, g, step, slope] = (["w", "g", "step", "slope"] as const).map((name) =>
      graph.input(name, "float64", [n]),
    ) as [Value, Value, Value, Value];
    const knob = graph.input("rate", "float64", []);
    const optimizer = quickprop({ maxGrowth: mu, weightDecay });
    const next = optimizer.update(w, g, { step, slope }, { rate: knob });
    let state = {
      w: randn([n], "w").to("float64"),
      step: Tensor.zeros([n], "float64"),
      slope: Tensor.zeros([n], "float64"),
    };
    const plain = {
      w: Array.from(state.w.data),
      step: Array<number>(n).fill(0),
      slope: Array<number>(n).fill(0),
    };
    for (let epoch = 0; epoch < 6; epoch++) {
      const given = randn([n], `g${epoch}`).to("float64");
      const found = await runGraph(
        graph,
        { ...state, g: given, rate: Tensor.of([], [rate], "float64") },
        { w1: next.parameter, step1: next.state.step!, slope1: next.state.slope! },
      );
      state = { w: found.w1, step: found.step1, slope: found.slope1 } as typeof state;
      for (let i = 0; i < n; i++) {
        const s = given.data[i]! + weightDecay * plain.w[i]!;
        plain.step[i] = plainStep(s, plain.slope[i]!, plain.step[i]!, rate, mu);
        plain.slope[i] = s;
        plain.w[i]! += plain.step[i]!;
      }
      expect(largestError(state.w.data, plain.w), `epoch ${epoch}`).toBeLessThan(1e-9);
    }
  });
});
