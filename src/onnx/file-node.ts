import type { Value } from "../graph/graph.ts";
import type { Attributes } from "../graph/operator.ts";

/** A node as a file has it, with its inputs found. */
export interface FileNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  /** The names of its outputs, empty for those that are left out. */
  readonly outputs: readonly string[];
}
