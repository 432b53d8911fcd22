import { describe, expect, test } from "vitest";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { type AugmentOptions, augment } from "./augment.ts";
import { batches } from "./batches.ts";
import { tensorDataset } from "./dataset.ts";

const image = (channels = 1) =>
  Tensor.of(
    [1, channels, 5, 6],
    Array.from({ length: 30 * channels }, (_, i) => i ** 2 / 10),
  );
const apply = (options: AugmentOptions, x = image(), seed = 0) => [
  ...(augment(options)({ x }, Random.stream(seed, "test")).x!.data as Float32Array),
];

describe("one map", () => {
  // torchvision 0.14: F.affine(angle=25, translate=[1.2, 1], scale=1.1, shear=[8, 0]) on the image with a border of -1.
  const map = {
    rotate: [25, 25],
    translate: [0.2, 0.2],
    scale: [1.1, 1.1],
    shear: [8, 8],
    fill: -1,
  } as const;
  const NEAREST = [
    -1.0, -1.0, 0.0, 0.0, -1.0, -1.0, -1.0, -1.0, 3.6, 4.9, 0.4, 0.9, -1.0, 14.4, 16.9, 4.9, 6.4, 8.1, 32.4,
    32.4, 36.1, 19.6, 22.5, 25.6, 57.6, 62.5, 40.0, 40.0, 44.1, 25.6,
  ];
  const BILINEAR = [
    -1.0, -1.0, 0.1425, -0.1661, -0.5171, -0.9597, -1.0, 2.7096, 3.907, 3.0484, 1.6643, 0.4074, 2.9576,
    16.7257, 14.1418, 11.1781, 7.6124, 5.7731, 27.6717, 34.9182, 30.1061, 24.9686, 20.0973, 16.5604, 43.776,
    58.4641, 51.7852, 44.5045, 38.7194, 33.0009,
  ];
  test.each([
    ["nearest", NEAREST],
    ["bilinear", BILINEAR],
  ] as const)("%s is torchvision's", (interpolation, wanted) => {
    apply({ ...map, interpolation }).forEach((v, i) => {
      expect(v).toBeCloseTo(wanted[i]!, 3);
    });
  });

  test("nothing asked for changes nothing; a mirror, a half turn and a crop by hand", () => {
    const plain = [...image().data];
    for (const interpolation of ["nearest", "bilinear"] as const)
      expect(apply({ interpolation })).toEqual(plain);
    const mirrored = plain.map((_, i) => plain[i - (i % 6) + 5 - (i % 6)]);
    expect(apply({ flip: 1 })).toEqual(mirrored);
    expect(apply({ rotate: [180, 180] })).toEqual([...plain].reverse());
    const moved = apply({ crop: 1, fill: 7 }, image(), 3);
    const shifts = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dx, dy] as const));
    const shifted = ([dx, dy]: readonly [number, number]) =>
      plain.map((_, i) => {
        const [x, y] = [(i % 6) - dx, Math.floor(i / 6) - dy];
        return x >= 0 && x < 6 && y >= 0 && y < 5 ? plain[y * 6 + x]! : 7;
      });
    expect(shifts.map(shifted)).toContainEqual(moved);
  });

  test("channels move together, each with its own fill", () => {
    const both = apply({ ...map, fill: [-1, -2] }, image(2));
    expect(both.slice(0, 30)).toEqual(apply(map));
    const outside = both.slice(0, 30).map((v) => v === -1);
    expect(both.slice(30).map((v) => v === -2)).toEqual(outside);
  });
});

describe("batches", () => {
  const dataset = tensorDataset({
    x: Tensor.of(
      [8, 1, 5, 6],
      Array.from({ length: 240 }, (_, i) => i),
    ),
  });
  const epoch = (number: number) => {
    const loader = batches(dataset, {
      batchSize: 4,
      shuffle: true,
      seed: 5,
      transform: augment({ rotate: 90 }),
    });
    loader.epoch = number;
    return [...loader].map(({ x }) => x!.data);
  };

  test("are changed by what follows from seed and epoch alone, every image by itself", () => {
    expect(epoch(1)).toEqual(epoch(1));
    expect(epoch(1)).not.toEqual(epoch(2));
    const same = Tensor.of(
      [2, 1, 5, 6],
      Array.from({ length: 60 }, (_, i) => i % 30),
    );
    const both = apply({ rotate: 90 }, same);
    expect(both.slice(0, 30)).not.toEqual(both.slice(30));
  });

  test("what is no option, and batches that do not fit", () => {
    expect(() => augment({ rotation: 3 } as AugmentOptions)).toThrow(/augment has no option "rotation"/);
    expect(() => augment({ rotate: [3, 1] })).toThrow(/rotate is 3,1, wanted a number or \[low, high\]/);
    expect(() => augment({ scale: [0, 1] })).toThrow(/scale is 0,1, wanted factors above 0/);
    expect(() => augment({ flip: 2 })).toThrow(/flip is 2/);
    expect(() => augment({ crop: 0.5 })).toThrow(/crop is 0.5/);
    expect(() => apply({ fill: [1, 2] })).toThrow(/a fill for each channel/);
    expect(() => apply({ field: "y" })).toThrow(/no field "y"/);
  });
});
