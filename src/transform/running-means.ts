// Running means of many values as one. A step of ResNet-18 with dendrites updates a hundred vectors of running statistics, each by
// three operators on a few hundred numbers: what the runtime takes to start those is most of their time.

import type { Graph, Value } from "../graph/graph.ts";
import { sameShape } from "../graph/shape.ts";
import { add, addOp, concat, mul, mulOp, split } from "../ops/index.ts";

/** A buffer that becomes `kept * buffer + share * batch`, with two scalars. */
interface RunningMean {
  readonly buffer: Value;
  readonly batch: Value;
  readonly kept: Value;
  readonly share: Value;
}

/** Makes updates of vectors by the same running mean parts of one, over all of them end to end. Each comes to the same bits. */
export function joinRunningMeans(graph: Graph): void {
  const groups = new Map<string, RunningMean[]>();
  for (const [buffer, next] of graph.updates) {
    const mean = runningMean(buffer, next);
    if (!mean) continue;
    const key = `${mean.kept.name} ${mean.share.name}`;
    groups.set(key, [...(groups.get(key) ?? []), mean]);
  }
  for (const group of groups.values()) {
    const [{ kept, share }] = group as [RunningMean];
    if (group.length === 1) continue;
    const end = (values: Value[]) => concat(values, 0);
    const before = end(group.map(({ buffer }) => buffer));
    const batch = end(group.map((mean) => mean.batch));
    const lengths = group.map(({ buffer }) => buffer.shape[0] as number);
    split(add(mul(before, kept), mul(batch, share)), lengths, 0).forEach((next, i) => {
      graph.update(group[i]!.buffer, next);
    });
  }
}

function runningMean(buffer: Value, { producer }: Value): RunningMean | null {
  if (buffer.rank !== 1 || producer?.operator !== addOp) return null;
  const [first, second] = producer.inputs.map((input) => input?.producer);
  if (first?.operator !== mulOp || second?.operator !== mulOp) return null;
  const [before, kept] = first.inputs as [Value, Value];
  const [batch, share] = second.inputs as [Value, Value];
  const alike = before === buffer && sameShape(batch.shape, buffer.shape);
  const fits = alike && [kept, share].every(({ rank }) => rank === 0);
  return fits ? { buffer, batch, kept, share } : null;
}
