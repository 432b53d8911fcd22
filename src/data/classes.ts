// Classes by name: their order, their indices, and parts of a data set in which each has its share.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";

/**
 * Cuts examples into random parts that take nearly the same share of each class: for every class, the number in a part is
 * off from its share by less than one. Decided by `seed` alone.
 *
 * @param classes the class of each example.
 * @param shares of all examples, summing to 1.
 * @returns for each share the examples' indices, ascending.
 * @throws `bad_option` where a part would be empty.
 */
export function stratified(
  classes: readonly string[],
  shares: readonly number[],
  seed: number,
): Uint32Array[] {
  const members = new Map<string, number[]>();
  for (const i of Random.stream(seed, "split").permutation(classes.length)) {
    const known = members.get(classes[i]!);
    if (known) known.push(i);
    else members.set(classes[i]!, [i]);
  }
  const parts: number[][] = shares.map(() => []);
  for (const indices of members.values()) {
    indices.forEach((index, rank) => {
      const place = (rank + 0.5) / indices.length;
      let end = 0;
      const part = shares.findIndex((share) => {
        end += share;
        return place < end;
      });
      parts.at(part)!.push(index);
    });
  }
  const empty = shares.findIndex((share, part) => share > 0 && parts[part]!.length === 0);
  if (empty >= 0) {
    throw new ArborizeError(
      "bad_option",
      `${classes.length} examples are too few to be cut into shares of ${shares.join(", ")}: one would be empty.`,
    );
  }
  return parts.map((part) => Uint32Array.from(part).sort());
}

/** The classes among labels, each once: by value where all are numbers, else by name. */
export function sortedClasses(labels: Iterable<string>): string[] {
  const classes = [...new Set(labels)];
  const numeric = classes.every((name) => name !== "" && Number.isFinite(Number(name)));
  return classes.sort(numeric ? (a, b) => Number(a) - Number(b) : undefined);
}

/**
 * The index of each label among the classes. A full stop behind a label does not matter, as in the C4.5 format.
 *
 * @throws `bad_data` for a label that is no class.
 */
export function classTensor(labels: readonly string[], classes: readonly string[]): Tensor {
  const indices = new Map(classes.map((name, i) => [name, i]));
  const values = labels.map((label, row) => {
    const index = indices.get(label) ?? indices.get(label.replace(/\.$/, ""));
    if (index !== undefined) return index;
    throw new ArborizeError(
      "bad_data",
      `Row ${row} is of class "${label}", which the training data does not have.${didYouMean(label, classes)}`,
    );
  });
  return Tensor.of([labels.length], values, "int64");
}
