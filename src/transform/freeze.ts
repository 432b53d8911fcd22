// What of a network training leaves as it is, and which batch normalizations go by the batch.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import { matcher } from "../base/patterns.ts";
import type { Graph } from "../graph/graph.ts";
import { batchNormalizationOp, statisticsOf, updateStatistics } from "../ops/index.ts";
import { rewrite } from "./rewrite.ts";

/** What `freeze` changes. */
export interface FreezeOptions {
  /**
   * Names of parameters and buffers that training leaves as they are, such as `"encoder.layer.0.*"`; `*` stands for any
   * text. A batch normalization whose running statistics are frozen goes by them in training too. Dendrites learn, also
   * on frozen layers. Default: none.
   */
  readonly freeze?: readonly string[];
  /**
   * Which batch normalizations go by the batch in training and update their running statistics: "train" all of them,
   * "freeze" none. Default: as the model says.
   */
  readonly batchNorm?: "train" | "freeze";
}

/**
 * The network with fewer parameters, and its batch normalizations in the mode that is asked for.
 *
 * @throws `bad_option` naming a pattern that fits no parameter or buffer.
 */
export function freezeState(network: Graph, { freeze = [], batchNorm }: FreezeOptions): Graph {
  if (freeze.length === 0 && !batchNorm) return network;
  const names = [...network.state.keys()];
  const patterns = freeze.map(matcher);
  const idle = freeze.find((_, i) => !names.some((name) => patterns[i]!(name)));
  if (idle !== undefined) {
    throw new ArborizeError(
      "bad_option",
      `Nothing in "${network.name}" is called "${idle}", so freeze has nothing to do there.${didYouMean(idle, names)}`,
    );
  }
  const isFrozen = (name: string) => patterns.some((pattern) => pattern(name));
  const { graph } = rewrite(
    network,
    (node, inputs, target) => {
      if (node.operator !== batchNormalizationOp) return undefined;
      const kept = statisticsOf(node.inputs).some(
        (value) => value?.kind === "buffer" && isFrozen(value.name),
      );
      const asked = batchNorm ? batchNorm === "train" : node.attributes.training_mode === 1;
      const trains = asked && !kept;
      const attributes = { ...node.attributes, training_mode: trains ? 1 : 0 };
      const made = target.graph.add(node.operator, inputs, attributes, target.namesOf(node));
      if (trains) updateStatistics(made);
      return trains ? made.outputs : [made.output, ...statisticsOf(inputs).map((value) => value!)];
    },
    { freeze: ({ name }) => isFrozen(name), keepNames: true },
  );
  return graph;
}
