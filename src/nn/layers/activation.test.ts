import { describe, expect, it } from "vitest";
import { expectTorch, type TorchCase } from "../../../test/support/torch.ts";
import type { Shape } from "../../graph/shape.ts";
import * as nn from "../index.ts";

/** By the PyTorch module that names the case. */
const CASES: Record<string, TorchCase> = {
  "nn.ReLU()": [
    () => new nn.ReLU(),
    [[4, 12]],
    { shape: [4, 12], output: -1.12421, inputs: [13.7321], parameters: {} },
  ],
  "nn.ReLU6()": [
    () => new nn.ReLU6(),
    [[4, 12]],
    { shape: [4, 12], output: -1.12421, inputs: [13.7321], parameters: {} },
  ],
  "nn.LeakyReLU(0.2)": [
    () => new nn.LeakyReLU(0.2),
    [[4, 12]],
    { shape: [4, 12], output: -1.26366, inputs: [15.8763], parameters: {} },
  ],
  "nn.PReLU()": [
    () => new nn.PReLU(),
    [[4, 12]],
    { shape: [4, 12], output: -1.71092, inputs: [22.7534], parameters: { weight: -0.697245 } },
  ],
  "nn.RReLU(0.1, 0.5).eval()": [
    () => new nn.RReLU(0.1, 0.5),
    [[4, 12]],
    { shape: [4, 12], output: -1.33338, inputs: [16.9484], parameters: {} },
  ],
  "nn.ELU(0.7)": [
    () => new nn.ELU(0.7),
    [[4, 12]],
    { shape: [4, 12], output: -1.44358, inputs: [17.7579], parameters: {} },
  ],
  "nn.CELU(1.3)": [
    () => new nn.CELU(1.3),
    [[4, 12]],
    { shape: [4, 12], output: -1.62426, inputs: [20.3092], parameters: {} },
  ],
  "nn.SELU()": [
    () => new nn.SELU(),
    [[4, 12]],
    { shape: [4, 12], output: -1.98334, inputs: [24.5393], parameters: {} },
  ],
  "nn.GELU()": [
    () => new nn.GELU(),
    [[4, 12]],
    { shape: [4, 12], output: -1.04378, inputs: [12.9316], parameters: {} },
  ],
  "nn.GELU(approximate='tanh')": [
    () => new nn.GELU({ approximate: "tanh" }),
    [[4, 12]],
    { shape: [4, 12], output: -1.04373, inputs: [12.9314], parameters: {} },
  ],
  "nn.SiLU()": [
    () => new nn.SiLU(),
    [[4, 12]],
    { shape: [4, 12], output: -1.00094, inputs: [12.6836], parameters: {} },
  ],
  "nn.Mish()": [
    () => new nn.Mish(),
    [[4, 12]],
    { shape: [4, 12], output: -1.17753, inputs: [14.6736], parameters: {} },
  ],
  "nn.Sigmoid()": [
    () => new nn.Sigmoid(),
    [[4, 12]],
    { shape: [4, 12], output: -0.36683, inputs: [5.43787], parameters: {} },
  ],
  "nn.LogSigmoid()": [
    () => new nn.LogSigmoid(),
    [[4, 12]],
    { shape: [4, 12], output: -0.944843, inputs: [11.9942], parameters: {} },
  ],
  "nn.Tanh()": [
    () => new nn.Tanh(),
    [[4, 12]],
    { shape: [4, 12], output: -1.4361, inputs: [16.4181], parameters: {} },
  ],
  "nn.Softsign()": [
    () => new nn.Softsign(),
    [[4, 12]],
    { shape: [4, 12], output: -0.956589, inputs: [10.6273], parameters: {} },
  ],
  "nn.Softplus()": [
    () => new nn.Softplus(),
    [[4, 12]],
    { shape: [4, 12], output: -0.87661, inputs: [12.4588], parameters: {} },
  ],
  "nn.Softplus(2, 0.5)": [
    () => new nn.Softplus(2, 0.5),
    [[4, 12]],
    { shape: [4, 12], output: -0.784128, inputs: [15.3292], parameters: {} },
  ],
  "nn.Hardsigmoid()": [
    () => new nn.Hardsigmoid(),
    [[4, 12]],
    { shape: [4, 12], output: -0.245109, inputs: [4.0755], parameters: {} },
  ],
  "nn.Hardswish()": [
    () => new nn.Hardswish(),
    [[4, 12]],
    { shape: [4, 12], output: -0.975912, inputs: [12.5412], parameters: {} },
  ],
  "nn.Hardtanh(-0.3, 0.6)": [
    () => new nn.Hardtanh(-0.3, 0.6),
    [[4, 12]],
    { shape: [4, 12], output: -0.952431, inputs: [6.17605], parameters: {} },
  ],
  "nn.Hardshrink(0.4)": [
    () => new nn.Hardshrink(0.4),
    [[4, 12]],
    { shape: [4, 12], output: -1.42083, inputs: [17.1979], parameters: {} },
  ],
  "nn.Softshrink(0.4)": [
    () => new nn.Softshrink(0.4),
    [[4, 12]],
    { shape: [4, 12], output: -1.0041, inputs: [17.1979], parameters: {} },
  ],
  "nn.Tanhshrink()": [
    () => new nn.Tanhshrink(),
    [[4, 12]],
    { shape: [4, 12], output: -0.385349, inputs: [8.03486], parameters: {} },
  ],
  "nn.Threshold(0.2, -1)": [
    () => new nn.Threshold(0.2, -1),
    [[4, 12]],
    { shape: [4, 12], output: -2.76852, inputs: [12.0882], parameters: {} },
  ],
  "nn.GLU()": [
    () => new nn.GLU(),
    [[4, 12]],
    { shape: [4, 6], output: -0.306159, inputs: [5.5522], parameters: {} },
  ],
  "nn.GLU(0)": [
    () => new nn.GLU(0),
    [[4, 12]],
    { shape: [2, 12], output: -0.197709, inputs: [6.06225], parameters: {} },
  ],
  "nn.Softmax(1)": [
    () => new nn.Softmax(1),
    [[4, 12]],
    { shape: [4, 12], output: -0.154794, inputs: [1.91104], parameters: {} },
  ],
  "nn.Softmin(0)": [
    () => new nn.Softmin(0),
    [[4, 12]],
    { shape: [4, 12], output: -0.135855, inputs: [-1.68813], parameters: {} },
  ],
  "nn.LogSoftmax(-1)": [
    () => new nn.LogSoftmax(-1),
    [[4, 12]],
    { shape: [4, 12], output: -2.11007, inputs: [24.3934], parameters: {} },
  ],
  "nn.PReLU(3)": [
    () => new nn.PReLU(3),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: -0.209677, inputs: [11.9134], parameters: { weight: 0.187684 } },
  ],
  "nn.Softmax2d()": [
    () => new nn.Softmax2d(),
    [[2, 3, 2, 2]],
    { shape: [2, 3, 2, 2], output: -0.070988, inputs: [3.28858], parameters: {} },
  ],
};

describe("activations as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});

const shapeAfter = (module: nn.Module, shape: Shape) =>
  nn.trace(new nn.Sequential(module), { inputs: { x: shape } }).outputs[0]!.shape;

it("a GLU of an odd length says what is wrong", () => {
  expect(() => shapeAfter(new nn.GLU(), ["batch", 5])).toThrow(
    "axis 1 of [batch, 5] does not have two halves",
  );
});

it("PReLU starts from a slope of 0.25, or from another", () => {
  const slopes = (module: nn.Module) =>
    Array.from(nn.trace(module, { inputs: { x: ["batch", 3] } }).parameters[0]!.data!.toNumbers());
  expect(slopes(new nn.PReLU())).toEqual([0.25]);
  expect(slopes(new nn.PReLU(3, { init: 0.5 }))).toEqual([0.5, 0.5, 0.5]);
});
