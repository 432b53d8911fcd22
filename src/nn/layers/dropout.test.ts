import { describe, expect, it } from "vitest";
import { largestError, outputOf, randn, runGraph } from "../../../test/support/run.ts";
import { Tensor } from "../../base/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { evaluationForm, type Mask, trainingForm } from "../../transform/mode.ts";
import { rewrite } from "../../transform/rewrite.ts";
import * as nn from "../index.ts";

const traced = (module: nn.Module, shape: readonly (number | string)[]): Graph =>
  nn.trace(new nn.Sequential(module), { inputs: { x: shape } });

/** What a module makes of `x` in training, with a mask given. */
async function trained(module: nn.Module, x: Tensor, mask: readonly number[]): Promise<Tensor> {
  const masks: Mask[] = [];
  const { graph } = rewrite(traced(module, ["batch", ...x.shape.slice(1)]), trainingForm(masks));
  const [{ input }] = masks as [Mask];
  const shape = input.shape.map((dim) => (dim === "batch" ? x.shape[0]! : (dim as number)));
  const feeds = { x, [input.name]: Tensor.of(shape, mask, "bool") };
  return (await runGraph(graph, feeds, { y: graph.outputs[0]! })).y!;
}

describe("in evaluation", () => {
  it.each<[nn.Module, readonly number[]]>([
    [new nn.Dropout(), [3, 4]],
    [new nn.Dropout1d(0.3), [2, 3, 4]],
    [new nn.Dropout2d(0.3), [2, 3, 4, 2]],
    [new nn.Dropout3d(0.3), [2, 3, 2, 2, 2]],
    [new nn.AlphaDropout(0.3), [3, 4]],
  ])("%o gives back its input", async (module, shape) => {
    const x = randn(shape, "x");
    const { graph } = evaluationForm(traced(module, ["batch", ...shape.slice(1)]));
    expect((await outputOf(graph, x)).data).toEqual(x.data);
  });
});

describe("in training", () => {
  it.each<[nn.Module, readonly number[]]>([
    [new nn.Dropout1d(0.2), [2, 3, 4]],
    [new nn.Dropout2d(0.2), [2, 3, 4, 2]],
    [new nn.Dropout3d(0.2), [2, 3, 2, 2, 2]],
  ])("%o drops whole channels", async (module, shape) => {
    const x = randn(shape, "x");
    const mask = [1, 0, 1, 0, 1, 1];
    const places = x.data.length / 6;
    const wanted = Array.from(x.data, (value, i) => (value * mask[Math.floor(i / places)]!) / 0.8);
    expect(largestError((await trained(module, x, mask)).toNumbers(), wanted)).toBeLessThan(1e-6);
  });

  it("AlphaDropout drops to where SELU saturates, and keeps mean and variance", async () => {
    // With PyTorch's constants: a = 1 / sqrt((1.7581² p + 1) (1 - p)), b = a 1.7581 p.
    const p = 0.25;
    const saturated = 1.7580993408473766;
    const a = 1 / Math.sqrt((saturated ** 2 * p + 1) * (1 - p));
    const x = randn([50, 200], "x");
    const mask = Array.from({ length: 10_000 }, (_, i) => (i % 4 === 0 ? 0 : 1));
    const found = Array.from((await trained(new nn.AlphaDropout(p), x, mask)).toNumbers());
    const wanted = Array.from(x.data, (value, i) => a * (mask[i] ? value : -saturated) + a * saturated * p);
    expect(largestError(found, wanted)).toBeLessThan(1e-6);
    const mean = found.reduce((sum, y) => sum + y, 0) / 1e4;
    const variance = found.reduce((sum, y) => sum + (y - mean) ** 2, 0) / 1e4;
    // Five standard errors of 10,000 draws.
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(Math.abs(variance - 1)).toBeLessThan(0.07);
  });

  it("draws masks of as many elements as are dropped", () => {
    const masks: Mask[] = [];
    rewrite(traced(new nn.Dropout2d(), ["batch", 3, 4, 4]), trainingForm(masks));
    expect(masks.map(({ input, p }) => [input.shape, p])).toEqual([[["batch", 3, 1, 1], 0.5]]);
  });
});

describe("what does not fit", () => {
  it.each<[string, () => unknown, string]>([
    ["a p of 1", () => traced(new nn.AlphaDropout(1), [2, 3]), "below 1, it is 1"],
    ["axes", () => traced(new nn.Dropout2d(), ["batch", 3, 4]), "2 spatial axes, its input is [batch, 3, 4]"],
  ])("%s", (_, fail, message) => {
    expect(fail).toThrow(message);
  });
});
