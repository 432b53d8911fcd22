import { describe, expect, it } from "vitest";
import { differentiate } from "../../test/support/differentiate.ts";
import { relativeError } from "../../test/support/golden.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { attachDendrites } from "../dendrites/attach.ts";
import { findSites } from "../dendrites/sites.ts";
import { type Graph, nodesBehind, type Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { channelMajor } from "./channel-major.ts";
import { trainingForm } from "./mode.ts";
import { rewrite } from "./rewrite.ts";

/** How many convolutions of a graph are left in the direct form. */
const direct = (graph: Graph) => graph.nodes.filter(({ operator }) => operator.type === "Conv").length;

/** `left`: how many convolutions stay in the direct form. `channels` of the input, by default 16. */
const MODELS: Record<string, { size: number; left: number; channels?: number; build: () => nn.Module }> = {
  "one convolution": { size: 10, left: 0, build: () => new nn.Conv2d(16, 18, 3) },
  "a length that tiles do not divide, padded": {
    size: 9,
    left: 0,
    build: () => new nn.Conv2d(16, 16, 3, { padding: 1 }),
  },
  "padded by two, without bias": {
    size: 7,
    left: 0,
    build: () => new nn.Conv2d(16, 20, 3, { padding: 2, bias: false }),
  },
  "convolutions, activations and pools": {
    size: 19,
    left: 1,
    channels: 2,
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(2, 16, 3, { padding: 1 }), // too few channels
        new nn.ReLU(),
        new nn.Conv2d(16, 17, 3, { padding: 1 }),
        new nn.Tanh(),
        new nn.MaxPool2d(2), // of an odd length
        new nn.Conv2d(17, 16, 3, { padding: 1 }),
        new nn.Sigmoid(),
        new nn.Conv2d(16, 16, 3),
        new nn.MaxPool2d(2),
        new nn.ReLU(),
        new nn.Flatten(),
        new nn.Linear(16 * 9, 5),
      ),
  },
  "a first layer of one channel before tiles": {
    size: 12,
    left: 0,
    channels: 1,
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(1, 16, 3, { padding: 1 }),
        new nn.BatchNorm2d(16),
        new nn.ReLU(),
        new nn.Conv2d(16, 16, 3),
        new nn.MaxPool2d(2),
      ),
  },
  "a first layer of two channels with a bias, padded, before tiles": {
    size: 8,
    left: 0,
    channels: 2,
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(2, 18, 3, { padding: 1 }),
        new nn.Sigmoid(),
        new nn.Conv2d(18, 16, 3, { padding: 1 }),
      ),
  },
  "a first layer of two channels, strided, before tiles": {
    size: 15,
    left: 0,
    channels: 2,
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(2, 18, 3, { stride: 2, bias: false }), // 7 x 7
        new nn.Sigmoid(),
        new nn.Conv2d(18, 16, 3, { padding: 1 }),
      ),
  },
  "a first layer that is pooled in order": {
    size: 14,
    left: 1,
    channels: 1,
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(1, 16, 3, { padding: 1 }),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Conv2d(16, 16, 3),
      ),
  },
  "few places, unfolded: strided, dilated, 1x1, of unequal sides": {
    size: 5,
    left: 0,
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(16, 18, 3, { stride: 2, padding: 1 }), // 3 x 3
        new nn.Tanh(),
        new nn.Conv2d(18, 16, [3, 2], { padding: [1, 0], bias: false }), // 3 x 2
        new nn.Conv2d(16, 17, 1),
        new nn.Conv2d(17, 16, 3, { dilation: 2, padding: 2 }),
        new nn.Sigmoid(),
        new nn.Conv2d(16, 16, 1, { stride: 2 }), // 2 x 1
        new nn.Conv2d(16, 16, 3, { padding: 1 }), // two thirds of the kernel only read padding
        new nn.Conv2d(16, 18, 3, { stride: 2, padding: 1 }), // 1 x 1, of two places
        new nn.Conv2d(18, 16, 3, { padding: 1 }), // of one
        new nn.Flatten(),
        new nn.Linear(16, 3),
      ),
  },
  "maps of two places a side, whose padding is known to be zero": {
    size: 4,
    left: 0,
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(16, 17, 3, { stride: 2, padding: 1 }), // 2 x 2
        new nn.Tanh(),
        new nn.Conv2d(17, 18, 3, { padding: 1 }),
        new nn.BatchNorm2d(18),
        new nn.ReLU(),
        new nn.Conv2d(18, 16, 3, { padding: 1, bias: false }),
        new nn.MaxPool2d(2),
        new nn.Flatten(),
        new nn.Linear(16, 3),
      ),
  },
  "batch normalization in tiles, in tiles that cover more, and unfolded": {
    size: 10,
    left: 0,
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(16, 16, 3), // 8 x 8
        new nn.BatchNorm2d(16),
        new nn.ReLU(),
        new nn.Conv2d(16, 18, 3), // 6 x 6 in tiles of 4 x 4
        new nn.BatchNorm2d(18, { affine: false }),
        new nn.Conv2d(18, 16, 3, { stride: 2, padding: 1 }), // 3 x 3
        new nn.BatchNorm2d(16),
        new nn.ReLU(),
        new nn.Conv2d(16, 16, 1),
      ),
  },
  "what stays direct: strided, dilated, grouped, 1x1": {
    size: 12,
    left: 4,
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(16, 16, 3, { stride: 2, padding: 1 }),
        new nn.Conv2d(16, 16, 3, { dilation: 2, padding: 2 }),
        new nn.Conv2d(16, 16, 3, { groups: 2, padding: 1 }),
        new nn.Conv2d(16, 16, 1),
        new nn.Conv2d(16, 16, 3, { padding: 1 }),
        new nn.AvgPool2d(2),
      ),
  },
};

/** A convolution, and what is made of it. */
class Applied extends nn.Module {
  conv: nn.Conv2d;
  after: (y: Value) => Value;

  constructor(conv: nn.Conv2d, after: (y: Value) => Value) {
    super();
    this.conv = conv;
    this.after = after;
  }

  forward(x: Value): Value {
    return this.after(this.conv.call(x));
  }
}

describe("the channel-major form", () => {
  for (const [name, { size, left, channels = 16, build }] of Object.entries(MODELS)) {
    for (const count of [0, 2]) {
      it(`${name}, ${count} dendrites: same output and gradients as the direct form`, async () => {
        const model = nn.trace(new nn.Sequential(build()), {
          inputs: { x: ["batch", channels, size, size] },
        });
        const sites = findSites(model);
        const random = (parameter: string) => Random.stream(5, parameter);
        const grown = attachDendrites(model, { sites, count, random, initialScale: 0.3 });
        // Cascade and output weights start at zero, where much would be hidden.
        const values = new Map(
          grown.parameters.map(({ name: parameter, data }) => {
            const zero = /cascade|output/.test(parameter);
            const stream = random(parameter);
            return [
              parameter,
              zero
                ? Tensor.of(
                    data!.shape,
                    Array.from(data!.toNumbers(), () => stream.normal()),
                  )
                : data!,
            ];
          }),
        );
        const options = { values, shareSubexpressions: true };
        const plain = rewrite(grown, undefined, options).graph;
        const moved = channelMajor(plain, trainingForm([]));
        expect(direct(plain)).toBeGreaterThan(direct(moved));
        expect(direct(moved)).toBe(left * (count + 1));
        const wanted = await differentiate(rewrite(grown, trainingForm([]), options).graph, size);
        const found = await differentiate(moved, size);
        // What a batch normalization takes away has no gradient but rounding.
        const scale = Math.max(...[...wanted.values()].map((tensor) => Math.hypot(...tensor.toNumbers())));
        for (const [what, tensor] of wanted) {
          expect(found.get(what)!.shape, what).toEqual(tensor.shape);
          const norm = Math.hypot(...tensor.toNumbers());
          if (norm < 1e-5 * scale)
            expect(Math.hypot(...found.get(what)!.toNumbers())).toBeLessThan(1e-5 * scale);
          else expect(relativeError(found.get(what)!, tensor), what).toBeLessThan(1e-4);
        }
      });
    }
  }

  it("adds a bias behind a pooling, where nothing else reads the sum", () => {
    const conv = new nn.Conv2d(16, 16, 3, { padding: 1 });
    const biasesOf = (forward: (x: Value) => Value) => {
      const graph = nn.trace(new Applied(conv, forward), { inputs: { x: ["batch", 16, 8, 8] } });
      const sums = nodesBehind(channelMajor(graph).outputs).filter(({ operator }) => operator.type === "Add");
      return sums.map(({ output }) => output.shape);
    };
    expect(biasesOf((y) => y.maxPool2d(2))).toEqual([[4, 16, 2, 2, "batch"]]);
    expect(biasesOf((y) => y.maxPool2d(2).add(y.avgPool2d(2)))).toEqual([
      [16, 16, 2, 2, "batch"],
      ["batch", 16, 4, 4],
    ]);
  });

  it("gives the gradient of equal maxima to the first, as MaxPool does", async () => {
    const model = new nn.Sequential(new nn.Conv2d(16, 16, 3, { padding: 1 }), new nn.MaxPool2d(2));
    const state = new Map([
      ["0.weight", Tensor.zeros([16, 16, 3, 3])], // every output is the bias
      ["0.bias", Tensor.full([16], 0.5)],
    ]);
    model.loadStateDict(state);
    const plain = nn.trace(model, { inputs: { x: ["batch", 16, 8, 8] } });
    const wanted = await differentiate(rewrite(plain).graph, 8);
    const found = await differentiate(channelMajor(plain), 8);
    for (const [what, tensor] of wanted)
      expect(relativeError(found.get(what)!, tensor), what).toBeLessThan(1e-5);
  });
});
