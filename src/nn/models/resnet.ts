// Residual networks (He et al. 2016), under torchvision's names.

import type { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";
import * as F from "../functional/index.ts";
import { kaimingNormal } from "../init.ts";
import * as nn from "../layers/index.ts";
import { Module } from "../module.ts";

/** A convolution without a bias, by He's initial values. */
function conv(inChannels: number, outChannels: number, kernelSize: number, stride = 1): nn.Conv2d {
  return new nn.Conv2d(inChannels, outChannels, kernelSize, {
    stride,
    padding: (kernelSize - 1) / 2,
    bias: false,
    weightInit: kaimingNormal(0, { mode: "fan_out", nonlinearity: "relu" }),
  });
}

/** Two 3x3 convolutions, added to their input. `[B, inChannels, H, W]` to `[B, outChannels, H / stride, W / stride]`. */
export class BasicBlock extends Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  /** What brings the input to the shape of the output, where it has another. */
  readonly downsample: nn.Sequential | null;

  constructor(inChannels: number, outChannels: number, stride = 1) {
    super();
    this.conv1 = conv(inChannels, outChannels, 3, stride);
    this.bn1 = new nn.BatchNorm2d(outChannels);
    this.conv2 = conv(outChannels, outChannels, 3);
    this.bn2 = new nn.BatchNorm2d(outChannels);
    this.downsample =
      stride === 1 && inChannels === outChannels
        ? null
        : new nn.Sequential(conv(inChannels, outChannels, 1, stride), new nn.BatchNorm2d(outChannels));
  }

  forward(x: Value): Value {
    const hidden = F.relu(this.bn1.call(this.conv1.call(x)));
    const y = this.bn2.call(this.conv2.call(hidden));
    return F.relu(op.add(y, this.downsample ? this.downsample.call(x) : x));
  }
}

/** Options of the residual networks. */
export interface ResNetOptions {
  /** Default: 1000. */
  readonly numClasses?: number;
  /** Default: 3. */
  readonly inChannels?: number;
  /**
   * What comes first: "large" (the default), a 7x7 convolution of stride 2 and a pool, for images from about 100 pixels on;
   * "small", a 3x3 convolution of stride 1, for images of about 32.
   */
  readonly stem?: "large" | "small";
  /** Channels at the first resolution; each next has twice as many. Default: 64. */
  readonly width?: number;
}

/** A residual network of basic blocks. `[B, inChannels, H, W]` to logits `[B, numClasses]`. */
export class ResNet extends Module {
  readonly stem: "large" | "small";
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly layer4: nn.Sequential;
  readonly fc: nn.Linear;

  /** @param blocks how many there are at each of four resolutions. */
  constructor(blocks: readonly [number, number, number, number], options: ResNetOptions = {}) {
    super();
    const { numClasses = 1000, inChannels = 3, stem = "large", width = 64 } = options;
    this.stem = stem;
    this.conv1 = stem === "large" ? conv(inChannels, width, 7, 2) : conv(inChannels, width, 3);
    this.bn1 = new nn.BatchNorm2d(width);
    const stage = (from: number, to: number, count: number, stride: number) =>
      new nn.Sequential(
        ...Array.from({ length: count }, (_, i) => new BasicBlock(i ? to : from, to, i ? 1 : stride)),
      );
    this.layer1 = stage(width, width, blocks[0], 1);
    this.layer2 = stage(width, 2 * width, blocks[1], 2);
    this.layer3 = stage(2 * width, 4 * width, blocks[2], 2);
    this.layer4 = stage(4 * width, 8 * width, blocks[3], 2);
    this.fc = new nn.Linear(8 * width, numClasses);
  }

  forward(x: Value): Value {
    const first = F.relu(this.bn1.call(this.conv1.call(x)));
    const entered = this.stem === "large" ? F.maxPool2d(first, 3, { stride: 2, padding: 1 }) : first;
    const stages = [this.layer1, this.layer2, this.layer3, this.layer4];
    const features = stages.reduce((y, stage) => stage.call(y), entered);
    return this.fc.call(F.flatten(F.adaptiveAvgPool2d(features, 1)));
  }
}

/** ResNet-18: two blocks at each resolution. */
export function resnet18(options?: ResNetOptions): ResNet {
  return new ResNet([2, 2, 2, 2], options);
}

/** ResNet-34: 3, 4, 6 and 3 blocks. */
export function resnet34(options?: ResNetOptions): ResNet {
  return new ResNet([3, 4, 6, 3], options);
}
