// The network as programs run it: of kernels only the part that reads the input. Less is multiplied, differentiated and
// updated; everybody else sees whole kernels.

import type { Tensor } from "../base/tensor.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { type Crop, type Crops, cropKernels, findCrops } from "../transform/crop.ts";
import { keptName } from "./step.ts";
import { leavesUntouched } from "./update.ts";

/** A cropped tensor of the state, and what is around its part: the first of the state's, or this number. */
interface Part {
  readonly crop: Crop;
  readonly around: Tensor | number;
}

/** Which kernels programs have a part of, and their state both ways. */
export class CroppedState {
  readonly crops: Crops;
  readonly #parts = new Map<string, Part>();

  /**
   * Crops what training leaves as it is outside the part: no optimizer that changes weights without a gradient may be at
   * work, and none may have been.
   *
   * @param state whole tensors that training starts from, by name; what the optimizer keeps may be among them.
   * @param outputs what of the network is computed. Default: its outputs.
   */
  constructor(
    network: Graph,
    optimizer: Optimizer,
    state: ReadonlyMap<string, Tensor>,
    outputs: readonly Value[] = network.outputs,
  ) {
    const kept = Object.entries(optimizer.state);
    const untouched = ([name, crop]: [string, Crop]) =>
      kept.every(([key, value]) => {
        const found = state.get(keptName(name, key));
        return !found || crop.surroundedBy(value, found);
      });
    this.crops = new Map(
      leavesUntouched(optimizer) ? [...findCrops(network, outputs)].filter(untouched) : [],
    );
    for (const [name, crop] of this.crops) {
      const around = state.get(name);
      if (around) this.#parts.set(name, { crop, around });
      for (const [key, filling] of kept) this.#parts.set(keptName(name, key), { crop, around: filling });
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

/** A network with its state, cropped. */
export class CroppedNetwork extends CroppedState {
  readonly graph: Graph;
  /** The state that training starts from, as programs have it. */
  readonly initial: ReadonlyMap<string, Tensor>;

  constructor(network: Graph, optimizer: Optimizer, state: ReadonlyMap<string, Tensor>) {
    super(network, optimizer, state);
    this.initial = this.partsOf(state);
    this.graph = cropKernels(network, this.crops, this.initial);
  }
}
