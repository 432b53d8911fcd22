// The U-shaped network for segmentation (Ronneberger et al. 2015), padded and normalized, under milesial/Pytorch-UNet's names.

import type { Value } from "../../graph/graph.ts";
import { isStatic, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import * as F from "../functional/index.ts";
import * as nn from "../layers/index.ts";
import { Module } from "../module.ts";

/** Two 3x3 convolutions, each normalized and cut off at zero. */
class DoubleConv extends Module {
  readonly double_conv: nn.Sequential;

  constructor(inChannels: number, outChannels: number, midChannels = outChannels) {
    super();
    const conv = (from: number, to: number) => new nn.Conv2d(from, to, 3, { padding: 1, bias: false });
    this.double_conv = new nn.Sequential(
      conv(inChannels, midChannels),
      new nn.BatchNorm2d(midChannels),
      new nn.ReLU(),
      conv(midChannels, outChannels),
      new nn.BatchNorm2d(outChannels),
      new nn.ReLU(),
    );
  }

  forward(x: Value): Value {
    return this.double_conv.call(x);
  }
}

/** Half the resolution. */
class Down extends Module {
  readonly maxpool_conv: nn.Sequential;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.maxpool_conv = new nn.Sequential(new nn.MaxPool2d(2), new DoubleConv(inChannels, outChannels));
  }

  forward(x: Value): Value {
    return this.maxpool_conv.call(x);
  }
}

/** Twice the resolution, joined with what came down from it. */
class Up extends Module {
  readonly up: nn.Upsample | nn.ConvTranspose2d;
  readonly conv: DoubleConv;

  constructor(inChannels: number, outChannels: number, bilinear: boolean) {
    super();
    this.up = bilinear
      ? new nn.Upsample({ scaleFactor: 2, mode: "bilinear", alignCorners: true })
      : new nn.ConvTranspose2d(inChannels, inChannels / 2, 2, { stride: 2 });
    this.conv = new DoubleConv(inChannels, outChannels, bilinear ? inChannels / 2 : outChannels);
  }

  forward(x: Value, skipped: Value): Value {
    const raised = (this.up as Module & { forward(x: Value): Value }).call(x);
    // An odd length was rounded down.
    const missing = [3, 2].flatMap((axis) => {
      const [have, want] = [raised.shape[axis]!, skipped.shape[axis]!];
      if (have === want) return [0, 0];
      expectShape(
        isStatic(have) && isStatic(want),
        () => `the height and width of ${shapeText(skipped.shape)} must be known`,
      );
      const before = Math.floor((want - have) / 2);
      return [before, want - have - before];
    });
    return this.conv.call(op.concat([skipped, F.pad(raised, missing)], 1));
  }
}

/** The last convolution. */
class OutConv extends Module {
  readonly conv: nn.Conv2d;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv = new nn.Conv2d(inChannels, outChannels, 1);
  }

  forward(x: Value): Value {
    return this.conv.call(x);
  }
}

/** Options of `UNet`. */
export interface UNetOptions {
  /** Default: 3. */
  readonly inChannels?: number;
  /** Channels of the output. Default: 1. */
  readonly numClasses?: number;
  /** Channels at full resolution; they double with each of four halvings. Default: 64. */
  readonly features?: number;
  /** Raise the resolution by interpolation, not by learned transposed convolutions. Default: false. */
  readonly bilinear?: boolean;
}

/** A U-shaped network. `[B, inChannels, H, W]` of known height and width to logits `[B, numClasses, H, W]`. */
export class UNet extends Module {
  readonly inc: DoubleConv;
  readonly down1: Down;
  readonly down2: Down;
  readonly down3: Down;
  readonly down4: Down;
  readonly up1: Up;
  readonly up2: Up;
  readonly up3: Up;
  readonly up4: Up;
  readonly outc: OutConv;

  constructor({ inChannels = 3, numClasses = 1, features = 64, bilinear = false }: UNetOptions = {}) {
    super();
    // Interpolation does not halve channels, so there are half as many where it begins.
    const factor = bilinear ? 2 : 1;
    this.inc = new DoubleConv(inChannels, features);
    this.down1 = new Down(features, 2 * features);
    this.down2 = new Down(2 * features, 4 * features);
    this.down3 = new Down(4 * features, 8 * features);
    this.down4 = new Down(8 * features, (16 * features) / factor);
    this.up1 = new Up(16 * features, (8 * features) / factor, bilinear);
    this.up2 = new Up(8 * features, (4 * features) / factor, bilinear);
    this.up3 = new Up(4 * features, (2 * features) / factor, bilinear);
    this.up4 = new Up(2 * features, features, bilinear);
    this.outc = new OutConv(features, numClasses);
  }

  forward(x: Value): Value {
    const x1 = this.inc.call(x);
    const x2 = this.down1.call(x1);
    const x3 = this.down2.call(x2);
    const x4 = this.down3.call(x3);
    let y = this.up1.call(this.down4.call(x4), x4);
    y = this.up2.call(y, x3);
    y = this.up3.call(y, x2);
    return this.outc.call(this.up4.call(y, x1));
  }
}
