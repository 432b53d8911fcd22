// Operators by name, for readers of files. Everybody else holds the operator itself.

import type { Operator } from "../graph/operator.ts";
import * as families from "./index.ts";

const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.values(families)
    .filter((member): member is Operator & typeof member => typeof member === "object" && "infer" in member)
    .map((member): Operator => member)
    // In a file it is an Identity like any other: what it stops is known only to who wrote it.
    .filter((operator) => operator !== families.stopGradientOp)
    .map((operator) => [operator.type, operator]),
);

/** Every operator that files may have. */
export function listOperators(): readonly Operator[] {
  return [...OPERATORS.values()];
}

/** Whether a domain is that of ONNX itself, which has two names. */
export function isStandard(domain: string): boolean {
  return domain === "" || domain === "ai.onnx";
}

/** The operator that ONNX calls `type`, or undefined. */
export function findOperator(type: string, domain = ""): Operator | undefined {
  const operator = OPERATORS.get(type);
  return operator?.domain === (isStandard(domain) ? "" : domain) ? operator : undefined;
}
