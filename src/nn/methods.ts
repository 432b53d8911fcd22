// The functions as methods of values, so that a forward reads from left to right: `conv.call(x).relu().maxPool2d(2)`.

import { Value } from "../graph/graph.ts";
import type { Dim } from "../graph/shape.ts";
import type { Operand } from "./functional/index.ts";
import * as F from "./functional/index.ts";

/** The functions that are methods under the same name: what comes first in the function is what the method belongs to. */
const NAMES = [
  // Arithmetic
  ...([
    "add",
    "sub",
    "mul",
    "div",
    "remainder",
    "pow",
    "square",
    "neg",
    "abs",
    "sign",
    "reciprocal",
  ] as const),
  ...(["sqrt", "rsqrt", "exp", "log", "log2", "log10", "erf", "floor", "ceil", "round", "clamp"] as const),
  ...(["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"] as const),
  ...(["maximum", "minimum", "matmul", "bmm", "baddbmm", "outer"] as const),
  // Questions and choices
  ...(["eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "maskedFill"] as const),
  ...(["logicalAnd", "logicalOr", "logicalXor", "logicalNot"] as const),
  // Element types
  ...(["to", "float", "double", "int", "long", "bool", "detach"] as const),
  // Reductions
  ...(["sum", "mean", "prod", "amax", "amin", "all", "any", "logsumexp", "var", "std", "norm"] as const),
  ...(["argmax", "argmin", "cumsum", "topk", "sort"] as const),
  // Shapes and parts
  ...(["flatten", "unflatten", "squeeze", "unsqueeze", "transpose", "pad", "tile", "expandAs"] as const),
  ...(["split", "chunk", "unbind", "select", "narrow", "slice", "gather", "indexSelect"] as const),
  ...(["flip", "roll", "repeatInterleave", "tril", "triu", "oneHot"] as const),
  // Layers
  ...(["relu", "gelu", "silu", "leakyRelu", "elu", "sigmoid", "tanh", "softplus", "hardswish"] as const),
  ...(["softmax", "logSoftmax", "normalize", "dropout", "layerNorm", "groupNorm"] as const),
  ...(["maxPool1d", "maxPool2d", "maxPool3d", "avgPool1d", "avgPool2d", "avgPool3d"] as const),
] as const satisfies readonly (keyof typeof F)[];

type Functions = Pick<typeof F, (typeof NAMES)[number]>;
type Method<T> = T extends (x: Value, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;
type SameNames = { [Name in keyof Functions]: Method<Functions[Name]> };

/** Methods of values under PyTorch's names; axes may count from the end. */
interface ValueMethods extends SameNames {
  /** Another shape; one -1 stands for what is left over. */
  reshape(...shape: Dim[]): Value;
  /** `reshape`. */
  view(...shape: Dim[]): Value;
  /** All axes in another order. */
  permute(...dims: number[]): Value;
  /** Repeated as often as `sizes` say along each axis. */
  repeat(...sizes: number[]): Value;
  /** Repeated along axes of length 1 to `sizes`; -1 leaves an axis as it is. */
  expand(...sizes: number[]): Value;
  /** This where `condition` holds, elsewhere `other`. */
  where(condition: Value, other: Operand): Value;
}

declare module "../graph/graph.ts" {
  interface Value extends ValueMethods {}
}

type Implementation = (x: Value, ...rest: never[]) => unknown;

const names: ReadonlySet<string> = new Set(NAMES);
const METHODS: Readonly<Record<string, Implementation>> = {
  ...Object.fromEntries(
    Object.entries(F as Readonly<Record<string, unknown>>).filter(([name]) => names.has(name)),
  ),
  reshape: (x, ...shape: Dim[]) => F.reshape(x, shape),
  view: (x, ...shape: Dim[]) => F.reshape(x, shape),
  permute: (x, ...dims: number[]) => F.permute(x, dims),
  repeat: (x, ...sizes: number[]) => F.repeat(x, sizes),
  expand: (x, ...sizes: number[]) => F.expand(x, sizes),
  where: (x, condition: Value, other: Operand) => F.where(condition, x, other),
};

for (const [name, implementation] of Object.entries(METHODS)) {
  Object.defineProperty(Value.prototype, name, {
    value(this: Value, ...rest: never[]) {
      return implementation(this, ...rest);
    },
  });
}
