// .onnx bytes to graphs.

import { fromBinary } from "@bufbuild/protobuf";
import { type ModelProto, ModelProtoSchema } from "onnx-buf";
import { ArborizeError } from "../base/errors.ts";
import type { Graph } from "../graph/graph.ts";
import { isStandard } from "../ops/registry.ts";
import { buildGraph } from "./build.ts";
import { ExternalData, type ReadExternal } from "./external.ts";
import type { Fixed } from "./inputs.ts";
import { rolesIn } from "./roles.ts";
import { OPSET } from "./write.ts";

/** The oldest opset that is read. */
const OLDEST_OPSET = 7;
/** The newest opset that is read. */
const NEWEST_OPSET = 23;

/** A model read from a file. */
export interface OnnxModel {
  readonly graph: Graph;
  /** Key-value pairs that the file's producer kept in it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Options of `readOnnx`. */
export interface ReadOptions extends Fixed {
  /** What error messages call the file. Default: "model.onnx". */
  readonly name?: string | undefined;
  /** How to read what the model keeps in other files. Default: such models are refused. */
  readonly external?: ReadExternal | undefined;
}

/**
 * Reads an ONNX model (opsets 7 to 23) as a graph.
 *
 * Floating initializers with at least one axis become parameters, under their own names; scalars, integers, the outputs of
 * Constant nodes and what operators read as settings (the scales of Resize) are constants; the running statistics of a
 * BatchNormalization are buffers, which training updates if the node is in training mode. A node whose weight is called
 * `fc1.weight` belongs to the module `fc1`; where weights have made-up names, the path in the node's name tells.
 *
 * An `If` whose condition follows from the graph becomes the branch that it takes; where it depends on the length of an axis
 * or on an input, `axes` and `inputs` can fix these.
 *
 * @throws `bad_file` when the bytes are damaged, `unknown_operator` listing every operator that is not known,
 *   `shape_mismatch` and others when the graph is not sound.
 */
export function readOnnx(bytes: Uint8Array, options: ReadOptions = {}): OnnxModel {
  const { name = "model.onnx", external, ...fixed } = options;
  const model = decode(bytes, name);
  const proto = model.graph;
  if (!proto) throw new ArborizeError("bad_file", `"${name}" holds no graph: it is not an ONNX model.`);
  const opset = Number(model.opsetImport.find(({ domain }) => isStandard(domain))?.version ?? 0);
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
    throw new ArborizeError(
      "bad_file",
      `"${name}" uses ONNX opset ${opset}; opsets ${OLDEST_OPSET} to ${NEWEST_OPSET} can be read. Export it again for opset ${OPSET}.`,
    );
  }
  try {
    const facts = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
    const { fixed: kept, metadata } = rolesIn(facts);
    const build = { ...fixed, opset, external: new ExternalData(external), fixed: kept };
    return { graph: buildGraph(proto, build), metadata };
  } catch (error) {
    const code = error instanceof ArborizeError ? error.code : "bad_file";
    throw new ArborizeError(code, `"${name}": ${(error as Error).message}`, { cause: error });
  }
}

function decode(bytes: Uint8Array, name: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new ArborizeError(
      "bad_file",
      `"${name}" cannot be decoded as an ONNX model (${bytes.length} bytes): it is truncated, damaged or something else. ${(error as Error).message}.`,
      { cause: error },
    );
  }
}
