// The training step as one graph: forward, loss, gradients and, where the engine has no better way, the update.

import type { DType } from "../base/tensor.ts";
import type { ElementwiseProgram } from "../engine/wasm/elementwise.ts";
import { Arena } from "../engine/wasm/memory.ts";
import { type Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import { isStaticShape, type Shape, staticShape } from "../graph/shape.ts";
import type { Loss } from "../nn/losses.ts";
import { writeOnnx } from "../onnx/write.ts";
import { gatherOp, mul, reshapeOp } from "../ops/index.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { channelMajor } from "../transform/channel-major.ts";
import { gradients } from "../transform/gradient.ts";
import { type Mask, trainingForm } from "../transform/mode.ts";
import { comparePools } from "../transform/pool-taps.ts";
import { rewrite } from "../transform/rewrite.ts";
import { joinRunningMeans } from "../transform/running-means.ts";
import { reluAfterMaxPool } from "../transform/simplify.ts";
import { knobInputs, knobNames, updateBytes, updateProgram } from "./update.ts";

/** A value that a program is fed: batch data or the target. */
export interface Feed {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Of classes: how many there are. */
  readonly classes?: number;
  /** A class that is none. */
  readonly ignored?: number;
}

/** A mask that is drawn for every step. */
export interface MaskFeed {
  readonly name: string;
  /** The probability of dropping an element. */
  readonly p: number;
  readonly shape: Shape;
}

/** A tensor that goes from step to step: a parameter, what the optimizer keeps of it, a buffer. */
export interface StateEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** What optimizer state is filled with when the optimizer starts afresh; null for parameters and buffers. */
  readonly initial: number | null;
}

/** How the model gives the gradient of a parameter. */
export type GradientOutput =
  /** Whole, as this output; its elements in order, in this shape. */
  | { readonly whole: string; readonly shape: readonly number[] }
  /** As cotangents of the rows that were looked up, and the rows' indices: all else is zero. */
  | { readonly lookups: readonly { readonly indices: string; readonly cotangents: string }[] };

/** An update that is done when the model has run. */
export interface UpdatePlan {
  /** Its arrays are the parameter, its gradient, what the optimizer keeps and the updated parameter, its scalars the knobs. */
  readonly program: ElementwiseProgram;
  /** Whether it changes nothing where the gradient is zero. */
  readonly sparse: boolean;
  readonly knobs: readonly string[];
  readonly parameters: readonly {
    readonly entry: StateEntry;
    readonly kept: readonly StateEntry[];
    readonly gradient: GradientOutput;
  }[];
}

/** A training step, ready to be compiled. Where the model does the update, knobs are its inputs `knob.NAME`. */
export interface TrainStep {
  readonly model: Uint8Array;
  readonly feeds: readonly Feed[];
  readonly masks: readonly MaskFeed[];
  /** Outputs that a run gives beside the loss. */
  readonly measures: readonly string[];
  /** What the model reads as `NAME` and gives the next value of as `NAME.next`. */
  readonly state: readonly StateEntry[];
  /** What is updated in place after the model has run; null where the model does it all. */
  readonly update: UpdatePlan | null;
}

/** The name of the output that holds the next value of a state entry. */
export function nextOf(name: string): string {
  return `${name}.next`;
}

/** The name under which the target is fed. */
export const TARGET = "target";

/**
 * Appends the loss and its gradients to the training form of a network, and the optimizer's update unless it can be done in
 * place. The loss is the output `loss`. Parameters that do not influence the loss are left out: they stay as they are.
 * Buffers that training does not update are stored in the model.
 *
 * @param inPlace whether the engine leaves tensors where an update in place can be done. Default: false.
 * @param indexesMaxima whether the engine's MaxPool says where maxima are. Default: true.
 */
export function buildTrainStep(
  network: Graph,
  loss: Loss,
  optimizer: Optimizer,
  { inPlace = false, indexesMaxima = true } = {},
): TrainStep {
  const masks: Mask[] = [];
  const graph = channelMajor(rewrite(network, reluAfterMaxPool).graph, trainingForm(masks));
  comparePools(graph, { indexesMaxima });
  return assembleStep(graph, {
    loss: appendLoss(graph, loss),
    optimizer,
    inPlace,
    feeds: dataFeeds(graph, network, loss),
    masks,
  });
}

/** What makes a step of a graph that computes a loss. */
export interface StepParts {
  readonly loss: Value;
  /** What is minimised. Default: the loss. */
  readonly objective?: Value;
  readonly optimizer: Optimizer;
  readonly inPlace: boolean;
  readonly feeds: readonly Feed[];
  readonly masks: readonly Mask[];
  /** What else a run tells, by name. Default: nothing. */
  readonly measures?: ReadonlyMap<string, Value>;
  /** What gradients are multiplied with before the update, by a parameter's name. Default: nothing. */
  readonly scales?: ReadonlyMap<string, Value>;
}

/** Appends gradients and updates of the graph's parameters, and writes the whole. */
export function assembleStep(graph: Graph, parts: StepParts): TrainStep {
  const { loss, objective = loss, optimizer, inPlace, feeds, masks } = parts;
  const { measures = new Map<string, Value>(), scales = new Map<string, Value>() } = parts;
  const behind = nodesBehind([objective]);
  const read = new Set(behind.flatMap((node) => node.inputs));
  const parameters = graph.parameters.filter((parameter) => read.has(parameter));
  const program = inPlace ? updateInPlace(optimizer, parameters) : null;

  const outputs = new Map<string, Value>([["loss", loss], ...measures]);
  const state: StateEntry[] = [];
  let update: UpdatePlan | null = null;
  if (program) {
    const given = gradientOutputs(objective, parameters, behind, scales, outputs);
    update = {
      program,
      sparse: optimizer.sparse ?? false,
      knobs: knobNames(optimizer),
      parameters: parameters.map((parameter, i) => {
        const [entry, ...kept] = entriesOf(parameter, optimizer);
        return { entry: entry!, kept, gradient: given[i]! };
      }),
    };
  } else {
    appendUpdates(graph, objective, parameters, optimizer, scales, outputs);
    state.push(...parameters.flatMap((parameter) => entriesOf(parameter, optimizer)));
  }
  joinRunningMeans(graph);
  for (const [{ name, dtype, data }, next] of graph.updates) {
    outputs.set(nextOf(name), next);
    state.push({ name, initial: null, shape: data!.shape, dtype });
  }
  return {
    model: writeOnnx(graph, { outputs, fed: [...parameters, ...graph.updates.keys()] }),
    feeds,
    masks: masks.map(({ input, p }) => ({ name: input.name, p, shape: input.shape })),
    measures: [...measures.keys()],
    state,
    update,
  };
}

/** The update as a program, where these parameters can be updated by one. */
function updateInPlace(optimizer: Optimizer, parameters: readonly Value[]): ElementwiseProgram | null {
  if (parameters.some(({ dtype }) => dtype !== "float32")) return null;
  const program = updateProgram(optimizer);
  if (!program) return null;
  const shapes = parameters.map(({ data }) => data!.shape);
  return Arena.fits(updateBytes(shapes, program.arrays)) ? program : null;
}

/** A parameter and what the optimizer keeps of it, in the optimizer's order. */
function entriesOf({ name, data, dtype }: Value, optimizer: Optimizer): StateEntry[] {
  const type = { shape: data!.shape, dtype };
  const kept = Object.entries(optimizer.state).map(([key, initial]) => ({
    name: keptName(name, key),
    initial,
    ...type,
  }));
  return [{ name, initial: null, ...type }, ...kept];
}

/** What the optimizer keeps of a parameter under `key`. */
export function keptName(parameter: string, key: string): string {
  return `optimizer.${parameter}.${key}`;
}

/** Appends the update of every parameter. */
function appendUpdates(
  graph: Graph,
  loss: Value,
  parameters: readonly Value[],
  optimizer: Optimizer,
  scales: ReadonlyMap<string, Value>,
  outputs: Map<string, Value>,
): void {
  const grads = gradients(loss, parameters).map((gradient, i) => scaled(gradient, parameters[i]!, scales));
  const knobs = knobInputs(graph, optimizer);
  parameters.forEach((parameter, i) => {
    const { name, dtype, shape } = parameter;
    const own = Object.fromEntries(
      Object.keys(optimizer.state).map((key) => [key, graph.input(keptName(name, key), dtype, shape)]),
    );
    const update = graph.within(`optimizer.${name}`, () =>
      optimizer.update(parameter, grads[i]!, own, knobs),
    );
    outputs.set(nextOf(name), update.parameter);
    for (const key of Object.keys(own)) outputs.set(nextOf(keptName(name, key)), update.state[key]!);
  });
}

/** Appends the gradients as outputs: of a table that is only looked up in, those of the rows alone. */
function gradientOutputs(
  loss: Value,
  parameters: readonly Value[],
  behind: readonly Node[],
  scales: ReadonlyMap<string, Value>,
  outputs: Map<string, Value>,
): GradientOutput[] {
  const lookups = parameters.map((parameter) => {
    if (scales.has(parameter.name)) return null;
    const users = behind.filter((node) => node.inputs.includes(parameter));
    return users.every((node) => isLookup(node, parameter)) ? users : null;
  });
  const wrt = parameters.flatMap((parameter, i) => lookups[i]?.map(({ output }) => output) ?? [parameter]);
  const grads = new Map(gradients(loss, wrt).map((gradient, i) => [wrt[i]!, gradient]));
  return parameters.map((parameter, i): GradientOutput => {
    const { name } = parameter;
    const users = lookups[i];
    if (!users) {
      const gradient = withoutReshape(scaled(grads.get(parameter)!, parameter, scales));
      outputs.set(`gradient.${name}`, gradient);
      return { whole: `gradient.${name}`, shape: staticShape(gradient) };
    }
    return {
      lookups: users.map(({ inputs, output }, j) => {
        const names = { indices: `indices.${name}.${j}`, cotangents: `gradient.${name}.${j}` };
        outputs.set(names.indices, inputs[1]!);
        outputs.set(names.cotangents, grads.get(output)!);
        return names;
      }),
    };
  });
}

function scaled(gradient: Value, { name }: Value, scales: ReadonlyMap<string, Value>): Value {
  const scale = scales.get(name);
  return scale ? mul(gradient, scale) : gradient;
}

/** A value before it was only given another shape, which would be a copy where it is an output. */
function withoutReshape(value: Value): Value {
  const { producer } = value;
  if (producer?.operator !== reshapeOp || !isStaticShape(producer.inputs[0]!.shape)) return value;
  return withoutReshape(producer.inputs[0]!);
}

/** Whether a node looks rows up in a parameter. */
function isLookup({ operator, attributes, inputs }: Node, parameter: Value): boolean {
  const along = attributes.axis ?? 0;
  return operator === gatherOp && along === 0 && inputs[0] === parameter && inputs[1]!.dtype === "int64";
}

/** Appends a loss on the graph's first output; its target becomes an input. */
export function appendLoss(graph: Graph, loss: Loss): Value {
  const output = graph.outputs[0]!;
  const { dtype, shape } = loss.target(output);
  return graph.within("loss", () => loss.compute(output, graph.input(TARGET, dtype, shape)));
}

/** What a batch must hold: the network's inputs, and the target where there is a loss. */
export function dataFeeds(graph: Graph, network: Graph, loss: Loss | null): Feed[] {
  const feeds: Feed[] = network.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  return loss ? [...feeds, { name: TARGET, ...loss.target(graph.outputs[0]!) }] : feeds;
}
