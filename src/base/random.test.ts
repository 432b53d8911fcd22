import { expect, it } from "vitest";
import { Random } from "./random.ts";

it.each([0, 3, 600])("fills %i elements with the normal numbers that it would give one by one", (length) => {
  const [filled, numbers] = [Random.stream(1, "normal"), Random.stream(1, "normal")];
  const data = new Float64Array(length);
  filled.fillNormal(data, 0.5);
  expect([...data]).toEqual(Array.from({ length }, () => numbers.normal() * 0.5));
  expect(filled.state).toEqual(numbers.state);
});

it("forks into streams that differ from each other and from itself, the same from the same state", () => {
  const random = Random.stream(1, "fork");
  const again = Random.from(random.state);
  const draw = (stream: Random) => Array.from({ length: 8 }, () => stream.uint32());
  const forks = [random.fork(), random.fork()];
  const found = [...forks.map(draw), draw(random)];
  expect([draw(again.fork()), draw(again.fork()), draw(again)]).toEqual(found);
  expect(new Set(found.flat()).size).toBe(24);
});
