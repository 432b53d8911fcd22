import { describe, expect, it } from "vitest";
import { expectTorch, type TorchCase } from "../../../test/support/torch.ts";
import type { Shape } from "../../graph/shape.ts";
import * as nn from "../index.ts";

/** By the PyTorch module that names the case. */
const CASES: Record<string, TorchCase> = {
  "nn.MaxPool1d(3, stride=2, padding=1, dilation=2)": [
    () => new nn.MaxPool1d(3, { stride: 2, padding: 1, dilation: 2 }),
    [[2, 2, 9]],
    { shape: [2, 2, 4], output: 1.82242, inputs: [-0.0991528], parameters: {} },
  ],
  "nn.MaxPool2d((2, 3), ceil_mode=True)": [
    () => new nn.MaxPool2d([2, 3], { ceilMode: true }),
    [[2, 2, 5, 7]],
    { shape: [2, 2, 3, 3], output: -0.425173, inputs: [0.082801], parameters: {} },
  ],
  "nn.MaxPool3d(2, stride=1, padding=1)": [
    () => new nn.MaxPool3d(2, { stride: 1, padding: 1 }),
    [[1, 2, 3, 3, 2]],
    { shape: [1, 2, 4, 4, 3], output: 0.673004, inputs: [1.35091], parameters: {} },
  ],
  "nn.AvgPool1d(3, stride=2, padding=1)": [
    () => new nn.AvgPool1d(3, { stride: 2, padding: 1 }),
    [[2, 2, 8]],
    { shape: [2, 2, 4], output: -0.0686243, inputs: [0.620174], parameters: {} },
  ],
  "nn.AvgPool1d(3, stride=2, padding=1, count_include_pad=False)": [
    () => new nn.AvgPool1d(3, { stride: 2, padding: 1, countIncludePad: false }),
    [[2, 2, 8]],
    { shape: [2, 2, 4], output: -0.117625, inputs: [1.22096], parameters: {} },
  ],
  "nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True)": [
    () => new nn.AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true }),
    [[2, 2, 6, 4]],
    { shape: [2, 2, 4, 3], output: -0.0523884, inputs: [0.459404], parameters: {} },
  ],
  "nn.AvgPool2d((2, 3), stride=1, padding=(1, 0), count_include_pad=False)": [
    () => new nn.AvgPool2d([2, 3], { stride: 1, padding: [1, 0], countIncludePad: false }),
    [[2, 2, 4, 5]],
    { shape: [2, 2, 5, 3], output: -2.17969, inputs: [-0.0228479], parameters: {} },
  ],
  "nn.AvgPool3d(2)": [
    () => new nn.AvgPool3d(2),
    [[2, 2, 4, 3, 2]],
    { shape: [2, 2, 2, 1, 1], output: 0.250397, inputs: [-1.03548], parameters: {} },
  ],
  "nn.LPPool1d(2, 3, stride=2)": [
    () => new nn.LPPool1d(2, 3, { stride: 2 }),
    [[2, 2, 8]],
    { shape: [2, 2, 3], output: -0.348365, inputs: [4.27558], parameters: {} },
  ],
  "nn.LPPool1d(1, 3)": [
    () => new nn.LPPool1d(1, 3),
    [[2, 2, 8]],
    { shape: [2, 2, 2], output: 0.593401, inputs: [0.525396], parameters: {} },
  ],
  "nn.LPPool2d(4, (2, 3))": [
    () => new nn.LPPool2d(4, [2, 3]),
    [[2, 2, 4, 7]],
    { shape: [2, 2, 2, 2], output: 0.891302, inputs: [-2.57015], parameters: {} },
  ],
  "nn.AdaptiveAvgPool1d(3)": [
    () => new nn.AdaptiveAvgPool1d(3),
    [[2, 2, 7]],
    { shape: [2, 2, 3], output: 0.634361, inputs: [0.205659], parameters: {} },
  ],
  "nn.AdaptiveAvgPool1d(9)": [
    () => new nn.AdaptiveAvgPool1d(9),
    [[2, 2, 4]],
    { shape: [2, 2, 9], output: 0.612511, inputs: [1.29559], parameters: {} },
  ],
  "nn.AdaptiveAvgPool2d((3, 2))": [
    () => new nn.AdaptiveAvgPool2d([3, 2]),
    [[2, 2, 7, 4]],
    { shape: [2, 2, 3, 2], output: 0.261706, inputs: [0.00199222], parameters: {} },
  ],
  "nn.AdaptiveAvgPool2d((None, 5))": [
    () => new nn.AdaptiveAvgPool2d([null, 5]),
    [[2, 2, 3, 7]],
    { shape: [2, 2, 3, 5], output: -10.9455, inputs: [-1.16737], parameters: {} },
  ],
  "nn.AdaptiveAvgPool2d(1)": [
    () => new nn.AdaptiveAvgPool2d(1),
    [[2, 2, 3, 4]],
    { shape: [2, 2, 1, 1], output: 0.112424, inputs: [-0.0850197], parameters: {} },
  ],
  "nn.AdaptiveAvgPool3d((2, 1, 3))": [
    () => new nn.AdaptiveAvgPool3d([2, 1, 3]),
    [[2, 2, 3, 4, 5]],
    { shape: [2, 2, 2, 1, 3], output: -0.0102101, inputs: [-0.0953525], parameters: {} },
  ],
  "nn.AdaptiveMaxPool1d(4)": [
    () => new nn.AdaptiveMaxPool1d(4),
    [[2, 2, 9]],
    { shape: [2, 2, 4], output: 2.40162, inputs: [0.349523], parameters: {} },
  ],
  "nn.AdaptiveMaxPool2d((3, 2))": [
    () => new nn.AdaptiveMaxPool2d([3, 2]),
    [[2, 2, 7, 6]],
    { shape: [2, 2, 3, 2], output: -0.542432, inputs: [-0.565423], parameters: {} },
  ],
  "nn.AdaptiveMaxPool2d(1)": [
    () => new nn.AdaptiveMaxPool2d(1),
    [[2, 2, 3, 4]],
    { shape: [2, 2, 1, 1], output: 0.123987, inputs: [1.51862], parameters: {} },
  ],
  "nn.AdaptiveMaxPool3d((1, 2, 2))": [
    () => new nn.AdaptiveMaxPool3d([1, 2, 2]),
    [[1, 2, 3, 4, 3]],
    { shape: [1, 2, 1, 2, 2], output: 1.33729, inputs: [-0.396798], parameters: {} },
  ],
};

describe("pools as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});

const shapeAfter = (module: nn.Module, shape: Shape) =>
  nn.trace(new nn.Sequential(module), { inputs: { x: shape } }).outputs[0]!.shape;

describe("adaptive pools over symbolic axes", () => {
  it.each<[nn.Module, Shape, Shape]>([
    [new nn.AdaptiveAvgPool2d(1), ["batch", 3, "height", "width"], ["batch", 3, 1, 1]],
    [new nn.AdaptiveMaxPool1d(1), ["batch", 3, "time"], ["batch", 3, 1]],
    [new nn.AdaptiveAvgPool2d([1, 3]), ["batch", 3, "height", 7], ["batch", 3, 1, 3]],
    [new nn.AdaptiveMaxPool2d([1, 2]), ["batch", 3, "height", 7], ["batch", 3, 1, 2]],
    [new nn.AdaptiveAvgPool2d([null, 2]), ["batch", 3, "height", 7], ["batch", 3, "height", 2]],
  ])("%o of %j", (module, shape, wanted) => {
    expect(shapeAfter(module, shape)).toEqual(wanted);
  });

  it("need a size of 1, and say so", () => {
    const fail = () => shapeAfter(new nn.AdaptiveAvgPool2d([2, 1]), ["batch", 3, "height", 7]);
    expect(fail).toThrow("an output of size 2 needs axis 2 of [batch, 3, height, 7] to be known");
  });
});

describe("what does not fit a pool", () => {
  it.each<[string, () => unknown, string]>([
    [
      "sizes",
      () => shapeAfter(new nn.AdaptiveAvgPool2d([2]), ["b", 3, 4, 4]),
      "one number for each of 2 axes",
    ],
    ["a size of 0", () => shapeAfter(new nn.AdaptiveMaxPool1d(0), ["b", 3, 4]), "the size 0 must be"],
    ["axes", () => shapeAfter(new nn.AdaptiveMaxPool1d(2), ["b", 3, 4, 4]), "it pools 1 spatial axes"],
    ["a kernel", () => shapeAfter(new nn.AvgPool3d([2, 2]), ["b", 3, 4, 4, 4]), "each of 3 spatial axes"],
  ])("%s", (_, fail, message) => {
    expect(fail).toThrow(message);
  });
});
