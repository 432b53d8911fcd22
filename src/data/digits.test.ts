import { expect, test } from "vitest";
import { type DigitsOptions, digits, drawDigits } from "./digits.ts";
import { GLYPHS } from "./glyphs.ts";

test("three parts, balanced, normalised, quick", () => {
  const before = process.cpuUsage();
  const { train, validation, test: held } = digits();
  // Not by the clock: others may be at work.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  expect([train.length, validation.length, held.length]).toEqual([3000, 1000, 2000]);
  expect(train.fields.x).toEqual({ dtype: "float32", shape: [1, 20, 20] });
  const { x, target } = train.batch([...Array(3000).keys()]);
  for (let digit = 0; digit < 10; digit++) {
    expect(Array.from(target!.toNumbers()).filter((label) => label === digit).length).toBe(300);
  }
  const values = Array.from(x!.toNumbers());
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  expect(mean).toBeCloseTo(0, 2);
  expect(variance).toBeCloseTo(1, 1);
});

test("an image depends on the seed, its part and its index alone", () => {
  const few = drawDigits("train", 30, 20, 5).images;
  expect(drawDigits("train", 60, 20, 5).images.subarray(0, few.length)).toEqual(few);
  expect(drawDigits("test", 30, 20, 5).images).not.toEqual(few);
  expect(drawDigits("train", 30, 20, 6).images).not.toEqual(few);
  // Pinned: other images would change every published result. Not to the bit, because Node's versions may
  // round sines differently.
  const ink = drawDigits("train", 100, 20, 0).images.reduce((a, b) => a + b, 0);
  expect(Math.abs(ink - 1_370_898)).toBeLessThan(100);
});

test("images of a digit are alike, and no two the same: what a nearest neighbour gets right", () => {
  const [train, held] = [drawDigits("train", 1500, 20, 0), drawDigits("validation", 200, 20, 0)];
  let right = 0;
  for (let i = 0; i < 200; i++) {
    let [best, label] = [Number.POSITIVE_INFINITY, -1];
    for (let j = 0; j < 1500; j++) {
      let distance = 0;
      for (let p = 0; p < 400 && distance < best; p++) {
        distance += (held.images[i * 400 + p]! - train.images[j * 400 + p]!) ** 2;
      }
      if (distance < best) [best, label] = [distance, train.labels[j]!];
    }
    expect(best).toBeGreaterThan(0);
    if (label === held.labels[i]) right++;
  }
  expect(right / 200).toBeGreaterThan(0.6);
  expect(right / 200).toBeLessThan(0.9);
});

test("other sizes: the digits fill the image alike, and stay inside it", () => {
  const share = (size: number) => {
    const { images } = drawDigits("train", 200, size, 0);
    return images.reduce((a, b) => a + b, 0) / images.length;
  };
  expect(share(40) / share(20)).toBeCloseTo(1, 1);
  expect(digits({ train: 10, validation: 0, test: 1, size: 28 }).train.fields.x!.shape).toEqual([1, 28, 28]);
  for (const glyph of GLYPHS.flat(2)) {
    expect(glyph.length % 2).toBe(0);
    expect(Math.min(...glyph)).toBeGreaterThan(0.05);
    expect(Math.max(...glyph)).toBeLessThan(0.95);
  }
});

test.each<[object, RegExp]>([
  [{ train: -1 }, /digits: train is -1, wanted an integer, 0 or more/],
  [{ size: 7 }, /size is 7, wanted an integer, 8 or more/],
  [{ seed: 0.5 }, /seed is 0.5/],
  [{ valid: 3 }, /digits has no option "valid"/],
])("%j is refused", (options, message) => {
  expect(() => digits(options as DigitsOptions)).toThrow(
    expect.objectContaining({ code: "bad_option", message: expect.stringMatching(message) }),
  );
});
