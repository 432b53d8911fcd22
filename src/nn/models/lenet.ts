// Small networks for images of digits.

import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import * as nn from "../layers/index.ts";
import { Module } from "../module.ts";

/** Options of `LeNet`. */
export interface LeNetOptions {
  /** Default: 1. */
  readonly inChannels?: number;
  /** Default: 10. */
  readonly numClasses?: number;
  /** Height and width of the images: 32 as in the paper, or 28 with a border of zeros around them. Default: 28. */
  readonly imageSize?: 28 | 32;
}

/**
 * LeNet-5 (LeCun et al. 1998) with relu and maxima, as PyTorch's tutorial has it. `[B, inChannels, imageSize, imageSize]` to
 * logits `[B, numClasses]`.
 */
export class LeNet extends Module {
  readonly conv1: nn.Conv2d;
  readonly conv2: nn.Conv2d;
  readonly fc1: nn.Linear;
  readonly fc2: nn.Linear;
  readonly fc3: nn.Linear;

  constructor({ inChannels = 1, numClasses = 10, imageSize = 28 }: LeNetOptions = {}) {
    super();
    this.conv1 = new nn.Conv2d(inChannels, 6, 5, { padding: (32 - imageSize) / 2 });
    this.conv2 = new nn.Conv2d(6, 16, 5);
    this.fc1 = new nn.Linear(400, 120);
    this.fc2 = new nn.Linear(120, 84);
    this.fc3 = new nn.Linear(84, numClasses);
  }

  forward(x: Value): Value {
    const first = F.maxPool2d(F.relu(this.conv1.call(x)), 2);
    const second = F.maxPool2d(F.relu(this.conv2.call(first)), 2);
    const hidden = F.relu(this.fc1.call(F.flatten(second)));
    return this.fc3.call(F.relu(this.fc2.call(hidden)));
  }
}

/** Options of `MnistNet`. */
export interface MnistNetOptions {
  /** Default: 10. */
  readonly numClasses?: number;
}

/** The network of PyTorch's MNIST example. `[B, 1, 28, 28]` to logits `[B, numClasses]`. */
export class MnistNet extends Module {
  readonly conv1 = new nn.Conv2d(1, 32, 3);
  readonly conv2 = new nn.Conv2d(32, 64, 3);
  readonly dropout1 = new nn.Dropout(0.25);
  readonly dropout2 = new nn.Dropout(0.5);
  readonly fc1 = new nn.Linear(9216, 128);
  readonly fc2: nn.Linear;

  constructor({ numClasses = 10 }: MnistNetOptions = {}) {
    super();
    this.fc2 = new nn.Linear(128, numClasses);
  }

  forward(x: Value): Value {
    const features = F.relu(this.conv2.call(F.relu(this.conv1.call(x))));
    const pooled = this.dropout1.call(F.maxPool2d(features, 2));
    const hidden = F.relu(this.fc1.call(F.flatten(pooled)));
    return this.fc2.call(this.dropout2.call(hidden));
  }
}
