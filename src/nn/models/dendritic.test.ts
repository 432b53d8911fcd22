import { describe, expect, it } from "vitest";
import { Random } from "../../base/random.ts";
import type { Tensor } from "../../base/tensor.ts";
import * as nn from "../index.ts";

const { blockMask, DendriticNet, scatteredMask, synapseMask } = nn.models;
const random = () => Random.stream(5, "masks");
const rowsOf = ({ shape, data }: Tensor) =>
  Array.from({ length: shape[0]! }, (_, row) =>
    Array.from({ length: shape[1]! }, (_, i) => i).filter((i) => data[row * shape[1]! + i] === 1),
  );

describe("the networks with dendrites", () => {
  const [D, S, I, C] = [3, 5, 784, 10];
  const dendritic = (16 + 1) * D * S + (D + 1) * S + (S + 1) * C;
  it.each([
    ["dANN-R", dendritic],
    ["dANN-LRF", dendritic],
    ["dANN-GRF", dendritic],
    ["sANN", dendritic],
    ["sANN-LRF", dendritic],
    ["sANN-GRF", dendritic],
    ["vANN", (I + 1) * D * S + (D * S + 1) * S + (S + 1) * C],
    ["pdANN", (I + 1) * D * S + (D + 1) * S + (S + 1) * C],
    ["psANN", (I + 1) * D * S + (D + 1) * S + (S + 1) * C],
    ["vANN-R", (16 + 1) * D * S + (D * S + 1) * S + (S + 1) * C],
    ["vANN-LRF", (16 + 1) * D * S + (D * S + 1) * S + (S + 1) * C],
    ["vANN-GRF", (16 + 1) * D * S + (D * S + 1) * S + (S + 1) * C],
  ] as const)("%s has the parameters of the published formula", (kind, parameters) => {
    const net = new DendriticNet({ kind, dendrites: D, somata: S });
    expect(net.effectiveParameters).toBe(parameters);
    const graph = nn.trace(net, { inputs: { x: ["batch", 1, 28, 28] } });
    expect(graph.outputs[0]!.shape.at(-1)).toBe(C);
    const nonzero = graph.parameters
      .filter(({ name }) => name.endsWith("weight"))
      .flatMap(({ data }) => Array.from(data!.toNumbers()).filter((v) => v !== 0)).length;
    expect(nonzero).toBe(parameters - D * S - S - C);
  });

  it("the published extremes: 938 parameters at least, 42.5 million of the vanilla network at most", () => {
    const count = (D: number, S: number) => new DendriticNet({ kind: "dANN-R", dendrites: D, somata: S });
    expect(count(1, 32).effectiveParameters).toBe(938);
    expect(count(1, 128).effectiveParameters).toBe(3722);
    const vanilla = (784 + 1) * 64 * 512 + (64 * 512 + 1) * 512 + (512 + 1) * 10;
    expect(Math.round(vanilla / 1e5) / 10).toBe(42.5);
  });

  it("connections follow from their seed, weights from that of the trace", () => {
    const weights = (seed: number, trace: number) =>
      nn.trace(new DendriticNet({ kind: "dANN-LRF", seed }), { inputs: { x: [1, 1, 28, 28] }, seed: trace })
        .parameters[0]!.data!;
    const where = (tensor: Tensor) => Array.from(tensor.toNumbers(), (v) => v !== 0);
    expect(weights(1, 1).data).toEqual(weights(1, 1).data);
    expect(where(weights(1, 2))).toEqual(where(weights(1, 1)));
    expect(weights(1, 2).data).not.toEqual(weights(1, 1).data);
    expect(where(weights(2, 1))).not.toEqual(where(weights(1, 1)));
  });
});

describe("masks", () => {
  const sizes = { image: [1, 28, 28], dendrites: 4, somata: 30, synapses: 16 } as const;
  const place = (pixel: number) => [Math.floor(pixel / 28), pixel % 28] as const;
  const spread = (pixels: readonly number[], axis: 0 | 1) => {
    const all = pixels.map((pixel) => place(pixel)[axis]);
    return Math.max(...all) - Math.min(...all);
  };
  const largest = (rows: readonly number[][]) =>
    Math.max(...rows.flatMap((row) => [spread(row, 0), spread(row, 1)]));

  it("random: 16 a dendrite on average, not each, anywhere", () => {
    const rows = rowsOf(synapseMask("random", sizes, random()));
    expect(rows.flat()).toHaveLength(16 * 120);
    expect(new Set(rows.map(({ length }) => length)).size).toBeGreaterThan(3);
    expect(largest(rows)).toBeGreaterThan(20);
  });

  it("local: 16 pixels around each dendrite's own centre, its neighbours among them", () => {
    const rows = rowsOf(synapseMask("local", sizes, random()));
    expect(rows.every(({ length }) => length === 16)).toBe(true);
    // 5 x 5 around a centre inside, one pixel more towards the middle at a border or two in a corner.
    expect(largest(rows)).toBeLessThanOrEqual(6);
    const inside = rows.find((row) => row.every((pixel) => place(pixel).every((at) => at > 1 && at < 26)))!;
    const squares = inside.filter((pixel) =>
      [-29, -28, -27, -1, 1, 27, 28, 29].every((step) => inside.includes(pixel + step)),
    );
    expect(squares.length).toBeGreaterThanOrEqual(1);
    // Dendrites of one soma are apart.
    const somata = Array.from({ length: 30 }, (_, s) => rows.slice(4 * s, 4 * s + 4).flat());
    expect(largest(somata)).toBeGreaterThan(12);
  });

  it("global: the dendrites of a soma are around its centre", () => {
    const rows = rowsOf(synapseMask("global", sizes, random()));
    expect(rows.every(({ length }) => length === 16)).toBe(true);
    const somata = Array.from({ length: 30 }, (_, s) => rows.slice(4 * s, 4 * s + 4).flat());
    expect(largest(somata)).toBeLessThanOrEqual(8);
    // More dendrites than neighbours: rings grow, and no dendrite is without pixels.
    const many = rowsOf(synapseMask("global", { ...sizes, dendrites: 64, somata: 3 }, random()));
    expect(many.every(({ length }) => length === 16)).toBe(true);
  });

  it("channels share their pixels", () => {
    const mask = synapseMask("local", { ...sizes, image: [3, 6, 5], somata: 2 }, random());
    for (const row of rowsOf(mask)) {
      expect(row).toHaveLength(48);
      expect(row.slice(16, 32)).toEqual(row.slice(0, 16).map((pixel) => pixel + 30));
    }
    expect(() => synapseMask("random", { ...sizes, image: [1, 3, 3] }, random())).toThrow(
      /16 synapses for images of 3 x 3: a dendrite cannot read more/,
    );
  });

  it("somata read their own dendrites, or as many anywhere", () => {
    expect(rowsOf(blockMask(3, 2))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    const scattered = rowsOf(scatteredMask(3, 20, random()));
    expect(scattered.flat()).toHaveLength(60);
    expect(scattered).not.toEqual(rowsOf(blockMask(3, 20)));
  });
});
