// Element types: ONNX's numbers for them, and conversion.

import { ArborizeError } from "../base/errors.ts";
import { type DType, isFloat } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { defineOperator } from "./define.ts";
import { elementwise } from "./evaluate.ts";

/** ONNX's numbers of element types, as the attribute of Cast has them. */
export const ONNX_DTYPES: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

/** The element type that ONNX gives the number `code`. @throws `dtype_mismatch` for types not supported. */
export function dtypeOfOnnx(code: number): DType {
  const found = Object.entries(ONNX_DTYPES).find(([, number]) => number === code);
  if (!found) throw new ArborizeError("dtype_mismatch", `ONNX element type ${code} is not supported`);
  return found[0] as DType;
}

/** `x` in another element type. ONNX Cast-19. */
export function cast(x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : castOp.emit([x], { to: ONNX_DTYPES[dtype] }).output;
}

export const castOp = defineOperator({
  type: "Cast",
  since: 19,
  attributes: { to: "int", saturate: "int" },
  infer: ([x]: [Value], { to }) => [{ dtype: dtypeOfOnnx(to ?? 0), shape: x.shape }],
  evaluate: elementwise((x) => x),
  gradient: (dy, { inputs: [x] }) => [isFloat(x.dtype) && isFloat(dy.dtype) ? cast(dy, x.dtype) : null],
});
