import { describe, expect, it } from "vitest";
import { expectTorch, type TorchCase } from "../../../test/support/torch.ts";
import { Tensor } from "../../base/tensor.ts";
import { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";
import * as nn from "../index.ts";

type Sequential = nn.LSTM | nn.GRU | nn.RNN;
type Cell = nn.LSTMCell | nn.GRUCell | nn.RNNCell;

/** All that a module gives, in a row: `torch.cat` of everything flattened. */
function inARow(outputs: nn.Outputs): Value {
  const flat = (given: nn.Outputs): Value[] => (given instanceof Value ? [given] : given.flatMap(flat));
  return op.concat(
    flat(outputs).map((value) => op.squeeze(op.flatten(value, 0), [0])),
    0,
  );
}

/** A module that starts from states, where inputs are given for them. */
class Joined extends nn.Module {
  readonly m: Sequential | Cell;

  constructor(m: Sequential | Cell) {
    super();
    this.m = m;
  }

  forward(x: Value, h?: Value, c?: Value): Value {
    const state = h && c ? [h, c] : h;
    return inARow((this.m.call as (...inputs: unknown[]) => nn.Outputs).call(this.m, x, state));
  }
}

/** A module over sequences of 3, 5 and 1 steps: what PyTorch makes of packed ones. */
class Packed extends nn.Module {
  readonly m: Sequential;

  constructor(m: Sequential) {
    super();
    this.m = m;
  }

  forward(x: Value): Value {
    const lengths = x.graph.constant(Tensor.of([3], [3, 5, 1], "int64"));
    return inARow((this.m.call as (...inputs: unknown[]) => nn.Outputs).call(this.m, x, null, { lengths }));
  }
}

/** By the PyTorch module that names the case. */
const CASES: Record<string, TorchCase> = {
  "nn.LSTM(3, 4)": [
    () => new Joined(new nn.LSTM(3, 4)),
    [[5, 2, 3]],
    {
      shape: [56],
      output: 0.587901,
      inputs: [-0.220364],
      parameters: {
        "m.weight_ih_l0": 2.0094,
        "m.weight_hh_l0": 0.0390907,
        "m.bias_ih_l0": 1.60849,
        "m.bias_hh_l0": 1.60849,
      },
    },
  ],
  "nn.LSTM(3, 4, bias=False)": [
    () => new Joined(new nn.LSTM(3, 4, { bias: false })),
    [[5, 2, 3]],
    {
      shape: [56],
      output: -0.0354375,
      inputs: [-0.163028],
      parameters: { "m.weight_ih_l0": 3.74487, "m.weight_hh_l0": -0.222727 },
    },
  ],
  "nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), from states": [
    () => new Joined(new nn.LSTM(3, 4, { numLayers: 2, batchFirst: true, bidirectional: true })),
    [
      [2, 5, 3],
      [4, 2, 4],
      [4, 2, 4],
    ],
    {
      shape: [144],
      output: 2.29092,
      inputs: [-1.41716, -0.143622, -0.824562],
      parameters: {
        "m.weight_ih_l0": 2.48147,
        "m.weight_hh_l0": 1.09989,
        "m.bias_ih_l0": -1.04449,
        "m.bias_hh_l0": -1.04449,
        "m.weight_ih_l0_reverse": 0.735598,
        "m.weight_hh_l0_reverse": 0.832451,
        "m.bias_ih_l0_reverse": -1.21371,
        "m.bias_hh_l0_reverse": -1.21371,
        "m.weight_ih_l1": 0.554965,
        "m.weight_hh_l1": -0.336124,
        "m.bias_ih_l1": 0.349735,
        "m.bias_hh_l1": 0.349735,
        "m.weight_ih_l1_reverse": 1.6839,
        "m.weight_hh_l1_reverse": -0.793369,
        "m.bias_ih_l1_reverse": 1.06493,
        "m.bias_hh_l1_reverse": 1.06493,
      },
    },
  ],
  "nn.LSTM(3, 4, bidirectional=True), packed": [
    () => new Packed(new nn.LSTM(3, 4, { bidirectional: true })),
    [[5, 3, 3]],
    {
      shape: [168],
      output: 1.81686,
      inputs: [-1.1617],
      parameters: {
        "m.weight_ih_l0": 2.30729,
        "m.weight_hh_l0": 0.00813443,
        "m.bias_ih_l0": 0.54097,
        "m.bias_hh_l0": 0.54097,
        "m.weight_ih_l0_reverse": 0.545248,
        "m.weight_hh_l0_reverse": -0.0445723,
        "m.bias_ih_l0_reverse": 0.885368,
        "m.bias_hh_l0_reverse": 0.885368,
      },
    },
  ],
  "nn.GRU(3, 4)": [
    () => new Joined(new nn.GRU(3, 4)),
    [[5, 2, 3]],
    {
      shape: [48],
      output: 2.92267,
      inputs: [-0.221452],
      parameters: {
        "m.weight_ih_l0": 2.4224,
        "m.weight_hh_l0": 1.38364,
        "m.bias_ih_l0": 0.409713,
        "m.bias_hh_l0": 0.507632,
      },
    },
  ],
  "nn.GRU(3, 4, 2, bidirectional=True), from a state": [
    () => new Joined(new nn.GRU(3, 4, { numLayers: 2, bidirectional: true })),
    [
      [5, 2, 3],
      [4, 2, 4],
    ],
    {
      shape: [112],
      output: -0.561763,
      inputs: [-2.48626, -1.99899],
      parameters: {
        "m.weight_ih_l0": -1.32388,
        "m.weight_hh_l0": 0.7738,
        "m.bias_ih_l0": 0.756672,
        "m.bias_hh_l0": 0.492076,
        "m.weight_ih_l0_reverse": 0.628068,
        "m.weight_hh_l0_reverse": -0.459591,
        "m.bias_ih_l0_reverse": -1.07484,
        "m.bias_hh_l0_reverse": -1.55514,
        "m.weight_ih_l1": -1.4408,
        "m.weight_hh_l1": -0.312261,
        "m.bias_ih_l1": 0.658001,
        "m.bias_hh_l1": 0.255855,
        "m.weight_ih_l1_reverse": 3.4901,
        "m.weight_hh_l1_reverse": -2.10918,
        "m.bias_ih_l1_reverse": 0.160314,
        "m.bias_hh_l1_reverse": 0.407999,
      },
    },
  ],
  "nn.GRU(3, 4, 2, batch_first=True), packed": [
    () => new Packed(new nn.GRU(3, 4, { numLayers: 2, batchFirst: true })),
    [[3, 5, 3]],
    {
      shape: [84],
      output: -0.864949,
      inputs: [2.19077],
      parameters: {
        "m.weight_ih_l0": -2.63098,
        "m.weight_hh_l0": 0.592256,
        "m.bias_ih_l0": 0.665405,
        "m.bias_hh_l0": 0.609243,
        "m.weight_ih_l1": 1.18454,
        "m.weight_hh_l1": -0.0700218,
        "m.bias_ih_l1": 0.251226,
        "m.bias_hh_l1": 0.223772,
      },
    },
  ],
  "nn.RNN(3, 4)": [
    () => new Joined(new nn.RNN(3, 4)),
    [[5, 2, 3]],
    {
      shape: [48],
      output: -2.61302,
      inputs: [-0.141306],
      parameters: {
        "m.weight_ih_l0": -2.69048,
        "m.weight_hh_l0": 1.79274,
        "m.bias_ih_l0": 3.92593,
        "m.bias_hh_l0": 3.92593,
      },
    },
  ],
  "nn.RNN(3, 4, 2, nonlinearity='relu', bidirectional=True), from a state": [
    () => new Joined(new nn.RNN(3, 4, { numLayers: 2, nonlinearity: "relu", bidirectional: true })),
    [
      [5, 2, 3],
      [4, 2, 4],
    ],
    {
      shape: [112],
      output: 7.81705,
      inputs: [4.32881, 11.193],
      parameters: {
        "m.weight_ih_l0": 4.20038,
        "m.weight_hh_l0": -3.30821,
        "m.bias_ih_l0": -8.36619,
        "m.bias_hh_l0": -8.36619,
        "m.weight_ih_l0_reverse": 3.63755,
        "m.weight_hh_l0_reverse": 48.9045,
        "m.bias_ih_l0_reverse": 11.1624,
        "m.bias_hh_l0_reverse": 11.1624,
        "m.weight_ih_l1": -21.9672,
        "m.weight_hh_l1": -2.03693,
        "m.bias_ih_l1": -1.69691,
        "m.bias_hh_l1": -1.69691,
        "m.weight_ih_l1_reverse": 6.51292,
        "m.weight_hh_l1_reverse": 15.5809,
        "m.bias_ih_l1_reverse": -0.836615,
        "m.bias_hh_l1_reverse": -0.836615,
      },
    },
  ],
  "nn.LSTMCell(3, 4)": [
    () => new Joined(new nn.LSTMCell(3, 4)),
    [[2, 3]],
    {
      shape: [16],
      output: 0.668121,
      inputs: [0.0137638],
      parameters: { "m.weight_ih": 0.241888, "m.weight_hh": 0, "m.bias_ih": -0.3792, "m.bias_hh": -0.3792 },
    },
  ],
  "nn.LSTMCell(3, 4, bias=False), from states": [
    () => new Joined(new nn.LSTMCell(3, 4, { bias: false })),
    [
      [2, 3],
      [2, 4],
      [2, 4],
    ],
    {
      shape: [16],
      output: -1.87303,
      inputs: [-0.812292, -0.222759, -0.0529489],
      parameters: { "m.weight_ih": 0.491841, "m.weight_hh": 0.633251 },
    },
  ],
  "nn.GRUCell(3, 4)": [
    () => new Joined(new nn.GRUCell(3, 4)),
    [[2, 3]],
    {
      shape: [8],
      output: 1.04935,
      inputs: [-0.81611],
      parameters: {
        "m.weight_ih": 0.809261,
        "m.weight_hh": 0,
        "m.bias_ih": -0.208034,
        "m.bias_hh": -0.0838771,
      },
    },
  ],
  "nn.GRUCell(3, 4), from a state": [
    () => new Joined(new nn.GRUCell(3, 4)),
    [
      [2, 3],
      [2, 4],
    ],
    {
      shape: [8],
      output: -0.607441,
      inputs: [-0.10608, 1.69753],
      parameters: {
        "m.weight_ih": 0.599366,
        "m.weight_hh": -0.633461,
        "m.bias_ih": 0.0662658,
        "m.bias_hh": 0.138679,
      },
    },
  ],
  "nn.RNNCell(3, 4), from a state": [
    () => new Joined(new nn.RNNCell(3, 4)),
    [
      [2, 3],
      [2, 4],
    ],
    {
      shape: [8],
      output: -1.94503,
      inputs: [-0.628448, 0.763983],
      parameters: {
        "m.weight_ih": 0.708478,
        "m.weight_hh": 0.210326,
        "m.bias_ih": 0.238776,
        "m.bias_hh": 0.238776,
      },
    },
  ],
  "nn.RNNCell(3, 4, nonlinearity='relu')": [
    () => new Joined(new nn.RNNCell(3, 4, { nonlinearity: "relu" })),
    [[2, 3]],
    {
      shape: [8],
      output: 0.373311,
      inputs: [0.841147],
      parameters: { "m.weight_ih": -0.309157, "m.weight_hh": 0, "m.bias_ih": 1.32644, "m.bias_hh": 1.32644 },
    },
  ],
};

describe("recurrent layers as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});

describe("recurrent layers", () => {
  it("take sequences and batches of any size, and drop between layers", () => {
    const layer = new nn.LSTM(3, 4, { numLayers: 3, dropout: 0.25, batchFirst: true, bidirectional: true });
    const graph = nn.trace(layer, { inputs: { x: ["batch", "time", 3] } });
    const [y, h, c] = graph.outputs.map(({ shape }) => shape);
    expect(y).toEqual(["batch", "time", 8]);
    expect([h, c]).toEqual([
      [6, "batch", 4],
      [6, "batch", 4],
    ]);
    expect(graph.nodes.filter(({ operator }) => operator.type === "Dropout").length).toBe(2);
    expect(graph.nodes.at(0)!.operator.type, "nothing is dropped before the first layer").not.toBe("Dropout");
  });

  it("start as PyTorch's do, within 1 / sqrt(hiddenSize)", () => {
    const { parameters } = nn.trace(new nn.GRU(50, 16), { inputs: { x: [2, 1, 50] } });
    for (const { data } of parameters) {
      const largest = Math.max(...Array.from(data!.toNumbers(), Math.abs));
      expect(largest).toBeLessThanOrEqual(0.25);
      expect(largest).toBeGreaterThan(0.2);
    }
  });

  it("say what does not fit", () => {
    const projected = { projSize: 2 } as unknown as nn.LSTMOptions;
    expect(() => new nn.LSTM(3, 4, projected)).toThrow(
      "LSTM: projSize is 2, the runtime's LSTM has no projections",
    );
    expect(() => new nn.GRU(0, 4)).toThrow("GRU: inputSize is 0");
    const wrong = { nonlinearity: "sigmoid" } as unknown as nn.RNNOptions;
    expect(() => new nn.RNN(3, 4, wrong)).toThrow('RNN: nonlinearity is "sigmoid"');
    expect(() => nn.trace(new nn.GRU(3, 4), { inputs: { x: [5, 2, 7] } })).toThrow(
      "GRU: its input must have 3 axes, the last of 3; it is [5, 2, 7]",
    );
    const inputs = { x: [5, 2, 3], h: [2, 2, 4] };
    expect(() => nn.trace(new nn.GRU(3, 4), { inputs })).toThrow(
      "GRU: a state is [2, 2, 4], wanted [1, 2, 4]",
    );
  });
});
