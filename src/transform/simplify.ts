// Rewrites that leave every value and gradient as it is and make the training graph cheaper. For `rewrite`.

import { maxPoolOp, relu, reluOp } from "../ops/index.ts";
import type { Replacement } from "./rewrite.ts";

/**
 * `maxPool(relu(x))` becomes `relu(maxPool(x))`, which works on the pooled size. A window whose maximum is not positive gets
 * no gradient either way, and in any other the same element wins.
 */
export const reluAfterMaxPool: Replacement = (node, [pooled], { graph }) => {
  const before = pooled?.producer;
  if (node.operator !== maxPoolOp || before?.operator !== reluOp) return undefined;
  return [relu(graph.add(maxPoolOp, before.inputs, node.attributes).output)];
};
