import fc from "fast-check";
import { expect, expectTypeOf, test } from "vitest";
import { type DType, Tensor } from "../base/tensor.ts";
import { type Dataset, imageDataset, split, subset, tensorDataset } from "./dataset.ts";

const counting = (n: number) => tensorDataset({ i: Tensor.of([n], [...Array(n).keys()], "int64") });
const members = (dataset: Dataset) =>
  Array.from(dataset.batch([...Array(dataset.length).keys()]).i!.toNumbers());
const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

test("tensorDataset gathers rows of every element type, in any order, copied", () => {
  for (const dtype of ["float32", "float64", "int64", "int32", "uint8", "int8", "bool"] as DType[]) {
    const x = Tensor.of([3, 2], [0, 1, 1, 0, 1, 1], dtype);
    const target = Tensor.of([3], [0, 1, 0], dtype);
    const data = tensorDataset({ x, target });
    expect(data.length).toBe(3);
    expect(data.fields).toEqual({ x: { dtype, shape: [2] }, target: { dtype, shape: [] } });
    const batch = data.batch([2, 0, 2, 1]);
    expect(batch.x).toEqual(Tensor.of([4, 2], [1, 1, 0, 1, 1, 1, 1, 0], dtype));
    expect(batch.target).toEqual(Tensor.of([4], [0, 0, 0, 1], dtype));
    expect(batch.x!.data.buffer).not.toBe(x.data.buffer);
  }
  expect(counting(3).batch([]).i!.shape).toEqual([0]);
});

test("tensorDataset refuses first axes that differ, scalars, nothing", () => {
  const [a, b] = [Tensor.zeros([3, 2]), Tensor.zeros([4])];
  expect(() => tensorDataset({ a, b })).toThrow(
    failure("shape_mismatch", /"b" is float32\[4\], "a" is float32\[3, 2\]/),
  );
  expect(() => tensorDataset({ a, s: Tensor.zeros([]) })).toThrow(failure("shape_mismatch", /"s".*scalar/));
  expect(() => tensorDataset({ s: Tensor.zeros([]) })).toThrow(failure("shape_mismatch", /"s".*scalar/));
  expect(() => tensorDataset({})).toThrow(failure("bad_option", /at least one/));
});

test.each([-1, 3, 0.5, Number.NaN, "1"])("index %s is refused", (index) => {
  const wrong = [0, index as number];
  const message = failure("bad_option", /index .*\(at position 1\) is not an example of a data set of 3/);
  expect(() => counting(3).batch(wrong)).toThrow(message);
  expect(() => subset(counting(3), wrong)).toThrow(message);
  const images = imageDataset({ images: new Uint8Array(3), shape: [3, 1, 1, 1], labels: [0, 0, 0] });
  expect(() => images.batch(wrong)).toThrow(message);
});

test("imageDataset normalises each channel as torchvision does", () => {
  const data = imageDataset({
    images: Uint8Array.of(0, 255, 51, 102, 1, 2, 3, 4),
    shape: [2, 2, 1, 2],
    labels: Uint8Array.of(7, 9),
    mean: [0.1307, 0.5],
    std: [0.3081, 0.25],
  });
  const { x, target } = data.batch([1, 0]);
  expect(x!.shape).toEqual([2, 2, 1, 2]);
  expect(target).toEqual(Tensor.of([2], [9, 7], "int64"));
  // PyTorch 1.13: ((torch.tensor([...], dtype=torch.float32) / 255) - mean) / std, in float32.
  const wanted = Float32Array.of(
    -0.411484718,
    -0.398756504,
    -1.95294118,
    -1.93725491,
    -0.424212962,
    2.82148671,
    -1.20000005,
    -0.399999976,
  );
  expect(x!.data).toEqual(wanted);
  const plain = imageDataset({ images: Uint8Array.of(51), shape: [1, 1, 1, 1], labels: [0] });
  expect(plain.batch([0]).x!.data[0]).toBe(Math.fround(0.2));
  expect(plain.fields).toEqual({
    x: { dtype: "float32", shape: [1, 1, 1] },
    target: { dtype: "int64", shape: [] },
  });
});

test("imageDataset refuses what does not fit", () => {
  const good = { images: new Uint8Array(8), shape: [2, 1, 2, 2] as const, labels: [0, 1] };
  expect(() => imageDataset({ ...good, images: new Uint8Array(7) })).toThrow(
    failure("shape_mismatch", /\[2, 1, 2, 2\] needs 8 bytes, images has 7/),
  );
  expect(() => imageDataset({ ...good, labels: [1] })).toThrow(failure("shape_mismatch", /1 labels for 2/));
  expect(() => imageDataset({ ...good, labels: [1, 0.5] })).toThrow(failure("bad_data", /label 1 is 0.5/));
  expect(() => imageDataset({ ...good, std: 0 })).toThrow(failure("bad_option", /std is 0/));
  expect(() => imageDataset({ ...good, mean: [0, 0] })).toThrow(failure("bad_option", /mean is 0,0.*\(1\)/));
  expect(() => imageDataset({ ...good, shape: [2, 0, 2, 2] })).toThrow(
    failure("bad_option", /channels is 0/),
  );
});

test("subsets of subsets", () => {
  const inner = subset(counting(10), [9, 7, 5, 5]);
  expect(members(inner)).toEqual([9, 7, 5, 5]);
  expect(members(subset(inner, [3, 0]))).toEqual([5, 9]);
});

test("split: whatever the parts, no overlap, right sizes, the same for the same seed", () => {
  const property = (n: number, weights: number[], seed: number) => {
    const total = weights.reduce((a, b) => a + b, 0);
    const fractions = weights.map((w) => w / total);
    const parts = split(counting(n), fractions, { seed });
    const all = parts.flatMap(members);
    expect(all.toSorted((a, b) => a - b)).toEqual([...Array(n).keys()]);
    parts.forEach((part, i) => {
      expect(Math.abs(part.length - n * fractions[i]!)).toBeLessThanOrEqual(1);
    });
    expect(split(counting(n), fractions, { seed }).flatMap(members)).toEqual(all);
  };
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(fc.integer({ min: 50, max: 300 }), weights, fc.nat(), property));
});

test("split by counts, by a fraction alone, with another seed", () => {
  const [train, rest] = split(counting(100), [60, 30]);
  expectTypeOf(train).toEqualTypeOf<Dataset>();
  expect([train.length, rest.length]).toEqual([60, 30]);
  expect(split(counting(100), [0.1])[0].length).toBe(10);
  expect(split(counting(5), [1, 4]).map((d) => d.length)).toEqual([1, 4]);
  expect(members(split(counting(100), [60], { seed: 1 })[0])).not.toEqual(members(train));
});

test.each([[[]], [[0.5, 0]], [[0.5, 3]], [[-1]], [[101]], [[60, 41]], [[0.999, 0.001]], [[Number.NaN]]])(
  "split into %j of 100 is refused",
  (parts) => {
    expect(() => split(counting(100), parts)).toThrow(
      failure("bad_option", /^split: \[.*\] of 100 examples/),
    );
  },
);
