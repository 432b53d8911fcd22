// What newer opsets have operators for, made of those of older ones.

import { Tensor } from "../base/tensor.ts";
import type { Graph, Value } from "../graph/graph.ts";
import {
  add,
  erf,
  geluOp,
  groupNormalizationOp,
  instanceNormalization,
  int64s,
  mishOp,
  mul,
  reshape,
  scalar,
  shapeOf,
  softplus,
  tanh,
} from "../ops/index.ts";
import { reshapeOp } from "../ops/reshape.ts";
import { type Replacement, rewrite } from "./rewrite.ts";

/** The graph without the operators that `opset` lacks and that others can be put together to. What is left, `writeOnnx` names. */
export function forOpset(graph: Graph, opset: number): Graph {
  const older: Replacement = (node, inputs) => {
    const [x] = inputs as [Value];
    if (node.operator.since <= opset) return undefined;
    if (node.operator === mishOp) return [mul(x, tanh(softplus(x)))];
    if (node.operator === geluOp) return [gelu(x, node.attributes.approximate === "tanh")];
    if (node.operator !== groupNormalizationOp) return undefined;
    const { num_groups: groups, epsilon = 1e-5 } = node.attributes as {
      num_groups: number;
      epsilon?: number;
    };
    return [groupNormalization(inputs as [Value, Value, Value], groups, epsilon)];
  };
  return rewrite(graph, older, { keepNames: true }).graph;
}

/** `x P(X <= x)` of a normal X, exactly or by a tanh: https://arxiv.org/abs/1606.08415. */
function gelu(x: Value, byTanh: boolean): Value {
  const half = mul(x, scalar(x, 0.5));
  if (!byTanh) return mul(half, add(erf(mul(x, scalar(x, Math.SQRT1_2))), scalar(x, 1)));
  const cubic = mul(mul(mul(x, x), x), scalar(x, 0.044715));
  const inner = mul(add(x, cubic), scalar(x, Math.sqrt(2 / Math.PI)));
  return mul(half, add(tanh(inner), scalar(x, 1)));
}

/** Each group as one channel, normalized by itself, then scaled and shifted channel by channel. */
function groupNormalization([x, scale, bias]: [Value, Value, Value], groups: number, epsilon: number): Value {
  const plain = (value: number) => x.graph.constant(Tensor.full([groups], value, x.dtype));
  const rows = reshapeOp.emit([x, int64s(x, [0, groups, -1])]).output;
  const normal = instanceNormalization(rows, plain(1), plain(0), epsilon);
  const back = reshapeOp.emit([normal, shapeOf(x)]).output;
  const perChannel = (value: Value) => reshape(value, [x.shape[1]!, ...x.shape.slice(2).map(() => 1)]);
  return add(mul(back, perChannel(scale)), perChannel(bias));
}
