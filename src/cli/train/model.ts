// The network that a configuration asks for: a file, or a built-in one of the data's shape.

import { ArborizeError, didYouMean } from "../../base/errors.ts";
import type { Recipe } from "../../data/prepare.ts";
import { tableWidths } from "../../data/table.ts";
import { vocabularySize } from "../../data/words.ts";
import { BagOfWords, Cnn, Mlp, resnet18, resnet34, TabularNet } from "../../nn/models/index.ts";
import type { Module } from "../../nn/module.ts";
import { MODELS, type Named, partsOf } from "./names.ts";

/** The built-in networks that read a kind of data; the first is the default. */
const FITTING: Readonly<Record<Recipe["kind"], readonly string[]>> = {
  images: ["cnn", "mlp", "resnet18", "resnet34"],
  table: ["mlp"],
  text: ["bagOfWords"],
};

/** The built-in network called so, for data of this kind. @throws `bad_option` for one that does not read such data. */
export function builtIn(named: Named | undefined, recipe: Recipe): Module {
  const fitting = FITTING[recipe.kind];
  const { name, options } = partsOf(named ?? fitting[0]!);
  if (!fitting.includes(name)) {
    const problem = (MODELS as readonly string[]).includes(name)
      ? `does not read data of kind ${recipe.kind}`
      : `is no file (.onnx) and no network that is built in.${didYouMean(name, MODELS)}`;
    throw new ArborizeError("bad_option", `The model "${name}" ${problem}; ${fitting.join(", ")} would do.`);
  }
  const outFeatures = outputsOf(recipe);
  switch (recipe.kind) {
    case "text":
      return new BagOfWords({ ...options, vocabulary: vocabularySize(recipe), outFeatures });
    case "table": {
      const { numbers, categories } = tableWidths(recipe);
      return categories.length > 0
        ? new TabularNet({ ...options, numbers, categories, outFeatures })
        : new Mlp({ ...options, inFeatures: numbers, outFeatures });
    }
    case "images": {
      const { channels: inChannels, size } = recipe;
      if (name === "mlp")
        return new Mlp({ ...options, inFeatures: inChannels * size[0] * size[1], outFeatures });
      if (name === "cnn") return new Cnn({ ...options, inChannels, imageSize: size, outFeatures });
      const stem = Math.min(...size) < 64 ? "small" : "large";
      const residual = name === "resnet18" ? resnet18 : resnet34;
      return residual({ stem, ...options, inChannels, numClasses: outFeatures });
    }
  }
}

/** How many numbers a network gives for an example: one a class, or the one that is predicted. */
export function outputsOf(recipe: Recipe): number {
  return classesOf(recipe)?.length ?? 1;
}

/** The classes by name; null where a number is predicted. */
export function classesOf(recipe: Recipe): readonly string[] | null {
  if (recipe.kind !== "table") return recipe.classes;
  return recipe.target.kind === "classes" ? recipe.target.classes : null;
}
