// Models for an engine, by what it has.

import type { Engine } from "../engine/engine.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { writeOnnx } from "../onnx/write.ts";
import { narrowed } from "../transform/narrow.ts";

/**
 * The bytes of a model that computes outputs, for an engine: without float64 where that has none.
 *
 * @param fed whether parameters and buffers are inputs. Default: false, they are stored.
 */
export function encodeModel(
  { computesFloat64 = true }: Engine,
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  { fed = false } = {},
): Uint8Array {
  const run = computesFloat64 ? { graph, outputs } : narrowed(graph, outputs);
  const { parameters, buffers } = run.graph;
  return writeOnnx(run.graph, { outputs: run.outputs, ...(fed ? { fed: [...parameters, ...buffers] } : {}) });
}
