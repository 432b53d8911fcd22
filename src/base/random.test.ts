import { expect, it } from "vitest";
import { Random } from "./random.ts";

it.each([7, 5003])("draws %i elements of a mask from the stream's numbers, two from each", (length) => {
  const [masks, numbers] = [Random.stream(1, "mask"), Random.stream(1, "mask")];
  const mask = new Uint8Array(length);
  masks.keepMask(mask, 0.25);
  const wanted = Array.from({ length: (length + 1) / 2 }, () => numbers.uint32()).flatMap((bits) => [
    (bits & 0xffff) / 65536,
    (bits >>> 16) / 65536,
  ]);
  expect([...mask]).toEqual(wanted.slice(0, length).map((share) => (share >= 0.25 ? 1 : 0)));
  expect(masks.state).toEqual(numbers.state);
});

it.each([0, 3, 600])("fills %i elements with the normal numbers that it would give one by one", (length) => {
  const [filled, numbers] = [Random.stream(1, "normal"), Random.stream(1, "normal")];
  const data = new Float64Array(length);
  filled.fillNormal(data, 0.5);
  expect([...data]).toEqual(Array.from({ length }, () => numbers.normal() * 0.5));
  expect(filled.state).toEqual(numbers.state);
});
