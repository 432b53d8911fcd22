// Where dendrites can grow: the modules of a graph, and for each whether it takes dendrites and why not.

import { isFloat } from "../base/tensor.ts";
import { type Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import { isStatic, shapeText } from "../graph/shape.ts";

/** A module that dendrites can grow on: the nodes between one input and one output. */
export interface Site {
  /** The module's scope, such as `layer1.0.conv1`. */
  readonly id: string;
  /** The module's class, such as `Conv2d`. */
  readonly type: string;
  /** What the module computes with, in topological order. A dendrite copies them. */
  readonly nodes: readonly Node[];
  /** What the module reads, and its dendrites with it. */
  readonly input: Value;
  /** What the module computes, and its dendrites add to. */
  readonly output: Value;
  /**
   * The module's own parameters, in the order of the graph, frozen ones too. A dendrite has weights of its own in their
   * shapes, which learn.
   */
  readonly parameters: readonly Value[];
  /** The axis of the output that enumerates neurons. */
  readonly channelAxis: number;
  /** How many neurons there are. */
  readonly channels: number;
}

/** What was found of one module. */
export type Verdict =
  | { readonly id: string; readonly type: string; readonly site: Site }
  | { readonly id: string; readonly type: string; readonly site: null; readonly reason: string };

/** The classes of modules that grow dendrites when nothing else is asked for. */
export const DEFAULT_TYPES: readonly string[] = ["Linear", "Conv1d", "Conv2d", "Conv3d"];

/** Why what lies in no module takes no dendrites: they are named after their module. */
const UNNAMED = "it is the whole network, not a module in it; put its layers in fields, or in nn.Sequential";

/** The verdict on every module with parameters of its own, in the order of the graph. */
export function inspectModules(graph: Graph, types: readonly string[] = DEFAULT_TYPES): Verdict[] {
  const nodes = nodesBehind(graph.outputs);
  const users = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) if (input) users.set(input, [...(users.get(input) ?? []), node]);
  }
  const scopes = new Map<string, Node[]>();
  for (const node of nodes) scopes.set(node.scope, [...(scopes.get(node.scope) ?? []), node]);
  return [...scopes].flatMap(([id, inside]): Verdict[] => {
    const parameters = [...graph.parameters, ...graph.buffers].filter((weight) =>
      inside.some((node) => node.inputs.includes(weight)),
    );
    if (parameters.length === 0) return [];
    if (id === "") return [{ id, type: graph.name, site: null, reason: UNNAMED }];
    const type = graph.modules.get(id)?.type ?? inside[0]!.operator.type;
    if (!types.includes(type))
      return [{ id, type, site: null, reason: `${type} is not among the types that grow` }];
    const calls = graph.modules.get(id)?.calls ?? 1;
    if (calls > 1) {
      const reason = `it is called ${calls} times, a dendrite needs a module that is called once`;
      return [{ id, type, site: null, reason }];
    }
    const found = boundary(graph, inside, users, type);
    if (typeof found === "string") return [{ id, type, site: null, reason: found }];
    return [{ id, type, site: { id, type, nodes: inside, parameters, ...found } }];
  });
}

/** The sites of a graph, in its order. */
export function findSites(graph: Graph, types: readonly string[] = DEFAULT_TYPES): Site[] {
  return inspectModules(graph, types).flatMap(({ site }) => (site ? [site] : []));
}

/** The one value that a group of nodes reads and the one that others read of it, or why there is not one of each. */
function boundary(graph: Graph, inside: readonly Node[], users: ReadonlyMap<Value, Node[]>, type: string) {
  const own = new Set<Value>(inside.flatMap((node) => node.outputs));
  const read = new Set(
    inside.flatMap((node) => node.inputs.filter((input) => input && !own.has(input) && isData(input))),
  ) as Set<Value>;
  const produced = [...own].filter(
    (value) => graph.outputs.includes(value) || users.get(value)?.some((user) => !inside.includes(user)),
  );
  const [input, secondInput] = read;
  const [output, secondOutput] = produced;
  if (!input || secondInput) return `it reads ${read.size} values, a dendrite needs exactly one`;
  if (!output || secondOutput) {
    return `it has ${produced.length} outputs, a dendrite needs exactly one`;
  }
  const channelAxis = type === "Linear" ? output.rank - 1 : 1;
  const channels = output.shape[channelAxis];
  if (channels === undefined || !isStatic(channels)) {
    return `its output ${shapeText(output.shape)} has no axis of neurons of a known length`;
  }
  return { input, output, channelAxis, channels };
}

function isData(value: Value): boolean {
  return (value.kind === "input" || value.kind === "result") && isFloat(value.dtype);
}
