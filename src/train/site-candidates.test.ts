// What is measured of candidates and what comes of it, against the formulas over all positions in float64.

import { describe, expect, it } from "vitest";
import { randn } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { findSites } from "../dendrites/sites.ts";
import { type CorrelationSettings, correlationSettings } from "../growth/correlation-settings.ts";
import * as nn from "../nn/index.ts";
import { meanErrorOf, namesOf, positionsOf } from "./candidate-objective.ts";
import { SiteCandidates } from "./site-candidates.ts";

const [neurons, inputs] = [3, 2];
const base = nn.trace(new nn.Sequential(new nn.Linear(inputs, neurons)), {
  inputs: { x: ["batch", inputs] },
  seed: 1,
});
const [site] = findSites(base) as [ReturnType<typeof findSites>[number]];

/** A candidate's outputs and its neurons' errors at some positions, a row each. */
interface Seen {
  readonly v: readonly (readonly number[])[];
  readonly e: readonly (readonly number[])[];
}

function drawn(positions: number, name: string, shift = 0): Seen {
  const rows = (data: Float32Array) =>
    Array.from({ length: positions }, (_, p) => Array.from(data.slice(p * neurons, (p + 1) * neurons)));
  const e = rows(randn([positions, neurons], `${name} error`).data as Float32Array);
  const noise = rows(randn([positions, neurons], `${name} output`).data as Float32Array);
  // The first neuron's output goes with the error, the second's against it.
  const along = [0.8, -0.5, 0.1];
  return {
    e: e.map((row) => row.map((value) => value + shift)),
    v: noise.map((row, p) => row.map((value, n) => 0.5 + 0.1 * value + along[n]! * e[p]![n]!)),
  };
}

const column = (rows: readonly (readonly number[])[], n: number) => rows.map((row) => row[n]!);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const covariance = (a: readonly number[], b: readonly number[]) =>
  mean(a.map((value, p) => (value - mean(a)) * (b[p]! - mean(b))));
const energy = (e: readonly number[]) => mean(e.map((value) => value * value));
const both = (...seen: Seen[]): Seen => ({ v: seen.flatMap(({ v }) => v), e: seen.flatMap(({ e }) => e) });
const each = <T>(make: (n: number) => T) => Array.from({ length: neurons }, (_, n) => make(n));
const correlationOf = ({ v, e }: Seen) =>
  each((n) => {
    const [a, b] = [column(v, n), column(e, n)];
    return covariance(a, b) / Math.sqrt(covariance(a, a) * covariance(b, b));
  });

/** What a step tells of a batch, for each candidate. */
function measures(...candidates: Seen[]): Map<string, Tensor> {
  const told = new Map<string, Tensor>([
    [positionsOf(site.id), Tensor.of([], [candidates[0]!.v.length], "float32")],
  ]);
  candidates.forEach(({ v, e }, j) => {
    const rows = each((n) => [column(v, n), column(e, n)] as const);
    const data = [
      ...rows.map(([a]) => mean(a)),
      ...rows.map(([, b]) => mean(b)),
      ...rows.map(([a]) => covariance(a, a)),
      ...rows.map(([, b]) => covariance(b, b)),
      ...rows.map(([a, b]) => covariance(a, b)),
    ];
    told.set(namesOf(site.id, j).moments, Tensor.of([5, neurons], data, "float64"));
  });
  return told;
}

/** A candidate's weights, all of a value that tells it from others. */
function state(...values: number[]): Map<string, Tensor> {
  return new Map(
    values.flatMap((value, j) => [
      [`${site.id}.candidates.${j}.weight`, Tensor.full([neurons, inputs], value, "float32")] as const,
      [`${site.id}.candidates.${j}.bias`, Tensor.full([neurons], value, "float32")] as const,
    ]),
  );
}

function close(found: Tensor | undefined, wanted: readonly number[]): void {
  const told = Array.from(found!.toNumbers());
  expect(told).toEqual(wanted.map((value) => expect.closeTo(value, 5)));
}

const [first, second] = [drawn(7, "first", 0.4), drawn(12, "second", 0.4)];

function candidates(options: Partial<CorrelationSettings>): SiteCandidates {
  return new SiteCandidates(site, correlationSettings(options));
}

describe("what candidates follow", () => {
  const all = both(first, second);
  const energies = each((n) => energy(column(all.e, n)));
  const deviations = (rows: Seen["v"]) =>
    each((n) => Math.sqrt(covariance(column(rows, n), column(rows, n))));
  const signs = each((n) => Math.sign(covariance(column(all.v, n), column(all.e, n))));

  it.each([
    ["rms", energies.map(Math.sqrt)],
    ["energy", each(() => energies.reduce((sum, value) => sum + value, 0))],
    ["pearson", deviations(all.v).map((value, n) => value * deviations(all.e)[n]!)],
    ["none", each(() => 1)],
  ] as const)("is divided by Z, of all batches that only measure: %s", (normalizer, scales) => {
    const own = candidates({ normalizer });
    for (const batch of [first, second]) own.observe(measures(batch));
    own.measured();
    close(
      new Map(own.feeds()).get(namesOf(site.id, 0).gain),
      scales.map((scale, n) => signs[n]! / scale),
    );
    const bySign = candidates({ normalizer, sign: "batch" });
    for (const batch of [first, second]) bySign.observe(measures(batch));
    bySign.measured();
    close(
      new Map(bySign.feeds()).get(namesOf(site.id, 0).gain),
      scales.map((scale) => 1 / scale),
    );
  });

  it("has no weight where there is no error", () => {
    const own = candidates({ normalizer: "none" });
    const silent = { ...first, e: first.e.map((row) => row.map((value, n) => (n === 1 ? 0 : value))) };
    own.observe(measures(silent));
    own.measured();
    expect(new Map(own.feeds()).get(namesOf(site.id, 0).gain)!.toNumbers()[1]).toBe(0);
  });

  /** Errors the other way round: every covariance has the other sign. */
  const turned = { v: second.v, e: second.e.map((row) => row.map((value) => -4 * value)) };
  const signsOf = (own: SiteCandidates) =>
    Array.from(new Map(own.feeds()).get(namesOf(site.id, 0).gain)!.toNumbers(), Math.sign);

  it("has the sign of the epoch before, however batches come out", () => {
    const own = candidates({});
    own.observe(measures(first));
    own.measured();
    own.clear();
    const before = each((n) => Math.sign(covariance(column(first.v, n), column(first.e, n))));
    own.observe(measures(turned));
    expect(signsOf(own)).toEqual(before);
    own.endEpoch(state(1));
    const after = each((n) => Math.sign(covariance(column(turned.v, n), column(turned.e, n))));
    expect(signsOf(own)).toEqual(after);
    expect(after).not.toEqual(before);
  });

  it("or that of a mean which each batch moves by a hundredth", () => {
    const own = candidates({ sign: "running" });
    own.observe(measures(first));
    own.measured();
    own.clear();
    const running = each((n) => covariance(column(first.v, n), column(first.e, n)));
    let changes = 0;
    for (let i = 0; i < 60; i++) {
      const before = running.map(Math.sign);
      own.observe(measures(turned));
      for (let n = 0; n < neurons; n++) {
        running[n]! += 0.01 * (covariance(column(turned.v, n), column(turned.e, n)) - running[n]!);
      }
      expect(signsOf(own)).toEqual(running.map(Math.sign));
      if (running.some((value, n) => Math.sign(value) !== before[n])) changes += 1;
    }
    expect(changes).toBeGreaterThan(0);
  });

  it("takes errors from a mean which each batch moves by a hundredth, where that is asked for", () => {
    const own = candidates({ meanError: "running" });
    own.observe(measures(first));
    own.measured();
    const start = each((n) => mean(column(first.e, n)));
    close(new Map(own.feeds()).get(meanErrorOf(site.id)), start);
    own.observe(measures(turned));
    const moved = start.map((value, n) => value + 0.01 * (mean(column(turned.e, n)) - value));
    close(new Map(own.feeds()).get(meanErrorOf(site.id)), moved);
    expect(new Map(candidates({}).feeds()).has(meanErrorOf(site.id))).toBe(false);
  });

  it("is an error where it is no number", () => {
    const own = candidates({});
    const broken = { ...first, v: first.v.map((row, p) => (p === 3 ? row.map(() => Number.NaN) : row)) };
    expect(() => own.observe(measures(broken))).toThrow(
      "have diverged: lower the learning rate of dendrites",
    );
  });
});

describe("the best dendrites", () => {
  /** Outputs of chance alone, of the same errors. */
  const poor = (seen: Seen, name: string): Seen => ({ e: seen.e, v: drawn(seen.v.length, name).v });
  const mixed = (seen: Seen, name: string, good: readonly number[]): Seen => ({
    e: seen.e,
    v: poor(seen, name).v.map((row, p) => row.map((value, n) => (good.includes(n) ? seen.v[p]![n]! : value))),
  });
  // The first candidate is good for neurons 0 and 2, the second for 1.
  const batches = [first, second].map((seen) => [mixed(seen, "one", [0, 2]), mixed(seen, "other", [1])]) as [
    Seen[],
    Seen[],
  ];
  const [one, other] = [0, 1].map((j) => both(batches[0]![j]!, batches[1]![j]!)) as [Seen, Seen];
  const scores = [one, other].map((seen) => correlationOf(seen).map(Math.abs)) as [number[], number[]];
  const winners = each((n) => (scores[0][n]! >= scores[1][n]! ? 0 : 1));
  const weights = new Map([[`${site.id}.bias`, Tensor.of([neurons], [1, 2, 3])]]);

  function phase(options: Partial<CorrelationSettings>): { own: SiteCandidates; score: number } {
    const own = candidates({ candidates: 2, ...options });
    for (const batch of batches) own.observe(measures(...batch));
    const { score } = own.endEpoch(state(10, 20));
    // A worse epoch with other weights: it is not kept.
    own.observe(measures(poor(first, "one, late"), poor(first, "other, late")));
    return { own, score };
  }

  it("are chosen for each neuron, rows of their weights", () => {
    const { own, score } = phase({});
    expect(new Set(winners)).toEqual(new Set([0, 1]));
    expect(score).toBeCloseTo(mean(each((n) => Math.max(scores[0][n]!, scores[1][n]!))), 6);
    const joined = own.join(weights);
    const values = winners.map((j) => 10 * (j + 1));
    close(joined.get(`${site.id}.dendrites.0.bias`), values);
    close(
      joined.get(`${site.id}.dendrites.0.weight`),
      values.flatMap((value) => [value, value]),
    );
    close(joined.get(`${site.id}.dendrites.output`), [0, 0, 0]);
    expect(joined.has(`${site.id}.bias`)).toBe(false);
  });

  const chosen = winners.map((j) => [one, other][j]!);
  const all = chosen.reduce((sum, { e }, n) => sum + energy(column(e, n)), 0);
  const outputs = chosen.map(({ v, e }, n) => -covariance(column(v, n), column(e, n)) / all);

  it("start from -C / Z, and the bias makes up for its mean, where that is asked for", () => {
    const joined = phase({ outputWeight: "correlation" }).own.join(weights);
    close(joined.get(`${site.id}.dendrites.output`), outputs);
    close(
      joined.get(`${site.id}.bias`),
      outputs.map((weight, n) => n + 1 - weight * mean(column(chosen[n]!.v, n))),
    );
    const plain = phase({ outputWeight: "correlation", compensateBias: false }).own.join(weights);
    close(plain.get(`${site.id}.dendrites.output`), outputs);
    expect(plain.has(`${site.id}.bias`)).toBe(false);
  });

  it("come after those that there are", () => {
    const earlier = new Map([
      ...weights,
      [`${site.id}.dendrites.output`, Tensor.of([1, neurons], [4, 5, 6])] as const,
    ]);
    const joined = phase({ outputWeight: "correlation" }).own.join(earlier);
    close(joined.get(`${site.id}.dendrites.output`), [4, 5, 6, ...outputs]);
    expect(joined.has(`${site.id}.dendrites.1.weight`)).toBe(true);
  });
});
