// The network as programs run it: of kernels only the part that reads the input. Less is multiplied, differentiated and
// updated; everybody else sees whole kernels.

import type { Tensor } from "../base/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { type Crop, cropKernels } from "../transform/crop.ts";
import { keptName } from "./step.ts";
import { leavesUntouched } from "./update.ts";

/** A cropped tensor of the state, and what is around its part: the first of the state's, or this number. */
interface Part {
  readonly crop: Crop;
  readonly around: Tensor | number;
}

/** A network with its state, cropped. */
export class CroppedNetwork {
  readonly graph: Graph;
  readonly #parts = new Map<string, Part>();

  /**
   * Crops what training leaves as it is outside the part: no optimizer that changes weights without a gradient may be at
   * work, and none may have been.
   *
   * @param state whole tensors that training starts from, by name; what the optimizer keeps may be among them.
   */
  constructor(network: Graph, optimizer: Optimizer, state: ReadonlyMap<string, Tensor>) {
    const kept = Object.entries(optimizer.state);
    const untouched = (name: string, crop: Crop) =>
      kept.every(([key, value]) => {
        const found = state.get(keptName(name, key));
        return !found || crop.surroundedBy(value, found);
      });
    const { graph, crops } = leavesUntouched(optimizer)
      ? cropKernels(network, untouched)
      : { graph: network, crops: new Map<string, Crop>() };
    this.graph = graph;
    for (const [name, crop] of crops) {
      this.#parts.set(name, { crop, around: state.get(name)! });
      for (const [key, around] of kept) this.#parts.set(keptName(name, key), { crop, around });
    }
  }

  /** Tensors by name as programs have them. */
  partsOf(whole: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    return new Map(
      [...whole].map(([name, tensor]) => [name, this.#parts.get(name)?.crop.partOf(tensor) ?? tensor]),
    );
  }

  /** Programs' tensors by name as everybody else has them. */
  wholeOf(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    return new Map(
      [...tensors].map(([name, tensor]) => {
        const part = this.#parts.get(name);
        return [name, part ? part.crop.around(tensor, part.around) : tensor];
      }),
    );
  }
}
