// How an operator is defined: one literal with its shape rule and its gradient rule side by side.
// A forgotten rule, or a gradient too few, does not compile.

import { ArborizeError } from "../base/errors.ts";
import { isFloat, Tensor } from "../base/tensor.ts";
import { numbersOf } from "../graph/content.ts";
import type { Node, Value } from "../graph/graph.ts";
import type { AttributeKind, Attributes, Evaluation, Operator, ValueType } from "../graph/operator.ts";
import { broadcastShapes, shapeText } from "../graph/shape.ts";

type Schema = Readonly<Record<string, AttributeKind>>;
type Inputs = readonly (Value | null | undefined)[];

interface AttributeTypes {
  int: number;
  float: number;
  string: string;
  ints: readonly number[];
  floats: readonly number[];
  strings: readonly string[];
  tensor: Tensor;
}

type AttributesOf<S extends Schema> = { readonly [K in keyof S]?: AttributeTypes[S[K]] | undefined };

/** A node as its gradient rule sees it: inputs and attributes typed by the definition. */
export interface NodeOf<S extends Schema, I extends Inputs> {
  readonly inputs: I;
  readonly attributes: AttributesOf<S>;
  readonly outputs: readonly Value[];
  readonly output: Value;
}

/** What a definition states; see `Operator` for the meaning of each field. */
export interface OperatorDefinition<S extends Schema, I extends Inputs> {
  readonly type: string;
  readonly domain?: string;
  readonly since: number;
  readonly attributes?: S;
  readonly infer: (inputs: I, attributes: AttributesOf<S>) => readonly ValueType[];
  readonly written?: (node: NodeOf<S, I>) => AttributesOf<S>;
  /**
   * `dy` is the cotangent of the first output; operators of several outputs read `cotangents`, where unused ones are
   * null. One entry per input: its cotangent, or null for an input that nothing flows to.
   */
  readonly gradient:
    | ((
        dy: Value,
        node: NodeOf<S, I>,
        cotangents: readonly (Value | null)[],
      ) => { readonly [K in keyof I]: Value | null | undefined })
    | { readonly nondifferentiable: string };
  /** How shapes are followed through it, for operators that compute them. */
  readonly evaluate?: Evaluation;
  readonly broadcasts?: boolean;
  readonly variadicOutputs?: boolean;
  readonly deterministic?: boolean;
}

/** A defined operator: what nodes hold, and `emit` to append one. */
export interface DefinedOperator<S extends Schema, I extends Inputs> extends Operator {
  emit(inputs: I, attributes?: AttributesOf<S>): Node;
}

/** Defines an operator. Its public function, just above the definition, calls `emit`. */
export function defineOperator<const S extends Schema = Record<never, never>, I extends Inputs = Inputs>(
  definition: OperatorDefinition<S, I>,
): DefinedOperator<S, I> {
  const { gradient, written } = definition;
  const operator: DefinedOperator<S, I> = {
    type: definition.type,
    domain: definition.domain ?? "",
    since: definition.since,
    attributes: definition.attributes ?? {},
    broadcasts: definition.broadcasts ?? false,
    variadicOutputs: definition.variadicOutputs ?? false,
    deterministic: definition.deterministic ?? true,
    evaluate: definition.evaluate ?? null,
    infer: (inputs, attributes) => definition.infer(inputs as unknown as I, attributes as AttributesOf<S>),
    written: written && ((node) => written(node as unknown as NodeOf<S, I>) as Attributes),
    gradient:
      typeof gradient === "function"
        ? (cotangents, node) =>
            gradient(cotangents[0] as Value, node as unknown as NodeOf<S, I>, cotangents).map(
              (dx) => dx ?? null,
            )
        : gradient,
    emit(inputs, attributes) {
      const first = inputs.find((input) => input);
      if (!first) throw new ArborizeError("missing_input", `${definition.type} needs at least one input.`);
      return first.graph.add(
        operator,
        inputs.map((input) => input ?? null),
        attributes as Attributes,
      );
    },
  };
  return operator;
}

/** The constant `value` in the element type of `like`. */
export function scalar(like: Value, value: number): Value {
  return like.graph.constant(Tensor.full([], value, like.dtype));
}

/** An int64 vector constant in the graph of `like`: axes, sizes, shapes. */
export function int64s(like: Value, values: readonly number[]): Value {
  return like.graph.constant(Tensor.of([values.length], values, "int64"));
}

/** The numbers of an input that must be known when the graph is built, such as axes; undefined for an absent one. */
export function constantInts(value: Value | null | undefined, what: string): readonly number[] | undefined {
  if (!value) return undefined;
  const numbers = numbersOf(value);
  if (numbers) return numbers;
  throw new ArborizeError(
    "invalid_graph",
    `its ${what} must be known when the graph is built, "${value.name}" is computed`,
  );
}

/** Checks a rule of shapes. @throws `shape_mismatch` with `message()`. */
export function expectShape(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new ArborizeError("shape_mismatch", message());
}

/** Checks that values have one element type, and that it is a floating one. @throws `dtype_mismatch`. */
export function expectFloats(...values: readonly (Value | null | undefined)[]): void {
  const given = values.filter((value) => value) as Value[];
  const wrong = given.find((value) => !isFloat(value.dtype) || value.dtype !== given[0]?.dtype);
  if (wrong) {
    const found = given.map((value) => `${value.dtype}${shapeText(value.shape)}`).join(", ");
    throw new ArborizeError(
      "dtype_mismatch",
      `its inputs must share one floating element type, they are ${found}`,
    );
  }
}

/** The common element type and broadcast shape of operands. @throws `dtype_mismatch`, `shape_mismatch`. */
export function inferBroadcast(...values: readonly Value[]): ValueType[] {
  const dtype = values[0]!.dtype;
  if (values.some((value) => value.dtype !== dtype)) {
    const found = values.map((value) => value.dtype).join(" and ");
    throw new ArborizeError("dtype_mismatch", `its inputs must share one element type, they are ${found}`);
  }
  return [{ dtype, shape: broadcastShapes(...values.map((value) => value.shape)) }];
}
