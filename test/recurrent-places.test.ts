// Dendrites on recurrent layers, on modules that are called twice or share weights, and on the named networks.

import { describe, expect, it } from "vitest";
import {
  attachDendrites,
  findSites,
  nn,
  ops,
  Random,
  readOnnx,
  type Selection,
  Tensor,
  type Value,
  writeOnnx,
} from "../src/index.ts";
import { expectJourney, expectSlopes, expectUnchanged } from "./support/grown.ts";
import { randn } from "./support/run.ts";

type Reads = "sequence" | "last" | "both";

/** A classifier of sequences by what a recurrent layer gives. */
class Classifier extends nn.Module {
  rnn: nn.LSTM | nn.GRU | nn.RNN;
  head: nn.Linear;
  readonly #reads: Reads;
  constructor(kind: "LSTM" | "GRU" | "RNN", reads: Reads, options: nn.RecurrentOptions = {}) {
    super();
    this.rnn = new nn[kind](3, 4, { batchFirst: true, ...options });
    this.head = new nn.Linear((options.bidirectional && reads !== "last" ? 2 : 1) * 4, 2);
    this.#reads = reads;
  }
  forward(x: Value): Value {
    const [sequence, state] = this.rnn.call(x) as readonly [Value, Value | readonly [Value, Value]];
    const h = Array.isArray(state) ? (state as readonly [Value, Value])[0] : (state as Value);
    const last = ops.reduceMean(h, [0], { keepDims: false });
    const mean = ops.reduceMean(sequence, [1], { keepDims: false });
    const ends = this.rnn.bidirectional ? ops.concat([last, last], 1) : last;
    return this.head.call({ sequence: mean, last, both: ops.add(mean, ends) }[this.#reads]);
  }
}

const x = randn([3, 5, 3], "sequences");
const inputs = { x: ["batch", 5, 3] };
const RECURRENT: Selection = { types: ["LSTM", "GRU", "RNN", "Linear"] };

describe.each<[string, () => nn.Module, number]>([
  ["an LSTM read as a sequence", () => new Classifier("LSTM", "sequence"), 1],
  ["an LSTM's last state", () => new Classifier("LSTM", "last"), 1],
  ["both of a GRU", () => new Classifier("GRU", "both"), 2],
  ["a GRU both ways", () => new Classifier("GRU", "sequence", { bidirectional: true }), 1],
  ["both of an LSTM both ways", () => new Classifier("LSTM", "both", { bidirectional: true }), 2],
  ["an RNN of two layers", () => new Classifier("RNN", "both", { numLayers: 2 }), 2],
])("dendrites on %s", (_, make, feeds) => {
  const base = nn.trace(make(), { inputs });

  it("feed what the network reads, and compute the same at first", async () => {
    const [site] = findSites(base, RECURRENT);
    expect(site!.calls.map(({ outputs }) => outputs.length)).toEqual([feeds]);
    await expectUnchanged(base, RECURRENT, x);
  });

  it("have the gradients of central differences", async () => {
    await expectSlopes(base, RECURRENT, x);
  });

  it("are exported as they evaluate, and grow on", async () => {
    await expectJourney(make, { inputs }, RECURRENT, x);
  });
});

/** A language model whose output weights are its embedding's. */
class Tied extends nn.Module {
  emb = new nn.Embedding(7, 4);
  fc = new nn.Linear(4, 4);
  head = new nn.Linear(4, 7);
  constructor() {
    super();
    Object.assign(this.head, { weight: this.emb.weight });
  }
  forward(x: Value): Value {
    return this.head.call(this.fc.call(this.emb.call(x)).tanh());
  }
}

const tokens = Tensor.of([2, 3], [1, 4, 6, 0, 1, 3], "int64");
const text = { x: { dtype: "int64", shape: ["batch", 3] } } as const;

describe("a language model with tied weights", () => {
  const base = nn.trace(new Tied(), { inputs: text });
  const both: Selection = { types: ["Embedding", "Linear"] };

  it("has an output layer that grows by itself", async () => {
    expect(findSites(base).map(({ id }) => id)).toEqual(["fc", "head"]);
    await expectUnchanged(base, {}, tokens);
    await expectSlopes(base, {}, tokens);
    await expectJourney(() => new Tied(), { inputs: text }, {}, tokens);
  });

  it("has dendrites that share as the layers do, counted once", async () => {
    const grown = attachDendrites(base, {
      sites: findSites(base, both),
      count: 2,
      random: (name) => Random.stream(1, name),
    });
    const sizes = Object.fromEntries(
      grown.parameters.flatMap(({ name, shape }) => (name.includes("dendrites") ? [[name, shape]] : [])),
    );
    expect(Object.keys(sizes).filter((name) => /^(emb|head)\.dendrites\.0/.test(name))).toEqual([
      "emb.dendrites.0.weight",
      "head.dendrites.0.bias",
    ]);
    await expectSlopes(base, both, tokens);
    await expectJourney(() => new Tied(), { inputs: text }, both, tokens);
  });

  it("is found in a file, though its weight has one name there", async () => {
    const { graph } = await readOnnx(writeOnnx(base));
    expect(findSites(graph, both).map(({ id, type }) => `${id} ${type}`)).toEqual([
      "emb Embedding",
      "fc Linear",
      "head Linear",
    ]);
  });
});

describe("an encoder that is used twice", () => {
  class Siamese extends nn.Module {
    encoder = new nn.Sequential(new nn.Linear(3, 4), new nn.Tanh(), new nn.Linear(4, 3));
    head = new nn.Linear(3, 2);
    forward(x: Value): Value {
      const twin = ops.mul(x, x);
      return this.head.call(ops.sub(this.encoder.call(x), this.encoder.call(twin)));
    }
  }
  const points = randn([4, 3], "points");

  it.each<[string, Selection, string[]]>([
    ["layer by layer", {}, ["encoder.0", "encoder.2", "head"]],
    ["as one", { types: [], modules: ["encoder"] }, ["encoder"]],
  ])("grows %s, after both uses", async (_, selection, ids) => {
    const base = nn.trace(new Siamese(), { inputs: { x: ["batch", 3] } });
    const sites = findSites(base, selection);
    expect(sites.map(({ id }) => id)).toEqual(ids);
    expect(sites[0]!.calls).toHaveLength(2);
    await expectUnchanged(base, selection, points);
    await expectSlopes(base, selection, points);
    await expectJourney(() => new Siamese(), { inputs: { x: ["batch", 3] } }, selection, points);
  });
});

const bert = () =>
  new nn.models.BertForSequenceClassification({
    vocabSize: 7,
    hiddenSize: 4,
    numHiddenLayers: 2,
    numAttentionHeads: 2,
    maxPositionEmbeddings: 4,
    hiddenDropoutProb: 0,
    attentionProbsDropoutProb: 0,
  });
const unet = () => new nn.models.UNet({ features: 1, inChannels: 1 });
const image = randn([4, 1, 16, 16], "image");

describe.each<[string, () => nn.Module, typeof text | { x: (string | number)[] }, Tensor, Selection, number]>(
  [
    ["every Linear of a tiny BERT", bert, text, tokens, {}, 14],
    ["every layer of a tiny BERT", bert, text, tokens, { types: ["BertLayer"] }, 2],
    ["every convolution of a UNet", unet, { x: ["batch", 1, 16, 16] }, image, {}, 19],
    [
      "every pair of convolutions of a UNet",
      unet,
      { x: ["batch", 1, 16, 16] },
      image,
      { types: ["DoubleConv"] },
      9,
    ],
  ],
)("dendrites on %s", (_, make, given, feed, selection, count) => {
  it("compute the same at first, have gradients, are exported and grow on", async () => {
    const base = nn.trace(make(), { inputs: given });
    expect(findSites(base, selection)).toHaveLength(count);
    await expectUnchanged(base, selection, feed);
    // A thousand relus of a UNet have their kinks wherever a step leads.
    await expectSlopes(base, selection, feed, make === unet ? 0.1 : 0.02);
    await expectJourney(make, { inputs: given, batchNorm: "train" }, selection, feed);
  });
});
