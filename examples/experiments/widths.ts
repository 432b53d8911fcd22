// A wider network is a fair control of dendrites where it has as many parameters.

import { findSites, nn, type Value } from "../../src/index.ts";

/** A network of any width, and the input that it is for. */
export interface Family {
  readonly build: (width: number) => nn.Module;
  readonly inputs: nn.TraceOptions["inputs"];
}

/** The width that comes closest to the parameters that the network of `width` has with a dendrite on each neuron. */
export function widthWithAsMany({ build, inputs }: Family, width: number): number {
  const sizesOf = (at: number) => sizes(build(at), inputs);
  const wanted = sizesOf(width).grown;
  const miss = (at: number) => Math.abs(sizesOf(at).plain - wanted);
  let found = width;
  while (miss(found + 1) < miss(found)) found += 1;
  return found;
}

/** Numbers that a network learns, and those that it has with a dendrite on each neuron. */
function sizes(model: nn.Module, inputs: Family["inputs"]): { plain: number; grown: number } {
  const graph = nn.trace(model, { inputs });
  const count = (values: readonly Value[]) =>
    values.reduce((sum, { data: tensor }) => sum + tensor!.data.length, 0);
  const plain = count(graph.parameters);
  const dendrites = findSites(graph).map(({ parameters, channels }) => count(parameters) + channels);
  return { plain, grown: dendrites.reduce((sum, each) => sum + each, plain) };
}
