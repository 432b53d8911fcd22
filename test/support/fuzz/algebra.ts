// Moves of sums: reductions, running totals, products of matrices, normalizations, softmaxes and losses.

import type { Value } from "../../../src/graph/graph.ts";
import { isStatic, type Shape } from "../../../src/graph/shape.ts";
import * as op from "../../../src/ops/index.ts";
import { staticAxis } from "./movement.ts";
import { type Drawn, type Move, type Net, plus, positive } from "./net.ts";

const axesOf = (x: Value) => x.shape.map((_, axis) => axis);
const elements = ({ shape }: Drawn) => shape.reduce((a, b) => a * b, 1);

type Reduce = (x: Value, axes?: readonly number[], options?: { keepDims?: boolean }) => Value;

function reduction(
  name: string,
  reduce: Reduce,
  bound: (bound: number, count: number) => number,
  prepare: (net: Net, x: Drawn) => Drawn = (_, x) => x,
): Move {
  return {
    name,
    build: (net) => {
      const given = net.any();
      if (!given) return undefined;
      const x = prepare(net, given);
      const some = net.some(axesOf(x.value)).map((axis) => (net.chance(0.3) ? axis - x.value.rank : axis));
      const axes = net.chance(0.15) || x.value.rank === 0 ? undefined : some;
      const made = net.drawn(reduce(x.value, axes, { keepDims: net.chance(0.5) }), 1);
      return { ...made, bound: bound(x.bound, elements(x) / elements(made)) };
    },
  };
}

const total = (bound: number, count: number) => bound * count;
const same = (bound: number) => bound;

const REDUCTIONS: readonly Move[] = [
  reduction("ReduceSum", op.reduceSum, total),
  reduction("ReduceMean", op.reduceMean, same),
  reduction("ReduceMax", op.reduceMax, same),
  reduction("ReduceMin", op.reduceMin, same),
  reduction(
    "ReduceProd",
    op.reduceProd,
    () => 4,
    (net, x) => net.within(x, Math.max(0.5, Math.min(2, 4 ** (1 / elements(x))))),
  ),
  reduction("ReduceL1", op.reduceL1, total),
  reduction("ReduceL2", op.reduceL2, total),
  reduction(
    "ReduceLogSum",
    op.reduceLogSum,
    (bound, count) => Math.max(0.7, Math.log(bound * count)),
    (net, x) => net.drawn(positive(x.value), x.bound ** 2 + 0.5),
  ),
  reduction("ReduceLogSumExp", op.reduceLogSumExp, (bound, count) => bound + Math.log(count)),
  reduction("ReduceSumSquare", op.reduceSumSquare, (bound, count) => bound ** 2 * count),
];

/** A move of one value of at least `rank` axes. */
function ofOne(
  name: string,
  rank: number,
  bound: (x: Drawn) => number,
  build: (net: Net, x: Value) => Value,
): Move {
  return {
    name,
    build: (net) => {
      const x = net.any(({ value }) => value.rank >= rank);
      return x && net.drawn(build(net, x.value), bound(x));
    },
  };
}

const anyAxis = (net: Net, x: Value) => net.between(-x.rank, x.rank - 1);

const LAST_TWO: readonly Move[] = [
  {
    name: "MatMul",
    build: (net) => {
      const a = net.any(({ value }) => value.rank > 0);
      if (!a) return undefined;
      const inner = a.value.shape.at(-1)!;
      const batch = a.value.rank > 2 ? net.narrower(a.value.shape.slice(0, -2)) : [];
      const [columns] = net.shape(1);
      const wide = a.value.rank === 2 && net.chance(0.3) ? [net.between(2, 3)] : [];
      const b = net.operand(net.chance(0.2) ? [inner] : [...batch, ...wide, inner, columns!]);
      if (!net.small([...a.value.shape, columns!])) return undefined;
      return net.drawn(op.matMul(a.value, b.value), a.bound * b.bound * a.shape.at(-1)!);
    },
  },
  {
    name: "MatMul, by its transpose",
    build: (net) => {
      const a = net.any(({ value }) => value.rank >= 2);
      if (!a) return undefined;
      const made = op.matMul(op.transposeLast(a.value), a.value);
      return net.small(made.shape) ? net.drawn(made, a.bound ** 2 * a.shape.at(-2)!) : undefined;
    },
  },
  {
    name: "Gemm",
    build: (net) => {
      const a = net.any(({ value }) => value.rank === 2) ?? net.leaf(net.shape(2));
      const [transA, transB] = [net.chance(0.5), net.chance(0.5)];
      const [rows, inner] = transA ? [...a.value.shape].reverse() : a.value.shape;
      const [columns] = net.shape(1);
      const b = net.operand(transB ? [columns!, inner!] : [inner!, columns!]);
      const c = net.chance(0.3) ? null : net.operand(net.narrower([rows!, columns!]));
      const [alpha, beta] = [net.choose([undefined, 0.5]), net.choose([undefined, -1.5])];
      const made = op.gemm(a.value, b.value, c?.value, {
        transA,
        transB,
        ...(alpha === undefined ? {} : { alpha }),
        ...(beta === undefined ? {} : { beta }),
      });
      const length = net.resolve([inner!])[0]!;
      return net.drawn(made, a.bound * b.bound * length + 1.5 * (c?.bound ?? 0));
    },
  },
];

/** An equation of two operands: the first has the axes of a value, some of which both have. */
function einsum(net: Net): Drawn | undefined {
  const a = net.any(({ value }) => value.rank > 0 && value.rank <= 4);
  if (!a) return undefined;
  const labels = [..."ijkl"].slice(0, a.value.rank);
  const lengths = new Map(labels.map((label, axis) => [label, a.value.shape[axis]!]));
  if (net.chance(0.25)) {
    const left = net.some(labels);
    const kept = [...net.random.permutation(left.length)].map((i) => left[i]);
    return net.drawn(op.einsum(`${labels.join("")}->${kept.join("")}`, a.value), a.bound * elements(a));
  }
  const shared = net.some(labels);
  lengths.set("m", net.shape(1)[0]!);
  const second = net.chance(0.7) ? [...shared, "m"] : shared;
  const mixed = [...net.random.permutation(second.length)].map((i) => second[i]!);
  const b = net.operand(mixed.map((label) => lengths.get(label)!));
  const output = net.some([...new Set([...labels, ...mixed])]);
  if (!net.small([...lengths.values()])) return undefined;
  const made = op.einsum(`${labels.join("")},${mixed.join("")}->${output.join("")}`, a.value, b.value);
  return net.drawn(made, a.bound * b.bound * Math.max(elements(a), elements(b)));
}

/** A value with known channels on axis 1, and values for each channel. */
function perChannel(net: Net, rank: number, count: number): [Drawn, ...Drawn[]] | undefined {
  const x = net.any(({ value }) => value.rank >= rank && isStatic(value.shape[1]!));
  if (!x) return undefined;
  return [x, ...Array.from({ length: count }, () => net.operand([x.value.shape[1]!]))];
}

const NORMALIZATIONS: readonly Move[] = [
  ofOne(
    "Softmax",
    1,
    () => 1,
    (net, x) => op.softmax(x, anyAxis(net, x)),
  ),
  ofOne(
    "LogSoftmax",
    1,
    (x) => 2 * x.bound + 4,
    (net, x) => op.logSoftmax(x, anyAxis(net, x)),
  ),
  {
    ...ofOne(
      "Hardmax",
      1,
      (x) => x.bound,
      (net, x) => op.mul(x, op.hardmax(x, anyAxis(net, x))),
    ),
    single: true,
  },
  ofOne(
    "LpNormalization",
    1,
    () => 1,
    (net, x) => op.lpNormalization(plus(op.mul(x, x), 0.5), { axis: anyAxis(net, x), p: net.choose([1, 2]) }),
  ),
  {
    name: "LayerNormalization",
    single: true,
    build: (net) => {
      const x = net.any(({ value }) => value.rank > 0);
      if (!x) return undefined;
      const axis = net.random.integer(x.value.rank);
      const own = x.value.shape.slice(axis);
      const scale = net.operand(own);
      const bias = net.chance(0.5) ? net.operand(own) : null;
      const made = op.layerNormalization(x.value, scale.value, bias?.value, { axis, epsilon: 0.1 });
      return net.drawn(made, 4 * scale.bound + (bias?.bound ?? 0));
    },
  },
  {
    name: "RMSNormalization",
    build: (net) => {
      const x = net.any(({ value }) => value.rank > 0);
      if (!x) return undefined;
      const axis = net.random.integer(x.value.rank);
      const scale = net.chance(0.7) ? net.operand(x.value.shape.slice(axis)) : null;
      const made = op.rmsNorm(x.value, scale?.value, { axis, epsilon: 0.1 });
      return net.drawn(made, 4 * (scale?.bound ?? 1));
    },
  },
  {
    name: "BatchNormalization",
    build: (net) => {
      const [x, scale, bias, mean, variance] = perChannel(net, 2, 4) ?? [];
      if (!x) return undefined;
      const spread = positive(variance!.value);
      const made = op.batchNormalization(x.value, scale!.value, bias!.value, mean!.value, spread, 0.1);
      return net.drawn(made, (x.bound + mean!.bound) * scale!.bound * 1.3 + bias!.bound);
    },
  },
  {
    name: "BatchNormalization, by the batch",
    build: (net) => {
      const [x, scale, bias] = perChannel(net, 2, 2) ?? [];
      if (!x) return undefined;
      const { y, mean, variance } = op.batchNormTraining(x.value, scale!.value, bias!.value, 0.1);
      const drawn = net.drawn(y, 4 * scale!.bound + bias!.bound);
      if (net.chance(0.7)) return drawn;
      return [drawn, net.drawn(mean, x.bound), net.drawn(variance, x.bound ** 2)];
    },
  },
  {
    name: "GroupNormalization",
    single: true,
    build: (net) => {
      const [x, scale, bias] = perChannel(net, 3, 2) ?? [];
      if (!x) return undefined;
      const channels = x.value.shape[1] as number;
      const groups = net.choose([1, 2, 3, channels].filter((count) => channels % count === 0));
      const made = op.groupNormalization(x.value, scale!.value, bias!.value, groups, 0.1);
      return net.drawn(made, 4 * scale!.bound + bias!.bound);
    },
  },
  {
    name: "InstanceNormalization",
    single: true,
    build: (net) => {
      const [x, scale, bias] = perChannel(net, 3, 2) ?? [];
      if (!x) return undefined;
      const made = op.instanceNormalization(x.value, scale!.value, bias!.value, 0.1);
      return net.drawn(made, 4 * scale!.bound + bias!.bound);
    },
  },
];

function classLoss(net: Net): Drawn | readonly Drawn[] | undefined {
  const x = net.any(({ value }) => value.rank >= 2 && isStatic(value.shape[1]!));
  if (!x) return undefined;
  const classes = x.value.shape[1] as number;
  const shape: Shape = x.value.shape.filter((_, axis) => axis !== 1);
  const labels = net.integers(shape, () => net.random.integer(classes));
  const weights = net.chance(0.5) ? positive(net.operand([classes]).value) : null;
  const options = {
    reduction: net.choose(["mean", "sum", "none"] as const),
    ...(classes > 2 && net.chance(0.3) ? { ignore_index: 0 } : {}),
  };
  const counted = {
    ...options,
    reduction: options.ignore_index === 0 ? ("sum" as const) : options.reduction,
  };
  const bound = (2 * x.bound + 4) * (weights ? 5 : 1) * (counted.reduction === "sum" ? elements(x) : 1);
  if (net.chance(0.5)) {
    const logs = op.logSoftmax(x.value, 1);
    return net.drawn(op.negativeLogLikelihoodLoss(logs, labels, weights, counted), bound);
  }
  return net.drawn(op.softmaxCrossEntropyLoss(x.value, labels, weights, counted), bound);
}

export const ALGEBRA: readonly Move[] = [
  ...REDUCTIONS,
  ofOne(
    "CumSum",
    1,
    (x) => x.bound * Math.max(...x.shape),
    (net, x) => op.cumSum(x, anyAxis(net, x), { exclusive: net.chance(0.3), reverse: net.chance(0.5) }),
  ),
  ...LAST_TWO,
  { name: "Einsum", build: einsum },
  ...NORMALIZATIONS,
  { name: "a loss of classes", single: true, build: classLoss },
  {
    name: "MeanVarianceNormalization",
    single: true,
    build: (net) => {
      const x = net.any(({ value }) => staticAxis(net, value, 3) !== undefined);
      if (!x) return undefined;
      const axes = axesOf(x.value).filter((axis) => (x.shape[axis] ?? 0) > 2);
      // Equal elements have no deviation to divide by.
      const uneven = op.add(net.within(x, 1).value, net.leaf(x.value.shape).value);
      return net.drawn(op.meanVarianceNormalization(uneven, axes), 6);
    },
  },
];
