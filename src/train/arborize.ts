// The entry: a network and what to train it with become a training.

import { ArborizeError } from "../base/errors.ts";
import type { Tensor } from "../base/tensor.ts";
import { sitesAgain } from "../dendrites/again.ts";
import type { DendriteActivation } from "../dendrites/attach.ts";
import { detachDendrites } from "../dendrites/detach.ts";
import { tiedSites } from "../dendrites/removal.ts";
import { DEFAULT_TYPES, type Selection } from "../dendrites/selection.ts";
import type { Site } from "../dendrites/site.ts";
import { inspectModules, type Verdict } from "../dendrites/sites.ts";
import { defaultEngine } from "../engine/default.ts";
import type { Engine } from "../engine/engine.ts";
import { Graph } from "../graph/graph.ts";
import { type CorrelationSettings, correlationSettings } from "../growth/correlation-settings.ts";
import { type GrowthOptions, type GrowthSettings, growthSettings } from "../growth/settings.ts";
import type { Loss } from "../nn/losses.ts";
import type { Metric } from "../nn/metrics.ts";
import { Module, type TraceOptions, trace } from "../nn/module.ts";
import type { OnnxModel } from "../onnx/read.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { Scheduler } from "../optim/schedulers.ts";
import { type FreezeOptions, freezeState } from "../transform/freeze.ts";
import type { CorrelationParts, NetworkParts, Snapshot } from "./network.ts";
import { startFrom } from "./state-dict.ts";
import { Training } from "./training.ts";

/** Which modules grow dendrites, and of what kind. A model that has dendrites keeps them where they are. */
export interface DendriteOptions extends Selection {
  /** The dendrites' non-linearity. Default: "sigmoid". Measured: `docs/results.md`, shapes of dendrites. */
  readonly activation?: DendriteActivation;
  /** Standard deviation of a new dendrite's weights. Default: 0.01. */
  readonly initialScale?: number;
  /**
   * How dendrites learn: `"gradient"`, with the network; `"correlation"`, in phases of their own in which they follow their
   * neurons' remaining error while the network stays as it is (Fahlman and Lebiere's cascade-correlation for each neuron).
   * Default: "gradient".
   */
  readonly learning?: "gradient" | "correlation";
  /** Settings of `learning: "correlation"`. */
  readonly correlation?: CorrelationOptions;
}

/** How dendrites learn by correlation: settings, and what they learn by, afresh in each phase. */
export interface CorrelationOptions extends Partial<CorrelationSettings> {
  /** Default: the network's. */
  readonly optimizer?: Optimizer;
}

/** What a network is trained with. */
export interface ArborizeOptions extends FreezeOptions {
  /**
   * The network's inputs by name, with their axes: lengths, or a name such as `"batch"` for one that varies. Needed for
   * a module; an ONNX model knows its own.
   */
  readonly inputs?: TraceOptions["inputs"];
  /** What training minimises. */
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Changes the learning rate after epochs. Default: it stays the same. */
  readonly scheduler?: Scheduler;
  /** What `evaluate` measures. Default: the loss. */
  readonly metric?: Metric;
  /** When to grow and when to stop. `maximize` defaults to that of the metric that scores are evaluated by. */
  readonly growth?: GrowthOptions;
  /** Where dendrites grow. */
  readonly dendrites?: DendriteOptions;
  /**
   * What the network starts from, dendrites included: a state dict such as that of a run's `best.safetensors`, or what
   * `fromPerforatedAI` gives. Default: the model's own values.
   */
  readonly state?: ReadonlyMap<string, Tensor>;
  /** Where the network that it starts from is from, in words, for the run's report. Default: nothing is said. */
  readonly origin?: string;
  /** Decides everything random: initial weights, dendrites, dropout. Default: 0. */
  readonly seed?: number;
  /** What runs it. Default: this machine's CPU; in a browser WebAssembly (`webEngine`). */
  readonly engine?: Engine;
}

/**
 * Makes a network trainable and able to grow dendrites.
 *
 * @param model a module (`nn.Module`), an ONNX model (`readOnnx`), or a graph. One that Arborize exported keeps its dendrites.
 * @throws `bad_option` naming what is missing or out of range, `shape_mismatch` naming the module whose shapes do not fit,
 *   `bad_data` for a state of another network.
 */
export async function arborize(
  model: Module | OnnxModel | Graph,
  options: ArborizeOptions,
): Promise<Training> {
  const { loss, optimizer, scheduler = null, metric = null, seed = 0, engine = defaultEngine() } = options;
  for (const [name, given] of Object.entries({ loss, optimizer })) {
    if (!given) throw new ArborizeError("bad_option", `arborize needs a ${name}, such as ${EXAMPLES[name]}.`);
  }
  const { initialScale = 0.01, ...selection } = options.dendrites ?? {};
  const found = detachDendrites(graphOf(model, options, seed));
  const { counts, values } = found;
  const base = freezeState(found.base, options);
  const activation = options.dendrites?.activation ?? found.activation ?? "sigmoid";
  const growth = growthSettings(options.growth);
  const correlation = correlationOf(options);
  const sites =
    counts.size > 0 ? sitesAgain({ ...found, base }, selection) : chosenSites(base, selection, growth);
  if (counts.size > 0 && activation !== found.activation) {
    throw new ArborizeError(
      "bad_option",
      `"${base.name}" has ${found.activation} dendrites on ${[...counts.keys()].join(", ")}: dendrites.activation must keep them.`,
    );
  }
  if (correlation) expectOwnWeights(sites);
  return new Training({
    base,
    sites,
    activation,
    initialScale,
    correlation,
    loss,
    optimizer,
    scheduler,
    metric,
    maximize: options.growth?.maximize ?? metric?.maximize ?? null,
    growth,
    seed,
    origin: options.origin ?? null,
    engine,
    start: startOf(options.state, { dendrites: Math.max(0, ...counts.values()), values }, { base, sites }),
  });
}

/** What the model has is where it starts, unless a state is given; a network without dendrites has its own values. */
function startOf(
  state: ArborizeOptions["state"],
  own: Snapshot,
  places: Pick<NetworkParts, "base" | "sites">,
): Snapshot | null {
  if (state) return startFrom(state, places);
  return own.dendrites > 0 ? own : null;
}

/** Of modules that share weights one's best dendrite is not the other's. @throws `bad_option` */
function expectOwnWeights(sites: readonly Site[]): void {
  const tied = tiedSites(sites).find((group) => group.length > 1);
  if (!tied) return;
  throw new ArborizeError(
    "bad_option",
    `${tied.map(({ id }) => `"${id}"`).join(" and ")} share weights, and dendrites that learn by correlation are chosen for each module by itself: leave all but one of them out by dendrites.skip, or let dendrites learn by gradients.`,
  );
}

function correlationOf({ dendrites = {}, optimizer }: ArborizeOptions): CorrelationParts | null {
  const { learning = "gradient", correlation = {} } = dendrites;
  if (learning !== "gradient" && learning !== "correlation") {
    throw new ArborizeError(
      "bad_option",
      `dendrites.learning is "${learning}", it must be "gradient" or "correlation".`,
    );
  }
  if (learning === "gradient") {
    if (!dendrites.correlation) return null;
    throw new ArborizeError(
      "bad_option",
      'dendrites.correlation is only for dendrites that learn so: set dendrites.learning to "correlation".',
    );
  }
  const { optimizer: own = optimizer, ...settings } = correlation;
  return { ...correlationSettings(settings), optimizer: own };
}

const EXAMPLES: Readonly<Record<string, string>> = {
  loss: "losses.crossEntropy()",
  optimizer: "optim.adam()",
};

function graphOf(model: Module | OnnxModel | Graph, { inputs }: ArborizeOptions, seed: number): Graph {
  if (model instanceof Module) {
    if (inputs) return trace(model, { inputs, seed });
    throw new ArborizeError(
      "bad_option",
      'arborize needs the inputs of a module, such as inputs: { x: ["batch", 1, 28, 28] }.',
    );
  }
  const graph = model instanceof Graph ? model : model?.graph;
  if (graph instanceof Graph) return graph;
  throw new ArborizeError("bad_option", "arborize needs a module, what readOnnx returns, or a graph.");
}

/** @throws `bad_option` where dendrites are asked for that cannot be, or none can. */
function chosenSites(base: Graph, selection: Selection, { maxDendrites }: GrowthSettings): Site[] {
  const verdicts = inspectModules(base, selection);
  const sites = verdicts.flatMap(({ site }) => (site ? [site] : []));
  const impossible = verdicts.find(({ explicit, site }) => explicit && !site);
  if (impossible) throw cannotGrow(impossible);
  if (sites.length === 0 && maxDendrites > 0) throw noSites(base, verdicts, selection);
  return sites;
}

function cannotGrow({ id, reason }: Verdict): ArborizeError {
  return new ArborizeError("bad_option", `"${id}" cannot grow dendrites, as the options ask: ${reason}.`);
}

function noSites(base: Graph, verdicts: readonly Verdict[], { types = DEFAULT_TYPES }: Selection) {
  const found = verdicts.map(({ id, type, reason }) => `\n  ${id} (${type}): ${reason}`);
  return new ArborizeError(
    "bad_option",
    `No module of "${base.name}" can grow dendrites; ${types.join(", ")} do. It has${found.join("") || " no modules with parameters"}\nName others in dendrites.types, or set growth.maxDendrites to 0 to train without.`,
  );
}
