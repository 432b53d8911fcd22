// A network as a file for others.

import { ArborizeError } from "../base/errors.ts";
import { sizeOf } from "../base/tensor.ts";
import { dendritesOf } from "../dendrites/detach.ts";
import type { Engine } from "../engine/engine.ts";
import type { Graph } from "../graph/graph.ts";
import { OPSET, writeOnnx } from "../onnx/write.ts";
import { cleanForm } from "../transform/clean.ts";
import { evaluationForm } from "../transform/mode.ts";
import { forOpset } from "../transform/opset.ts";

/**
 * How a network is exported. Its export throws `bad_option` for an opset that is not written, and `unsupported_attribute`
 * naming the operators that an older one lacks.
 */
export interface ExportOptions {
  /**
   * The least graph that computes the same: neurons and dendrites that read the same input as one wide product, constants
   * folded. It cannot grow any more. Default: false, which keeps modules and dendrites apart, so that `readOnnx` can take the
   * file up again.
   */
  readonly clean?: boolean;
  /** Multiplies batch normalizations into the weights before them; needs `clean`. Default: false. */
  readonly foldBatchNorm?: boolean;
  /** The opset of the file, 17 to 21. Default: 21. */
  readonly opset?: number;
}

/** The bytes of an ONNX model of a network, with what grew on it as metadata beside `metadata`. */
export async function encodeNetwork(
  network: Graph,
  engine: Engine,
  { clean = false, foldBatchNorm = false, opset = OPSET }: ExportOptions,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  if (foldBatchNorm && !clean) {
    throw new ArborizeError(
      "bad_option",
      "foldBatchNorm changes modules, so that the file cannot grow any more: it needs clean as well.",
    );
  }
  const form = clean
    ? await cleanForm(network, engine, { foldBatchNorm })
    : evaluationForm(network, { keepNames: true }).graph;
  const facts = { ...metadata, ...factsOf(network, metadata, clean) };
  return writeOnnx(forOpset(form, opset), { metadata: facts, opset });
}

/** What grew. Of a clean file, only its own metadata knows. */
function factsOf(
  network: Graph,
  metadata: Readonly<Record<string, string>>,
  clean: boolean,
): Record<string, string> {
  if (metadata["arborize.form"] === "clean") return {};
  const { counts, activation } = dendritesOf(network);
  const different = new Set(counts.values());
  return {
    // One number for all modules, or one for each, in their order.
    "arborize.dendrites": [...(different.size > 1 ? counts.values() : different)].join(" ") || "0",
    "arborize.sites": [...counts.keys()].join(" "),
    ...(activation ? { "arborize.activation": activation } : {}),
    "arborize.parameters": `${network.parameters.reduce((sum, { data }) => sum + sizeOf(data!.shape), 0)}`,
    "arborize.form": clean ? "clean" : "growable",
  };
}
