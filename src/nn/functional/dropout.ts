// What is left out at random in training. In evaluation all of these are `x` itself.

import { Tensor } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import { isStaticShape, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";

function expectProbability(p: number): void {
  expectShape(p >= 0 && p < 1, () => `Dropout's p must be at least 0 and below 1, it is ${p}`);
}

/** Elements set to zero with probability `p` in training and the others scaled by 1 / (1 - p); `x` in evaluation. */
export function dropout(x: Value, p = 0.5): Value {
  expectProbability(p);
  return p === 0 ? x : op.dropout(x, p);
}

/** Whole channels of `[B, C, L]` set to zero with probability `p` in training, the others scaled by 1 / (1 - p). */
export function dropout1d(x: Value, p = 0.5): Value {
  return channelsDropped(1, x, p);
}

/** Whole channels of `[B, C, H, W]` set to zero with probability `p` in training, the others scaled by 1 / (1 - p). */
export function dropout2d(x: Value, p = 0.5): Value {
  return channelsDropped(2, x, p);
}

/** Whole channels of `[B, C, D, H, W]` set to zero with probability `p` in training, the others scaled by 1 / (1 - p). */
export function dropout3d(x: Value, p = 0.5): Value {
  return channelsDropped(3, x, p);
}

function channelsDropped(rank: number, x: Value, p: number): Value {
  expectProbability(p);
  expectShape(
    x.rank === rank + 2,
    () => `it drops channels of ${rank} spatial axes, its input is ${shapeText(x.shape)}`,
  );
  return p === 0 ? x : op.mul(x, op.dropout(onePerChannel(x), p));
}

/** Ones, `[B, C, 1, ...]`: masks are drawn in the shape of what is dropped. */
function onePerChannel(x: Value): Value {
  const [batch, channels, ...places] = x.shape;
  const shape = [batch!, channels!, ...places.map(() => 1)];
  if (isStaticShape(shape)) return x.graph.constant(Tensor.full(shape, 1, x.dtype));
  const vector = op.concat(
    [
      op.shapeOf(x, 0, 2),
      op.int64s(
        x,
        places.map(() => 1),
      ),
    ],
    0,
  );
  return op.constantOfShapeOp.emit([vector], { value: Tensor.full([1], 1, x.dtype) }).output;
}

/** What SELU tends to for small numbers: minus its scale times its alpha. */
const SATURATED = -1.7580993408473766;

/**
 * Elements set to what SELU saturates at with probability `p` in training, then all moved and scaled so that mean 0 and
 * variance 1 stay (Klambauer et al. 2017).
 */
export function alphaDropout(x: Value, p = 0.5): Value {
  expectProbability(p);
  if (p === 0) return x;
  // 0 or 1 / (1 - p) in training, 1 in evaluation.
  const kept = op.dropout(op.fullLike(x, 1), p);
  const scale = 1 / Math.sqrt((SATURATED ** 2 * p + 1) * (1 - p));
  const share = op.mul(kept, op.scalar(x, 1 - p));
  const number = (value: number) => op.scalar(x, value);
  // a (x m + s (1 - m)) + b, with b = -a s p.
  const filled = op.add(op.mul(op.sub(x, number(SATURATED)), share), number(SATURATED * (1 - p)));
  return op.where(op.equal(kept, number(1)), x, op.mul(filled, number(scale)));
}
