// Gated recurrent units.

import type { Value } from "../../graph/graph.ts";
import { concat, split } from "../concat.ts";
import { defineOperator, scalar } from "../define.ts";
import { add, mul, sub } from "../elementwise.ts";
import { gemm, matMul } from "../matmul.ts";
import { sumOver } from "../totals.ts";
import type { Activation } from "./activations.ts";
import type { RnnOutputs } from "./rnn.ts";
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

/** Options of `gru`. Default of activations: Sigmoid, Tanh, for gates and candidate. */
export interface GruOptions extends RecurrentOptions {
  /** Let the reset gate act on the hidden state's product, as PyTorch does, instead of on the hidden state. Default: false. */
  readonly linearBeforeReset?: boolean;
}

/**
 * `h = (1 - z) n + z h`, step by step, with gates z and r and the candidate n of `x Wᵀ` and `h Rᵀ`, in this order:
 * `n = tanh(x Wᵀ + Wb + (r h) Rᵀ + Rb)`, or `tanh(x Wᵀ + Wb + r (h Rᵀ + Rb))` with `linearBeforeReset`.
 * X `[steps, batch, input]`, W `[directions, 3 * H, input]`, R `[directions, 3 * H, H]`. The runtime has it in float32.
 * ONNX GRU-14.
 */
export function gru(x: Value, w: Value, r: Value, options: GruOptions = {}): RnnOutputs {
  const { bias, sequenceLengths, initialH, linearBeforeReset = false } = options;
  const attributes = { ...attributesOf(options, r), linear_before_reset: Number(linearBeforeReset) };
  const node = gruOp.emit([x, w, r, bias, sequenceLengths, initialH], attributes);
  return { y: node.outputs[0]!, yH: node.outputs[1]! };
}

export const gruOp = defineOperator({
  type: "GRU",
  since: 14,
  attributes: { ...ATTRIBUTES, linear_before_reset: "int" },
  infer: (inputs: RecurrentInputs, attributes) => inferRecurrent(3, inputs, attributes),
  gradient: (_, node, cotangents) =>
    recurrentGradient(
      node,
      cotangents,
      ["Sigmoid", "Tanh"],
      node.attributes.linear_before_reset ? backwardResettingProduct : backwardResettingState,
    ),
});

/** What does not depend on where the reset gate acts, for all steps, as rows. */
interface Gates {
  readonly z: Value;
  readonly r: Value;
  /** The candidate. */
  readonly n: Value;
  /** The factors of dh in the cotangents of n's and z's sums. */
  readonly toN: Value;
  readonly toZ: Value;
  /** The slope of r. */
  readonly slopeR: Value;
}

function gatesOf({ activations, hidden, previous }: Run, sums: Value, candidate: (r: Value) => Value): Gates {
  const [gate, squash] = activations as [Activation, Activation];
  const both = gate.apply(sums);
  const [z, r] = split(both, [hidden, hidden], 1) as [Value, Value];
  const [slopeZ, slopeR] = split(gate.slope(both), [hidden, hidden], 1) as [Value, Value];
  const n = squash.apply(candidate(r));
  const toN = mul(sub(scalar(z, 1), z), squash.slope(n));
  return { z, r, n, toN, toZ: mul(sub(previous, n), slopeZ), slopeR };
}

/** With q = h Rᵀ + Rb, all cotangents of a step are multiples of dh. */
function backwardResettingProduct(run: Run): RunGradients {
  const { hidden, previous, biases } = run;
  const two = [2 * hidden, hidden];
  const [inputZR, inputN] = split(gemm(run.x, run.w, biases?.[0], { transB: true }), two, 1) as [
    Value,
    Value,
  ];
  const [stateZR, q] = split(gemm(previous, run.r, biases?.[1], { transB: true }), two, 1) as [Value, Value];
  const gates = gatesOf(run, add(inputZR, stateZR), (r) => add(inputN, mul(r, q)));
  const { r, toN, toZ, slopeR } = gates;
  const factors = concat([toZ, mul(mul(toN, q), slopeR), mul(toN, r)], 1);
  const { carried, rows } = overSteps(
    stepsOf(run, [factors, gates.z], [run.r]),
    ([later], [dY, factor, keep], [weight]) => {
      const dh = dY ? add(later!, dY) : later!;
      const dSums = mul(concat([dh, dh, dh], 1), factor!);
      return { carried: [gemm(dSums, weight!, mul(dh, keep!))], parts: [dSums, dh] };
    },
  );
  const [dSums, dh] = rows as [Value, Value];
  const [dZR] = split(dSums, two, 1) as [Value];
  const dInput = concat([dZR, mul(dh, toN)], 1);
  return {
    ...ofInput(run, dInput),
    r: gemm(dSums, previous, null, { transA: true }),
    biases: [sumOver(dInput, [0]), sumOver(dSums, [0])],
    initialH: carried[0]!,
  };
}

/** With a = r h, the cotangent of r goes through that of a, which takes a product of its own. */
function backwardResettingState(run: Run): RunGradients {
  const { hidden, previous, biases } = run;
  const two = [2 * hidden, hidden];
  const [weightZR, weightN] = split(run.r, two, 0) as [Value, Value];
  const inputs = gemm(run.x, run.w, biases && add(...biases), { transB: true });
  const [inputZR, inputN] = split(inputs, two, 1) as [Value, Value];
  const sums = gemm(previous, weightZR, inputZR, { transB: true });
  const gates = gatesOf(run, sums, (r) => gemm(mul(r, previous), weightN, inputN, { transB: true }));
  const { z, r, toN } = gates;
  const factors = concat([gates.toZ, mul(previous, gates.slopeR)], 1);
  const { carried, rows } = overSteps(
    stepsOf(run, [factors, z, r, toN], [weightZR, weightN]),
    ([later], [dY, factor, keep, reset, slopeN], [toZR, toCandidate]) => {
      const dh = dY ? add(later!, dY) : later!;
      const dN = mul(dh, slopeN!);
      const da = matMul(dN, toCandidate!);
      const dZR = mul(concat([dh, da], 1), factor!);
      const direct = add(mul(dh, keep!), mul(da, reset!));
      return { carried: [gemm(dZR, toZR!, direct)], parts: [dZR, dN] };
    },
  );
  const [dZR, dN] = rows as [Value, Value];
  const dSums = concat([dZR, dN], 1);
  const dBias = sumOver(dSums, [0]);
  const parts = [
    gemm(dZR, previous, null, { transA: true }),
    gemm(dN, mul(r, previous), null, { transA: true }),
  ];
  return { ...ofInput(run, dSums), r: concat(parts, 0), biases: [dBias, dBias], initialH: carried[0]! };
}

function stepsOf({ like, dH, dY }: Run, rows: readonly Value[], fixed: readonly Value[]) {
  return { like, carried: [dH], rows: [dY, ...rows], fixed, backwards: true };
}

/** The cotangents of the input and its weight, from that of their product. */
function ofInput(run: Run, dSums: Value) {
  return { x: matMul(dSums, run.w), w: gemm(dSums, run.x, null, { transA: true }) };
}
