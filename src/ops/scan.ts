// A loop over the steps of a sequence, whose number is only known when data arrives.

import { ArborizeError } from "../base/errors.ts";
import { Graph, type Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { type Shape, sameShape, shapeText } from "../graph/shape.ts";
import { defineOperator, expectShape } from "./define.ts";
import { identity } from "./reshape.ts";

/** What a loop runs over. */
export interface ScanInputs {
  /** What the first step gets. */
  readonly carried: readonly Value[];
  /** What all steps get. */
  readonly fixed: readonly Value[];
  /** What each step gets a part of: the values at its place on the first axis. */
  readonly sequences: readonly Value[];
  /** Start at the last step. Default: false. */
  readonly backwards?: boolean;
}

/** What a step carries on to the next, and its parts of sequences. */
export interface ScanStep {
  readonly carried: readonly Value[];
  readonly parts: readonly Value[];
}

/**
 * Runs `step` along the first axis of `sequences`: what the last one carries, and the sequences of the parts that the steps
 * made. It is called once, with values of the loop's body, and may use no others. ONNX Scan-21, without a gradient.
 */
export function scan(
  { carried, fixed, sequences, backwards = false }: ScanInputs,
  step: (carried: readonly Value[], parts: readonly Value[], fixed: readonly Value[]) => ScanStep,
): { readonly carried: readonly Value[]; readonly sequences: readonly Value[] } {
  const { graph } = sequences[0]!;
  const prefix = `${graph.uniqueName("Scan.body")}/`;
  const body = new Graph({ name: "body", prefix });
  const declare = ({ dtype }: Value, shape: Shape) =>
    body.input(`${prefix}input_${body.inputs.length}`, dtype, shape);
  const states = carried.map((value) => declare(value, value.shape));
  const constants = fixed.map((value) => declare(value, value.shape));
  const parts = sequences.map((value) => declare(value, value.shape.slice(1)));
  const done = step(states, parts, constants);
  // What is fixed is carried along. An output has to be of its own, whatever else is one.
  for (const value of [...done.carried, ...constants, ...done.parts]) body.output(identity(value));
  const { outputs } = scanOp.emit([...carried, ...fixed, ...sequences], {
    body,
    num_scan_inputs: sequences.length,
    scan_input_directions: sequences.map(() => Number(backwards)),
    scan_output_directions: done.parts.map(() => Number(backwards)),
  });
  return {
    carried: outputs.slice(0, carried.length),
    sequences: outputs.slice(carried.length + fixed.length),
  };
}

export const scanOp = defineOperator({
  type: "Scan",
  since: 21,
  attributes: {
    body: "graph",
    num_scan_inputs: "int",
    scan_input_directions: "ints",
    scan_output_directions: "ints",
  },
  infer: (inputs: readonly Value[], { body, num_scan_inputs: count = 0 }): ValueType[] => {
    if (body?.inputs.length !== inputs.length || !(count >= 1 && count <= inputs.length)) {
      throw new ArborizeError(
        "invalid_graph",
        `its body does not take ${inputs.length} inputs, some of them sequences`,
      );
    }
    const states = inputs.length - count;
    const [length] = inputs[states]!.shape;
    inputs.forEach(({ shape }, i) => {
      const wanted = body.inputs[i]!.shape;
      const given = i < states ? shape : shape.slice(1);
      expectShape(
        i < states || (shape.length > 0 && shape[0] === length),
        () => `input ${i} is no sequence of ${length}`,
      );
      expectShape(
        sameShape(given, wanted),
        () => `its body wants ${shapeText(wanted)} as input ${i}, it gets ${shapeText(given)}`,
      );
    });
    return body.outputs.map(({ dtype, shape }, i) => ({
      dtype,
      shape: i < states ? shape : [length!, ...shape],
    }));
  },
  gradient: { nondifferentiable: "it is a loop" },
  variadicOutputs: true,
  // Bodies are not compared with each other.
  deterministic: false,
});
