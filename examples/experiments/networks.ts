// Small networks of any width for grey images of ten classes.

import { nn, type Value } from "../../src/index.ts";

/** Two convolutions, each halved by pooling, and a linear layer: `width` and twice as many channels. */
class SmallCnn extends nn.Module {
  conv1: nn.Conv2d;
  conv2: nn.Conv2d;
  fc: nn.Linear;

  constructor(width: number, side: number) {
    super();
    this.conv1 = new nn.Conv2d(1, width, 3, { padding: 1 });
    this.conv2 = new nn.Conv2d(width, 2 * width, 3, { padding: 1 });
    this.fc = new nn.Linear(2 * width * Math.floor(side / 4) ** 2, 10);
  }

  forward(x: Value) {
    const first = this.conv1.call(x).relu().maxPool2d(2);
    return this.fc.call(this.conv2.call(first).relu().maxPool2d(2).flatten());
  }
}

/** By name: of how wide it is, and the side of the square images that it reads. */
export const NETWORKS = {
  MLP: (width: number, side: number): nn.Module =>
    new nn.models.Mlp({ inFeatures: side * side, outFeatures: 10, hidden: [width] }),
  CNN: (width: number, side: number): nn.Module => new SmallCnn(width, side),
} as const;
