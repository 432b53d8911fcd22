import { describe, expect, it } from "vitest";
import { expectTorch, type TorchCase } from "../../../test/support/torch.ts";
import type { Shape } from "../../graph/shape.ts";
import * as nn from "../index.ts";

/** By the PyTorch module that names the case. */
const CASES: Record<string, TorchCase> = {
  "nn.Upsample(scale_factor=2)": [
    () => new nn.Upsample({ scaleFactor: 2 }),
    [[2, 2, 3, 2]],
    { shape: [2, 2, 6, 4], output: -6.82154, inputs: [-1.12758], parameters: {} },
  ],
  "nn.Upsample(size=(5, 3))": [
    () => new nn.Upsample({ size: [5, 3] }),
    [[2, 2, 3, 4]],
    { shape: [2, 2, 5, 3], output: -4.16494, inputs: [0.148003], parameters: {} },
  ],
  "nn.Upsample(size=7, mode='nearest-exact')": [
    () => new nn.Upsample({ size: 7, mode: "nearest-exact" }),
    [[2, 2, 4]],
    { shape: [2, 2, 7], output: -1.59686, inputs: [-0.588484], parameters: {} },
  ],
  "nn.Upsample(scale_factor=1.7, mode='linear')": [
    () => new nn.Upsample({ scaleFactor: 1.7, mode: "linear" }),
    [[2, 2, 6]],
    { shape: [2, 2, 10], output: -0.782541, inputs: [-0.0296225], parameters: {} },
  ],
  "nn.Upsample(scale_factor=2, mode='bilinear')": [
    () => new nn.Upsample({ scaleFactor: 2, mode: "bilinear" }),
    [[2, 2, 3, 4]],
    { shape: [2, 2, 6, 8], output: 7.10476, inputs: [-1.25994], parameters: {} },
  ],
  "nn.Upsample(size=(5, 2), mode='bilinear', align_corners=True)": [
    () => new nn.Upsample({ size: [5, 2], mode: "bilinear", alignCorners: true }),
    [[2, 2, 3, 4]],
    { shape: [2, 2, 5, 2], output: 0.185946, inputs: [0.693652], parameters: {} },
  ],
  "nn.Upsample(scale_factor=(1.5, 2.5), mode='bilinear', align_corners=True)": [
    () => new nn.Upsample({ scaleFactor: [1.5, 2.5], mode: "bilinear", alignCorners: true }),
    [[2, 2, 3, 4]],
    { shape: [2, 2, 4, 10], output: -1.24792, inputs: [0.294142], parameters: {} },
  ],
  "nn.Upsample(scale_factor=(1.6, 0.5), mode='bilinear')": [
    () => new nn.Upsample({ scaleFactor: [1.6, 0.5], mode: "bilinear" }),
    [[2, 2, 4, 5]],
    { shape: [2, 2, 6, 2], output: -0.80987, inputs: [0.149545], parameters: {} },
  ],
  "nn.Upsample(size=(1, 3), mode='bilinear')": [
    () => new nn.Upsample({ size: [1, 3], mode: "bilinear" }),
    [[2, 2, 4, 5]],
    { shape: [2, 2, 1, 3], output: 0.0045323, inputs: [0.40814], parameters: {} },
  ],
  "nn.Upsample(scale_factor=2, mode='bicubic')": [
    () => new nn.Upsample({ scaleFactor: 2, mode: "bicubic" }),
    [[1, 2, 4, 3]],
    { shape: [1, 2, 8, 6], output: -1.96393, inputs: [0.89757], parameters: {} },
  ],
  "nn.Upsample(size=(7, 5), mode='bicubic', align_corners=True)": [
    () => new nn.Upsample({ size: [7, 5], mode: "bicubic", alignCorners: true }),
    [[1, 2, 4, 3]],
    { shape: [1, 2, 7, 5], output: -3.94434, inputs: [2.63674], parameters: {} },
  ],
  "nn.Upsample(scale_factor=2, mode='trilinear')": [
    () => new nn.Upsample({ scaleFactor: 2, mode: "trilinear" }),
    [[1, 2, 2, 3, 2]],
    { shape: [1, 2, 4, 6, 4], output: 4.59013, inputs: [1.67201], parameters: {} },
  ],
  "nn.PixelShuffle(2)": [
    () => new nn.PixelShuffle(2),
    [[2, 8, 2, 3]],
    { shape: [2, 2, 4, 6], output: 0.0460463, inputs: [-4.64616], parameters: {} },
  ],
  "nn.PixelUnshuffle(2)": [
    () => new nn.PixelUnshuffle(2),
    [[2, 2, 4, 6]],
    { shape: [2, 8, 2, 3], output: -14.2868, inputs: [-4.64616], parameters: {} },
  ],
  "nn.Flatten(1, 2)": [
    () => new nn.Flatten(1, 2),
    [[2, 3, 4, 2]],
    { shape: [2, 12, 2], output: -1.82145, inputs: [24.453], parameters: {} },
  ],
  "nn.Unflatten(1, (2, 3))": [
    () => new nn.Unflatten(1, [2, 3]),
    [[2, 6, 2]],
    { shape: [2, 2, 3, 2], output: -0.0205442, inputs: [12.2867], parameters: {} },
  ],
  "nn.ZeroPad2d((1, 2, 0, 3))": [
    () => new nn.ZeroPad2d([1, 2, 0, 3]),
    [[1, 2, 3, 2]],
    { shape: [1, 2, 6, 5], output: -1.53277, inputs: [1.06114], parameters: {} },
  ],
  "nn.ConstantPad1d((2, 1), 0.5)": [
    () => new nn.ConstantPad1d([2, 1], 0.5),
    [[2, 2, 3]],
    { shape: [2, 2, 6], output: 1.53961, inputs: [-0.396202], parameters: {} },
  ],
  "nn.ConstantPad2d(1, -2)": [
    () => new nn.ConstantPad2d(1, -2),
    [[1, 2, 3, 2]],
    { shape: [1, 2, 5, 4], output: -4.20979, inputs: [2.87304], parameters: {} },
  ],
  "nn.ConstantPad3d((1, 0, 0, 1, 2, -1), 1.5)": [
    () => new nn.ConstantPad3d([1, 0, 0, 1, 2, -1], 1.5),
    [[1, 2, 2, 2, 2]],
    { shape: [1, 2, 3, 3, 3], output: 1.27199, inputs: [2.8719], parameters: {} },
  ],
  "nn.ReflectionPad1d((2, 1))": [
    () => new nn.ReflectionPad1d([2, 1]),
    [[2, 2, 4]],
    { shape: [2, 2, 7], output: 0.0941963, inputs: [-0.29925], parameters: {} },
  ],
  "nn.ReflectionPad2d((1, 2, 2, 0))": [
    () => new nn.ReflectionPad2d([1, 2, 2, 0]),
    [[1, 2, 3, 4]],
    { shape: [1, 2, 5, 7], output: -1.17538, inputs: [-1.10366], parameters: {} },
  ],
  "nn.ReflectionPad3d(1)": [
    () => new nn.ReflectionPad3d(1),
    [[1, 2, 2, 3, 2]],
    { shape: [1, 2, 4, 5, 4], output: -0.361584, inputs: [3.08487], parameters: {} },
  ],
  "nn.ReplicationPad1d(2)": [
    () => new nn.ReplicationPad1d(2),
    [[2, 2, 3]],
    { shape: [2, 2, 7], output: 0.708687, inputs: [1.2111], parameters: {} },
  ],
  "nn.ReplicationPad2d((1, 2, 0, 3))": [
    () => new nn.ReplicationPad2d([1, 2, 0, 3]),
    [[1, 2, 3, 2]],
    { shape: [1, 2, 6, 5], output: -2.13491, inputs: [-0.579163], parameters: {} },
  ],
  "nn.ReplicationPad3d((1, 0, 2, 1, 0, 1))": [
    () => new nn.ReplicationPad3d([1, 0, 2, 1, 0, 1]),
    [[1, 2, 2, 2, 2]],
    { shape: [1, 2, 3, 5, 3], output: 0.268103, inputs: [3.34415], parameters: {} },
  ],
  "nn.CosineSimilarity()": [
    () => new nn.CosineSimilarity(),
    [
      [2, 4, 3],
      [2, 4, 3],
    ],
    { shape: [2, 3], output: 0.0166513, inputs: [-0.47026, -1.54016], parameters: {} },
  ],
  "nn.CosineSimilarity(dim=-1)": [
    () => new nn.CosineSimilarity(-1),
    [
      [2, 4],
      [2, 4],
    ],
    { shape: [2], output: 0.954325, inputs: [0.820404, -1.07651], parameters: {} },
  ],
  "nn.PairwiseDistance()": [
    () => new nn.PairwiseDistance(),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3], output: 1.40267, inputs: [-2.29642, 2.29642], parameters: {} },
  ],
  "nn.PairwiseDistance(p=1, keepdim=True)": [
    () => new nn.PairwiseDistance({ p: 1, keepDims: true }),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3, 1], output: 2.49308, inputs: [-3.82563, 3.82563], parameters: {} },
  ],
};

describe("shapes, padding, resizing and distances as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});

const shapeAfter = (module: nn.Module, shape: Shape) =>
  nn.trace(new nn.Sequential(module), { inputs: { x: shape } }).outputs[0]!.shape;

describe("symbolic axes", () => {
  it.each<[nn.Module, Shape, Shape]>([
    [new nn.Upsample({ scaleFactor: 2 }), ["batch", 3, "height", 4], ["batch", 3, "2*height", 8]],
    [new nn.PixelShuffle(2), ["batch", 8, "height", 4], ["batch", 2, "2*height", 8]],
    [new nn.PixelUnshuffle(2), ["batch", 2, 4, 4], ["batch", 8, 2, 2]],
    [new nn.Unflatten(-1, [2, -1]), ["batch", "time", 6], ["batch", "time", 2, 3]],
    [new nn.ZeroPad2d(1), ["batch", 3, "height", 4], ["batch", 3, "height+2", 6]],
  ])("%o of %j", (module, shape, wanted) => {
    expect(shapeAfter(module, shape)).toEqual(wanted);
  });
});

describe("what does not fit", () => {
  it.each<[string, () => unknown, string]>([
    [
      "neither size nor factor",
      () => shapeAfter(new nn.Upsample({}), ["b", 1, 4]),
      "a size or a scaleFactor",
    ],
    [
      "a mode for other axes",
      () => shapeAfter(new nn.Upsample({ size: 4, mode: "bilinear" }), ["b", 1, 4]),
      'mode "bilinear" does not interpolate [b, 1, 4]',
    ],
    [
      "corners of nearest",
      () => shapeAfter(new nn.Upsample({ size: 4, alignCorners: true }), ["b", 1, 4]),
      'alignCorners has no meaning with mode "nearest"',
    ],
    [
      "blocks",
      () => shapeAfter(new nn.PixelUnshuffle(2), ["b", 1, 4, 5]),
      "does not divide into blocks of 2 x 2",
    ],
    ["numbers of a pad", () => new nn.ReflectionPad2d([1, 2]), "ReflectionPad2d: padding has 2 numbers"],
  ])("%s", (_, fail, message) => {
    expect(fail).toThrow(message);
  });
});
