import { describe, expect, it } from "vitest";
import { Random } from "../../base/random.ts";
import { MaskDrawer } from "./masks.ts";

/** What `MaskDrawer` says of itself, element by element. */
function reference(length: number, p: number, random: Random): number[] {
  const lanes = Array.from({ length: 4 }, () => random.fork());
  const halves: number[] = [];
  while (halves.length < length) {
    for (const lane of lanes) {
      const word = lane.uint32();
      halves.push(word & 0xffff, word >>> 16);
    }
  }
  return halves.slice(0, length).map((half) => (half / 65536 >= p ? 1 : 0));
}

const one = (length: number, p: number, random: Random) => new MaskDrawer().draw([{ length, p }], random)[0]!;

/** A million elements: how far a share may be off. */
const MANY = 1 << 20;
/** Less than one in a million that a right generator fails, for one number. */
const SIGMAS = 5;

describe("masks", () => {
  it.each([0, 1, 7, 15, 16, 17, 5003])("of %i elements hold what four streams give in turn", (length) => {
    for (const p of [0, 0.25, 0.5, 0.875, 1]) {
      const [found, wanted] = [Random.stream(1, "mask"), Random.stream(1, "mask")];
      expect([...one(length, p, found)], `p ${p}`).toEqual(reference(length, p, wanted));
      expect(found.state).toEqual(wanted.state);
    }
  });

  it.each([0.001, 0.1, 0.3, 0.5, 0.9])("drop a share of %d", (p) => {
    const random = Random.stream(2, "share");
    const kept = one(MANY, p, random).reduce((sum, each) => sum + each, 0);
    const exact = Math.round(p * 65536) / 65536;
    expect(Math.abs(exact - p)).toBeLessThanOrEqual(2 ** -17);
    expect(Math.abs(kept - MANY * (1 - exact))).toBeLessThan(SIGMAS * Math.sqrt(MANY * exact * (1 - exact)));
  });

  it("are independent of the step before and of elements before", () => {
    const drawer = new MaskDrawer();
    const random = Random.stream(3, "independence");
    const p = 0.5;
    const [first, second] = [0, 1].map(() => drawer.draw([{ length: MANY, p }], random)[0]!.slice());
    const correlation = (a: Uint8Array, b: Uint8Array) => {
      const length = Math.min(a.length, b.length);
      let alike = 0;
      for (let i = 0; i < length; i++) alike += a[i] === b[i] ? 1 : -1;
      return alike / Math.sqrt(length);
    };
    const lags = [...Array(33).keys()].slice(1).concat(64, 128, 784, 1024, 9216);
    for (const lag of lags) {
      expect(Math.abs(correlation(first!.subarray(lag), first!)), `lag ${lag}`).toBeLessThan(SIGMAS);
    }
    for (const lag of [0, ...lags]) {
      expect(Math.abs(correlation(second!.subarray(lag), first!)), `step, lag ${lag}`).toBeLessThan(SIGMAS);
    }
  });

  it("go on from a saved state, whatever was drawn into the memory before", () => {
    const drawer = new MaskDrawer();
    const random = Random.stream(4, "resume");
    const requests = [
      { length: 37, p: 0.25 },
      { length: 64, p: 0.5 },
    ];
    drawer.draw(requests, random);
    const state = random.state;
    const wanted = drawer.draw(requests, random).map((mask) => [...mask]);
    drawer.draw([{ length: 300_000, p: 0.1 }], random);
    expect(drawer.draw(requests, Random.from(state)).map((mask) => [...mask])).toEqual(wanted);
    expect(wanted.map((mask) => mask.length)).toEqual([37, 64]);
    expect(wanted[1]!.slice(0, 37)).not.toEqual(wanted[0]);
  });

  it("are drawn into the same memory while it has room", () => {
    const drawer = new MaskDrawer();
    const random = Random.stream(5, "memory");
    const draw = (length: number) => drawer.draw([{ length, p: 0.5 }], random)[0]!;
    const large = draw(100_000);
    expect(draw(1000).buffer).toBe(large.buffer);
    expect(draw(1_000_000).buffer).not.toBe(large.buffer);
  });
});
