// Sums of products over named axes.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import { type Dim, shapeText } from "../graph/shape.ts";
import { defineOperator, expectFloats, expectShape } from "./define.ts";
import { reduceSum } from "./reduce.ts";
import { expandLike, reshape } from "./reshape.ts";

/**
 * Products of all operands, summed over the axes that the output does not name: `einsum("bij,bjk->bik", a, b)`. An axis of
 * length 1 broadcasts. ONNX Einsum-12.
 */
export function einsum(equation: string, ...operands: readonly Value[]): Value {
  return einsumOp.emit(operands, { equation }).output;
}

export const einsumOp = defineOperator({
  type: "Einsum",
  since: 12,
  attributes: { equation: "string" },
  infer: (operands: readonly Value[], { equation = "" }) => {
    expectFloats(...operands);
    const { output, lengths } = parse(equation, operands);
    return [{ dtype: operands[0]!.dtype, shape: [...output].map((label) => lengths.get(label)!) }];
  },
  // Each operand gets the sum of products of dy and the others over the axes that it does not name.
  gradient: (dy, { inputs: operands, attributes: { equation = "" } }) => {
    const { terms, output } = parse(equation, operands);
    return operands.map((operand, i) => {
      const labels = terms[i]!;
      if (new Set(labels).size < labels.length) {
        throw new ArborizeError("not_differentiable", `the diagonal that "${labels}" takes has no gradient`);
      }
      const others = operands.flatMap((_, j) => (j === i ? [] : [j]));
      const known = new Set([...output, ...others.flatMap((j) => [...terms[j]!])]);
      const found = [...labels].filter((label) => known.has(label)).join("");
      const given = [output, ...others.map((j) => terms[j]!)];
      const product = einsum(`${given.join(",")}->${found}`, dy, ...others.map((j) => operands[j]!));
      return fitted(product, found, labels, operand);
    });
  },
});

/** A cotangent over the axes `found` in the shape of an operand: repeated along axes that only it names, summed where it broadcast. */
function fitted(product: Value, found: string, labels: string, operand: Value): Value {
  const broadcast = [...found].flatMap((label, axis) => {
    const wide = operand.shape[labels.indexOf(label)] === 1 && product.shape[axis] !== 1;
    return wide ? [axis] : [];
  });
  const summed = broadcast.length === 0 ? product : reduceSum(product, broadcast, { keepDims: true });
  const shape = [...labels].map((label, axis) => (found.includes(label) ? operand.shape[axis]! : 1));
  return expandLike(reshape(summed, shape), operand);
}

/** An equation with its ellipses spelled out: the labels of each operand and of the output, and their lengths. */
function parse(equation: string, operands: readonly Value[]) {
  const [left = "", right] = equation.replace(/\s/g, "").split("->");
  const given = left.split(",");
  expectShape(
    given.length === operands.length,
    () => `"${equation}" is about ${given.length} operands, there are ${operands.length}`,
  );
  const spare = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].filter((label) => !equation.includes(label));
  const hidden = (term: string, rank: number) => rank - term.replace("...", "").length;
  const longest = Math.max(
    0,
    ...given.map((term, i) => (term.includes("...") ? hidden(term, operands[i]!.rank) : 0)),
  );
  const ellipsis = spare.slice(0, longest).join("");
  const terms = given.map((term, i) => {
    const count = term.includes("...") ? hidden(term, operands[i]!.rank) : 0;
    return term.replace("...", ellipsis.slice(ellipsis.length - Math.max(count, 0)));
  });
  const lengths = new Map<string, Dim>();
  terms.forEach((term, i) => {
    const { shape } = operands[i]!;
    expectShape(
      term.length === shape.length,
      () => `"${given[i]}" does not name the axes of ${shapeText(shape)}`,
    );
    [...term].forEach((label, axis) => {
      const length = shape[axis]!;
      const known = lengths.get(label) ?? 1;
      expectShape(
        known === 1 || length === 1 || known === length,
        () => `axis "${label}" of "${equation}" has the lengths ${known} and ${length}`,
      );
      lengths.set(label, known === 1 ? length : known);
    });
  });
  // Without an output: the labels that occur once, in alphabetical order, after an ellipsis.
  const all = terms.join("");
  const once = [...new Set(all)].filter(
    (label) => !ellipsis.includes(label) && all.split(label).length === 2,
  );
  const output = right === undefined ? ellipsis + once.sort().join("") : right.replace("...", ellipsis);
  for (const label of output) {
    expectShape(lengths.has(label), () => `"${equation}" gives an axis "${label}" that no operand has`);
  }
  return { terms, output, lengths };
}
