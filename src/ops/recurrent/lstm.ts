// Long short-term memory.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import { concat, split } from "../concat.ts";
import { defineOperator } from "../define.ts";
import { add, mul } from "../elementwise.ts";
import { gemm, matMul } from "../matmul.ts";
import { unsqueeze } from "../reshape.ts";
import { sumOver } from "../totals.ts";
import type { Activation } from "./activations.ts";
import {
  ATTRIBUTES,
  attributesOf,
  expectInput,
  inferRecurrent,
  type RecurrentInputs,
  type RecurrentOptions,
  type Run,
  type RunGradients,
  recurrentGradient,
} from "./sequence.ts";
import { overSteps } from "./steps.ts";

/** Options of `lstm`. Default of activations: Sigmoid, Tanh, Tanh, for gates, candidate and output. */
export interface LstmOptions extends RecurrentOptions {
  /** The cell state before the first step, `[directions, batch, H]`. Default: zeros. */
  readonly initialC?: Value | undefined;
  /** What the gates i, o and f see of the cell state, `[directions, 3 * H]`. Default: nothing. */
  readonly peepholes?: Value | undefined;
}

/** What `lstm` computes. */
export interface LstmOutputs {
  /** The hidden state after each step, `[steps, directions, batch, H]`; zeros after a sequence's end. */
  readonly y: Value;
  /** The hidden state after the last step, `[directions, batch, H]`. */
  readonly yH: Value;
  /** The cell state after the last step, `[directions, batch, H]`. */
  readonly yC: Value;
}

/**
 * `c = f c + i g`, `h = o tanh(c)`, step by step, with gates i, o, f and candidate g of `x Wᵀ + h Rᵀ + Wb + Rb`, in this order.
 * X `[steps, batch, input]`, W `[directions, 4 * H, input]`, R `[directions, 4 * H, H]`. The runtime has it in float32.
 * ONNX LSTM-14.
 */
export function lstm(x: Value, w: Value, r: Value, options: LstmOptions = {}): LstmOutputs {
  const { bias, sequenceLengths, initialH, initialC, peepholes } = options;
  const inputs: LstmInputs = [x, w, r, bias, sequenceLengths, initialH, initialC, peepholes];
  const [y, yH, yC] = lstmOp.emit(inputs, attributesOf(options, r)).outputs as [Value, Value, Value];
  return { y, yH, yC };
}

type LstmInputs = [...RecurrentInputs, initialC?: Value | null | undefined, p?: Value | null | undefined];

export const lstmOp = defineOperator({
  type: "LSTM",
  since: 14,
  attributes: { ...ATTRIBUTES, input_forget: "int" },
  infer: ([x, w, r, b, lengths, initialH, initialC, p]: LstmInputs, attributes) => {
    const [y, yH] = inferRecurrent(4, [x, w, r, b, lengths, initialH], attributes);
    expectInput("initial_c", initialC, yH.shape);
    expectInput("P", p, [yH.shape[0]!, 3 * (r.shape[2] as number)]);
    return [y, yH, yH];
  },
  gradient: (_, node, cotangents) => {
    if (node.attributes.input_forget) {
      throw new ArborizeError("not_differentiable", "it has no gradient with the attribute input_forget");
    }
    return recurrentGradient(node, cotangents, ["Sigmoid", "Tanh", "Tanh"], (run) =>
      backward(run, run.last(cotangents[2])),
    );
  },
});

/**
 * The gates of all steps follow from the hidden states in one product, the cell states from them. Backwards, a step needs
 * dc = dh A + dc' F', with A = o tanh'(c) and F = f, and the gates' cotangents are multiples of dh (of o) and dc: their
 * factors are computed for all steps at once. Peepholes change nothing but A and F.
 */
function backward(run: Run, dC: ReturnType<Run["last"]>): RunGradients {
  const { hidden, r, w, x, previous } = run;
  const [gate, candidate, squash] = run.activations as [Activation, Activation, Activation];
  const forward = forwardPass(run);
  const { i, o, f, g, c, before, peepholes } = forward;
  const squashed = squash.apply(c);
  const slopes = [gate.slope(concat([i, o, f], 1)), candidate.slope(g)];
  const factors = mul(concat(slopes, 1), concat([g, squashed, before, i], 1));
  let toCell = mul(o, squash.slope(squashed));
  let keep = f;
  if (peepholes) {
    const [ki, ko, kf] = split(factors, [hidden, hidden, hidden, hidden], 1) as [Value, Value, Value];
    toCell = add(toCell, mul(ko, peepholes.o));
    keep = add(keep, add(mul(ki, peepholes.i), mul(kf, peepholes.f)));
  }
  const { carried, rows } = overSteps(
    {
      like: run.like,
      carried: [run.dH, dC.atEnd ?? run.zeros(hidden)],
      rows: [factors, toCell, keep, run.dY, dC.rows],
      fixed: [r],
      backwards: true,
    },
    ([laterH, laterC], [factor, cell, kept, dY, given], [weight]) => {
      const dh = dY ? add(laterH!, dY) : laterH!;
      const later = given ? add(laterC!, given) : laterC!;
      const dc = add(mul(dh, cell!), later);
      const ofGates = mul(concat([dc, dh, dc, dc], 1), factor!);
      return { carried: [matMul(ofGates, weight!), mul(dc, kept!)], parts: [ofGates] };
    },
  );
  const [dGates] = rows as [Value];
  const dBias = sumOver(dGates, [0]);
  return {
    x: matMul(dGates, w),
    w: gemm(dGates, x, null, { transA: true }),
    r: gemm(dGates, previous, null, { transA: true }),
    biases: [dBias, dBias],
    initialH: carried[0]!,
    own: [carried[1]!, ...(peepholes ? [peepholeGradient(dGates, forward, hidden)] : [])],
  };
}

/** What a run computed, for all steps, as rows. */
interface Forward {
  readonly i: Value;
  readonly o: Value;
  readonly f: Value;
  readonly g: Value;
  /** The cell state after each step. */
  readonly c: Value;
  /** The cell state before each step. */
  readonly before: Value;
  readonly peepholes: { readonly i: Value; readonly o: Value; readonly f: Value } | null;
}

function forwardPass(run: Run): Forward {
  const { hidden, x, w, r, previous, biases, like } = run;
  const [gate, candidate] = run.activations as [Activation, Activation];
  const ofInput = gemm(x, w, biases && add(...biases), { transB: true });
  const gates = gemm(previous, r, ofInput, { transB: true });
  const carried = [run.own(6) ?? run.zeros(hidden)];
  const p = run.own(7);
  if (!p) {
    const [three, last] = split(gates, [3 * hidden, hidden], 1) as [Value, Value];
    const [i, o, f] = split(gate.apply(three), [hidden, hidden, hidden], 1) as [Value, Value, Value];
    const g = candidate.apply(last);
    const { rows } = overSteps({ like, carried, rows: [f, mul(i, g)] }, ([c], [kept, added]) => {
      const next = add(mul(c!, kept!), added!);
      return { carried: [next], parts: [next, c!] };
    });
    return { i, o, f, g, c: rows[0]!, before: rows[1]!, peepholes: null };
  }
  const [pi, po, pf] = split(unsqueeze(p, [0]), [hidden, hidden, hidden], 1) as [Value, Value, Value];
  const [toI, toO, toF, toG] = split(gates, [hidden, hidden, hidden, hidden], 1) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const g = candidate.apply(toG);
  const { rows } = overSteps(
    { like, carried, rows: [toI, toF, g], fixed: [pi, pf] },
    ([c], [stepI, stepF, stepG], [toInput, toForget]) => {
      const i = gate.apply(add(stepI!, mul(c!, toInput!)));
      const f = gate.apply(add(stepF!, mul(c!, toForget!)));
      const next = add(mul(c!, f), mul(i, stepG!));
      return { carried: [next], parts: [next, c!, i, f] };
    },
  );
  const [c, before, i, f] = rows as [Value, Value, Value, Value];
  return { i, o: gate.apply(add(toO, mul(c, po))), f, g, c, before, peepholes: { i: pi, o: po, f: pf } };
}

/** i and f see the cell state before the step, o the one after it. */
function peepholeGradient(dGates: Value, { c, before }: Forward, hidden: number): Value {
  const [dI, dO, dF] = split(dGates, [hidden, hidden, hidden, hidden], 1) as [Value, Value, Value];
  return sumOver(concat([mul(dI, before), mul(dO, c), mul(dF, before)], 1), [0]);
}
