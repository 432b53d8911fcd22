// The networks of the golden cases, built from nn under the names of their state dicts.

import type { Value } from "../../src/graph/graph.ts";
import * as nn from "../../src/nn/index.ts";

const F = nn.functional;

class Attention extends nn.Module {
  readonly q = new nn.Linear(16, 16);
  readonly k = new nn.Linear(16, 16);
  readonly v = new nn.Linear(16, 16);
  readonly o = new nn.Linear(16, 16);

  forward(x: Value): Value {
    const [q, k, v] = [this.q, this.k, this.v].map((layer) =>
      F.unflatten(layer.call(x), -1, [4, 4]).transpose(1, 2),
    ) as [Value, Value, Value];
    return this.o.call(F.scaledDotProductAttention(q, k, v).transpose(1, 2).flatten(2));
  }
}

class Block extends nn.Module {
  readonly n1 = new nn.LayerNorm(16);
  readonly a = new Attention();
  readonly n2 = new nn.LayerNorm(16);
  readonly f1 = new nn.Linear(16, 64);
  readonly f2 = new nn.Linear(64, 16);

  forward(x: Value): Value {
    const y = x.add(this.a.call(this.n1.call(x)));
    return y.add(this.f2.call(F.gelu(this.f1.call(this.n2.call(y)))));
  }
}

/** The mean over positions. */
class MeanOverTime extends nn.Module {
  forward(x: Value): Value {
    return x.mean(1);
  }
}

class Residual extends nn.Module {
  readonly c1: nn.Conv2d;
  readonly b1: nn.BatchNorm2d;
  readonly c2: nn.Conv2d;
  readonly b2: nn.BatchNorm2d;
  readonly short: nn.Sequential;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this.c1 = new nn.Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false });
    this.b1 = new nn.BatchNorm2d(outChannels);
    this.c2 = new nn.Conv2d(outChannels, outChannels, 3, { padding: 1, bias: false });
    this.b2 = new nn.BatchNorm2d(outChannels);
    this.short = new nn.Sequential(
      new nn.Conv2d(inChannels, outChannels, 1, { stride, bias: false }),
      new nn.BatchNorm2d(outChannels),
    );
  }

  forward(x: Value): Value {
    const y = this.b2.call(this.c2.call(this.b1.call(this.c1.call(x)).relu()));
    return y.add(this.short.call(x)).relu();
  }
}

class TinyBert extends nn.Module {
  readonly tok = new nn.Embedding(50, 16);
  readonly pos = new nn.Embedding(8, 16);
  readonly norm = new nn.LayerNorm(16);
  readonly blocks = new nn.ModuleList([new Block(), new Block()]);
  readonly head = new nn.Linear(16, 3);

  forward(input: Value): Value {
    let x = this.norm.call(this.tok.call(input).add(this.pos.weight));
    for (const block of this.blocks) x = block.call(x);
    return this.head.call(x.mean(1));
  }
}

class Averaging extends nn.Module {
  readonly tok = new nn.Embedding(60, 12);
  readonly norm = new nn.LayerNorm(12);
  readonly head = new nn.Linear(12, 2);

  forward(input: Value): Value {
    return this.head.call(this.norm.call(this.tok.call(input)).sum(1));
  }
}

class LastOfSequence extends nn.Module {
  readonly r = new nn.LSTM(5, 7, { batchFirst: true });
  readonly head = new nn.Linear(7, 3);

  forward(x: Value): Value {
    const [y] = this.r.call(x);
    return this.head.call(y.select(1, -1));
  }
}

/** By the name of the case. */
export const GOLDEN_NETS: Readonly<Record<string, () => nn.Module>> = {
  mlp: () => new nn.Sequential(new nn.Linear(6, 10), new nn.ReLU(), new nn.Linear(10, 3)),
  "mnist-cnn": () =>
    new nn.Sequential(
      new nn.Conv2d(1, 4, 3),
      new nn.ReLU(),
      new nn.Conv2d(4, 6, 3),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(150, 12),
      new nn.ReLU(),
      new nn.Linear(12, 10),
    ),
  attention: () =>
    new nn.Sequential(new nn.Linear(6, 16), new Block(), new MeanOverTime(), new nn.Linear(16, 3)),
  averaging: () => new Averaging(),
  "conv-variants": () =>
    new nn.Sequential(
      new nn.Conv2d(4, 8, 3, { stride: 2, padding: 1, groups: 2 }),
      new nn.ReLU(),
      new nn.Conv2d(8, 8, 3, { padding: 2, dilation: 2 }),
      new nn.ReLU(),
      new nn.Conv2d(8, 8, [1, 3], { padding: [0, 1], groups: 8 }),
      new nn.ReLU(),
      new nn.Conv2d(8, 5, 1),
      new nn.AdaptiveAvgPool2d(1),
      new nn.Flatten(),
    ),
  conv1d: () =>
    new nn.Sequential(
      new nn.Conv1d(3, 6, 5, { stride: 2, padding: 2 }),
      new nn.ReLU(),
      new nn.MaxPool1d(3, { stride: 2, padding: 1 }),
      new nn.Conv1d(6, 4, 3),
      new nn.AdaptiveAvgPool1d(1),
      new nn.Flatten(),
    ),
  lstm: () => new LastOfSequence(),
  "linear-3d": () =>
    new nn.Sequential(new nn.Linear(6, 8), new nn.GELU(), new nn.Linear(8, 4), new MeanOverTime()),
  norms: () =>
    new nn.Sequential(
      new nn.Conv2d(2, 6, 3, { padding: 1 }),
      new nn.GroupNorm(3, 6),
      new nn.ReLU(),
      new nn.Conv2d(6, 4, 3),
      new nn.InstanceNorm2d(4, { affine: true }),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(64, 8),
      new nn.LayerNorm(8),
      new nn.Linear(8, 3),
    ),
  batchnorm: () =>
    new nn.Sequential(
      new nn.Conv2d(2, 4, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(4),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(144, 8),
      new nn.BatchNorm1d(8),
      new nn.ReLU(),
      new nn.Linear(8, 3),
    ),
  residual: () =>
    new nn.Sequential(
      new Residual(2, 4, 1),
      new Residual(4, 8, 2),
      new nn.AdaptiveAvgPool2d(1),
      new nn.Flatten(),
      new nn.Linear(8, 4),
    ),
  "tiny-bert": () => new TinyBert(),
};
