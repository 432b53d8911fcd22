import { describe, expect, it } from "vitest";
import { expectTorch, type TorchCase } from "../../../test/support/torch.ts";
import type { Shape } from "../../graph/shape.ts";
import * as nn from "../index.ts";

/** By the PyTorch module that names the case. */
const CASES: Record<string, TorchCase> = {
  "nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2)": [
    () => new nn.Conv1d(4, 6, 3, { stride: 2, padding: 1, groups: 2 }),
    [[2, 4, 8]],
    {
      shape: [2, 6, 4],
      output: 11.6108,
      inputs: [0.770366],
      parameters: { weight: -1.07969, bias: 0.762845 },
    },
  ],
  "nn.Conv1d(2, 3, 4, padding='same', dilation=2)": [
    () => new nn.Conv1d(2, 3, 4, { padding: "same", dilation: 2 }),
    [[2, 2, 9]],
    {
      shape: [2, 3, 9],
      output: -0.8208,
      inputs: [-0.811647],
      parameters: { weight: 0.492511, bias: -1.39075 },
    },
  ],
  "nn.Conv1d(2, 3, 3, padding=2, padding_mode='circular')": [
    () => new nn.Conv1d(2, 3, 3, { padding: 2, paddingMode: "circular" }),
    [[2, 2, 6]],
    {
      shape: [2, 3, 8],
      output: 12.0047,
      inputs: [-1.03832],
      parameters: { weight: -3.34551, bias: 3.80062 },
    },
  ],
  "nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), bias=False)": [
    () => new nn.Conv2d(2, 4, [3, 2], { stride: [2, 1], padding: [1, 0], dilation: [1, 2], bias: false }),
    [[2, 2, 6, 5]],
    { shape: [2, 4, 3, 3], output: -3.76729, inputs: [-1.73287], parameters: { weight: 1.01813 } },
  ],
  "nn.Conv2d(2, 3, 4, padding='same', padding_mode='reflect')": [
    () => new nn.Conv2d(2, 3, 4, { padding: "same", paddingMode: "reflect" }),
    [[1, 2, 5, 6]],
    {
      shape: [1, 3, 5, 6],
      output: 1.43273,
      inputs: [8.41843],
      parameters: { weight: 15.0392, bias: -0.196248 },
    },
  ],
  "nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode='replicate')": [
    () => new nn.Conv2d(2, 3, 3, { padding: [1, 2], paddingMode: "replicate" }),
    [[1, 2, 4, 3]],
    {
      shape: [1, 3, 4, 5],
      output: -0.542711,
      inputs: [-4.50476],
      parameters: { weight: -14.8546, bias: 1.67944 },
    },
  ],
  "nn.Conv2d(2, 3, 3, padding='valid')": [
    () => new nn.Conv2d(2, 3, 3, { padding: "valid" }),
    [[1, 2, 4, 3]],
    {
      shape: [1, 3, 2, 1],
      output: 0.928128,
      inputs: [0.0164847],
      parameters: { weight: -7.8897, bias: 0.934529 },
    },
  ],
  "nn.Conv3d(2, 3, (2, 3, 1), stride=(1, 2, 1), padding=(1, 1, 0))": [
    () => new nn.Conv3d(2, 3, [2, 3, 1], { stride: [1, 2, 1], padding: [1, 1, 0] }),
    [[2, 2, 3, 4, 2]],
    {
      shape: [2, 3, 4, 2, 2],
      output: -22.1432,
      inputs: [11.5561],
      parameters: { weight: 3.91325, bias: 0.292838 },
    },
  ],
  "nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)": [
    () => new nn.ConvTranspose1d(4, 6, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    [[2, 4, 5]],
    {
      shape: [2, 6, 10],
      output: -0.653934,
      inputs: [1.64388],
      parameters: { weight: -0.0714127, bias: 0.566118 },
    },
  ],
  "nn.ConvTranspose2d(3, 2, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(0, 2), dilation=(2, 1))": [
    () =>
      new nn.ConvTranspose2d(3, 2, [3, 2], {
        stride: [2, 3],
        padding: [1, 0],
        outputPadding: [0, 2],
        dilation: [2, 1],
      }),
    [[2, 3, 3, 4]],
    {
      shape: [2, 2, 7, 13],
      output: 6.83282,
      inputs: [-4.42177],
      parameters: { weight: -0.126982, bias: 0.986646 },
    },
  ],
  "nn.ConvTranspose3d(2, 3, 2, stride=2, bias=False)": [
    () => new nn.ConvTranspose3d(2, 3, 2, { stride: 2, bias: false }),
    [[2, 2, 2, 3, 2]],
    { shape: [2, 3, 4, 6, 4], output: 23.6635, inputs: [24.4487], parameters: { weight: -45.4972 } },
  ],
  "nn.Linear(4, 3)": [
    () => new nn.Linear(4, 3),
    [[2, 3, 4]],
    {
      shape: [2, 3, 3],
      output: -2.7775,
      inputs: [0.514556],
      parameters: { weight: -1.57374, bias: 0.180274 },
    },
  ],
  "nn.Bilinear(3, 4, 2)": [
    () => new nn.Bilinear(3, 4, 2),
    [
      [5, 3],
      [5, 4],
    ],
    {
      shape: [5, 2],
      output: 0.459726,
      inputs: [-0.547661, 0.171583],
      parameters: { weight: 0.455185, bias: 0.570224 },
    },
  ],
  "nn.Bilinear(3, 2, 4, bias=False)": [
    () => new nn.Bilinear(3, 2, 4, { bias: false }),
    [
      [2, 3, 3],
      [2, 3, 2],
    ],
    { shape: [2, 3, 4], output: -3.68457, inputs: [1.84691, 4.35628], parameters: { weight: 4.19924 } },
  ],
};

describe("linear layers and convolutions as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});

const shapeAfter = (module: nn.Module, shape: Shape) =>
  nn.trace(new nn.Sequential(module), { inputs: { x: shape } }).outputs[0]!.shape;

describe("what does not fit a convolution", () => {
  it.each<[string, () => unknown, string]>([
    ["a kernel", () => new nn.Conv3d(2, 3, [2, 2]), "Conv3d: kernelWidth is 0"],
    ["lengths", () => new nn.Conv1d(2, 3, [2, 2]), "Conv1d: the kernel has 2 lengths, it must have 1"],
    ["groups", () => new nn.ConvTranspose2d(4, 3, 2, { groups: 2 }), "ConvTranspose2d: 3 output channels"],
    ["a count", () => new nn.ConvTranspose1d(0, 3, 2), "ConvTranspose1d: inChannels is 0"],
    [
      "an output padding",
      () => shapeAfter(new nn.ConvTranspose1d(2, 3, 2, { stride: 2, outputPadding: 2 }), ["b", 2, 5]),
      "stride above that",
    ],
    ["axes", () => shapeAfter(new nn.Conv1d(2, 3, 2), ["b", 2, 5, 5]), "needs an input of 3 axes"],
  ])("%s", (_, fail, message) => {
    expect(fail).toThrow(message);
  });
});
