// A plain convolutional network for images of any size.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import * as nn from "../layers/index.ts";
import { Module } from "../module.ts";
import { Mlp } from "./tabular.ts";

/** Options of `Cnn`. */
export interface CnnOptions {
  readonly inChannels: number;
  /** Height and width. */
  readonly imageSize: readonly [number, number];
  readonly outFeatures: number;
  /** Filters of each convolution; the image is halved after each. Default: [16, 32]. */
  readonly channels?: readonly number[];
  /** Widths of the hidden layers behind. Default: [64]. */
  readonly hidden?: readonly number[];
  /** Probability of dropping a hidden unit in training. Default: 0. */
  readonly dropout?: number;
}

/** 3x3 convolutions with relu and 2x2 maxima, then an `Mlp`. `[B, inChannels, H, W]` to `[B, outFeatures]`. */
export class Cnn extends Module {
  readonly convs: nn.Conv2d[];
  readonly mlp: Mlp;

  /** @throws `bad_option` for an image that is too small to be halved so often. */
  constructor({
    inChannels,
    imageSize,
    outFeatures,
    channels = [16, 32],
    hidden = [64],
    dropout,
  }: CnnOptions) {
    super();
    const [height, width] = imageSize.map((length) => Math.floor(length / 2 ** channels.length));
    if (!height || !width) {
      throw new ArborizeError(
        "bad_option",
        `Cnn: an image of ${imageSize.join(" x ")} cannot be halved ${channels.length} times; give fewer channels.`,
      );
    }
    const counts = [inChannels, ...channels];
    this.convs = channels.map((count, i) => new nn.Conv2d(counts[i]!, count, 3, { padding: 1 }));
    const inFeatures = counts.at(-1)! * height * width;
    this.mlp = new Mlp({ inFeatures, outFeatures, hidden, ...(dropout === undefined ? {} : { dropout }) });
  }

  forward(x: Value): Value {
    const features = this.convs.reduce((y, conv) => F.maxPool2d(F.relu(conv.call(y)), 2), x);
    return this.mlp.call(features);
  }
}
