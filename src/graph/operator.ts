// What a node knows of its operator. The operators themselves are in ops/, each with its rules side by side.

import type { DType, Tensor } from "../base/tensor.ts";
import type { Graph, Node, Value } from "./graph.ts";
import type { Dim, Shape } from "./shape.ts";

/** Element type and shape of a value. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** How an attribute is stored in ONNX: JavaScript's one kind of number does not tell `int` from `float`. */
export type AttributeKind = "int" | "float" | "string" | "ints" | "floats" | "strings" | "tensor" | "graph";

/** The value of an attribute. */
export type Attribute = number | string | readonly number[] | readonly string[] | Tensor | Graph;

/** Attributes by ONNX name; absent ones have ONNX's default. */
export type Attributes = Readonly<Record<string, Attribute | undefined>>;

/**
 * The gradient rule: from the cotangents of a node's outputs (null where nothing flows back) to one per input, null
 * where none flows. A rule emits nodes through the operator functions, may return a cotangent in the broadcast shape
 * when its operator `broadcasts`, and never sums over fan-in: the walker does both once for all operators.
 */
export type GradientRule = (cotangents: readonly (Value | null)[], node: Node) => readonly (Value | null)[];

/** One element of a content: a number, a symbolic length, or null where it is only known when data arrives. */
export type Element = Dim | null;

/** What a small value holds, in row-major order. */
export interface Content {
  readonly shape: readonly number[];
  readonly elements: readonly Element[];
}

/** What each of a node's outputs holds, null where nothing is known. */
export type Contents = readonly (Content | null)[];

/**
 * What a node's outputs hold, from what its inputs are known to hold (null where unknown or not given): how shapes that a
 * graph computes are followed when it is built. Null where nothing follows.
 */
export type Evaluation = (inputs: Contents, node: Node) => Contents | null;

/** An operator: how nodes of this type behave. */
export interface Operator {
  readonly type: string;
  /** Operator set domain; `""` is ONNX's own. */
  readonly domain: string;
  /** The opset version whose meaning the rules implement. */
  readonly since: number;
  readonly attributes: Readonly<Record<string, AttributeKind>>;
  /** Output types from input types and attributes; throws `shape_mismatch` or `dtype_mismatch`. */
  infer(inputs: readonly (Value | null)[], attributes: Attributes): readonly ValueType[];
  /** The attributes as files have them, where the runtime does not take all that the rules do. Default: as they are. */
  readonly written?: ((node: Node) => Attributes) | undefined;
  /** How shapes that a graph computes are followed through it; null where they are not. */
  readonly evaluate: Evaluation | null;
  readonly gradient: GradientRule | { readonly nondifferentiable: string };
  /** Inputs broadcast against each other, so cotangents are summed back to each input's shape. */
  readonly broadcasts: boolean;
  /** The outputs are a list of any length, so that none may be left out; others than the first are optional elsewhere. */
  readonly variadicOutputs: boolean;
  /** Equal inputs and attributes give equal outputs; false for random operators. */
  readonly deterministic: boolean;
}
