// The simple recurrent layer.

import type { Value } from "../../graph/graph.ts";
import { defineOperator } from "../define.ts";
import { add, mul } from "../elementwise.ts";
import { gemm, matMul } from "../matmul.ts";
import { sumOver } from "../totals.ts";
import {
  ATTRIBUTES,
  attributesOf,
  inferRecurrent,
  type RecurrentInputs,
  type RecurrentOptions,
  type Run,
  type RunGradients,
  recurrentGradient,
} from "./sequence.ts";
import { overSteps } from "./steps.ts";

/** Options of `rnn`. Default of activations: Tanh. */
export type RnnOptions = RecurrentOptions;

/** What `rnn` computes. */
export interface RnnOutputs {
  /** The hidden state after each step, `[steps, directions, batch, H]`; zeros after a sequence's end. */
  readonly y: Value;
  /** The hidden state after the last step, `[directions, batch, H]`. */
  readonly yH: Value;
}

/**
 * `h = f(x Wᵀ + h Rᵀ + Wb + Rb)`, step by step. X `[steps, batch, input]`, W `[directions, H, input]`, R `[directions, H, H]`.
 * The runtime has it in float32. ONNX RNN-14.
 */
export function rnn(x: Value, w: Value, r: Value, options: RnnOptions = {}): RnnOutputs {
  const { bias, sequenceLengths, initialH } = options;
  const node = rnnOp.emit([x, w, r, bias, sequenceLengths, initialH], attributesOf(options, r));
  return { y: node.outputs[0]!, yH: node.outputs[1]! };
}

export const rnnOp = defineOperator({
  type: "RNN",
  since: 14,
  attributes: ATTRIBUTES,
  infer: (inputs: RecurrentInputs, attributes) => inferRecurrent(1, inputs, attributes),
  gradient: (_, node, cotangents) => recurrentGradient(node, cotangents, ["Tanh"], backward),
});

function backward(run: Run): RunGradients {
  const slopes = run.activations[0]!.slope(run.y);
  const { carried, rows } = overSteps(
    { like: run.like, carried: [run.dH], rows: [slopes, run.dY], fixed: [run.r], backwards: true },
    ([later], [slope, dY], [r]) => {
      const dGate = mul(dY ? add(later!, dY) : later!, slope!);
      return { carried: [matMul(dGate, r!)], parts: [dGate] };
    },
  );
  const [dGate] = rows as [Value];
  const dBias = sumOver(dGate, [0]);
  return {
    x: matMul(dGate, run.w),
    w: gemm(dGate, run.x, null, { transA: true }),
    r: gemm(dGate, run.previous, null, { transA: true }),
    biases: [dBias, dBias],
    initialH: carried[0]!,
  };
}
