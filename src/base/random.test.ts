import { expect, it } from "vitest";
import { Random } from "./random.ts";

it("draws masks from the stream's numbers, two elements from each, and leaves it behind them", () => {
  const [masks, numbers] = [Random.stream(1, "mask"), Random.stream(1, "mask")];
  const mask = new Uint8Array(7);
  masks.keepMask(mask, 0.25);
  const wanted = Array.from({ length: 4 }, () => numbers.uint32()).flatMap((bits) => [
    (bits & 0xffff) / 65536,
    (bits >>> 16) / 65536,
  ]);
  expect([...mask]).toEqual(wanted.slice(0, 7).map((share) => (share >= 0.25 ? 1 : 0)));
  expect(masks.state).toEqual(numbers.state);
});
