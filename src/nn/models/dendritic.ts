// Artificial networks with dendrites of fixed connectivity (Chavlis and Poirazi 2025, Nature Communications 16).

import { Random } from "../../base/random.ts";
import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import { xavierUniform, zeros } from "../init.ts";
import * as nn from "../layers/index.ts";
import { Module } from "../module.ts";
import { blockMask, type Sampling, scatteredMask, synapseMask } from "./dendritic-masks.ts";

/** By name: what a dendrite reads, and what a soma reads. */
const KINDS = {
  "dANN-R": ["random", "own"],
  "dANN-LRF": ["local", "own"],
  "dANN-GRF": ["global", "own"],
  pdANN: ["all", "own"],
  vANN: ["all", "all"],
  "vANN-R": ["random", "all"],
  "vANN-LRF": ["local", "all"],
  "vANN-GRF": ["global", "all"],
  sANN: ["random", "scattered"],
  "sANN-LRF": ["local", "scattered"],
  "sANN-GRF": ["global", "scattered"],
  psANN: ["all", "scattered"],
} as const satisfies Readonly<Record<string, readonly [Sampling | "all", "own" | "all" | "scattered"]>>;

/** The networks of the paper: dendritic (d), vanilla (v), sparse (s), partly (p); R, LRF, GRF: what a dendrite reads. */
export type DendriticKind = keyof typeof KINDS;

/** Options of `DendriticNet`. */
export interface DendriticNetOptions {
  readonly kind: DendriticKind;
  /** Channels, height and width of the images. Default: [1, 28, 28]. */
  readonly image?: readonly [channels: number, height: number, width: number];
  /** Dendrites of each soma. Default: 4. */
  readonly dendrites?: number;
  /** Default: 64. */
  readonly somata?: number;
  /** Pixels that a dendrite reads, where not all. Default: 16. */
  readonly synapses?: number;
  /** Default: 10. */
  readonly numClasses?: number;
  /** Decides the connections. Default: 0. */
  readonly seed?: number;
}

/**
 * Inputs to dendrites, dendrites to somata, somata to classes; leaky relu of slope 0.1 after the first two.
 * `[B, ...image]` to logits `[B, numClasses]`. Weights start by Glorot's formula for dense layers, biases at 0.
 */
export class DendriticNet extends Module {
  readonly dendrites: nn.Linear | nn.MaskedLinear;
  readonly somata: nn.Linear | nn.MaskedLinear;
  readonly output: nn.Linear;
  /** How many numbers are learned: connections that exist, and biases. */
  readonly effectiveParameters: number;

  constructor(options: DendriticNetOptions) {
    super();
    const { kind, image = [1, 28, 28], dendrites = 4, somata = 64, synapses = 16, numClasses = 10 } = options;
    const [reads, wired] = KINDS[kind];
    const drawn = (name: string) => Random.stream(options.seed ?? 0, `connections/${name}`);
    const sizes = { image, dendrites, somata, synapses };
    const inputs = image.reduce((product, n) => product * n, 1);
    this.dendrites =
      reads === "all"
        ? new nn.Linear(inputs, dendrites * somata, INITIAL)
        : new nn.MaskedLinear(synapseMask(reads, sizes, drawn("dendrites")), INITIAL);
    this.somata =
      wired === "all"
        ? new nn.Linear(dendrites * somata, somata, INITIAL)
        : new nn.MaskedLinear(
            wired === "own"
              ? blockMask(dendrites, somata)
              : scatteredMask(dendrites, somata, drawn("somata")),
            INITIAL,
          );
    this.output = new nn.Linear(somata, numClasses, INITIAL);
    this.effectiveParameters = [this.dendrites, this.somata, this.output].reduce(
      (sum, layer) => sum + connections(layer) + layer.outFeatures,
      0,
    );
  }

  forward(x: Value): Value {
    const integrated = F.leakyRelu(this.dendrites.call(F.flatten(x)), 0.1);
    return this.output.call(F.leakyRelu(this.somata.call(integrated), 0.1));
  }
}

const INITIAL = { weightInit: xavierUniform(), biasInit: zeros };

function connections(layer: nn.Linear | nn.MaskedLinear): number {
  return "connections" in layer ? layer.connections : layer.inFeatures * layer.outFeatures;
}
