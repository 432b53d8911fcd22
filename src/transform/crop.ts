// Kernels of convolutions without the places that never read anything but padding: on a map of one place a 3x3 kernel is a
// 1x1 kernel, with eight of nine weights multiplied by zero whatever the input is.

import { allocate, Tensor } from "../base/tensor.ts";
import { type Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import { convOp } from "../ops/index.ts";
import { readsOf, type Window, windows } from "../ops/window.ts";
import { type Replacement, rewrite } from "./rewrite.ts";
import { usersOf } from "./users.ts";

/** What is left of a kernel along one spatial axis. */
interface Extent {
  readonly start: number;
  readonly length: number;
}

/** The part of a kernel that reads the input. */
export class Crop {
  /** Along each spatial axis. */
  readonly extents: readonly Extent[];
  /** Shape of the whole tensor, of the part, and where in each whole kernel the part's elements are. */
  readonly #whole: readonly number[];
  readonly #part: readonly number[];
  readonly #places: readonly number[];

  /** @param shape `[M, C, *kernel]`. */
  constructor(shape: readonly number[], extents: readonly Extent[]) {
    const kernel = shape.slice(2);
    this.extents = extents;
    this.#whole = shape;
    this.#part = [...shape.slice(0, 2), ...extents.map(({ length }) => length)];
    this.#places = extents.reduce(
      (places, { start, length }, axis) =>
        places.flatMap((place) => Array.from({ length }, (_, tap) => place * kernel[axis]! + start + tap)),
      [0],
    );
  }

  /** The part of a tensor, as a copy. */
  partOf({ dtype, data }: Tensor): Tensor {
    const kernels = this.#whole[0]! * this.#whole[1]!;
    const part = allocate(dtype, kernels * this.#places.length);
    this.#each((from, to) => {
      part[to] = data[from]!;
    });
    return new Tensor(dtype, this.#part, part);
  }

  /** A copy of `whole`, or of a tensor of one value, with this part. */
  around(part: Tensor, whole: Tensor | number): Tensor {
    const copy = typeof whole === "number" ? Tensor.full(this.#whole, whole, part.dtype) : whole.clone();
    this.#each((to, from) => {
      copy.data[to] = part.data[from]!;
    });
    return copy;
  }

  /** Whether all elements outside the part are `value`, as their type has it. */
  surroundedBy(value: number, { data, dtype }: Tensor): boolean {
    const wanted = Tensor.full([], value, dtype).data[0];
    const size = data.length / (this.#whole[0]! * this.#whole[1]!);
    const outside = Array.from({ length: size }, (_, place) => place).filter(
      (place) => !this.#places.includes(place),
    );
    for (let kernel = 0; kernel < data.length; kernel += size) {
      for (const place of outside) if (data[kernel + place] !== wanted) return false;
    }
    return true;
  }

  #each(visit: (whole: number, part: number) => void): void {
    const [kernels, places] = [this.#whole[0]! * this.#whole[1]!, this.#places];
    const size = this.#whole.slice(2).reduce((product, length) => product * length, 1);
    for (let kernel = 0, part = 0, whole = 0; kernel < kernels; kernel++, whole += size) {
      for (const place of places) visit(whole + place, part++);
    }
  }
}

/** Parts of kernels by name. */
export type Crops = ReadonlyMap<string, Crop>;

/**
 * What of the kernels of convolutions reads the input. Stored weights that anything else reads too are not among them.
 *
 * @param outputs what is computed. Default: the graph's outputs.
 */
export function findCrops(network: Graph, outputs: readonly Value[] = network.outputs): Crops {
  const users = usersOf(network, nodesBehind(outputs));
  const updated = new Set([...network.updates].flat());
  const crops = new Map<string, Crop>();
  for (const weight of [...network.parameters, ...network.buffers]) {
    const crop = updated.has(weight) ? null : cropOf(weight, users.get(weight) ?? []);
    if (crop) crops.set(weight.name, crop);
  }
  return crops;
}

/** The parts of the values that a network has. */
export function partsIn(network: Graph, crops: Crops): Map<string, Tensor> {
  const { state } = network;
  return new Map([...crops].map(([name, crop]) => [name, crop.partOf(state.get(name)!)]));
}

/** Convolutions with parts of their kernels, which compute the same. For `rewrite`, with the values of `partsIn`. */
export function withParts(crops: Crops): Replacement {
  return (node, inputs, target) => {
    const crop = node.operator === convOp && crops.get(node.inputs[1]!.name);
    if (!crop) return undefined;
    const over = windowsOf(node);
    const starts = over.map(({ before, dilation }, i) => before - crop.extents[i]!.start * dilation);
    const ends = over.map(({ after, dilation, kernel }, i) => {
      const { start, length } = crop.extents[i]!;
      return after - (kernel - start - length) * dilation;
    });
    const kernel_shape = crop.extents.map(({ length }) => length);
    const attributes = { ...node.attributes, auto_pad: "NOTSET", kernel_shape, pads: [...starts, ...ends] };
    return target.graph.add(convOp, inputs, attributes, target.namesOf(node)).outputs;
  };
}

/** A network with parts of its kernels. `values`: at least those of `partsIn`, by name. */
export function cropKernels(
  network: Graph,
  crops: Crops,
  values: ReadonlyMap<string, Tensor> = partsIn(network, crops),
): Graph {
  return crops.size === 0 ? network : rewrite(network, withParts(crops), { values, keepNames: true }).graph;
}

/** What is left of a weight that convolutions read alike; null where that is all of it, or anything else reads it. */
function cropOf(weight: Value, users: readonly (Node | null)[]): Crop | null {
  if (weight.rank < 3) return null;
  const extents = users.map((user) => {
    const isKernel =
      user?.operator === convOp && user.inputs.every((input, i) => input !== weight || i === 1);
    return isKernel ? windowsOf(user).map(extentOf) : null;
  });
  const [first] = extents;
  if (!first || extents.some((others) => JSON.stringify(others) !== JSON.stringify(first))) return null;
  const shape = weight.data!.shape;
  return first.every(({ length }, i) => length === shape[i + 2]) ? null : new Crop(shape, first);
}

function windowsOf({ inputs: [x, w], attributes }: Node): Window[] {
  return windows(x!.shape, w!.data!.shape.slice(2), attributes);
}

/** What is left of a kernel along an axis: no more is cut off than is padded. */
function extentOf(window: Window): Extent {
  const { kernel, dilation, before, after } = window;
  const live = readsOf(window).map((elements) => elements.some((element) => element !== null));
  // A convolution of nothing but padding keeps its kernel.
  const first = Math.max(0, live.indexOf(true));
  const last = live.includes(true) ? live.lastIndexOf(true) : kernel - 1;
  const start = Math.min(first, Math.floor(before / dilation));
  const end = Math.min(kernel - 1 - last, Math.floor(after / dilation));
  return { start, length: kernel - start - end };
}
