import { describe, it } from "vitest";
import { expectTorch, type TorchCase } from "../../test/support/torch.ts";
import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import * as nn from "./index.ts";

const F = nn.functional;

/** A function of up to three values as a module. */
class Fn extends nn.Module {
  readonly #compute: (x: Value, y: Value, z: Value) => Value;

  constructor(compute: (x: Value, y: Value, z: Value) => Value) {
    super();
    this.#compute = compute;
  }

  forward(x: Value, y: Value, z: Value): Value {
    return this.#compute(x, y, z);
  }
}

const INDEX = Tensor.of([2, 1, 4], [0, 2, 1, 1, 1, 1, 0, 2], "int64");
const ROWS = Tensor.of([2], [2, 0], "int64");

/** By the PyTorch expression of inputs x, y and z that names the case. */
const CASES: Record<string, TorchCase> = {
  "x.add(y).mul(2).sub(y).div(3)": [
    () => new Fn((x, y) => x.add(y).mul(2).sub(y).div(3)),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3, 4], output: -2.72192, inputs: [3.99906, 1.99953], parameters: {} },
  ],
  "x.square().add(.5).log2() + x.square().add(.5).log10() + x.square().add(.5).rsqrt()": [
    () =>
      new Fn((x) =>
        x.square().add(0.5).log2().add(x.square().add(0.5).log10()).add(x.square().add(0.5).rsqrt()),
      ),
    [[3, 4]],
    { shape: [3, 4], output: -0.0212104, inputs: [1.73696], parameters: {} },
  ],
  "x.square().add(.5).pow(y)": [
    () => new Fn((x, y) => x.square().add(0.5).pow(y)),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3, 4], output: -0.90466, inputs: [2.48765, -0.456392], parameters: {} },
  ],
  "x.remainder(.4)": [
    () => new Fn((x) => x.remainder(0.4)),
    [[3, 4]],
    { shape: [3, 4], output: 0.0118833, inputs: [5.99859], parameters: {} },
  ],
  "x.maximum(y) + x.minimum(y) * 2": [
    () => new Fn((x, y) => x.maximum(y).add(x.minimum(y).mul(2))),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3, 4], output: -6.79509, inputs: [9.41425, 8.58151], parameters: {} },
  ],
  "x.clamp(-.5, .6) + x.clamp(min=.1) + x.clamp(max=-.2)": [
    () => new Fn((x) => x.clamp(-0.5, 0.6).add(x.clamp(0.1)).add(x.clamp(null, -0.2))),
    [[3, 4]],
    { shape: [3, 4], output: -4.75883, inputs: [6.5063], parameters: {} },
  ],
  "x * (x > .2).float() + y * (x <= y).float() + x * (x != y).float()": [
    () =>
      new Fn((x, y) =>
        x
          .mul(x.gt(0.2).float())
          .add(y.mul(x.le(y).float()))
          .add(x.mul(x.ne(y).float())),
      ),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3, 4], output: -5.52031, inputs: [8.57509, 3.41566], parameters: {} },
  ],
  "x * (x >= .2).logical_and(y < .5).float() + y * (x < 0).logical_or(y > 0).float()": [
    () =>
      new Fn((x, y) =>
        x.mul(x.ge(0.2).logicalAnd(y.lt(0.5)).float()).add(y.mul(x.lt(0).logicalOr(y.gt(0)).float())),
      ),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3, 4], output: -3.07334, inputs: [1.40734, 5.57134], parameters: {} },
  ],
  "torch.where(x > 0, x, y) + x.masked_fill(x > .5, 2.)": [
    () => new Fn((x, y) => F.where(x.gt(0), x, y).add(x.maskedFill(x.gt(0.5), 2))),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3, 4], output: -7.52948, inputs: [7.256, 2.59193], parameters: {} },
  ],
  "torch.where(x > 0, x, torch.tensor(.3))": [
    () => new Fn((x) => F.where(x.gt(0), x, 0.3)),
    [[3, 4]],
    { shape: [3, 4], output: -0.842088, inputs: [3.40666], parameters: {} },
  ],
  "x.floor() * x + x.ceil() * x + x.round() * x + x.sign() * x": [
    () => new Fn((x) => x.floor().mul(x).add(x.ceil().mul(x)).add(x.round().mul(x)).add(x.sign().mul(x))),
    [[3, 4]],
    { shape: [3, 4], output: -0.202929, inputs: [4.26724], parameters: {} },
  ],
  "x.sin() + x.cos() * x.tan() + x.atan() + x.sinh() + x.cosh() + x.asinh() + x.erf()": [
    () =>
      new Fn((x) =>
        x
          .sin()
          .add(x.cos().mul(x.tan()))
          .add(x.atan())
          .add(x.sinh())
          .add(x.cosh())
          .add(x.asinh())
          .add(x.erf()),
      ),
    [[3, 4]],
    { shape: [3, 4], output: -18.5066, inputs: [31.5723], parameters: {} },
  ],
  "(x * .9).asin() + (x * .9).acos() * x + (x * .9).atanh() + (x.square() + 1.5).acosh()": [
    () =>
      new Fn((x) =>
        x
          .mul(0.9)
          .asin()
          .add(x.mul(0.9).acos().mul(x))
          .add(x.mul(0.9).atanh())
          .add(x.square().add(1.5).acosh()),
      ),
    [[3, 4]],
    { shape: [3, 4], output: -13.1957, inputs: [28.0687], parameters: {} },
  ],
  "x.sum(1) * x.mean((0, 2)).sum() * x.prod(2).sum()": [
    () =>
      new Fn((x) =>
        x
          .sum(1)
          .mul(x.mean([0, 2]).sum())
          .mul(x.prod(2).sum()),
      ),
    [[2, 3, 4]],
    { shape: [2, 4], output: 0.0691039, inputs: [-1.54838], parameters: {} },
  ],
  "x.std(1) + x.var(1, unbiased=False)": [
    () => new Fn((x) => x.std(1).add(x.var(1, { correction: 0 }))),
    [[2, 3, 4]],
    { shape: [2, 4], output: -1.19197, inputs: [1.86378], parameters: {} },
  ],
  "x.var((0, 2), keepdim=True) + x.std()": [
    () => new Fn((x) => x.var([0, 2], { keepDims: true }).add(x.std())),
    [[2, 3, 4]],
    { shape: [1, 3, 1], output: 1.28105, inputs: [0.101744], parameters: {} },
  ],
  "x.norm(dim=1) + x.norm(1, dim=1) + x.norm(3, dim=1) + x.norm(math.inf, dim=1)": [
    () =>
      new Fn((x) =>
        x
          .norm(1)
          .add(x.norm(1, { p: 1 }))
          .add(x.norm(1, { p: 3 }))
          .add(x.norm(1, { p: Number.POSITIVE_INFINITY })),
      ),
    [[2, 3, 4]],
    { shape: [2, 4], output: -2.18148, inputs: [4.22736], parameters: {} },
  ],
  "x.logsumexp((0, 1)) + x.amax(2).sum() + x.amin((0, 1))": [
    () =>
      new Fn((x) =>
        x
          .logsumexp([0, 1])
          .add(x.amax(2).sum())
          .add(x.amin([0, 1])),
      ),
    [[2, 3, 4]],
    { shape: [4], output: 0.918589, inputs: [-1.51605], parameters: {} },
  ],
  "x * x.argmax(1, keepdim=True) + x.argmin() * x": [
    () => new Fn((x) => x.mul(x.argmax(1, { keepDims: true }).float()).add(x.mul(x.argmin().float()))),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: 1.53826, inputs: [101.29], parameters: {} },
  ],
  "x * (x > -.9).all(1, keepdim=True).float() + x * (x > .99).any(2, keepdim=True).float()": [
    () =>
      new Fn((x) =>
        x
          .mul(F.all(x.gt(-0.9).int(), 1, { keepDims: true }).float())
          .add(x.mul(F.any(x.gt(0.99).int(), 2, { keepDims: true }).float())),
      ),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: -0.651315, inputs: [10.6929], parameters: {} },
  ],
  "x.cumsum(1) * x.cumsum(-1)": [
    () => new Fn((x) => x.cumsum(1).mul(x.cumsum(-1))),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: -0.888269, inputs: [6.87997], parameters: {} },
  ],
  "x.topk(2)[0] * x.topk(2, dim=-1, largest=False)[0] * x.topk(2)[1]": [
    () =>
      new Fn((x) =>
        x
          .topk(2)[0]
          .mul(x.topk(2, { largest: false })[0])
          .mul(x.topk(2)[1].float()),
      ),
    [[2, 3, 4]],
    { shape: [2, 3, 2], output: 2.06522, inputs: [3.45195], parameters: {} },
  ],
  "x.sort(1)[0] + x.sort(1, descending=True)[0] * x.sort(1)[1]": [
    () =>
      new Fn((x) =>
        x.sort({ dim: 1 })[0].add(x.sort({ dim: 1, descending: true })[0].mul(x.sort({ dim: 1 })[1].float())),
      ),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: 0.526761, inputs: [-8.38729], parameters: {} },
  ],
  "torch.cat([x, y * 2, x], 1)": [
    () => new Fn((x, y) => F.cat([x, y.mul(2), x], 1)),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3, 12], output: -1.83112, inputs: [-1.27757, 1.95453], parameters: {} },
  ],
  "torch.stack([x, y], 1) * torch.stack([x, y], -2)": [
    () => new Fn((x, y) => F.stack([x, y], 1).mul(F.stack([x, y], -2))),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3, 2, 4], output: -0.940816, inputs: [3.16549, 1.439], parameters: {} },
  ],
  "x.split(3, 2)[0].sum() * x.split(3, 2)[1]": [
    () => new Fn((x) => x.split(3, 2)[0]!.sum().mul(x.split(3, 2)[1]!)),
    [[2, 3, 4]],
    { shape: [2, 3, 1], output: 0.533325, inputs: [-1.36668], parameters: {} },
  ],
  "x.split([1, 2], 1)[1] * x.chunk(2, 2)[0].sum()": [
    () => new Fn((x) => x.split([1, 2], 1)[1]!.mul(x.chunk(2, 2)[0]!.sum())),
    [[2, 3, 4]],
    { shape: [2, 2, 4], output: 8.40259, inputs: [-0.88894], parameters: {} },
  ],
  "x.unbind(1)[2] * x.unbind()[1].sum(0) + x.select(1, -2)": [
    () => new Fn((x) => x.unbind(1)[2]!.mul(x.unbind()[1]!.sum(0)).add(x.select(1, -2))),
    [[2, 3, 4]],
    { shape: [2, 4], output: 2.26061, inputs: [-0.14554], parameters: {} },
  ],
  "x.narrow(2, 1, 2) * x[:, :, -2:] + x[:, :, ::2]": [
    () =>
      new Fn((x) =>
        x
          .narrow(2, 1, 2)
          .mul(x.slice(2, -2))
          .add(x.slice(2, 0, 4, 2)),
      ),
    [[2, 3, 4]],
    { shape: [2, 3, 2], output: 1.87524, inputs: [1.9139], parameters: {} },
  ],
  "x.gather(1, torch.tensor([[[0, 2, 1, 1]], [[1, 1, 0, 2]]])) * x.index_select(1, torch.tensor([2, 0]))": [
    () => new Fn((x) => x.gather(1, x.graph.constant(INDEX)).mul(x.indexSelect(1, x.graph.constant(ROWS)))),
    [[2, 3, 4]],
    { shape: [2, 2, 4], output: -0.672198, inputs: [-2.43877], parameters: {} },
  ],
  "x.flip(1) * x + x.flip((0, 2))": [
    () =>
      new Fn((x) =>
        x
          .flip(1)
          .mul(x)
          .add(x.flip([0, 2])),
      ),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: -1.38794, inputs: [-4.4537], parameters: {} },
  ],
  "x.roll(2, 1) * x + x.roll((1, -3), (0, 2))": [
    () =>
      new Fn((x) =>
        x
          .roll(2, 1)
          .mul(x)
          .add(x.roll([1, -3], [0, 2])),
      ),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: -2.9242, inputs: [1.62362], parameters: {} },
  ],
  "x.repeat(2, 1, 3) * 2": [
    () => new Fn((x) => x.repeat(2, 1, 3).mul(2)),
    [[3, 4]],
    { shape: [2, 3, 12], output: -0.369496, inputs: [0.152318], parameters: {} },
  ],
  "x.tile(2) + x.repeat_interleave(2, 1)": [
    () => new Fn((x) => x.tile([2]).add(x.repeatInterleave(2, 1))),
    [[3, 4]],
    { shape: [3, 8], output: 1.44609, inputs: [-0.0949568], parameters: {} },
  ],
  "x[:, :1].expand(-1, 5) * x[:, 1:2].expand(2, -1, 5)": [
    () =>
      new Fn((x) =>
        x
          .narrow(1, 0, 1)
          .expand(-1, 5)
          .mul(x.narrow(1, 1, 1).expand(2, -1, 5)),
      ),
    [[3, 4]],
    { shape: [2, 3, 5], output: 0.0287835, inputs: [-0.261116], parameters: {} },
  ],
  "x.tril() + x.triu(1) * 2 + x.tril(-1)": [
    () => new Fn((x) => x.tril().add(x.triu(1).mul(2)).add(x.tril(-1))),
    [[2, 3, 4]],
    { shape: [2, 3, 4], output: 0.0215354, inputs: [21.0012], parameters: {} },
  ],
  "x * F.one_hot(x.argmax(0), 3).sum(0).repeat(2)[:4]": [
    () => new Fn((x) => x.mul(x.argmax(0).oneHot(3).float().sum(0).repeat(2).narrow(0, 0, 4))),
    [[3, 4]],
    { shape: [3, 4], output: -5.00093, inputs: [8.99548], parameters: {} },
  ],
  "x.bmm(y)": [
    () => new Fn((x, y) => x.bmm(y)),
    [
      [2, 3, 4],
      [2, 4, 2],
    ],
    { shape: [2, 3, 2], output: 0.453182, inputs: [11.6368, -0.340548], parameters: {} },
  ],
  "torch.baddbmm(z, x, y, beta=.5, alpha=2)": [
    () => new Fn((x, y, z) => z.baddbmm(x, y, { beta: 0.5, alpha: 2 })),
    [
      [2, 3, 4],
      [2, 4, 2],
      [2, 3, 2],
    ],
    { shape: [2, 3, 2], output: 1.68342, inputs: [23.2735, -0.681096, 2.99929], parameters: {} },
  ],
  "torch.addmm(z, x, y, beta=.5, alpha=2)": [
    () => new Fn((x, y, z) => F.addmm(z, x, y, { beta: 0.5, alpha: 2 })),
    [[3, 4], [4, 2], [2]],
    { shape: [3, 2], output: -6.11787, inputs: [12.2845, 1.45092, -0.0797479], parameters: {} },
  ],
  "x.outer(y) * x.unsqueeze(1)": [
    () => new Fn((x, y) => x.outer(y).mul(x.unsqueeze(1))),
    [[3], [4]],
    { shape: [3, 4], output: -1.37589, inputs: [1.59242, -0.967772], parameters: {} },
  ],
  "torch.einsum('bij,bkj->bik', x, y)": [
    () => new Fn((x, y) => F.einsum("bij,bkj->bik", x, y)),
    [
      [2, 3, 4],
      [2, 2, 4],
    ],
    { shape: [2, 3, 2], output: -1.05551, inputs: [6.37016, 6.7754], parameters: {} },
  ],
  "F.pad(x, (1, 2, 0, 1), value=.5) + F.pad(x, (2, 1, 1, 0), 'replicate')": [
    () => new Fn((x) => x.pad([1, 2, 0, 1], { value: 0.5 }).add(x.pad([2, 1, 1, 0], { mode: "replicate" }))),
    [[1, 2, 3, 4]],
    { shape: [1, 2, 4, 7], output: 0.762617, inputs: [1.00996], parameters: {} },
  ],
  "F.layer_norm(x, (4,), y) + F.normalize(x, dim=2)": [
    () => new Fn((x, y) => x.layerNorm([4], { weight: y }).add(x.normalize(2))),
    [[2, 3, 4], [4]],
    { shape: [2, 3, 4], output: 0.242566, inputs: [8.21837, -0.703207], parameters: {} },
  ],
  "F.group_norm(x, 2, y, y)": [
    () => new Fn((x, y) => x.groupNorm(2, { weight: y, bias: y })),
    [[2, 4, 3], [4]],
    { shape: [2, 4, 3], output: 2.20086, inputs: [7.27556, 5.85831], parameters: {} },
  ],
  "F.cosine_similarity(x, y) * F.pairwise_distance(x, y)": [
    () => new Fn((x, y) => F.cosineSimilarity(x, y).mul(F.pairwiseDistance(x, y))),
    [
      [3, 4],
      [3, 4],
    ],
    { shape: [3], output: 0.903132, inputs: [0.00907368, -0.0622538], parameters: {} },
  ],
  "x.permute(2, 0, 1).reshape(4, -1) * x.transpose(0, 2).flatten(1).unflatten(1, (3, 2)).view(4, 6)": [
    () =>
      new Fn((x) =>
        x
          .permute(2, 0, 1)
          .reshape(4, -1)
          .mul(x.transpose(0, 2).flatten(1).unflatten(1, [3, 2]).view(4, 6)),
      ),
    [[2, 3, 4]],
    { shape: [4, 6], output: 2.97951, inputs: [-0.524037], parameters: {} },
  ],
};

describe("functions and methods as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});
