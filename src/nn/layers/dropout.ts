// What is left out at random in training.

import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import { Module } from "../module.ts";

/** What all of these have in common. */
abstract class RandomDrop extends Module {
  readonly p: number;

  /** @param p default: 0.5. */
  constructor(p = 0.5) {
    super();
    this.p = p;
  }
}

/** Drops elements with probability `p` in training, and scales up the others. */
export class Dropout extends RandomDrop {
  forward(x: Value): Value {
    return F.dropout(x, this.p);
  }
}

/** Drops whole channels of `[B, C, L]` with probability `p` in training, and scales up the others. */
export class Dropout1d extends RandomDrop {
  forward(x: Value): Value {
    return F.dropout1d(x, this.p);
  }
}

/** Drops whole channels of `[B, C, H, W]` with probability `p` in training, and scales up the others. */
export class Dropout2d extends RandomDrop {
  forward(x: Value): Value {
    return F.dropout2d(x, this.p);
  }
}

/** Drops whole channels of `[B, C, D, H, W]` with probability `p` in training, and scales up the others. */
export class Dropout3d extends RandomDrop {
  forward(x: Value): Value {
    return F.dropout3d(x, this.p);
  }
}

/** Drops elements with probability `p` in training as SELU wants it: mean 0 and variance 1 stay. */
export class AlphaDropout extends RandomDrop {
  forward(x: Value): Value {
    return F.alphaDropout(x, this.p);
  }
}
