// What is measured: networks with their batches, built here as bench/peer/step.py builds them in PyTorch.

import { randomFillSync } from "node:crypto";
import {
  type Batch,
  type DendriteOptions,
  data,
  losses,
  nn,
  optim,
  Random,
  Tensor,
  type Value,
} from "../src/index.ts";

type ArborizeInputs = NonNullable<Parameters<typeof nn.trace>[1]>["inputs"];

/** A row of the bench. */
export interface Row {
  /** What it is, in a few words. */
  readonly about: string;
  /** Dendrites to measure. */
  readonly dendrites: readonly number[];
  /** At most this share of PyTorch's time, by number of dendrites: what is aimed at. */
  readonly aims: readonly number[];
  /** Where dendrites grow. */
  readonly where: DendriteOptions;
  readonly inputs: ArborizeInputs;
  readonly optimizer: () => optim.Optimizer;
  readonly model: () => nn.Module;
  /** Shape of the batch's input, and how many words or classes there are where it is whole numbers. */
  readonly batch: { readonly shape: readonly number[]; readonly below?: number };
  readonly classes: number;
  /** Examples of an epoch, where the row is an experiment's network: MNIST's, and those that the EMNIST experiment learns from. */
  readonly epoch?: number;
  /** What becomes of its images before each step, in its experiment. */
  readonly transform?: data.BatchTransform;
}

/** An LSTM over a sequence, and a classifier of its last state. */
class LstmClassifier extends nn.Module {
  readonly lstm = new nn.LSTM(64, 128, { batchFirst: true });
  readonly fc = new nn.Linear(128, 10);

  forward(x: Value): Value {
    const [, [hidden]] = this.lstm.call(x);
    return this.fc.call(hidden.squeeze(0));
  }
}

const images = (channels: number, size: number) => ({ x: ["batch", channels, size, size] }) as const;

export const ROWS = {
  "mnist-cnn": {
    about: "PyTorch's MNIST CNN, Adadelta, 64 images",
    dendrites: [0, 1, 2, 3],
    aims: [0.65, 0.5, 0.5, 0.5],
    where: { types: ["Linear", "Conv2d"] },
    inputs: images(1, 28),
    optimizer: () => optim.adadelta(),
    model: () => new nn.models.MnistNet(),
    batch: { shape: [64, 1, 28, 28] },
    classes: 10,
    epoch: 60_000,
  },
  resnet18: {
    about: "ResNet-18, Adadelta, 32 images of 32 x 32 x 3",
    dendrites: [0, 1, 2],
    aims: [0.9, 0.6, 0.6],
    where: { types: [], blocks: ["BasicBlock"] },
    inputs: images(3, 32),
    optimizer: () => optim.adadelta(),
    model: () => nn.models.resnet18({ numClasses: 10 }),
    batch: { shape: [32, 3, 32, 32] },
    classes: 10,
    epoch: 90_000,
    transform: data.augment({ rotate: 10, shear: 5, fill: -0.1307 / 0.3081 }),
  },
  "dsn-bert": {
    about: "BERT-tiny's embeddings summed, AdamW, 32 x 512 tokens",
    dendrites: [0, 1],
    aims: [0.8, 0.8],
    where: { types: ["Linear"] },
    inputs: { ids: { dtype: "int64", shape: ["batch", 512] } },
    optimizer: () => optim.adamw({ learningRate: 1e-5 }),
    model: () => new nn.models.DsnBert({ hiddenSize: 128 }),
    batch: { shape: [32, 512], below: 30522 },
    classes: 2,
  },
  "bert-tiny": {
    about: "BERT-tiny, AdamW, 32 x 128 tokens",
    dendrites: [0, 1],
    aims: [0.9, 0.6],
    where: { types: ["Linear"] },
    inputs: { ids: { dtype: "int64", shape: ["batch", 128] } },
    optimizer: () => optim.adamw({ learningRate: 1e-5 }),
    model: () => new nn.models.BertForSequenceClassification(nn.models.BERT_SIZES.tiny),
    batch: { shape: [32, 128], below: 30522 },
    classes: 2,
  },
  lstm: {
    about: "LSTM of 128 over 100 steps, Adam, 32 sequences",
    dendrites: [0, 1],
    aims: [1, 0.7],
    where: { types: ["LSTM"] },
    inputs: { x: ["batch", 100, 64] },
    optimizer: () => optim.adam(),
    model: () => new LstmClassifier(),
    batch: { shape: [32, 100, 64] },
    classes: 10,
  },
  mlp: {
    about: "MLP 784-512-512-10, Adam, 128 examples",
    dendrites: [0, 1, 2, 3],
    aims: [0.7, 0.7, 0.7, 0.7],
    where: { types: ["Linear"] },
    inputs: { x: ["batch", 784] },
    optimizer: () => optim.adam(),
    model: () =>
      new nn.Sequential(
        new nn.Linear(784, 512),
        new nn.ReLU(),
        new nn.Linear(512, 512),
        new nn.ReLU(),
        new nn.Linear(512, 10),
      ),
    batch: { shape: [128, 784] },
    classes: 10,
  },
} as const satisfies Readonly<Record<string, Row>>;

export type RowName = keyof typeof ROWS;

/** The MNIST CNN's channels and units, `width` times as many. */
export function mnistWidths(width: number): readonly [conv1: number, conv2: number, fc1: number] {
  return [Math.round(32 * width), Math.round(64 * width), Math.round(128 * width)];
}

/** The row of the MNIST CNN for another number of images, and another width. */
export function mnistRow(images: number, width: number): Row {
  const [conv1, conv2, fc1] = mnistWidths(width);
  const model = () =>
    new nn.Sequential(
      new nn.Conv2d(1, conv1, 3),
      new nn.ReLU(),
      new nn.Conv2d(conv1, conv2, 3),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Dropout(0.25),
      new nn.Flatten(),
      new nn.Linear(conv2 * 144, fc1),
      new nn.ReLU(),
      new nn.Dropout(0.5),
      new nn.Linear(fc1, 10),
    );
  return { ...ROWS["mnist-cnn"], model, batch: { shape: [images, 1, 28, 28] } };
}

/** A batch of noise for a row. */
export function drawBatch({ batch: { shape, below }, classes, inputs }: Row): Record<string, Tensor> {
  const random = Random.stream(0, "bench");
  const size = shape.reduce((a, b) => a * b, 1);
  const input = below
    ? Tensor.of(
        shape,
        Array.from({ length: size }, () => random.integer(below)),
        "int64",
      )
    : new Tensor(
        "float32",
        shape,
        Float32Array.from({ length: size }, () => random.normal()),
      );
  const labels = Array.from({ length: shape[0]! }, () => random.integer(classes));
  return { [Object.keys(inputs)[0]!]: input, target: Tensor.of([shape[0]!], labels, "int64") };
}

/** Batches of so many generated images by the loader, epoch after epoch. */
export async function* loadedBatches(row: Row, examples: number): AsyncGenerator<Batch, never> {
  const [batchSize, channels, height, width] = row.batch.shape as [number, number, number, number];
  const images = new Uint8Array(examples * channels * height * width);
  const labels = new Uint8Array(examples);
  randomFillSync(images);
  randomFillSync(labels);
  const dataset = data.imageDataset({
    images,
    shape: [examples, channels, height, width],
    labels: labels.map((label) => label % row.classes),
    mean: 0.1307,
    std: 0.3081,
  });
  const { transform } = row;
  const loader = data.batches(dataset, { batchSize, shuffle: true, ...(transform ? { transform } : {}) });
  for (;;) yield* loader;
}

/** The loss of every row. */
export const LOSS = losses.crossEntropy();
