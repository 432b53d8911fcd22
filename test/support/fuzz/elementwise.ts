// Moves of element by element: functions of one value, arithmetic of several, choices between values.

import type { Value } from "../../../src/graph/graph.ts";
import * as op from "../../../src/ops/index.ts";
import { type Drawn, type Move, type Net, plus, positive } from "./net.ts";

/** A function of one value: what it takes at most in magnitude, and what it gives at most. */
interface Unary {
  readonly build: (x: Value) => Value;
  readonly limit?: number;
  readonly bound?: (bound: number) => number;
}

const one = () => 1;

/** What the runtime has in float64 too. */
const UNARY: Readonly<Record<string, Unary>> = {
  Neg: { build: op.neg },
  Abs: { build: op.abs },
  Sqrt: { build: (x) => op.sqrt(positive(x)), bound: (b) => b + 1 },
  Reciprocal: { build: (x) => op.reciprocal(positive(x)), bound: () => 2 },
  Exp: { build: op.exp, limit: 2, bound: Math.exp },
  Log: { build: (x) => op.log(positive(x)), bound: (b) => Math.max(0.7, Math.log(b * b + 1)) },
  Sin: { build: op.sin, bound: one },
  Cos: { build: op.cos, bound: one },
  // Not of a value of the pool: the runtime fuses x * sigmoid(x) into a kernel that it has in float32 only.
  Sigmoid: { build: (x) => op.sigmoid(op.neg(x)), bound: one },
  Tanh: { build: op.tanh, bound: one },
  Relu: { build: op.relu },
  Identity: { build: op.identity },
  Floor: { build: (x) => op.sub(x, op.floor(x)), bound: one },
  Ceil: { build: (x) => op.add(x, op.ceil(x)), bound: (b) => 2 * b + 1 },
  Round: { build: (x) => op.mul(x, op.round(x)), limit: 3, bound: (b) => b * b + b },
  Sign: { build: (x) => op.mul(x, op.sign(x)) },
  "stopped gradient": {
    build: (x) => op.add(op.mul(op.stopGradient(op.sign(x)), x), x),
    bound: (b) => 2 * b,
  },
};

/** What the runtime has in float32 only. */
const SINGLE: Readonly<Record<string, Unary>> = {
  Erf: { build: op.erf, bound: one },
  Tan: { build: op.tan, limit: 1, bound: () => 1.6 },
  Asin: { build: op.asin, limit: 0.8, bound: one },
  Acos: { build: op.acos, limit: 0.8, bound: () => 2.6 },
  Atan: { build: op.atan, bound: () => 1.6 },
  Sinh: { build: op.sinh, limit: 2, bound: Math.sinh },
  Cosh: { build: op.cosh, limit: 2, bound: Math.cosh },
  Asinh: { build: op.asinh },
  Acosh: { build: (x) => op.acosh(plus(positive(x), 1)), bound: (b) => b + 2 },
  Atanh: { build: op.atanh, limit: 0.8, bound: () => 1.1 },
  HardSigmoid: { build: (x) => op.hardSigmoid(x, { alpha: 0.3, beta: 0.4 }), bound: one },
  HardSwish: { build: op.hardSwish },
  SiLU: { build: op.silu },
  Softplus: { build: op.softplus, bound: (b) => b + 1 },
  Softsign: { build: op.softsign, bound: one },
  Mish: { build: op.mish },
  Gelu: { build: (x) => op.gelu(x) },
  "Gelu, by tanh": { build: (x) => op.gelu(x, "tanh") },
  LeakyRelu: { build: (x) => op.leakyRelu(x, 0.2) },
  Elu: { build: (x) => op.elu(x, 0.7) },
  Selu: { build: (x) => op.selu(x), bound: (b) => 2 * b },
  Celu: { build: (x) => op.celu(x, 1.3) },
  ThresholdedRelu: { build: (x) => op.thresholdedRelu(x, 0.3) },
  Shrink: { build: (x) => op.shrink(x, { lambd: 0.4, bias: 0.4 }) },
};

function unaryMoves(table: Readonly<Record<string, Unary>>, single: boolean): Move[] {
  return Object.entries(table).map(([name, { build, limit = 30, bound = (b: number) => b }]) => ({
    name,
    single,
    build: (net) => {
      const given = net.any();
      if (!given) return undefined;
      const x = net.within(given, limit);
      return net.drawn(build(x.value), bound(x.bound));
    },
  }));
}

/** A value and one that broadcasts to it, in either order. */
function pair(net: Net): [Drawn, Drawn] | undefined {
  const a = net.any();
  if (!a) return undefined;
  const b = net.operand(net.narrower(a.value.shape), a.value.shape);
  return net.chance(0.5) ? [a, b] : [b, a];
}

/** Up to three values that broadcast to the first. */
function several(net: Net): Drawn[] | undefined {
  const first = net.any();
  if (!first) return undefined;
  const others = Array.from({ length: net.between(0, 2) }, () =>
    net.operand(net.narrower(first.value.shape)),
  );
  return [first, ...others];
}

const largest = (operands: readonly Drawn[]) => Math.max(...operands.map(({ bound }) => bound));

function binary(name: string, build: (net: Net, a: Drawn, b: Drawn) => Drawn): Move {
  return {
    name,
    build: (net) => {
      const operands = pair(net);
      return operands && build(net, ...operands);
    },
  };
}

function variadic(name: string, build: (...values: Value[]) => Value, total = false, single = false): Move {
  return {
    name,
    single,
    build: (net) => {
      const operands = several(net);
      if (!operands) return undefined;
      const made = build(...operands.map(({ value }) => value));
      return net.drawn(made, largest(operands) * (total ? operands.length : 1));
    },
  };
}

const COMPARISONS = [op.greater, op.greaterOrEqual, op.less, op.lessOrEqual, op.equal];

/** A condition from comparisons, negated or joined at times. */
function condition(net: Net, a: Value, b: Value): Value {
  const first = net.choose(COMPARISONS)(a, b);
  if (net.chance(0.2)) return op.not(first);
  if (net.chance(0.7)) return first;
  return net.choose([op.and, op.or, op.xor])(first, net.choose(COMPARISONS)(b, op.scalar(b, 0.25)));
}

export const ELEMENTWISE: readonly Move[] = [
  ...unaryMoves(UNARY, false),
  ...unaryMoves(SINGLE, true),
  binary("Add", (net, a, b) => net.drawn(op.add(a.value, b.value), a.bound + b.bound)),
  binary("Sub", (net, a, b) => net.drawn(op.sub(a.value, b.value), a.bound + b.bound)),
  binary("Mul", (net, a, b) => net.drawn(op.mul(a.value, b.value), a.bound * b.bound)),
  binary("Div", (net, a, b) => net.drawn(op.div(a.value, positive(b.value)), 2 * a.bound)),
  binary("Pow", (net, a, b) => {
    const [base, exponent] = [net.within(a, 1.5), net.within(b, 2)];
    return net.drawn(op.pow(positive(base.value), exponent.value), 2.75 ** 2);
  }),
  binary("Pow, of a whole exponent", (net, a) => {
    const [x, exponent] = [net.within(a, 2), net.choose([0, 1, 2, 3])];
    return net.drawn(op.pow(x.value, op.scalar(x.value, exponent)), Math.max(1, x.bound ** exponent));
  }),
  binary("Mod", (net, a, b) => net.drawn(op.mod(a.value, positive(b.value)), a.bound)),
  binary("Where", (net, a, b) => {
    const by = net.operand(a.value.shape, b.value.shape);
    const chosen = op.where(condition(net, by.value, op.scalar(by.value, 0.1)), a.value, b.value);
    return net.drawn(chosen, largest([a, b]));
  }),
  binary("a mask", (net, a, b) =>
    net.drawn(op.mul(a.value, op.cast(condition(net, b.value, a.value), net.dtype)), a.bound),
  ),
  {
    name: "PRelu",
    single: true,
    build: (net) => {
      const x = net.any(({ value }) => value.rank > 0);
      if (!x) return undefined;
      const slope = net.leaf(net.narrower(x.value.shape));
      return net.drawn(op.prelu(x.value, slope.value), x.bound * slope.bound);
    },
  },
  {
    name: "Clip",
    build: (net) => {
      const x = net.any();
      if (!x) return undefined;
      const bound = () => (net.chance(0.3) ? null : net.operand([]));
      const [low, high] = [bound(), bound()];
      const made = op.clip(x.value, low?.value, high?.value);
      return net.drawn(made, largest([x, ...[low, high].flatMap((each) => each ?? [])]));
    },
  },
  variadic("Max", op.max),
  variadic("Min", op.min),
  variadic("Sum", op.sum, true),
  variadic("Mean", op.mean, false, true),
];
