import { expect, it } from "vitest";
import { compileAddition, compileElementwise } from "./elementwise.ts";
import { Arena, arenaBytes } from "./memory.ts";

it.each([0, 1, 2, 3, 5])("runs on %i vectors and leaves what is behind them", (vectors) => {
  const arena = new Arena(1024);
  const [a, b] = [arena.array(0, 32), arena.array(256, 32)];
  a.forEach((_, i) => {
    a[i] = i;
    b[i] = 100 * i;
  });
  compileAddition(arena)(16 * vectors, 0, 256);
  expect([...a]).toEqual([...a.keys()].map((i) => (i < 4 * vectors ? 101 * i : i)));
});

it("computes what steps say, of scalars and constants, and writes subnormal numbers as zero where it shall", () => {
  const arena = new Arena(1024);
  const [x, y] = [arena.array(0, 8), arena.array(64, 8)];
  const smallest = 2 ** -126;
  const numbers = [
    1,
    -2,
    smallest / 2,
    -smallest / 4,
    smallest,
    -smallest,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
  ];
  x.set(numbers);
  const run = compileElementwise(
    {
      arrays: 2,
      scalars: 1,
      constants: [3],
      // Values: x, y, the scalar, 3, x * scalar, x * scalar + 3.
      steps: [
        { op: "mul", values: [0, 2] },
        { op: "add", values: [4, 3] },
      ],
      writes: [
        { value: 5, array: 1 },
        { value: 4, array: 0, flush: true },
      ],
    },
    arena,
  );
  run(arenaBytes(8), [0, 64], [0.5]);
  expect([...y]).toEqual([3.5, 2, 3, 3, 3, 3, Number.NaN, Number.NEGATIVE_INFINITY]);
  // Half of the smallest normal number is subnormal.
  expect([...x]).toEqual([0.5, -1, 0, 0, 0, 0, Number.NaN, Number.NEGATIVE_INFINITY]);
  x.set(numbers.map((number) => 2 * number));
  run(arenaBytes(8), [0, 64], [0.5]);
  expect([...x]).toEqual([1, -2, 0, 0, smallest, -smallest, Number.NaN, Number.NEGATIVE_INFINITY]);
});
