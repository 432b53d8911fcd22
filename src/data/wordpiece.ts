// Texts as tokens: BERT's WordPiece, by Hugging Face's tokenizers.

import { Tokenizer } from "@huggingface/tokenizers";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { type Dataset, tensorDataset } from "./dataset.ts";
import { readFileBytes } from "./files.ts";
import type { LabelledTexts } from "./imdb.ts";
import { checkInteger } from "./options.ts";

/** Turns a text into the ids of its tokens, `[CLS]` first and `[SEP]` last. */
export interface WordPiece {
  readonly vocabSize: number;
  /** The ids of `text`, at most `maxLength` of them (default: all); `[SEP]` is kept. */
  encode(text: string, maxLength?: number): number[];
}

/**
 * BERT's tokenizer, uncased: lower case without accents, split at blanks and punctuation, then into the longest pieces that
 * the vocabulary has (Devlin et al. 2018).
 *
 * @param vocabulary the path of a `vocab.txt`: one token a line, its id the number of the line from 0.
 * @throws `bad_file` for one that is missing, or has not `[PAD]` first and `[UNK]`, `[CLS]` and `[SEP]` somewhere.
 */
export async function wordPiece(vocabulary: string): Promise<WordPiece> {
  const text = new TextDecoder().decode(await readFileBytes(vocabulary));
  const tokens = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const vocab = new Map(tokens.map((token, id) => [token, id]));
  const missing = ["[UNK]", "[CLS]", "[SEP]"].filter((token) => !vocab.has(token));
  if (vocab.get("[PAD]") !== 0 || missing.length > 0) {
    const found = missing.length > 0 ? `it lacks ${missing.join(", ")}` : "[PAD] is not its first line";
    throw new ArborizeError("bad_file", `"${vocabulary}" is not a vocabulary of BERT's: ${found}.`);
  }
  const tokenizer = new Tokenizer(
    {
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(vocab),
      },
      post_processor: null,
      decoder: { type: "WordPiece", prefix: "##" },
      added_tokens: [],
    },
    {},
  );
  const [start, end] = [vocab.get("[CLS]")!, vocab.get("[SEP]")!];
  return {
    vocabSize: tokens.length,
    encode(line, maxLength = Number.POSITIVE_INFINITY) {
      const { ids } = tokenizer.encode(line, { add_special_tokens: false });
      return [start, ...(ids as number[]).slice(0, Math.max(0, maxLength - 2)), end];
    },
  };
}

/**
 * Texts as tokens of one length: `inputIds`, int64 `[length]`, cut or filled up with `[PAD]`; `attentionMask`, int64
 * `[length]`, 1 where there is a token; `target`, int64 `[]`.
 *
 * @throws `bad_option` for a length below 2.
 */
export function tokenDataset(texts: LabelledTexts, tokenizer: WordPiece, length: number): Dataset {
  checkInteger("tokenDataset", "length", length, 2);
  const n = texts.texts.length;
  const ids = new BigInt64Array(n * length);
  const mask = new BigInt64Array(n * length);
  for (const [i, text] of texts.texts.entries()) {
    for (const [t, id] of tokenizer.encode(text, length).entries()) {
      ids[i * length + t] = BigInt(id);
      mask[i * length + t] = 1n;
    }
  }
  return tensorDataset({
    inputIds: new Tensor("int64", [n, length], ids),
    attentionMask: new Tensor("int64", [n, length], mask),
    target: new Tensor("int64", [n], BigInt64Array.from(texts.labels, BigInt)),
  });
}
