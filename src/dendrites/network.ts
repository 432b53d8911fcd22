// What dendrites need to know of a graph: which nodes run, who reads what, and which values carry data.

import { isFloat } from "../base/tensor.ts";
import { type Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import { constantOfShapeOp, shapeOp, sizeOp } from "../ops/index.ts";
import { type Users, usersOf } from "../transform/users.ts";

/**
 * What a value is to a dendrite: `weight` follows from parameters and buffers alone, so that a dendrite has its own; `data`
 * depends on numbers that the network is fed; `fixed` does not, such as constants, shapes and indices, and is shared.
 */
export type Role = "weight" | "data" | "fixed";

/** Operators whose outputs don't depend on the numbers that they read. */
const OF_SHAPES: readonly unknown[] = [shapeOp, sizeOp, constantOfShapeOp];

const RECURRENT: ReadonlySet<string> = new Set(["LSTM", "GRU", "RNN"]);

/** Whether a node runs over a sequence with a hidden state of its own. */
export function isRecurrent({ operator }: Node): boolean {
  return RECURRENT.has(operator.type);
}

/** What a dendrite's copy of a node reads: a recurrent one starts from a hidden state of zeros. */
export function readsOf(node: Node): readonly (Value | null)[] {
  return isRecurrent(node) ? node.inputs.slice(0, 5) : node.inputs;
}

/** A graph's nodes, those that only update buffers too, with what is known of them. */
export class Network {
  readonly graph: Graph;
  readonly nodes: readonly Node[];
  /** Who reads a value. */
  readonly users: Users;
  readonly #roles = new Map<Value, Role>();
  readonly #fed = new Map<Value, boolean>();

  constructor(graph: Graph) {
    this.graph = graph;
    this.nodes = nodesBehind([...graph.outputs, ...graph.updates.values()]);
    this.users = usersOf(graph, this.nodes);
  }

  /** The nodes of a module and of those in it. */
  members(id: string): Node[] {
    return this.nodes.filter(({ scope }) => isWithin(scope, id));
  }

  roleOf(value: Value): Role {
    const known = this.#roles.get(value);
    if (known) return known;
    const role = this.#roleOf(value);
    this.#roles.set(value, role);
    return role;
  }

  #roleOf({ kind, dtype, producer }: Value): Role {
    if (kind === "parameter" || kind === "buffer") return "weight";
    if (!producer) return kind === "input" && isFloat(dtype) ? "data" : "fixed";
    if (OF_SHAPES.includes(producer.operator)) return "fixed";
    const read = producer.inputs.filter((input) => input !== null);
    const roles = read.map((input) => this.roleOf(input));
    if (roles.includes("data")) return isFloat(dtype) ? "data" : "fixed";
    if (!roles.includes("weight")) return "fixed";
    // A row of weights that a fed index chooses is data, although the index is not.
    if (!read.some((input) => this.#isFed(input))) return "weight";
    return isFloat(dtype) ? "data" : "fixed";
  }

  /** Whether a value depends on numbers of any type that the network is fed, not on their shapes alone. */
  #isFed(value: Value): boolean {
    const known = this.#fed.get(value);
    if (known !== undefined) return known;
    const { kind, producer } = value;
    const fed = producer
      ? !OF_SHAPES.includes(producer.operator) && producer.inputs.some((input) => input && this.#isFed(input))
      : kind === "input";
    this.#fed.set(value, fed);
    return fed;
  }
}

/** Whether a scope is that of a module or of one in it. */
export function isWithin(scope: string, id: string): boolean {
  return scope === id || scope.startsWith(`${id}.`);
}
