// Movie reviews by BERT's embeddings alone, summed over the tokens: a deep sum network, DSN.
//
// The idea: most of BERT's work is attention. Leave it out, sum the embeddings of all tokens, classify the sum, and let the
// classifier grow dendrites.
//
// Published: a chart in the README of the original library (PerforatedAI, July 2025), of one run, reports that this gives back much of
// what leaving attention out has cost; BERT is Devlin and others' (2018, arXiv 1810.04805), the reviews are Maas and others' (2011).
// Look at `dendrites` beside `2-layer encoder`, which has the attention, and beside the controls.
//
//     npx tsx examples/imdb-dsn-bert.ts --data ../shared/data
//
// The vocabulary of BERT's uncased models must be in the folder as `bert-vocab/vocab.txt`.
//
// The published network starts from BERT-tiny's weights: `--weights model.safetensors`, or `--weights hf:OWNER/NAME` to have them
// from the Hugging Face hub (`npm install @huggingface/hub`), with `@REVISION` and `:FILE` where they lie elsewhere. Both networks
// then start from them, at a rate of 1e-5; without, everything is trained from scratch, at 1e-3. To classify other texts, put
// `{ train, test }` of them, each `{ texts, labels }`, in place of `data.imdb`; to try another network, change `dsn`.

import { join } from "node:path";
import {
  ArborizeError,
  type Dataset,
  data,
  nn,
  optim,
  Random,
  readStateDict,
  type Tensor,
} from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import {
  type Arm,
  type Context,
  type Experiment,
  plannedGrowth,
  trainArm,
} from "./experiments/experiment.ts";
import { withRestarts } from "./experiments/restarts.ts";
import { dataFrom } from "./shared.ts";

/** Epochs of a cycle, tokens of a review, reviews to train on, to validate with and to test with. */
const SCALES = {
  smoke: { cycle: 1, tokens: 16, sizes: [40, 20, 20] },
  quick: { cycle: 3, tokens: 128, sizes: [4_000, 1_000, 4_000] },
  full: { cycle: 10, tokens: 512, sizes: [20_000, 5_000, 25_000] },
} as const;
/** Width of the embeddings when trained from scratch: with the vocabulary, 0.5 million parameters, as published. */
const WIDTH = 16;

export const imdbDsnBert: Experiment = {
  name: "imdb-dsn-bert",
  title: "IMDB, BERT's embeddings summed",
  published:
    "81.7 % to 86.5 % with one gradient-descent dendrite, from pretrained weights (497k parameters).",
  setup: {
    smoke: "from scratch; 40 reviews of 16 tokens, cycles of 1 epoch.",
    quick:
      "from scratch, not from BERT-tiny; 4,000 of the training reviews, 1,000 others for validation, the first 128 tokens; cycles of 3 epochs, one dendrite on the classifier, Adam 1e-3.",
    full: "from scratch unless weights are given; 20,000 of the training reviews, the others for validation, 512 tokens; cycles of 10 epochs, one dendrite on the classifier, Adam 1e-3 (1e-5 on pretrained weights).",
  },
  score: "test accuracy",
  percent: true,
  seeds: { smoke: 1, quick: 5, full: 5 },
  comparisons: [
    ["dendrites", "plain"],
    ["dendrites", "longer"],
    ["dendrites", "wider"],
    ["dendrites", "2-layer encoder"],
  ],
  async prepare({ data: folder, scale, weights, log }: Context) {
    const { cycle, tokens, sizes } = SCALES[scale];
    const [trained, validated, tested] = sizes;
    const root = folder ?? process.env.ARBORIZE_DATA ?? "";
    const tokenizer = await data.wordPiece(join(root, "bert-vocab", "vocab.txt"));
    const reviews = await data.imdb(dataFrom(folder));
    log(`imdb-dsn-bert: splitting ${trained + validated + tested} reviews into tokens`);
    const known = some(reviews.train, trained + validated);
    const [train, validation] = data.split(
      data.tokenDataset(known, tokenizer, tokens),
      [trained, validated],
      {
        seed: 1,
      },
    );
    const test = data.tokenDataset(some(reviews.test, tested), tokenizer, tokens);
    const parts: { train: Dataset; validation: Dataset; test: Dataset } = { train, validation, test };

    const state = weights === undefined ? null : await pretrained(weights);
    const width: number = state?.get("bert.embeddings.word_embeddings.weight")?.shape[1] ?? WIDTH;
    const dsn = (hiddenSize: number) => {
      const net = new nn.models.DsnBert({ hiddenSize });
      return state && hiddenSize === width ? started(net, withoutPrefix(state), weights!) : net;
    };
    const encoder = () => {
      const net = new nn.models.BertForSequenceClassification({
        hiddenSize: width,
        numHiddenLayers: 2,
        numAttentionHeads: 2,
      });
      return state ? started(net, state, weights!) : net;
    };
    const ids = { dtype: "int64", shape: ["batch", tokens] } as const;
    const arm = (
      name: string,
      model: () => nn.Module,
      epochs: number,
      how: Partial<Parameters<typeof trainArm>[0]> = {},
    ): Arm =>
      trainArm({
        name,
        model,
        inputs: { inputIds: ids },
        parts,
        epochs,
        batchSize: 32,
        optimizer: optim.adam({ learningRate: state ? 1e-5 : 1e-3 }),
        scheduler: falling,
        growth: { switchMode: "never", maxDendrites: 0 },
        ...how,
      });
    const falling = optim.exponentialLR({ gamma: 0.8 });
    const longer = { scheduler: withRestarts(falling, cycle) };
    return {
      data: `IMDB, ${train.length} training, ${validation.length} validation, ${test.length} test reviews`,
      arms: [
        arm("plain", () => dsn(width), cycle),
        arm("dendrites", () => dsn(width), 2 * cycle, {
          growth: plannedGrowth(cycle),
        }),
        arm("longer", () => dsn(width), 2 * cycle, longer),
        // A dendrite on the classifier is a hundred parameters; one unit more of width is 31,000, the least that there is.
        arm("wider", () => dsn(width + 1), 2 * cycle, longer),
        arm("2-layer encoder", encoder, 2 * cycle, {
          ...longer,
          inputs: { inputIds: ids, attentionMask: ids },
        }),
      ],
    };
  },
};

/** `count` texts at random: the file alternates between the classes. */
function some({ texts, labels }: data.LabelledTexts, count: number): data.LabelledTexts {
  const chosen = Array.from(Random.stream(1, "reviews").permutation(texts.length).subarray(0, count));
  return { texts: chosen.map((i) => texts[i]!), labels: chosen.map((i) => labels[i]!) };
}

/**
 * Weights under the names of Hugging Face's classifier: an encoder alone has no prefix, and what was converted long ago calls a
 * normalization's weights gamma and beta.
 */
async function pretrained(path: string): Promise<ReadonlyMap<string, Tensor>> {
  const state = await readStateDict(path);
  const today = (name: string) =>
    `bert.${name}`
      .replace(/^bert\.bert\./, "bert.")
      .replace(/LayerNorm\.gamma$/, "LayerNorm.weight")
      .replace(/LayerNorm\.beta$/, "LayerNorm.bias");
  return new Map([...state].map(([name, tensor]) => [today(name), tensor]));
}

function withoutPrefix(state: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map([...state].map(([name, tensor]) => [name.replace(/^bert\./, ""), tensor]));
}

/** A network that starts from weights: all but its classifier's, which are drawn. */
function started(net: nn.Module, state: ReadonlyMap<string, Tensor>, from: string): nn.Module {
  const own = new Map([...state].filter(([name]) => !name.startsWith("classifier.")));
  const missing = net
    .loadStateDict(own, { strict: false })
    .missing.filter((name) => !name.startsWith("classifier."));
  if (missing.length === 0) return net;
  throw new ArborizeError("bad_data", `"${from}" has no ${missing.slice(0, 3).join(", ")}: is it a BERT's?`);
}

await runIfMain(import.meta.url, "IMDB reviews by summed embeddings, with dendrites on the classifier.", [
  imdbDsnBert,
]);
