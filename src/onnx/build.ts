// Graphs from those of files, node by node.

import type { GraphProto, NodeProto } from "onnx-buf";
import { ArborizeError } from "../base/errors.ts";
import type { Tensor } from "../base/tensor.ts";
import { numbersOf } from "../graph/content.ts";
import { Graph, nodesBehind, type Value } from "../graph/graph.ts";
import { normalizesByBatch, updateStatistics } from "../ops/batch-norm.ts";
import { findOperator, isStandard } from "../ops/registry.ts";
import { identityOp } from "../ops/reshape.ts";
import { attributesOf, constantOf, expectKinds } from "./attributes.ts";
import type { ExternalData } from "./external.ts";
import { foldedOutputs } from "./fold.ts";
import { declareInputs, type Fixed } from "./inputs.ts";
import { ModuleFinder } from "./modules.ts";
import { declareInitializer, type Role, rolesOf } from "./roles.ts";
import { fromTensorProto } from "./tensor.ts";
import { isUpgraded, upgrade } from "./upgrade.ts";

function rejectUnknown(nodes: readonly NodeProto[]): void {
  const unknown = new Set(
    nodes
      .filter(({ opType, domain }) => !isKnown(opType, domain))
      .map(({ opType, domain }) => (domain === "" ? opType : `${domain}.${opType}`)),
  );
  if (unknown.size === 0) return;
  throw new ArborizeError(
    "unknown_operator",
    `it uses operators that are not supported: ${[...unknown].sort().join(", ")}.`,
  );
}

function isKnown(type: string, domain: string): boolean {
  if (findOperator(type, domain)) return true;
  return isStandard(domain) && (type === "Constant" || type === "If" || isUpgraded(type));
}

/** Where nodes are added: the graph, and what of it has which name in the file. */
interface Context {
  readonly graph: Graph;
  readonly opset: number;
  readonly values: Map<string, Value>;
  /** What initializers are, by name, where they are not learned. */
  readonly roles: ReadonlyMap<string, Role>;
  readonly external: ExternalData;
  readonly modules: ModuleFinder;
  /** Whether the nodes are those of the file's main graph, whose names are kept. */
  readonly outermost: boolean;
}

/** What else is needed to read a file. */
export interface BuildOptions extends Fixed {
  readonly opset: number;
  readonly external: ExternalData;
  /** Initializers that are not learned, by name. Default: none. */
  readonly fixed?: ReadonlySet<string>;
}

/** The graph of a file's main graph, or of a body, which reads nothing from outside of it. */
export function buildGraph(proto: GraphProto, options: BuildOptions): Graph {
  const names = proto.node.flatMap(({ output }) => output);
  const graph = new Graph({ name: proto.name || "network", reserved: names });
  const { opset, external } = options;
  const values = new Map<string, Value>();
  const modules = new ModuleFinder();
  const roles = rolesOf(proto, options.fixed);
  const context: Context = { graph, opset, external, values, roles, modules, outermost: true };
  declareInitializers(proto, context);
  const fed = proto.input.filter(({ name }) => !values.has(name));
  for (const [name, value] of declareInputs(graph, fed, options)) values.set(name, value);
  addNodes(proto.node, context);
  modules.describe(graph);
  for (const { name } of proto.output) {
    const value = values.get(name);
    if (!value) throw new ArborizeError("invalid_graph", `output "${name}" is not computed by any node.`);
    // What the file gives this name may be a value with a name of its own.
    graph.output(value.name === name ? value : graph.add(identityOp, [value], {}, [name]).output);
  }
  return graph;
}

function declareInitializers({ initializer }: GraphProto, { graph, values, roles, external }: Context): void {
  for (const proto of initializer) {
    const { name } = proto;
    values.set(name, declareInitializer(graph, name, fromTensorProto(proto, external), roles.get(name)));
  }
}

function addNodes(nodes: readonly NodeProto[], context: Context): void {
  rejectUnknown(nodes);
  for (const node of nodes) {
    const add = isStandard(node.domain) ? SPECIAL.get(node.opType) : undefined;
    if (add) add(node, context);
    else addNode(node, context);
  }
}

/** What becomes something else than a node. */
const SPECIAL: ReadonlyMap<string, (node: NodeProto, context: Context) => void> = new Map([
  ["Constant", addConstant],
  ["Identity", addAlias],
  ["If", addBranch],
]);

function addConstant(node: NodeProto, { graph, values }: Context): void {
  values.set(outputName(node), graph.constant(constantOf(node)));
}

/**
 * Exporters store equal initializers once and give them their other names by Identity. Numbers that are all the same, as
 * in fresh biases and running statistics, are equal by chance: these become values of their own. Others are tied.
 */
function addAlias(node: NodeProto, context: Context): void {
  const [input] = inputsOf(node, context.values);
  const name = outputName(node);
  const { graph, values, roles, outermost } = context;
  const stored = input?.kind === "parameter" || input?.kind === "buffer";
  const separate = stored && outermost && isUniform(input.data!);
  values.set(
    name,
    separate ? declareInitializer(graph, name, input.data!, roles.get(name)) : required(input, node),
  );
}

function isUniform({ data }: Tensor): boolean {
  const [first] = data;
  return (data as Float32Array).every((element) => element === first);
}

/** The nodes of the branch that is taken. */
function addBranch(node: NodeProto, context: Context): void {
  const condition = required(inputsOf(node, context.values)[0], node);
  const known = numbersOf(condition);
  if (!known) throw openCondition(node, condition);
  const which = known[0] ? "then_branch" : "else_branch";
  const branch = node.attribute.find(({ name }) => name === which)?.g;
  if (!branch) throw new ArborizeError("invalid_graph", `If "${node.name}" has no ${which}.`);
  const values = new Map(context.values);
  const inner: Context = { ...context, values, roles: rolesOf(branch), outermost: false };
  declareInitializers(branch, inner);
  addNodes(branch.node, inner);
  node.output.forEach((name, i) => {
    const value = values.get(branch.output[i]?.name ?? "");
    if (!value)
      throw new ArborizeError("invalid_graph", `${which} of If "${node.name}" does not compute "${name}".`);
    context.values.set(name, value);
  });
}

function openCondition(node: NodeProto, condition: Value): ArborizeError {
  const behind = new Set([condition, ...nodesBehind([condition]).flatMap(({ inputs }) => inputs)]);
  const inputs = [...behind].filter((value) => value?.kind === "input");
  return new ArborizeError(
    "invalid_graph",
    `If "${node.name}": its condition does not follow from the graph, but depends on ${inputs.join("; ")}. Fix an axis, readOnnx(…, { axes: { NAME: LENGTH } }), or an input, { inputs: { NAME: TENSOR } }.`,
  );
}

function outputName({ opType, name, output: [first] }: NodeProto): string {
  if (first) return first;
  throw new ArborizeError("invalid_graph", `${opType} "${name}" has no output.`);
}

function required(value: Value | null | undefined, { opType, name }: NodeProto): Value {
  if (value) return value;
  throw new ArborizeError("invalid_graph", `${opType} "${name}" has no input.`);
}

function inputsOf({ opType, name, input }: NodeProto, values: Context["values"]): (Value | null)[] {
  return input.map((read) => {
    if (read === "") return null;
    const value = values.get(read);
    if (value) return value;
    const problem = `${opType} "${name}" reads "${read}", which nothing before it computes.`;
    throw new ArborizeError("invalid_graph", problem);
  });
}

function addNode(proto: NodeProto, context: Context): void {
  const { graph, values, modules } = context;
  const inputs = inputsOf(proto, values);
  const scope = modules.scopeOf(proto, inputs);
  const outputs = graph.within(scope, () => {
    try {
      return addUpgraded(proto, inputs, context);
    } catch (error) {
      if (error instanceof ArborizeError) throw error;
      const given = inputs.map((input) => (input ? `${input}` : "none")).join("; ");
      const problem = `${proto.opType} "${proto.name}" does not take the inputs (${given}) that it has.`;
      throw new ArborizeError("invalid_graph", problem, { cause: error });
    }
  });
  const node = outputs[0]?.producer;
  if (node && normalizesByBatch(node)) updateStatistics(node);
  outputs.forEach((output, i) => {
    if (proto.output[i]) values.set(proto.output[i], output);
  });
}

function addUpgraded(
  { opType, domain, output, ...proto }: NodeProto,
  given: readonly (Value | null)[],
  { graph, opset, external, outermost }: Context,
): readonly Value[] {
  const attributes = attributesOf(proto.attribute, (body) => buildGraph(body, { opset, external }));
  const old = { type: opType, domain, inputs: given, attributes, outputs: output };
  const { type, inputs, outputs, ...node } = upgrade(old, opset);
  const operator = findOperator(type, node.domain)!;
  expectKinds(operator, node.attributes);
  const names = outermost ? outputs.map((name) => name || undefined) : [];
  return (
    foldedOutputs(graph, operator, inputs, node.attributes) ??
    graph.add(operator, inputs, node.attributes, names).outputs
  );
}
