import { describe, expect, it } from "vitest";
import { Random } from "../base/random.ts";
import * as nn from "./index.ts";

const { init } = nn;
const draw = (initializer: nn.init.Initializer, shape: readonly number[]) =>
  Array.from(initializer(shape, Random.stream(1, "w")).data);

function momentsOf(numbers: readonly number[]) {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
  return { mean, deviation: Math.sqrt(variance) };
}

describe("deviations", () => {
  // Shape [60, 20, 3, 3]: fanIn 180, fanOut 540. The gains are PyTorch's calculate_gain.
  it.each<[string, nn.init.Initializer, number]>([
    ["xavierNormal(2)", init.xavierNormal(2), 2 * Math.sqrt(2 / 720)],
    ["kaimingNormal, fan_out", init.kaimingNormal(0, { mode: "fan_out" }), Math.sqrt(2 / 540)],
    ["kaimingUniform, tanh", init.kaimingUniform(0, { nonlinearity: "tanh" }), 5 / 3 / Math.sqrt(180)],
    ["kaimingNormal, selu", init.kaimingNormal(0, { nonlinearity: "selu" }), 0.75 / Math.sqrt(180)],
    // Of a normal distribution cut at two deviations: sqrt(1 - 4 φ(2) / (2 Φ(2) - 1)).
    ["truncNormal()", init.truncNormal(), 0.8796256610342398],
    // Cut at 0.5 … 1.5, by numeric integration: mean 0.920644, deviation 0.277386.
    ["truncNormal, one side", init.truncNormal(0, 1, 0.5, 1.5), 0.277386],
    // Far in a tail, close to exponential: integration gives 0.180822.
    ["truncNormal, far", init.truncNormal(0, 1, 5, Number.POSITIVE_INFINITY), 0.180822],
  ])("of %s", (_, initializer, deviation) => {
    // 10,800 draws: five standard errors.
    expect(Math.abs(momentsOf(draw(initializer, [60, 20, 3, 3])).deviation / deviation - 1)).toBeLessThan(
      0.05,
    );
  });

  it("truncNormal keeps its bounds and its mean", () => {
    const numbers = draw(init.truncNormal(0, 1, 0.5, 1.5), [10_000]);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...numbers)).toBeLessThanOrEqual(1.5);
    expect(Math.abs(momentsOf(numbers).mean - 0.920644)).toBeLessThan(0.014);
  });
});

describe("orthogonal", () => {
  it.each([
    [4, 7],
    [7, 4],
    [3, 2, 2],
  ])("of [%s, %s] has orthonormal rows or columns", (...given) => {
    const shape = given.filter((length) => typeof length === "number");
    const rows = shape[0]!;
    const columns = shape.slice(1).reduce((a, b) => a * b);
    const w = draw(init.orthogonal(2), shape);
    const vectors =
      rows <= columns
        ? Array.from({ length: rows }, (_, i) => w.slice(i * columns, (i + 1) * columns))
        : Array.from({ length: columns }, (_, j) => w.filter((_, i) => i % columns === j));
    vectors.forEach((a, i) => {
      vectors.forEach((b, j) => {
        const product = a.reduce((sum, x, k) => sum + x * b[k]!, 0);
        expect(Math.abs(product - (i === j ? 4 : 0))).toBeLessThan(1e-6);
      });
    });
  });
});

describe("fixed values", () => {
  it("eye, constant", () => {
    expect(draw(init.eye, [2, 3])).toEqual([1, 0, 0, 0, 1, 0]);
    expect(draw(init.constant(0.5), [3])).toEqual([0.5, 0.5, 0.5]);
  });

  // torch.nn.init.dirac_(torch.empty(4, 2, 3), groups=2)
  it("dirac", () => {
    const one = [0, 1, 0];
    const none = [0, 0, 0];
    expect(draw(init.dirac(2), [4, 2, 3])).toEqual([one, none, none, one, one, none, none, one].flat());
    expect(draw(init.dirac(), [3, 2, 1, 3])).toEqual([one, none, none, one, none, none].flat());
  });

  it("sparse leaves a share of each column", () => {
    const w = draw(init.sparse(0.3, 2), [10, 50]);
    for (let column = 0; column < 50; column++) {
      expect(w.filter((x, i) => i % 50 === column && x === 0).length).toBe(3);
    }
    expect(Math.abs(momentsOf(w.filter((x) => x !== 0)).deviation / 2 - 1)).toBeLessThan(0.2);
  });

  it("gains are PyTorch's", () => {
    expect(init.calculateGain("leaky_relu", 0.2)).toBeCloseTo(1.3867504905630728, 12);
    expect(init.calculateGain("leaky_relu")).toBeCloseTo(1.4141428569978354, 12);
    expect(init.calculateGain("tanh")).toBeCloseTo(5 / 3, 12);
  });
});

it("layers take initial values instead of PyTorch's", () => {
  const model = new nn.Sequential(
    new nn.Conv2d(2, 2, 3, { weightInit: init.dirac(), biasInit: init.constant(2) }),
    new nn.ConvTranspose2d(2, 1, 1, { weightInit: init.ones, bias: false }),
    new nn.Flatten(),
    new nn.Linear(4, 4, { weightInit: init.eye, biasInit: init.zeros }),
  );
  const { parameters } = nn.trace(model, { inputs: { x: ["batch", 2, 4, 4] } });
  const sums = parameters.map(({ data }) => Array.from(data!.toNumbers()).reduce((a, b) => a + b));
  expect(sums).toEqual([2, 4, 2, 4, 0]);
});

it.each<[string, () => unknown, string]>([
  ["eye", () => draw(init.eye, [2, 2, 2]), "init.eye: a parameter [2, 2, 2] is not a matrix"],
  ["dirac", () => draw(init.dirac(3), [4, 2, 3]), "is not made of 3 groups of outputs"],
  [
    "orthogonal",
    () => draw(init.orthogonal(), [3]),
    "init.orthogonal: a parameter [3] is not two axes or more",
  ],
])("%s says what it cannot fill", (_, fail, message) => {
  expect(fail).toThrow(message);
});
