// State dicts of PerforatedAI's library for PyTorch under the names used here, and back.
// There a module M keeps its own tensors in M.main_module, dendrite J's in M.dendrite_module.layers.J, the weights from earlier
// dendrites to J in M.dendrite_module.dendrites_to_dendrites.J, and those from K dendrites to the neuron in
// M.dendrites_to_top.(K-1); what else is there, the forward does not read.

import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { shapeText } from "../graph/shape.ts";

type StateDict = ReadonlyMap<string, Tensor>;

/** A state dict of the original, read. */
export interface PerforatedState {
  /** Dendrites on each module. */
  readonly dendrites: number;
  /** The modules that can have dendrites, by path. */
  readonly modules: readonly string[];
  /** Those of them that are a PAISequential there, and an `nn.Block` here. */
  readonly blocks: readonly string[];
  /** All that the network computes with, under the names that `arborize` takes as `state`. */
  readonly stateDict: StateDict;
  /**
   * What it does not compute with, under the original's names: templates, older output weights, counters, the tracker.
   * `toPerforatedAI` can put it back.
   */
  readonly scaffolding: StateDict;
}

/** Options of `toPerforatedAI`; those of a file that was read are what `fromPerforatedAI` gives. */
export interface PerforatedOptions {
  /** The modules that can have dendrites. Default: those that have some. */
  readonly modules?: readonly string[];
  /** Those of them that are an `nn.Block` here and a PAISequential there. Default: none. */
  readonly blocks?: readonly string[];
  /** What the original's file held beside what is computed with. What does not fit any more is made anew. Default: none. */
  readonly scaffolding?: StateDict;
}

/** A name of the original's taken apart: the module's path, and what is in it. */
const IN_MODULE = /^(.+?)\.(main_module\..*|dendrite_module\..*|dendrites_to_top\.\d+)$/;
/** What a module keeps and does not compute with. */
const SCAFFOLDING =
  /^dendrite_module\.(?:parent_module\..*|dendrites_to_candidates\.\d+|dendrite_values\.\d+\..*|num_cycles)$/;
/** Settings of a module's shape, and the tracker's state as text. */
const SETTINGS = /(?:this_output_dimensions|this_node_index|tracker_string)$/;

/** A PAISequential keeps its layers in a Sequential of this name, which a Block does not have. */
const SEQUENTIAL = /^model\.(?=\d+\.)/;

/**
 * Reads a state dict with the original's names, such as `readStateDict("PAI/best_model.pt")` gives.
 *
 * @throws `bad_data` listing every name that is missing or not known, and every shape that does not fit.
 */
export function fromPerforatedAI(tensors: StateDict): PerforatedState {
  const modules = new Map<string, Map<string, Tensor>>();
  const stateDict = new Map<string, Tensor>();
  const scaffolding = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    const [, id, inside] = IN_MODULE.exec(name) ?? [];
    if (SETTINGS.test(name) || (inside && SCAFFOLDING.test(inside))) scaffolding.set(name, tensor);
    else if (id === undefined || inside === undefined) stateDict.set(name, tensor);
    else modules.set(id, (modules.get(id) ?? new Map()).set(inside, tensor));
  }
  const problems: string[] = [];
  const counts = new Map<string, number>();
  const blocks: string[] = [];
  for (const [id, inside] of modules) {
    const count = countOf(inside);
    counts.set(id, count);
    const isBlock = isSequential(inside);
    if (isBlock) blocks.push(id);
    for (const [name, tensor] of inside) {
      const ours = ourName(name, count, isBlock);
      if (ours === "scaffolding") scaffolding.set(`${id}.${name}`, tensor);
      else if (ours) stateDict.set(`${id}.${ours}`, tensor);
      else problems.push(`unknown: ${id}.${name}`);
    }
    problems.push(...misfits(id, inside, count));
  }
  const [dendrites = 0, ...others] = new Set(counts.values());
  if (others.length > 0) {
    problems.push(...[...counts].map(([id, count]) => `${id} has ${count} dendrites, all must have as many`));
  }
  if (problems.length > 0) {
    throw new ArborizeError(
      "bad_data",
      `The state dict is not one of PerforatedAI's with dendrites:\n  ${problems.join("\n  ")}`,
    );
  }
  return { dendrites, modules: [...modules.keys()], blocks, stateDict, scaffolding };
}

/** Whether all weights of a module's own are those of a PAISequential. */
function isSequential(inside: StateDict): boolean {
  const own = [...inside.keys()].flatMap((name) => /^main_module\.(.+)$/.exec(name)?.[1] ?? []);
  return own.length > 0 && own.every((name) => SEQUENTIAL.test(name));
}

/** How many dendrites' weights are there. */
function countOf(inside: StateDict): number {
  const indices = [...inside.keys()].flatMap((name) => {
    const index = /^(?:dendrite_module\.layers|dendrites_to_top)\.(\d+)/.exec(name)?.[1];
    return index === undefined ? [] : [Number(index)];
  });
  return Math.max(-1, ...indices) + 1;
}

/** A name in its module as ours; "scaffolding" for what only looks like one, null for what is none. */
function ourName(name: string, count: number, isBlock: boolean): string | null {
  const plain = (weight: string) => (isBlock ? weight.replace(SEQUENTIAL, "") : weight);
  const [, own] = /^main_module\.(.+)$/.exec(name) ?? [];
  if (own) return plain(own);
  const [, layer, weight] = /^dendrite_module\.layers\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (layer) return `dendrites.${layer}.${plain(weight!)}`;
  const [, dendrite] = /^dendrite_module\.dendrites_to_dendrites\.(\d+)$/.exec(name) ?? [];
  // The first one has none before it: an empty tensor stands in their place.
  if (dendrite === "0") return "scaffolding";
  if (dendrite) return Number(dendrite) < count ? `dendrites.${dendrite}.cascade` : null;
  const [, top] = /^dendrites_to_top\.(\d+)$/.exec(name) ?? [];
  if (top === undefined) return null;
  return Number(top) === count - 1 ? "dendrites.output" : "scaffolding";
}

/** What a module with `count` dendrites lacks, and what has another shape than it must. */
function misfits(id: string, inside: StateDict, count: number): string[] {
  const wanted = new Map<string, readonly number[] | null>();
  const own = [...inside].flatMap(([name, { shape }]) =>
    name.startsWith("main_module.") ? [[name.slice("main_module.".length), shape] as const] : [],
  );
  for (let j = 0; j < count; j++) {
    for (const [name, shape] of own) wanted.set(`dendrite_module.layers.${j}.${name}`, shape);
  }
  const top = `dendrites_to_top.${count - 1}`;
  const channels = inside.get(top)?.shape[1];
  if (count > 0) wanted.set(top, channels === undefined ? null : [count, channels]);
  for (let j = 1; j < count; j++) {
    const shape = channels === undefined ? null : [j, channels];
    wanted.set(`dendrite_module.dendrites_to_dendrites.${j}`, shape);
  }
  const problems = own.length === 0 ? [`missing: ${id}.main_module.*, the module's own weights`] : [];
  for (const [name, shape] of wanted) {
    const found = inside.get(name);
    if (!found) problems.push(`missing: ${id}.${name}`);
    else if (shape && found.shape.join() !== shape.join()) {
      problems.push(`wrong shape: ${id}.${name} is ${shapeText(found.shape)}, wanted ${shapeText(shape)}`);
    }
  }
  return problems;
}

/**
 * The state dict of a network with dendrites, such as `await training.stateDict()`, under the original's names and with what it
 * wants beside: templates (the module's own weights), older output weights (rows of the newest), candidates (zeros). Its
 * counters and its tracker can only come from a file of its own, as `scaffolding`; without them load it in Python with
 * `strict=False`.
 */
export function toPerforatedAI(stateDict: StateDict, options: PerforatedOptions = {}): Map<string, Tensor> {
  const { scaffolding, blocks = [] } = options;
  const grown = [...stateDict.keys()].flatMap((name) => /^(.*)\.dendrites\.output$/.exec(name)?.[1] ?? []);
  const modules = new Set([...(options.modules ?? []), ...grown]);
  const result = new Map<string, Tensor>();
  const made = new Map<string, Tensor>();
  for (const [name, tensor] of stateDict) {
    const id = moduleOf(name, modules);
    if (id === null) {
      result.set(name, tensor);
      continue;
    }
    const inside = name.slice(id.length + 1);
    const count = stateDict.get(`${id}.dendrites.output`)?.shape[0] ?? 0;
    const container = blocks.includes(id) ? "model." : "";
    result.set(`${id}.${originalName(inside, count, container)}`, tensor);
    // A template is the module as it was when it was converted: a file that has one keeps its own.
    if (!scaffolding && !inside.startsWith("dendrites.")) {
      made.set(`${id}.dendrite_module.parent_module.${container}${inside}`, tensor);
    }
    if (inside !== "dendrites.output") continue;
    for (const [key, value] of besides(tensor)) made.set(`${id}.${key}`, value);
  }
  for (const [name, tensor] of made) result.set(name, tensor);
  for (const [name, tensor] of scaffolding ?? []) {
    const now = made.get(name);
    if (now ? sameShape(now, tensor) : !result.has(name)) result.set(name, counted(name, tensor, stateDict));
  }
  return result;
}

/** The outermost of `modules` that a tensor is in. */
function moduleOf(name: string, modules: ReadonlySet<string>): string | null {
  for (let at = name.indexOf("."); at >= 0; at = name.indexOf(".", at + 1)) {
    if (modules.has(name.slice(0, at))) return name.slice(0, at);
  }
  return null;
}

function originalName(inside: string, count: number, container: string): string {
  if (inside === "dendrites.output") return `dendrites_to_top.${count - 1}`;
  const [, dendrite, name] = /^dendrites\.(\d+)\.(.+)$/.exec(inside) ?? [];
  if (!dendrite) return `main_module.${container}${inside}`;
  if (name === "cascade") return `dendrite_module.dendrites_to_dendrites.${dendrite}`;
  return `dendrite_module.layers.${dendrite}.${container}${name}`;
}

/** What the original keeps beside a module's output weights: those of fewer dendrites, and what candidates leave. */
function besides({ dtype, shape, data }: Tensor): [string, Tensor][] {
  const [count, channels] = shape as readonly [number, number];
  const older = Array.from({ length: count - 1 }, (_, i): [string, Tensor] => [
    `dendrites_to_top.${i}`,
    new Tensor(dtype, [i + 1, channels], data.slice(0, (i + 1) * channels)),
  ]);
  const candidates = "dendrite_module.dendrites_to_candidates.0";
  return [
    ...older,
    ["dendrite_module.dendrites_to_dendrites.0", Tensor.zeros([0], dtype)],
    ...(count > 1 ? [[candidates, Tensor.zeros([count - 1, channels], dtype)] as [string, Tensor]] : []),
  ];
}

/** A counter of half cycles as it is with the dendrites of `stateDict`: two for each; anything else as it is. */
function counted(name: string, tensor: Tensor, stateDict: StateDict): Tensor {
  const [, id] = /^(.*)\.dendrite_module\.num_cycles$/.exec(name) ?? [];
  const output = id === undefined ? undefined : stateDict.get(`${id}.dendrites.output`);
  return output ? Tensor.full(tensor.shape, 2 * output.shape[0]!, tensor.dtype) : tensor;
}

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.shape.join() === b.shape.join();
}
