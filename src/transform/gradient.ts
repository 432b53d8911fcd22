// Reverse-mode differentiation: appends to a graph the nodes that compute the gradients of a loss.

import { ArborizeError, invariant } from "../base/errors.ts";
import { isFloat } from "../base/tensor.ts";
import { type Node, nodesBehind, type Value } from "../graph/graph.ts";
import type { GradientRule } from "../graph/operator.ts";
import { sameShape, shapeText } from "../graph/shape.ts";
import { add, fullLike, reshape, stopGradientOp } from "../ops/index.ts";
import { sumOver } from "../ops/totals.ts";

/**
 * The gradients of a scalar `loss` with respect to `wrt`, in the order of `wrt` and in the shape of each. The nodes are
 * appended to the graph, each in the module scope of the node whose gradient it computes; what does not influence the
 * loss has gradient zero.
 *
 * @throws `shape_mismatch` unless the loss is a floating scalar.
 * @throws `not_differentiable` naming every operator that blocks the way, and the path from the loss to it.
 */
export function gradients(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.rank !== 0 || !isFloat(loss.dtype)) {
    throw new ArborizeError(
      "shape_mismatch",
      `A loss must be a floating scalar, "${loss.name}" is ${loss.dtype}${shapeText(loss.shape)}. Reduce it, for example to its mean.`,
    );
  }
  const nodes = nodesBehind([loss]);
  const active = activeValues(nodes, wrt);
  rejectBlocked(loss, nodes, active);

  const contributions = new Map<Value, Value[]>([[loss, [fullLike(loss, 1)]]]);
  const cotangent = (value: Value): Value | null => {
    const parts = contributions.get(value) ?? [];
    if (parts.length < 2) return parts[0] ?? null;
    // One Add after another: the runtime computes a Sum in as many passes, and fuses an Add into a convolution.
    const total = parts.reduce(add);
    contributions.set(value, [total]);
    return total;
  };

  for (const node of nodes.reverse()) {
    if (!node.inputs.some((input) => input && active.has(input))) continue;
    loss.graph.within(node.scope, () => {
      const cotangents = node.outputs.map(cotangent);
      if (cotangents.every((dy) => dy === null)) return;
      for (const [input, dx] of inputGradients(node, cotangents)) {
        if (active.has(input)) contributions.set(input, [...(contributions.get(input) ?? []), dx]);
      }
    });
  }
  return wrt.map((value) => cotangent(value) ?? fullLike(value));
}

/** The values that depend on `wrt` through floating values. */
function activeValues(nodes: readonly Node[], wrt: readonly Value[]): Set<Value> {
  const active = new Set(wrt);
  for (const node of nodes) {
    if (!node.inputs.some((input) => input && active.has(input))) continue;
    for (const output of node.outputs) if (isFloat(output.dtype)) active.add(output);
  }
  return active;
}

function inputGradients(node: Node, cotangents: readonly (Value | null)[]): [Value, Value][] {
  const custom = node.output.graph.customGradients.get(node.output);
  if (custom) {
    const given = custom.rule(cotangents[0]!);
    return custom.inputs.map((input, i) => [input, given[i]!]);
  }
  const { gradient, broadcasts } = node.operator;
  invariant(typeof gradient === "function", `${node.label} has no gradient rule`);
  const found = ruled(node, gradient, cotangents);
  return node.inputs.flatMap((input, i): [Value, Value][] => {
    const dx = found[i];
    if (!input || !dx) return [];
    const fitting = broadcasts ? sumToShape(dx, input) : dx;
    invariant(
      sameShape(fitting.shape, input.shape) && fitting.dtype === input.dtype,
      `the gradient of ${node.label} for input ${i} is ${fitting}, the input ${input}`,
    );
    return [[input, fitting]];
  });
}

/** What a rule gives; what it cannot do it says by the name of the node. */
function ruled(node: Node, rule: GradientRule, cotangents: readonly (Value | null)[]) {
  try {
    return rule(cotangents, node);
  } catch (error) {
    if (!(error instanceof ArborizeError) || error.code === "internal") throw error;
    throw new ArborizeError(error.code, `${node.label}: ${error.message.replace(/\.$/, "")}.`, {
      cause: error,
    });
  }
}

/** Sums a cotangent over the axes along which `input` was broadcast. */
function sumToShape(dx: Value, input: Value): Value {
  if (sameShape(dx.shape, input.shape)) return dx;
  const leading = dx.rank - input.rank;
  const axes = dx.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < leading || (input.shape[axis - leading] === 1 && dx.shape[axis] !== 1));
  return reshape(sumOver(dx, axes), input.shape);
}

/** Reports every operator without a gradient on the way from the loss to `wrt`, all at once. */
function rejectBlocked(loss: Value, nodes: readonly Node[], active: ReadonlySet<Value>): void {
  const blocked: string[] = [];
  const reached = new Map<Value, Node | null>([[loss, null]]);
  for (const node of [...nodes].reverse()) {
    const through = node.outputs.find((output) => reached.has(output));
    if (!through || !node.inputs.some((input) => input && active.has(input))) continue;
    const { gradient } = node.operator;
    if (node.operator === stopGradientOp) continue;
    if (typeof gradient !== "function") {
      if (!isFloat(through.dtype)) continue;
      blocked.push(`  ${node.label}: ${gradient.nondifferentiable}\n    reached ${pathTo(through, reached)}`);
    }
    for (const input of node.inputs) {
      if (input && isFloat(input.dtype) && active.has(input) && !reached.has(input)) reached.set(input, node);
    }
  }
  if (blocked.length === 0) return;
  throw new ArborizeError(
    "not_differentiable",
    `The loss cannot be differentiated: ${blocked.length === 1 ? "an operator on the way has" : `${blocked.length} operators on the way have`} no gradient.\n${blocked.join("\n")}`,
  );
}

/** The way a cotangent took from the loss to `value`, as operator names. */
function pathTo(value: Value, reached: ReadonlyMap<Value, Node | null>): string {
  const steps: string[] = [];
  for (let node = reached.get(value); node; node = reached.get(node.output)) steps.push(node.label);
  const shown = steps.length > 6 ? [...steps.slice(0, 3), "…", ...steps.slice(-2)] : steps;
  return ["from the loss", ...shown.reverse()].join(" <- ");
}
