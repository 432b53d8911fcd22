import { describe, expect, it } from "vitest";
import { expectTorch, type TorchCase } from "../../../test/support/torch.ts";
import type { Shape } from "../../graph/shape.ts";
import * as nn from "../index.ts";

/**
 * By the PyTorch module that names the case. PyTorch 1.13 has no RMSNorm: it is
 * `x * torch.rsqrt((x * x).mean(...) + eps) * weight`.
 */
const CASES: Record<string, TorchCase> = {
  "nn.LayerNorm(4)": [
    () => new nn.LayerNorm(4),
    [[2, 3, 4]],
    {
      shape: [2, 3, 4],
      output: 1.12903,
      inputs: [3.46329],
      parameters: { weight: -0.703207, bias: 1.23107 },
    },
  ],
  "nn.LayerNorm((3, 4), eps=.1)": [
    () => new nn.LayerNorm([3, 4], { eps: 0.1 }),
    [[2, 3, 4]],
    {
      shape: [2, 3, 4],
      output: 5.14737,
      inputs: [4.74127],
      parameters: { weight: 0.0916917, bias: 11.2316 },
    },
  ],
  "nn.LayerNorm(4, elementwise_affine=False)": [
    () => new nn.LayerNorm(4, { elementwiseAffine: false }),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: 1.52245, inputs: [5.06005], parameters: {} },
  ],
  "RMSNorm((4,))": [
    () => new nn.RMSNorm(4),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: 0.715281, inputs: [6.75241], parameters: { weight: 4.28269 } },
  ],
  "RMSNorm((3, 4), eps=.1)": [
    () => new nn.RMSNorm([3, 4], { eps: 0.1 }),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: 0.238478, inputs: [4.62718], parameters: { weight: 1.6355 } },
  ],
  "nn.GroupNorm(2, 6)": [
    () => new nn.GroupNorm(2, 6),
    [[2, 6, 2, 3]],
    {
      shape: [2, 6, 2, 3],
      output: -0.147131,
      inputs: [7.79154],
      parameters: { weight: -4.65766, bias: -0.44556 },
    },
  ],
  "nn.GroupNorm(3, 6, eps=.1, affine=False)": [
    () => new nn.GroupNorm(3, 6, { eps: 0.1, affine: false }),
    [[2, 6, 4]],
    { shape: [2, 6, 4], output: -2.29582, inputs: [21.9402], parameters: {} },
  ],
  "nn.GroupNorm(2, 8)": [
    () => new nn.GroupNorm(2, 8),
    [[3, 8]],
    {
      shape: [3, 8],
      output: -2.02876,
      inputs: [-0.189762],
      parameters: { weight: -0.534008, bias: -0.729278 },
    },
  ],
  "nn.InstanceNorm1d(3)": [
    () => new nn.InstanceNorm1d(3),
    [[2, 3, 5]],
    { shape: [2, 3, 5], output: -5.9057, inputs: [13.0355], parameters: {} },
  ],
  "nn.InstanceNorm2d(3, affine=True, eps=.1)": [
    () => new nn.InstanceNorm2d(3, { affine: true, eps: 0.1 }),
    [[2, 3, 2, 4]],
    {
      shape: [2, 3, 2, 4],
      output: 1.98771,
      inputs: [18.1012],
      parameters: { weight: -4.4261, bias: 3.80062 },
    },
  ],
  "nn.InstanceNorm3d(2, affine=True)": [
    () => new nn.InstanceNorm3d(2, { affine: true }),
    [[2, 2, 2, 3, 2]],
    {
      shape: [2, 2, 2, 3, 2],
      output: -1.37312,
      inputs: [26.7443],
      parameters: { weight: -4.53553, bias: -0.0360453 },
    },
  ],
  "nn.LocalResponseNorm(3, alpha=.5, beta=.6, k=2)": [
    () => new nn.LocalResponseNorm(3, { alpha: 0.5, beta: 0.6, k: 2 }),
    [[2, 5, 2, 3]],
    { shape: [2, 5, 2, 3], output: -0.506476, inputs: [18.4606], parameters: {} },
  ],
  "nn.LocalResponseNorm(2, alpha=.5)": [
    () => new nn.LocalResponseNorm(2, { alpha: 0.5 }),
    [[2, 5, 2, 3]],
    { shape: [2, 5, 2, 3], output: -0.663498, inputs: [23.5007], parameters: {} },
  ],
  "nn.LocalResponseNorm(3, alpha=.5)": [
    () => new nn.LocalResponseNorm(3, { alpha: 0.5 }),
    [[2, 5, 4]],
    { shape: [2, 5, 4], output: 0.137523, inputs: [14.2021], parameters: {} },
  ],
};

describe("normalization as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});

describe("what does not fit", () => {
  it.each<[string, () => unknown, string]>([
    [
      "last axes",
      () => shapeAfter(new nn.LayerNorm([3, 4]), ["b", 4, 3]),
      "the last axes of [b, 4, 3] are not [3, 4]",
    ],
    ["groups", () => new nn.GroupNorm(4, 6), "GroupNorm: 6 input channels do not divide into 4 groups"],
    [
      "axes",
      () => shapeAfter(new nn.InstanceNorm1d(3), ["b", 3, 4, 4]),
      "InstanceNorm1d takes 3 channels of 1",
    ],
    ["channels", () => shapeAfter(new nn.InstanceNorm2d(3), ["b", 2, 4, 4]), "its input is [b, 2, 4, 4]"],
    ["a size of 0", () => new nn.LocalResponseNorm(0), "LocalResponseNorm: size is 0"],
  ])("%s", (_, fail, message) => {
    expect(fail).toThrow(message);
  });
});

it("normalizes over axes of any length beside its own", () => {
  const shape = ["batch", "time", 6] as const;
  expect(shapeAfter(new nn.LayerNorm(6), shape)).toEqual(shape);
  expect(shapeAfter(new nn.RMSNorm(6), shape)).toEqual(shape);
  expect(shapeAfter(new nn.GroupNorm(2, 6), ["batch", 6, 5])).toEqual(["batch", 6, 5]);
});

it("starts from factors of 1 and addends of 0", () => {
  const { parameters } = nn.trace(new nn.LayerNorm(3), { inputs: { x: ["batch", 3] } });
  expect(parameters.map(({ data }) => Array.from(data!.toNumbers()))).toEqual([
    [1, 1, 1],
    [0, 0, 0],
  ]);
});

function shapeAfter(module: nn.Module, shape: Shape): Shape {
  return nn.trace(new nn.Sequential(module), { inputs: { x: shape } }).outputs[0]!.shape;
}
