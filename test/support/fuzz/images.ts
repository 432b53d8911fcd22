// Moves of images and signals: convolutions and pools.

import type { Value } from "../../../src/graph/graph.ts";
import { isStatic } from "../../../src/graph/shape.ts";
import * as op from "../../../src/ops/index.ts";
import { type Drawn, type Move, type Net, positive } from "./net.ts";

/** `[B, C, *places]` of one or two known axes of places: a value of the net or a new one. */
function image(net: Net): Drawn {
  const fits = ({ value }: Drawn) =>
    (value.rank === 3 || value.rank === 4) && value.shape.slice(1).every(isStatic);
  const found = net.chance(0.8) ? net.any(fits) : undefined;
  if (found) return found;
  const places = Array.from({ length: net.between(1, 2) }, () => net.between(3, 5));
  return net.leaf([net.shape(1)[0]!, net.between(1, 4), ...places]);
}

/** Windows that fit: one number for each axis of places. */
function windows(net: Net, x: Value) {
  const places = x.shape.slice(2) as number[];
  const kernel_shape = places.map((length) => net.between(1, Math.min(3, length)));
  const strides = places.map(() => net.choose([1, 1, 2, 3]));
  const dilations = places.map((length, i) =>
    kernel_shape[i]! > 1 && (kernel_shape[i]! - 1) * 2 < length && net.chance(0.3) ? 2 : 1,
  );
  const auto = net.chance(0.2) ? net.choose(["VALID", "SAME_UPPER", "SAME_LOWER"] as const) : undefined;
  const side = () => kernel_shape.map((length) => (net.chance(0.4) ? net.between(0, length - 1) : 0));
  const padding = auto ? { auto_pad: auto } : { pads: [...side(), ...side()] };
  return { kernel_shape, strides, dilations, ...padding };
}

const area = (lengths: readonly number[]) => lengths.reduce((a, b) => a * b, 1);

function convolution(net: Net): Drawn | undefined {
  const x = image(net);
  const channels = x.value.shape[1] as number;
  const { kernel_shape, ...options } = windows(net, x.value);
  const group = net.choose([1, 1, channels, 2].filter((count) => channels % count === 0));
  const outputs = group * net.between(1, 2);
  const w = net.operand([outputs, channels / group, ...kernel_shape]);
  const b = net.chance(0.5) ? net.operand([outputs]) : null;
  const made = op.conv(x.value, w.value, b?.value, { ...options, group });
  const count = (channels / group) * area(kernel_shape);
  return net.small(made.shape) ? net.drawn(made, x.bound * w.bound * count + (b?.bound ?? 0)) : undefined;
}

function transposedConvolution(net: Net): Drawn | undefined {
  const x = image(net);
  const channels = x.value.shape[1] as number;
  const { kernel_shape, strides, dilations } = windows(net, x.value);
  const group = net.choose([1, 1, channels]);
  const outputs = net.between(1, 2);
  const w = net.operand([channels, outputs, ...kernel_shape]);
  const b = net.chance(0.5) ? net.operand([outputs * group]) : null;
  const output_padding = strides.map((stride) => (stride > 1 && net.chance(0.4) ? 1 : 0));
  const made = op.convTranspose(x.value, w.value, b?.value, { strides, dilations, group, output_padding });
  const count = (channels / group) * area(kernel_shape);
  return net.small(made.shape) ? net.drawn(made, x.bound * w.bound * count + (b?.bound ?? 0)) : undefined;
}

function pooling(name: string, build: (net: Net, x: Value) => Value, single: boolean, growth = 1): Move {
  return {
    name,
    single,
    build: (net) => {
      const x = image(net);
      return net.drawn(build(net, x.value), x.bound * growth);
    },
  };
}

/**
 * Windows of a pool. The runtime's shape inference is wrong where a partial window counts on one axis and one that starts
 * beyond the input does not on another, so only those over one axis have them.
 */
function poolWindows(net: Net, x: Value) {
  const made = windows(net, x);
  return { ...made, ceil_mode: x.rank === 3 && "pads" in made && net.chance(0.4) ? 1 : 0 };
}

export const IMAGES: readonly Move[] = [
  { name: "Conv", single: true, build: convolution },
  { name: "ConvTranspose", single: true, build: transposedConvolution },
  pooling("MaxPool", (net, x) => op.maxPool(x, poolWindows(net, x)), false),
  pooling(
    "AveragePool",
    (net, x) => op.averagePool(x, { ...poolWindows(net, x), count_include_pad: net.random.integer(2) }),
    true,
  ),
  pooling(
    "LpPool",
    (net, x) => op.lpPool(positive(x), { ...windows(net, x), p: net.between(1, 3) }),
    true,
    9 * 30,
  ),
  pooling("GlobalAveragePool", (_, x) => op.globalAveragePool(x), true),
  pooling("GlobalMaxPool", (_, x) => op.globalMaxPool(x), true),
  pooling("GlobalLpPool", (net, x) => op.globalLpPool(positive(x), net.between(1, 3)), true, 9 * 30),
  pooling("LRN", (_, x) => (x.rank === 4 ? op.lrn(x, 3, { alpha: 0.6, bias: 2 }) : op.tanh(x)), true),
];
