import { describe, expect, it } from "vitest";
import { type CaseInput, checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { gradients } from "../transform/gradient.ts";
import * as op from "./index.ts";

type Operator = "lstm" | "gru" | "rnn";
type Direction = "forward" | "reverse" | "bidirectional";

/** A node with some of its options. */
interface Setup {
  readonly operator: Operator;
  readonly direction: Direction;
  readonly bias?: boolean;
  /** Initial states. */
  readonly initial?: boolean;
  readonly lengths?: readonly number[];
  readonly peepholes?: boolean;
  readonly linearBeforeReset?: boolean;
  readonly activations?: readonly string[];
  /** Which outputs are read. Default: all. */
  readonly read?: readonly ("y" | "yH" | "yC")[];
  readonly steps?: number;
  /** The graph does not know how many steps there are. */
  readonly anySteps?: boolean;
  readonly fixedBatch?: boolean;
}

const OPERATORS = { lstm: op.lstm, gru: op.gru, rnn: op.rnn };
const GATES = { lstm: 4, gru: 3, rnn: 1 };
const [BATCH, INPUT, HIDDEN] = [3, 2, 4];

const countOf = ({ direction }: Setup) => (direction === "bidirectional" ? 2 : 1);

function inputsOf(setup: Setup): Record<string, CaseInput> {
  const gates = GATES[setup.operator];
  const count = countOf(setup);
  const batch = (axis: number): Record<number, string> => (setup.fixedBatch ? {} : { [axis]: "batch" });
  const state: CaseInput = { shape: [count, BATCH, HIDDEN], symbolic: batch(1) };
  const lengths = setup.lengths;
  return {
    x: {
      shape: [setup.steps ?? 3, BATCH, INPUT],
      symbolic: { ...(setup.anySteps && { 0: "time" }), ...batch(1) },
    },
    w: { shape: [count, gates * HIDDEN, INPUT] },
    r: { shape: [count, gates * HIDDEN, HIDDEN] },
    ...(setup.bias && { bias: { shape: [count, 2 * gates * HIDDEN] } }),
    ...(setup.initial && { initialH: state }),
    ...(setup.initial && setup.operator === "lstm" && { initialC: state }),
    ...(setup.peepholes && { peepholes: { shape: [count, 3 * HIDDEN] } }),
    ...(lengths && {
      sequenceLengths: {
        shape: [BATCH],
        symbolic: batch(0),
        dtype: "int32",
        draw: (_, i) => lengths[i]!,
      } satisfies CaseInput,
    }),
  };
}

/** The outputs that are read, one after another along the time. */
function joined({ read = ["y", "yH", "yC"] }: Setup, outputs: Record<string, Value | undefined>): Value {
  const found = read.flatMap((name) => {
    const value = outputs[name];
    return value ? [name === "y" ? value : op.unsqueeze(value, [0])] : [];
  });
  return op.concat(found, 0);
}

function caseOf(setup: Setup): GradientCase {
  const inputs = inputsOf(setup);
  const named = (values: readonly Value[]) =>
    Object.fromEntries(Object.keys(inputs).map((name, i) => [name, values[i]!]));
  return {
    inputs: Object.values(inputs),
    build: (...values) => {
      const { x, w, r, ...rest } = named(values) as Record<"x" | "w" | "r", Value>;
      const { direction, activations, linearBeforeReset = false } = setup;
      const options = { ...rest, direction, ...(activations && { activations }), linearBeforeReset };
      return joined(setup, { ...OPERATORS[setup.operator](x, w, r, options) });
    },
    reference: (...values) => joined(setup, unrolled(setup, named(values))),
  };
}

const ACTIVATIONS: Record<string, (x: Value) => Value> = {
  Sigmoid: op.sigmoid,
  Tanh: op.tanh,
  Relu: op.relu,
};

/** The function of a node, step by step as the standard has it. */
function unrolled(setup: Setup, given: Record<string, Value>): Record<string, Value> {
  const ways = Array.from({ length: countOf(setup) }, (_, d) => runOnce(setup, given, d));
  const stack = (values: readonly Value[], axis: number) =>
    op.concat(
      values.map((value) => op.unsqueeze(value, [axis])),
      axis,
    );
  return {
    y: stack(
      ways.map(({ y }) => stack(y, 0)),
      1,
    ),
    yH: stack(
      ways.map(({ h }) => h),
      0,
    ),
    ...(setup.operator === "lstm" && {
      yC: stack(
        ways.map(({ c }) => c),
        0,
      ),
    }),
  };
}

function runOnce(setup: Setup, given: Record<string, Value>, d: number) {
  const { operator, direction, linearBeforeReset } = setup;
  const gates = GATES[operator];
  const of = (name: string) =>
    given[name] && op.squeeze(op.slice(given[name], [{ axis: 0, start: d, end: d + 1 }]), [0]);
  const x = given.x!;
  const cut = (value: Value, at: number) =>
    op.slice(value, [{ axis: -1, start: at * HIDDEN, end: (at + 1) * HIDDEN }]);
  const gate = (weight: Value, at: number) =>
    op.slice(weight, [{ axis: 0, start: at * HIDDEN, end: (at + 1) * HIDDEN }]);
  const defaults = { lstm: ["Sigmoid", "Tanh", "Tanh"], gru: ["Sigmoid", "Tanh"], rnn: ["Tanh"] }[operator];
  const names = setup.activations?.slice(d * defaults.length) ?? defaults;
  const [f, g, last] = names.map((name) => ACTIVATIONS[name]!);
  const w = of("w")!;
  const r = of("r")!;
  const bias = of("bias");
  const p = of("peepholes");
  const biasOf = (at: number) => (bias ? cut(bias, at) : op.scalar(x, 0));
  const product = (value: Value, weight: Value, at: number, biasAt: number) =>
    op.add(op.matMul(value, op.transpose(gate(weight, at))), biasOf(biasAt));
  const steps = setup.steps ?? 3;
  const at = (t: number) => op.gather(x, x.graph.constant(Tensor.of([], [t], "int64")));
  const zeros = op.matMul(op.mul(at(0), op.scalar(x, 0)), op.transpose(gate(w, 0)));
  let h = of("initialH") ?? zeros;
  let c = of("initialC") ?? zeros;
  const y: Value[] = [];
  const backwards = direction === "reverse" || d === 1;
  for (let i = 0; i < steps; i++) {
    const t = backwards ? steps - 1 - i : i;
    const input = at(t);
    const ofX = (at: number) => product(input, w, at, at);
    const ofH = (at: number, state = h) => product(state, r, at, gates + at);
    const sum = (at: number) => op.add(ofX(at), ofH(at));
    let [nextH, nextC] = [h, c];
    if (operator === "rnn") nextH = f!(sum(0));
    if (operator === "gru") {
      const [z, reset] = [f!(sum(0)), f!(sum(1))];
      const hidden = linearBeforeReset ? op.mul(reset, ofH(2)) : ofH(2, op.mul(reset, h));
      const n = g!(op.add(ofX(2), hidden));
      nextH = op.add(op.mul(op.sub(op.scalar(x, 1), z), n), op.mul(z, h));
    }
    if (operator === "lstm") {
      const peep = (at: number, state: Value) => (p ? op.mul(cut(p, at), state) : op.scalar(x, 0));
      const [i, forget] = [f!(op.add(sum(0), peep(0, c))), f!(op.add(sum(2), peep(2, c)))];
      nextC = op.add(op.mul(forget, c), op.mul(i, g!(sum(3))));
      nextH = op.mul(f!(op.add(sum(1), peep(1, nextC))), last!(nextC));
    }
    if (given.sequenceLengths) {
      const lengths = op.unsqueeze(op.cast(given.sequenceLengths, "float64"), [1]);
      const counts = op.greater(lengths, op.scalar(lengths, t));
      y[t] = op.where(counts, nextH, op.scalar(x, 0));
      h = op.where(counts, nextH, h);
      c = op.where(counts, nextC, c);
    } else [h, c, y[t]] = [nextH, nextC, nextH];
  }
  if (!given.sequenceLengths) return { y, h, c };
  // The runtime gives zeros, not the initial state, as the last state of an empty sequence.
  const some = op.unsqueeze(op.cast(op.cast(given.sequenceLengths, "bool"), "float64"), [1]);
  return { y, h: op.mul(h, some), c: op.mul(c, some) };
}

const DIRECTIONS = ["forward", "reverse", "bidirectional"] as const;

/** What is checked of every operator in every direction. */
const OPTIONS: Record<string, Partial<Setup>> = {
  "the sequence alone": { read: ["y"] },
  "the last states alone, biases": { bias: true, read: ["yH", "yC"] },
  "initial states, biases": { bias: true, initial: true },
  lengths: { bias: true, lengths: [2, 3, 1] },
  "lengths, initial states, the last states alone": {
    initial: true,
    lengths: [2, 1, 3],
    read: ["yH", "yC"],
  },
  "an empty sequence": { initial: true, lengths: [3, 0, 2] },
  "lengths, the sequence alone": { lengths: [2, 1, 2], read: ["y"], fixedBatch: true },
};

for (const operator of ["lstm", "gru", "rnn"] as const) {
  describe(operator, () => {
    for (const direction of DIRECTIONS)
      for (const [name, options] of Object.entries(OPTIONS))
        it(`${direction}: ${name}`, () => checkGradient(caseOf({ operator, direction, ...options })));
    it("one step", () =>
      checkGradient(caseOf({ operator, direction: "bidirectional", initial: true, steps: 1 })));
  });
}

const MORE: Record<string, Setup> = {
  "LSTM with peepholes": { operator: "lstm", direction: "forward", bias: true, peepholes: true },
  "LSTM with peepholes, both ways, lengths, initial states": {
    operator: "lstm",
    direction: "bidirectional",
    bias: true,
    initial: true,
    peepholes: true,
    lengths: [2, 3, 1],
  },
  "LSTM of the cell state alone": { operator: "lstm", direction: "forward", read: ["yC"] },
  "LSTM of other activations": {
    operator: "lstm",
    direction: "bidirectional",
    activations: ["Sigmoid", "Tanh", "Sigmoid", "Sigmoid", "Sigmoid", "Tanh"],
  },
  "LSTM of any number of steps": {
    operator: "lstm",
    direction: "bidirectional",
    bias: true,
    peepholes: true,
    lengths: [2, 3, 1],
    anySteps: true,
  },
  "GRU of any number of steps": { operator: "gru", direction: "reverse", initial: true, anySteps: true },
  "RNN of any number of steps": { operator: "rnn", direction: "reverse", lengths: [3, 2, 2], anySteps: true },
  "GRU that resets the product": {
    operator: "gru",
    direction: "forward",
    bias: true,
    linearBeforeReset: true,
  },
  "GRU that resets the product, both ways, lengths, initial states": {
    operator: "gru",
    direction: "bidirectional",
    bias: true,
    initial: true,
    lengths: [3, 2, 1],
    linearBeforeReset: true,
  },
  "GRU that resets the product, without biases": {
    operator: "gru",
    direction: "reverse",
    linearBeforeReset: true,
  },
  "RNN with relu": { operator: "rnn", direction: "forward", bias: true, activations: ["Relu"] },
  "RNN with relu and sigmoid": {
    operator: "rnn",
    direction: "bidirectional",
    initial: true,
    activations: ["Relu", "Sigmoid"],
  },
};

describe("options of one operator", () => {
  for (const [name, setup] of Object.entries(MORE)) it(name, () => checkGradient(caseOf(setup)));
});

describe("what cannot be", () => {
  const built = (attributes: Record<string, number | readonly string[]>, shapes: { x?: number[] } = {}) => {
    const graph = new Graph();
    const x = graph.input("x", "float32", shapes.x ?? [4, "batch", 2]);
    const w = graph.input("w", "float32", [1, 16, 2]);
    const r = graph.input("r", "float32", [1, 16, 4]);
    const { outputs } = graph.add(op.lstmOp, [x, w, r], { hidden_size: 4, ...attributes });
    return () => gradients(op.reduceSum(outputs[0]!), [w]);
  };

  it("says so by the name of the node", () => {
    expect(built({ clip: 1 })).toThrow(/^LSTM \(node 0\): .*clip/);
    expect(built({ input_forget: 1 })).toThrow(/^LSTM \(node 0\): .*input_forget/);
    expect(built({ activations: ["Sigmoid", "Softsign", "Tanh"] })).toThrow(
      /^LSTM \(node 0\): the activation "Softsign" has no gradient/,
    );
    expect(() => built({ layout: 1 })).toThrow(/^LSTM \(node 0\): layout 1 is not supported/);
  });

  it("names an input that does not fit", () => {
    expect(() => built({}, { x: [4, 3, 5] })).toThrow("LSTM (node 0): W is [1, 16, 2], wanted [1, 16, 5].");
  });
});
