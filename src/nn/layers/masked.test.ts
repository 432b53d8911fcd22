import { describe, expect, it } from "vitest";
import { largestError, outputOf, randn, runGraph } from "../../../test/support/run.ts";
import { Tensor } from "../../base/tensor.ts";
import { reduceSum } from "../../ops/index.ts";
import { gradients } from "../../transform/gradient.ts";
import * as nn from "../index.ts";

const MASK = Tensor.of([3, 4], [1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 1]);
const layer = () => new nn.MaskedLinear(MASK);
const traced = (seed = 0) => nn.trace(new nn.Sequential(layer()), { inputs: { x: ["batch", 4] }, seed });

describe("MaskedLinear", () => {
  it("has the weights of connections alone, by Linear's initial values", () => {
    const [weight, bias] = traced(3).parameters.map(({ data }) => data!);
    const dense = nn.trace(new nn.Sequential(new nn.Linear(4, 3)), { inputs: { x: [1, 4] }, seed: 3 });
    const [whole, other] = dense.parameters.map(({ data }) => data!);
    expect([...weight!.data]).toEqual([...whole!.data].map((v, i) => (MASK.data[i] === 1 ? v : 0)));
    expect(bias!.data).toEqual(other!.data);
    expect(layer().connections).toBe(7);
  });

  it("is what a Linear is with those weights, and passes no gradient to the others", async () => {
    const graph = traced();
    const x = randn([5, 4], "x");
    // Whatever lies where there is no connection, it does not count.
    const full = randn([3, 4], "weights");
    const masked = new nn.Sequential(layer());
    const bias = Tensor.zeros([3]);
    masked.loadStateDict(
      new Map([
        ["0.weight", full],
        ["0.bias", bias],
      ]),
    );
    const y = await outputOf(nn.trace(masked, { inputs: { x: ["batch", 4] } }), x);
    const wanted = Array.from({ length: 15 }, (_, at) => {
      const [row, out] = [Math.floor(at / 3), at % 3];
      const terms = [0, 1, 2, 3].map(
        (i) => x.data[row * 4 + i]! * full.data[out * 4 + i]! * MASK.data[out * 4 + i]!,
      );
      return terms.reduce((a, b) => a + b);
    });
    expect(largestError(y.toNumbers(), wanted)).toBeLessThan(1e-6);

    const weight = graph.parameters[0]!;
    const gradient = gradients(reduceSum(graph.outputs[0]!), [weight])[0]!;
    const { g } = await runGraph(graph, { x }, { g: gradient });
    const sums = [0, 1, 2, 3].map((i) => [0, 1, 2, 3, 4].reduce((sum, row) => sum + x.data[row * 4 + i]!, 0));
    expect(
      largestError(
        g!.toNumbers(),
        Array.from(MASK.data, (m, at) => m * sums[at % 4]!),
      ),
    ).toBeLessThan(1e-5);
  });

  it("refuses what is no mask", () => {
    expect(() => new nn.MaskedLinear(Tensor.of([2], [1, 1]))).toThrow(/the mask is \[2\], wanted/);
    expect(() => new nn.MaskedLinear(Tensor.of([1, 2], [1, 0.5]))).toThrow(/holds 0.5, wanted 0 and 1/);
  });
});
