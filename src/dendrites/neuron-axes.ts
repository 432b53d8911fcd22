// Which rows of a module's weights belong to one neuron, so that dendrites can be chosen for each neuron.

import type { Node, Value } from "../graph/graph.ts";
import {
  addOp,
  batchNormalizationOp,
  convOp,
  gemmOp,
  identityOp,
  matMulOp,
  mulOp,
  subOp,
  transposeOp,
} from "../ops/index.ts";
import type { Site } from "./site.ts";

/** Where a module keeps what belongs to each neuron. */
export interface NeuronAxes {
  /** The axis that enumerates neurons, by the name that a parameter or buffer has in the module. */
  readonly axes: ReadonlyMap<string, number>;
  /** The network's parameter that is added to each neuron at the end, by its name; null where there is none. */
  readonly bias: string | null;
}

/** Operators of several inputs that act on each element. */
const ELEMENTWISE: readonly unknown[] = [addOp, subOp, mulOp];

/**
 * The axes of a module each of whose neurons depends on its own rows of the weights alone, as for a Linear, a convolution, or one
 * with batch normalization; null where neurons depend on each other's weights.
 */
export function neuronAxes(site: Site): NeuronAxes | null {
  const inside = new Set(site.nodes);
  const axes = new Map<string, number>();
  // A fixed buffer is the same to all.
  const isState = (value: Value) => site.names.has(value);
  const note = (value: Value | null | undefined, axis: number): boolean => {
    if (!value || !isState(value)) return true;
    const name = site.names.get(value)!;
    const known = axes.get(name);
    axes.set(name, axis);
    return known === undefined || known === axis;
  };
  // Whether what a neuron computes from `value`, whose axis of neurons is `axis`, depends on rows of its own alone.
  const follow = (value: Value | null | undefined, axis: number): boolean => {
    if (!value || value.kind === "constant" || (value.kind === "buffer" && !isState(value))) return true;
    if (isState(value)) return value.rank === 0 ? false : note(value, axis);
    const node = value.producer;
    if (!node || !inside.has(node)) return dependsOnNothing(value, inside, isState);
    const [x, w, b] = node.inputs;
    const last = value.rank - 1;
    switch (node.operator) {
      case convOp:
        return axis === 1 && free(x, inside, isState) && follow(w, 0) && follow(b, 0);
      case gemmOp:
        return (
          axis === 1 && free(x, inside, isState) && follow(w, node.attributes.transB ? 0 : 1) && alongLast(b)
        );
      case matMulOp:
        return axis === last && free(x, inside, isState) && (w!.rank > 1 ? follow(w, w!.rank - 1) : false);
      case batchNormalizationOp:
        return axis === 1 && follow(x, 1) && node.inputs.slice(1).every((each) => follow(each, 0));
      case identityOp:
        return follow(x, axis);
      case transposeOp: {
        const order = node.attributes.perm as readonly number[] | undefined;
        return follow(x, order ? order[axis]! : last - axis);
      }
      default:
        if (!ELEMENTWISE.includes(node.operator)) return false;
        return node.inputs.every((each) => broadcast(each!, axis, value.rank));
    }
  };
  const alongLast = (value: Value | null | undefined) => !value || follow(value, value.rank - 1);
  const broadcast = (value: Value, axis: number, rank: number): boolean => {
    const own = axis - (rank - value.rank);
    if (value.kind === "constant" || (value.kind === "buffer" && !isState(value))) return true;
    return own >= 0 && (!isState(value) || value.shape[own] === site.channels) && follow(value, own);
  };
  if (!follow(site.output, site.channelAxis)) return null;
  const bias = biasOf(site.output.producer!);
  return { axes, bias: bias && site.names.has(bias) ? bias.name : null };
}

/** Whether no weight of the module has a part in a value: what all neurons share. */
function free(
  value: Value | null | undefined,
  inside: ReadonlySet<Node>,
  isState: (value: Value) => boolean,
): boolean {
  return !value || (!isState(value) && dependsOnNothing(value, inside, isState));
}

function dependsOnNothing(
  value: Value,
  inside: ReadonlySet<Node>,
  isState: (value: Value) => boolean,
): boolean {
  const { producer } = value;
  if (!producer || !inside.has(producer)) return true;
  return producer.inputs.every((input) => free(input, inside, isState));
}

/** What the last node of a module adds to each neuron. */
function biasOf({ operator, inputs }: Node): Value | null {
  if (operator === addOp) return inputs.find((input) => input?.kind === "parameter") ?? null;
  const at = [convOp, gemmOp, batchNormalizationOp].some((each) => each === operator) ? 2 : -1;
  const bias = inputs[at];
  return bias?.kind === "parameter" ? bias : null;
}
