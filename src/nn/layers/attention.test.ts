import { describe, expect, it } from "vitest";
import { expectTorch, fill, type TorchCase } from "../../../test/support/torch.ts";
import { Tensor } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import * as nn from "../index.ts";

type Masks = Readonly<Record<string, Tensor | boolean>>;

/** A module called with masks, which are constants here. */
abstract class Masked<M extends nn.Module> extends nn.Module {
  readonly m: M;
  readonly #masks: Masks;

  constructor(m: M, masks: Masks = {}) {
    super();
    this.m = m;
    this.#masks = masks;
  }

  protected masks(like: Value): Record<string, Value | boolean> {
    const entries = Object.entries(this.#masks);
    return Object.fromEntries(
      entries.map(([name, mask]) => [name, typeof mask === "boolean" ? mask : like.graph.constant(mask)]),
    );
  }
}

/** Attention, of its input to itself where there is no other. */
class Attend extends Masked<nn.MultiheadAttention> {
  forward(query: Value, key = query, value = query): Value {
    return this.m.call(query, key, value, this.masks(query))[0];
  }
}

/** The weights of attention of its input to itself. */
class Weigh extends Masked<nn.MultiheadAttention> {
  forward(x: Value): Value {
    return this.m.call(x, x, x, this.masks(x))[1];
  }
}

class Encode extends Masked<nn.TransformerEncoder> {
  forward(x: Value): Value {
    return this.m.call(x, this.masks(x));
  }
}

const PAD = Tensor.of([2, 4], [0, 0, 0, 1, 0, 0, 1, 1], "bool");
const LATER = Tensor.of(
  [4, 4],
  Array.from({ length: 16 }, (_, i) => Number(i % 4 > Math.floor(i / 4))),
  "bool",
);

/**
 * By the PyTorch module that names the case: `Attend`, `Weigh` (the weights) and `Encode` call it with masks, on one input for
 * all where there is one.
 */
const CASES: Record<string, TorchCase> = {
  "Attend(nn.MultiheadAttention(6, 2, batch_first=True))": [
    () => new Attend(new nn.MultiheadAttention(6, 2, { batchFirst: true })),
    [[2, 4, 6]],
    {
      shape: [2, 4, 6],
      output: -19.1856,
      inputs: [1.6896],
      parameters: {
        "m.in_proj_weight": -0.309987,
        "m.in_proj_bias": 2.44952,
        "m.out_proj.weight": 15.129,
        "m.out_proj.bias": 11.2337,
      },
    },
  ],
  "Attend(nn.MultiheadAttention(6, 3))": [
    () => new Attend(new nn.MultiheadAttention(6, 3)),
    [
      [4, 2, 6],
      [5, 2, 6],
      [5, 2, 6],
    ],
    {
      shape: [4, 2, 6],
      output: -2.21563,
      inputs: [-3.29497, -0.0154922, -0.621299],
      parameters: {
        "m.in_proj_weight": -3.23852,
        "m.in_proj_bias": -2.80868,
        "m.out_proj.weight": -23.734,
        "m.out_proj.bias": 11.2337,
      },
    },
  ],
  "Attend(nn.MultiheadAttention(4, 2, bias=False, kdim=3, vdim=5))": [
    () => new Attend(new nn.MultiheadAttention(4, 2, { bias: false, kdim: 3, vdim: 5 })),
    [
      [4, 2, 4],
      [5, 2, 3],
      [5, 2, 5],
    ],
    {
      shape: [4, 2, 4],
      output: 0.134174,
      inputs: [-0.288615, -0.69213, 0.953902],
      parameters: {
        "m.q_proj_weight": -0.284521,
        "m.k_proj_weight": 0.218772,
        "m.v_proj_weight": 1.0083,
        "m.out_proj.weight": -0.154762,
      },
    },
  ],
  "Attend(nn.MultiheadAttention(4, 1, kdim=3, batch_first=True))": [
    () => new Attend(new nn.MultiheadAttention(4, 1, { kdim: 3, batchFirst: true })),
    [
      [2, 3, 4],
      [2, 5, 3],
      [2, 5, 4],
    ],
    {
      shape: [2, 3, 4],
      output: 0.939501,
      inputs: [-0.0181453, 1.0037, 0.464939],
      parameters: {
        "m.q_proj_weight": -0.703647,
        "m.k_proj_weight": 0.308331,
        "m.v_proj_weight": 0.309151,
        "m.in_proj_bias": -0.699279,
        "m.out_proj.weight": -0.645337,
        "m.out_proj.bias": 1.23107,
      },
    },
  ],
  "Attend(nn.MultiheadAttention(6, 2, batch_first=True), key_padding_mask=pad)": [
    () => new Attend(new nn.MultiheadAttention(6, 2, { batchFirst: true }), { keyPaddingMask: PAD }),
    [[2, 4, 6]],
    {
      shape: [2, 4, 6],
      output: -19.1986,
      inputs: [1.65024],
      parameters: {
        "m.in_proj_weight": -0.443526,
        "m.in_proj_bias": 2.45434,
        "m.out_proj.weight": 15.2221,
        "m.out_proj.bias": 11.2337,
      },
    },
  ],
  "Attend(nn.MultiheadAttention(6, 2, batch_first=True), attn_mask=later)": [
    () => new Attend(new nn.MultiheadAttention(6, 2, { batchFirst: true }), { attnMask: LATER }),
    [[2, 4, 6]],
    {
      shape: [2, 4, 6],
      output: -19.189,
      inputs: [1.68588],
      parameters: {
        "m.in_proj_weight": -0.327795,
        "m.in_proj_bias": 2.44807,
        "m.out_proj.weight": 15.132,
        "m.out_proj.bias": 11.2337,
      },
    },
  ],
  "Attend(nn.MultiheadAttention(6, 2, batch_first=True), attn_mask=later), causal": [
    () => new Attend(new nn.MultiheadAttention(6, 2, { batchFirst: true }), { isCausal: true }),
    [[2, 4, 6]],
    {
      shape: [2, 4, 6],
      output: -19.189,
      inputs: [1.68588],
      parameters: {
        "m.in_proj_weight": -0.327795,
        "m.in_proj_bias": 2.44807,
        "m.out_proj.weight": 15.132,
        "m.out_proj.bias": 11.2337,
      },
    },
  ],
  "Attend(nn.MultiheadAttention(6, 2), attn_mask=numbers, key_padding_mask=pad)": [
    () => new Attend(new nn.MultiheadAttention(6, 2), { attnMask: fill([4, 4], 3), keyPaddingMask: PAD }),
    [[4, 2, 6]],
    {
      shape: [4, 2, 6],
      output: -19.2086,
      inputs: [1.45496],
      parameters: {
        "m.in_proj_weight": -0.386687,
        "m.in_proj_bias": 2.48062,
        "m.out_proj.weight": 15.2167,
        "m.out_proj.bias": 11.2337,
      },
    },
  ],
  "Attend(nn.MultiheadAttention(6, 2), attn_mask=perHead)": [
    () => new Attend(new nn.MultiheadAttention(6, 2), { attnMask: fill([4, 4, 4], 3) }),
    [[4, 2, 6]],
    {
      shape: [4, 2, 6],
      output: -19.1844,
      inputs: [1.76976],
      parameters: {
        "m.in_proj_weight": -0.325869,
        "m.in_proj_bias": 2.44866,
        "m.out_proj.weight": 15.1928,
        "m.out_proj.bias": 11.2337,
      },
    },
  ],
  "nn.TransformerEncoderLayer(4, 2, 6, dropout=0)": [
    () => new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, dropout: 0 }),
    [[3, 2, 4]],
    {
      shape: [3, 2, 4],
      output: -1.70086,
      inputs: [0.106176],
      parameters: {
        "self_attn.in_proj_weight": -0.0094601,
        "self_attn.in_proj_bias": -0.359932,
        "self_attn.out_proj.weight": -0.263616,
        "self_attn.out_proj.bias": 0.0170502,
        "linear1.weight": -0.00503037,
        "linear1.bias": 0.104544,
        "linear2.weight": 0.0688703,
        "linear2.bias": -0.115941,
        "norm1.weight": 0.241604,
        "norm1.bias": -0.23604,
        "norm2.weight": 0.563159,
        "norm2.bias": 1.23107,
      },
    },
  ],
  "nn.TransformerEncoderLayer(4, 2, 6, 0, 'gelu', .1, True, True)": [
    () =>
      new nn.TransformerEncoderLayer(4, 2, {
        dimFeedforward: 6,
        dropout: 0,
        activation: "gelu",
        layerNormEps: 0.1,
        batchFirst: true,
        normFirst: true,
      }),
    [[2, 3, 4]],
    {
      shape: [2, 3, 4],
      output: 1.6762,
      inputs: [10.9668],
      parameters: {
        "self_attn.in_proj_weight": -0.646298,
        "self_attn.in_proj_bias": 0.262616,
        "self_attn.out_proj.weight": 0.0840453,
        "self_attn.out_proj.bias": 1.15859,
        "linear1.weight": 1.11314,
        "linear1.bias": -1.11716,
        "linear2.weight": 0.842488,
        "linear2.bias": 1.23107,
        "norm1.weight": -0.166854,
        "norm1.bias": -0.058481,
        "norm2.weight": 0.69784,
        "norm2.bias": 1.01884,
      },
    },
  ],
  "Encode(nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, 0, batch_first=True), 2, nn.LayerNorm(4)), src_key_padding_mask=pad)":
    [
      () =>
        new Encode(
          new nn.TransformerEncoder(
            () => new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, dropout: 0, batchFirst: true }),
            2,
            { norm: new nn.LayerNorm(4) },
          ),
          { srcKeyPaddingMask: PAD },
        ),
      [[2, 4, 4]],
      {
        shape: [2, 4, 4],
        output: 0.782003,
        inputs: [-0.0316809],
        parameters: {
          "m.layers.0.self_attn.in_proj_weight": 0.0129815,
          "m.layers.0.self_attn.in_proj_bias": 0.00288666,
          "m.layers.0.self_attn.out_proj.weight": -0.00731746,
          "m.layers.0.self_attn.out_proj.bias": -0.00788841,
          "m.layers.0.linear1.weight": 0.00512845,
          "m.layers.0.linear1.bias": -0.00260661,
          "m.layers.0.linear2.weight": -0.00120924,
          "m.layers.0.linear2.bias": 0.00164838,
          "m.layers.0.norm1.weight": -0.00605325,
          "m.layers.0.norm1.bias": 0.00393837,
          "m.layers.0.norm2.weight": 0.00263911,
          "m.layers.0.norm2.bias": -0.000703651,
          "m.layers.1.self_attn.in_proj_weight": -0.000236702,
          "m.layers.1.self_attn.in_proj_bias": -0.00404613,
          "m.layers.1.self_attn.out_proj.weight": -0.00303661,
          "m.layers.1.self_attn.out_proj.bias": -0.00246528,
          "m.layers.1.linear1.weight": -0.00234387,
          "m.layers.1.linear1.bias": -7.51134e-5,
          "m.layers.1.linear2.weight": 0.00167115,
          "m.layers.1.linear2.bias": -0.00271164,
          "m.layers.1.norm1.weight": -0.00531533,
          "m.layers.1.norm1.bias": -0.00397082,
          "m.layers.1.norm2.weight": 0.111625,
          "m.layers.1.norm2.bias": 0.0706687,
          "m.norm.weight": -0.150389,
          "m.norm.bias": -0.125766,
        },
      },
    ],
  "Weigh(nn.MultiheadAttention(6, 2, batch_first=True))": [
    () => new Weigh(new nn.MultiheadAttention(6, 2, { batchFirst: true })),
    [[2, 4, 6]],
    {
      shape: [2, 4, 4],
      output: -0.415166,
      inputs: [-0.088066],
      parameters: {
        "m.in_proj_weight": -0.0740702,
        "m.in_proj_bias": -0.000589174,
        "m.out_proj.weight": 0.0,
        "m.out_proj.bias": 0.0,
      },
    },
  ],
  "Weigh(nn.MultiheadAttention(6, 2), average_attn_weights=False)": [
    () => new Weigh(new nn.MultiheadAttention(6, 2), { averageAttnWeights: false }),
    [[4, 2, 6]],
    {
      shape: [2, 2, 4, 4],
      output: -0.927401,
      inputs: [-2.89008],
      parameters: {
        "m.in_proj_weight": -0.28659,
        "m.in_proj_bias": -0.236839,
        "m.out_proj.weight": 0.0,
        "m.out_proj.bias": 0.0,
      },
    },
  ],
};

describe("attention and encoders as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});

describe("attention", () => {
  it("starts as PyTorch's does: Glorot's bound, and no bias", () => {
    const model = new Attend(new nn.MultiheadAttention(32, 4, { batchFirst: true }));
    const { parameters } = nn.trace(model, { inputs: { x: ["batch", "time", 32] } });
    const [weight, bias, , outBias] = parameters.map(({ data }) => Array.from(data!.toNumbers()));
    const bound = Math.sqrt(6 / (32 + 96));
    const largest = Math.max(...weight!.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.99 * bound);
    expect(new Set([...bias!, ...outBias!])).toEqual(new Set([0]));
  });

  it("takes axes of any length", () => {
    const layer = () => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
    const inputs = { x: ["batch", "time", 8] };
    const graph = nn.trace(new nn.TransformerEncoder(layer, 2), { inputs });
    expect(graph.outputs[0]!.shape).toEqual(["batch", "time", 8]);
    expect(graph.nodes.filter(({ operator }) => operator.type === "Dropout").length).toBe(8);
  });

  it("takes masks of axes of any length", () => {
    class Net extends nn.Module {
      readonly m = new nn.MultiheadAttention(8, 2, { batchFirst: true });

      forward(x: Value, keyPaddingMask: Value, attnMask: Value): Value {
        return this.m.call(x, x, x, { keyPaddingMask, attnMask, isCausal: true })[0];
      }
    }
    const inputs = {
      x: ["batch", "time", 8],
      padding: { dtype: "bool", shape: ["batch", "time"] },
      pairs: { dtype: "bool", shape: ["2*batch", "time", "time"] },
    } as const;
    expect(nn.trace(new Net(), { inputs }).outputs[0]!.shape).toEqual(["batch", "time", 8]);
  });

  it("says which heads do not go up", () => {
    expect(() => new nn.MultiheadAttention(10, 3)).toThrow("embedDim 10 does not divide into 3 heads");
  });
});
