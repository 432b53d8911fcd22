import { describe, expect, it } from "vitest";
import { expectTorch, type TorchCase } from "../../../test/support/torch.ts";
import { Tensor } from "../../base/tensor.ts";
import * as nn from "../index.ts";

/** By the PyTorch module that names the case. */
const CASES: Record<string, TorchCase> = {
  "nn.Embedding(5, 3)": [
    () => new nn.Embedding(5, 3),
    [Tensor.of([2, 3], [1, 0, 4, 2, 4, 4], "int64")],
    { shape: [2, 3, 3], output: -0.187291, inputs: [], parameters: { weight: -2.94946 } },
  ],
  "nn.Embedding(5, 3, padding_idx=4)": [
    () => new nn.Embedding(5, 3, { paddingIdx: 4 }),
    [Tensor.of([2, 3], [1, 0, 4, 2, 4, 4], "int64")],
    { shape: [2, 3, 3], output: -0.187291, inputs: [], parameters: { weight: -4.43047 } },
  ],
  "nn.Embedding(5, 3, padding_idx=-1)": [
    () => new nn.Embedding(5, 3, { paddingIdx: -1 }),
    [Tensor.of([2, 3], [1, 0, 4, 2, 4, 4], "int64")],
    { shape: [2, 3, 3], output: -0.187291, inputs: [], parameters: { weight: -4.43047 } },
  ],
  "nn.EmbeddingBag(5, 3)": [
    () => new nn.EmbeddingBag(5, 3),
    [Tensor.of([2, 3], [1, 0, 4, 2, 4, 4], "int64")],
    { shape: [2, 3], output: 0.909393, inputs: [], parameters: { weight: -0.994335 } },
  ],
  "nn.EmbeddingBag(5, 3, mode='sum')": [
    () => new nn.EmbeddingBag(5, 3, { mode: "sum" }),
    [Tensor.of([2, 3], [1, 0, 4, 2, 4, 4], "int64")],
    { shape: [2, 3], output: 2.72818, inputs: [], parameters: { weight: -2.98301 } },
  ],
  "nn.EmbeddingBag(5, 3, padding_idx=4)": [
    () => new nn.EmbeddingBag(5, 3, { paddingIdx: 4 }),
    [Tensor.of([2, 3], [1, 0, 4, 2, 4, 4], "int64")],
    { shape: [2, 3], output: 1.81435, inputs: [], parameters: { weight: -1.48267 } },
  ],
  "nn.EmbeddingBag(5, 3, mode='sum', padding_idx=4)": [
    () => new nn.EmbeddingBag(5, 3, { mode: "sum", paddingIdx: 4 }),
    [Tensor.of([2, 3], [1, 0, 4, 2, 4, 4], "int64")],
    { shape: [2, 3], output: 2.42133, inputs: [], parameters: { weight: -1.48072 } },
  ],
};

describe("embeddings as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});

const table = (module: nn.Module) => {
  const x = { dtype: "int64", shape: ["batch", 4] } as const;
  return Array.from(nn.trace(module, { inputs: { x }, seed: 3 }).parameters[0]!.data!.toNumbers());
};

it.each([nn.Embedding, nn.EmbeddingBag])(
  "%o starts from standard normal numbers, and zeros for padding",
  (Layer) => {
    const numbers = table(new Layer(400, 5, { paddingIdx: -2 }));
    expect(numbers.slice(398 * 5, 399 * 5)).toEqual([0, 0, 0, 0, 0]);
    const mean = numbers.reduce((sum, x) => sum + x, 0) / 2000;
    const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 2000;
    // Five standard errors of 2,000 draws.
    expect(Math.abs(mean)).toBeLessThan(0.11);
    expect(Math.abs(variance - 1)).toBeLessThan(0.16);
    expect(table(new Layer(2, 2, { weightInit: nn.init.constant(3), paddingIdx: 0 }))).toEqual([0, 0, 3, 3]);
  },
);

it("an index of padding that is none says so", () => {
  expect(() => new nn.Embedding(5, 3, { paddingIdx: 5 })).toThrow("paddingIdx is 5, the table has 5 rows");
});

it("bags that are no lists say so", () => {
  const inputs = { x: { dtype: "int64", shape: ["batch"] } } as const;
  expect(() => nn.trace(new nn.EmbeddingBag(5, 3), { inputs })).toThrow("must be [batch, indices]");
});
