// Elements around images and signals.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import { Module } from "../module.ts";

/** What all of these have in common. */
abstract class Pad extends Module {
  /** Before and after each axis, from the last to the first. */
  readonly padding: readonly number[];

  constructor(rank: number, padding: F.PerAxis) {
    super();
    this.padding = typeof padding === "number" ? new Array<number>(2 * rank).fill(padding) : padding;
    if (this.padding.length === 2 * rank) return;
    throw new ArborizeError(
      "bad_option",
      `${this.constructor.name}: padding has ${this.padding.length} numbers, it must have ${2 * rank}: before and after each axis, from the last to the first.`,
    );
  }
}

/** Zeros around the last axis. */
export class ZeroPad1d extends Pad {
  constructor(padding: F.PerAxis) {
    super(1, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding);
  }
}

/** Zeros around the last two axes. */
export class ZeroPad2d extends Pad {
  constructor(padding: F.PerAxis) {
    super(2, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding);
  }
}

/** Zeros around the last three axes. */
export class ZeroPad3d extends Pad {
  constructor(padding: F.PerAxis) {
    super(3, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding);
  }
}

/** The mirror image, without the edge, around the last axis. */
export class ReflectionPad1d extends Pad {
  constructor(padding: F.PerAxis) {
    super(1, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { mode: "reflect" });
  }
}

/** The mirror image, without the edge, around the last two axes. */
export class ReflectionPad2d extends Pad {
  constructor(padding: F.PerAxis) {
    super(2, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { mode: "reflect" });
  }
}

/** The mirror image, without the edge, around the last three axes. */
export class ReflectionPad3d extends Pad {
  constructor(padding: F.PerAxis) {
    super(3, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { mode: "reflect" });
  }
}

/** The edge around the last axis. */
export class ReplicationPad1d extends Pad {
  constructor(padding: F.PerAxis) {
    super(1, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { mode: "replicate" });
  }
}

/** The edge around the last two axes. */
export class ReplicationPad2d extends Pad {
  constructor(padding: F.PerAxis) {
    super(2, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { mode: "replicate" });
  }
}

/** The edge around the last three axes. */
export class ReplicationPad3d extends Pad {
  constructor(padding: F.PerAxis) {
    super(3, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { mode: "replicate" });
  }
}

/** The other end around the last axis. */
export class CircularPad1d extends Pad {
  constructor(padding: F.PerAxis) {
    super(1, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { mode: "circular" });
  }
}

/** The other end around the last two axes. */
export class CircularPad2d extends Pad {
  constructor(padding: F.PerAxis) {
    super(2, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { mode: "circular" });
  }
}

/** The other end around the last three axes. */
export class CircularPad3d extends Pad {
  constructor(padding: F.PerAxis) {
    super(3, padding);
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { mode: "circular" });
  }
}

/** A number around the last axis. */
export class ConstantPad1d extends Pad {
  readonly value: number;

  constructor(padding: F.PerAxis, value: number) {
    super(1, padding);
    this.value = value;
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { value: this.value });
  }
}

/** A number around the last two axes. */
export class ConstantPad2d extends Pad {
  readonly value: number;

  constructor(padding: F.PerAxis, value: number) {
    super(2, padding);
    this.value = value;
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { value: this.value });
  }
}

/** A number around the last three axes. */
export class ConstantPad3d extends Pad {
  readonly value: number;

  constructor(padding: F.PerAxis, value: number) {
    super(3, padding);
    this.value = value;
  }

  forward(x: Value): Value {
    return F.pad(x, this.padding, { value: this.value });
  }
}
