// The starters of `arborize init`.

/** A file to begin with. */
export interface Starter {
  readonly file: string;
  readonly about: string;
  readonly text: string;
}

const SCHEMA = '"$schema": "./node_modules/arborize/config.schema.json",';

/** What all starters of JSON end with. */
const COMMON = `
  // Examples in a step of training.
  "batchSize": 64,

  // When to add dendrites, and how many: after so many epochs without a better validation score.
  "growth": { "patience": 10, "maxDendrites": 3 },

  // Stop after so many epochs in any case. Without it, training ends when dendrites no longer help.
  "maxEpochs": 200,

  // Decides everything random: parts of the data, first weights, the order of examples.
  "seed": 0`;

export const STARTERS: Readonly<Record<string, Starter>> = {
  onnx: {
    file: "arborize.jsonc",
    about: "grow dendrites on a network that you have as .onnx",
    text: `{
  ${SCHEMA}

  // A network, as PyTorch and others export it. See what can grow: arborize inspect network.onnx
  "model": "network.onnx",

  // A folder with a folder for each class, in the order of the network's outputs by name: images/CLASS/any.png
  "data": { "path": "images" },

  // A network that has learned already wants small steps.
  "optimizer": { "name": "adam", "learningRate": 0.0001 },
${COMMON}
}
`,
  },
  cnn: {
    file: "arborize.mjs",
    about: "a convolutional network of your own, on generated digits until you name your images",
    text: `// arborize train arborize.mjs
import { data, nn } from "arborize";

/** A network as in PyTorch: layers are fields, forward says how they are connected. */
class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 8, 3, { padding: 1 });
  conv2 = new nn.Conv2d(8, 16, 3, { padding: 1 });
  fc1 = new nn.Linear(16 * 5 * 5, 32);
  fc2 = new nn.Linear(32, 10);

  forward(x) {
    x = this.conv1.call(x).relu().maxPool2d(2);
    x = this.conv2.call(x).relu().maxPool2d(2).flatten();
    return this.fc2.call(this.fc1.call(x).relu());
  }
}

export default {
  model: new Net(),

  // Data sets, or the files of your own: data: { path: "images", size: [20, 20] }
  data: data.digits({ train: 5000, validation: 1000, test: 1000, size: 20 }),

  optimizer: { name: "adam", learningRate: 0.002 },
  metric: "accuracy",

  // When to add dendrites, and how many: after so many epochs without a better validation score.
  growth: { patience: 5, maxDendrites: 3 },
  batchSize: 32,
  maxEpochs: 100,
  seed: 0,
};
`,
  },
  tabular: {
    file: "arborize.jsonc",
    about: "predict a column of a table (.csv, .parquet) from the others",
    text: `{
  ${SCHEMA}

  "data": {
    // Types of columns are found out: numbers, dates, categories. Packed files (.csv.gz) and .parquet are fine.
    "path": "table.csv",
    // The column to predict: classes, or a number. By default it is the last one.
    // "target": "price",
    // Columns to leave out, such as an identity.
    // "ignore": ["id"],
    // "one-hot": a column of 0 and 1 for each value; "embedded": learned vectors, for columns of many values.
    "categories": "one-hot",
    "validationShare": 0.1,
    "testShare": 0.1
  },

  // Layers of neurons over the columns.
  "model": { "name": "mlp", "hidden": [64, 32], "dropout": 0.1 },
  "optimizer": { "name": "adam", "learningRate": 0.001 },

  // "accuracy", "auc" (of two classes), or of numbers "squaredError", in variances of the column.
  // "metric": "auc",
${COMMON}
}
`,
  },
  text: {
    file: "arborize.jsonc",
    about: "tell classes of texts apart, from a .tsv or another table",
    text: `{
  ${SCHEMA}

  "data": {
    // A label, a tab and a text a line, or any table (.tsv, .csv, .parquet) whose columns are named below.
    "path": "texts.tsv",
    // "textColumn": "review",
    // "labelColumn": "stars",
    // Words of a text that are read, and words that are told apart.
    "length": 256,
    "vocabulary": 20000,
    "validationShare": 0.1,
    "testShare": 0.1
  },

  // Layers of neurons over the mean of the words' learned vectors.
  "model": { "name": "bagOfWords", "embeddingDim": 64, "hidden": [32] },
  "optimizer": { "name": "adam", "learningRate": 0.001 },
${COMMON}
}
`,
  },
};
