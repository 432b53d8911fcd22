// The network of PyTorch's MNIST example: https://github.com/pytorch/examples/tree/main/mnist

import { nn, type Value } from "../src/index.ts";

/** Two convolutions and two linear layers. `[B, 1, 28, 28]` to logits `[B, 10]`. */
export class MnistNet extends nn.Module {
  conv1 = new nn.Conv2d(1, 32, 3);
  conv2 = new nn.Conv2d(32, 64, 3);
  dropout1 = new nn.Dropout(0.25);
  dropout2 = new nn.Dropout(0.5);
  fc1 = new nn.Linear(9216, 128);
  fc2 = new nn.Linear(128, 10);

  forward(x: Value) {
    x = this.conv1.call(x).relu();
    x = this.conv2.call(x).relu().maxPool2d(2);
    x = this.dropout1.call(x).flatten();
    x = this.dropout2.call(this.fc1.call(x).relu());
    return this.fc2.call(x);
  }
}
