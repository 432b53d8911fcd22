// The training step as one graph: forward, loss, gradients and update, with everything learned going in and coming out.

import type { DType } from "../base/tensor.ts";
import { type Graph, nodesBehind, type Value } from "../graph/graph.ts";
import type { Shape } from "../graph/shape.ts";
import type { Loss } from "../nn/losses.ts";
import { writeOnnx } from "../onnx/write.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { channelMajor } from "../transform/channel-major.ts";
import { gradients } from "../transform/gradient.ts";
import { type Mask, trainingForm } from "../transform/mode.ts";
import { rewrite } from "../transform/rewrite.ts";
import { reluAfterMaxPool } from "../transform/simplify.ts";

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

/** A tensor that goes from step to step, input `name` and output `name.next`: a parameter, what the optimizer keeps of it, a buffer. */
export interface StateEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** What optimizer state is filled with when the optimizer starts afresh; null for parameters and buffers. */
  readonly initial: number | null;
}

/** A training step, ready to be compiled. Its other inputs are the optimizer's knobs, scalars `knob.NAME`. */
export interface TrainStep {
  readonly model: Uint8Array;
  readonly feeds: readonly Feed[];
  readonly masks: readonly MaskFeed[];
  readonly state: readonly StateEntry[];
}

/** The name of the output that holds the next value of a state entry. */
export function nextOf(name: string): string {
  return `${name}.next`;
}

/** The name under which the target is fed. */
export const TARGET = "target";

/**
 * Appends the loss, its gradients and the optimizer's update to the training form of a network. The loss is the output
 * `loss`. Parameters that do not influence the loss are left out: they stay as they are. Buffers that training does not
 * update are stored in the model.
 */
export function buildTrainStep(network: Graph, loss: Loss, optimizer: Optimizer): TrainStep {
  const masks: Mask[] = [];
  const graph = channelMajor(rewrite(network, reluAfterMaxPool).graph, trainingForm(masks));
  const lossValue = appendLoss(graph, loss);
  const read = new Set(nodesBehind([lossValue]).flatMap((node) => node.inputs));
  const parameters = graph.parameters.filter((parameter) => read.has(parameter));
  const grads = gradients(lossValue, parameters);

  const knobs = Object.fromEntries(
    Object.keys(optimizer.knobs(1, 1)).map((name) => [name, graph.input(`knob.${name}`, "float32", [])]),
  );
  const outputs = new Map<string, Value>([["loss", lossValue]]);
  const state: StateEntry[] = [];
  parameters.forEach((parameter, i) => {
    const type = { shape: parameter.data!.shape, dtype: parameter.dtype };
    const own = Object.entries(optimizer.state).map(([name, initial]) => {
      const full = `optimizer.${parameter.name}.${name}`;
      return { name, full, initial, value: graph.input(full, parameter.dtype, parameter.shape) };
    });
    const update = graph.within(`optimizer.${parameter.name}`, () =>
      optimizer.update(
        parameter,
        grads[i]!,
        Object.fromEntries(own.map(({ name, value }) => [name, value])),
        knobs,
      ),
    );
    outputs.set(nextOf(parameter.name), update.parameter);
    state.push({ name: parameter.name, initial: null, ...type });
    for (const { name, full, initial } of own) {
      outputs.set(nextOf(full), update.state[name]!);
      state.push({ name: full, initial, ...type });
    }
  });
  for (const [{ name, dtype, data }, next] of graph.updates) {
    outputs.set(nextOf(name), next);
    state.push({ name, initial: null, shape: data!.shape, dtype });
  }
  return {
    model: writeOnnx(graph, { outputs, fed: [...parameters, ...graph.updates.keys()] }),
    feeds: dataFeeds(graph, network, loss),
    masks: masks.map(({ input, p }) => ({ name: input.name, p, shape: input.shape })),
    state,
  };
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
