// A network as it is used and no longer trained.

import type { Engine } from "../engine/engine.ts";
import type { Graph } from "../graph/graph.ts";
import { foldStored } from "./fold.ts";
import { foldBatchNorms } from "./fold-batch-norm.ts";
import { evaluationForm } from "./mode.ts";
import { fuseSiblings } from "./siblings.ts";

/**
 * The least graph that computes a network's outputs: in its evaluation form, what does not depend on inputs computed (on
 * `engine`), neurons and dendrites that read the same input one wide product, and on request normalizations in the weights
 * before them. Weights that nothing changed keep their names.
 */
export async function cleanForm(
  network: Graph,
  engine: Engine,
  { foldBatchNorm = false } = {},
): Promise<Graph> {
  const folded = await foldStored(evaluationForm(network).graph, engine);
  const plain = foldBatchNorm ? await foldStored(foldBatchNorms(folded), engine) : folded;
  return foldStored(fuseSiblings(plain), engine);
}
