import { describe, expect, test, vi } from "vitest";
import type { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { type AugmentOptions, augment } from "./augment.ts";
import { type Batches, type BatchesOptions, batches } from "./batches.ts";
import { type Batch, tensorDataset } from "./dataset.ts";

const counting = (n: number) => tensorDataset({ i: Tensor.of([n], [...Array(n).keys()], "int64") });
const epochOf = (b: Batches) => [...b].map((batch) => Array.from(batch.i!.toNumbers()));

test("in order, with the last batch shorter, dropped, or limited", () => {
  expect(epochOf(batches(counting(5), { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
  const cases: [BatchesOptions, number[]][] = [
    [{ batchSize: 2 }, [2, 2, 1]],
    [{ batchSize: 2, dropLast: true }, [2, 2]],
    [{ batchSize: 2, limit: 1 }, [2]],
    [{ batchSize: 2, limit: 9 }, [2, 2, 1]],
    [{ batchSize: 5, dropLast: true }, [5]],
    [{}, [5]],
  ];
  for (const [options, sizes] of cases) {
    const b = batches(counting(5), options);
    expect(b.length).toBe(sizes.length);
    expect(epochOf(b).map((batch) => batch.length)).toEqual(sizes);
  }
});

test("shuffled: every example once an epoch, epochs differ, seed and epoch decide", () => {
  const options = { batchSize: 7, shuffle: true, seed: 3 };
  const b = batches(counting(50), options);
  const epochs = [epochOf(b), epochOf(b), epochOf(b)];
  expect(b.epoch).toBe(3);
  for (const epoch of epochs) {
    expect(epoch.flat().toSorted((x, y) => x - y)).toEqual([...Array(50).keys()]);
  }
  expect(epochs[0]).not.toEqual(epochs[1]);
  const resumed = batches(counting(50), options);
  resumed.epoch = 2;
  expect(epochOf(resumed)).toEqual(epochs[2]);
  expect(epochOf(batches(counting(50), { ...options, seed: 4 }))).not.toEqual(epochs[0]);
  // Pinned: another order would change every published result.
  expect(epochOf(batches(counting(8), { shuffle: true }))).toEqual([[4, 7, 1, 5, 2, 6, 3, 0]]);
});

test("for await is the same; an iteration counts from its start, also when left early", async () => {
  const [a, b] = [0, 1].map(() => batches(counting(10), { batchSize: 3, shuffle: true }));
  const seen: number[][] = [];
  for await (const batch of a!) {
    expect(a!.epoch).toBe(1);
    seen.push(Array.from(batch.i!.toNumbers()));
  }
  expect(seen).toEqual(epochOf(b!));
  for await (const _ of a!) break;
  for (const _ of a!) break;
  expect(a!.epoch).toBe(3);
  const together = a![Symbol.iterator]();
  expect(a!.epoch).toBe(4);
  expect(together.next().done).toBe(false);
});

test("bad options are refused", () => {
  const wrong = (options: object, message: RegExp, n = 5) =>
    expect(() => batches(counting(n), options)).toThrow(
      expect.objectContaining({ code: "bad_option", message: expect.stringMatching(message) }),
    );
  wrong({ batchSize: 0 }, /batchSize is 0, wanted an integer, 1 or more/);
  wrong({ batchSize: "64" }, /batchSize is "64"/);
  wrong({ seed: 1.5 }, /seed is 1.5/);
  wrong({ limit: 0 }, /limit is 0/);
  wrong({ shuffle: 1 }, /shuffle is 1, wanted true or false/);
  wrong({ batch_size: 3 }, /no option "batch_size". Did you mean "batchSize"\?/);
  wrong({ batchSize: 6, dropLast: true }, /5 examples, too few for a whole batch of 6; lower batchSize/);
  wrong({}, /0 examples, too few for any/, 0);
  const b = batches(counting(5));
  expect(() => {
    b.epoch = -1;
  }).toThrow(/epoch is -1/);
});

describe("transforms on another thread", () => {
  const images = tensorDataset({
    x: Tensor.of(
      [20, 1, 6, 6],
      Array.from({ length: 720 }, (_, i) => Math.sin(i)),
    ),
    target: Tensor.of([20], [...Array(20).keys()], "int64"),
  });
  /** `augment`, with a count of what is done on this thread. */
  const watched = (options: AugmentOptions, sendable = true) => {
    const original = augment(options);
    const spy = vi.fn((batch: Batch, random: Random) => original(batch, random));
    return sendable ? Object.assign(spy, { augment: original.augment! }) : spy;
  };
  const numbers = (batch: Batch) => [[...batch.x!.toNumbers()], [...batch.target!.toNumbers()]];
  const there = async (b: Batches) => {
    const found: unknown[] = [];
    for await (const batch of b) found.push(numbers(batch));
    return found;
  };
  const options = { batchSize: 6, shuffle: true, seed: 4 } as const;

  test.each([1, 3])(
    "by %s threads give the same batches as on this one",
    { timeout: 60_000 },
    async (workers) => {
      const transform = watched({ rotate: 20, flip: 0.5, crop: 1, fill: [0.5] });
      const b = batches(images, { ...options, workers, transform });
      const first = await there(b);
      const second = await there(b);
      expect(transform).not.toHaveBeenCalled();
      b.epoch = 0;
      expect([...b].map(numbers)).toEqual(first);
      expect([...b].map(numbers)).toEqual(second);
      expect(first).not.toEqual(second);
      // The second epoch alone, as a run that resumes meets it.
      const resumed = batches(images, { ...options, workers, transform });
      resumed.epoch = 1;
      expect(await there(resumed)).toEqual(second);
    },
  );

  test("stay on this one where they cannot be sent, or shall not", async () => {
    const own = watched({ rotate: 20 }, false);
    const asked = watched({ rotate: 20 });
    const found = await there(batches(images, { ...options, transform: own }));
    expect(await there(batches(images, { ...options, transform: asked, workers: 0 }))).toEqual(found);
    expect([own.mock.calls.length, asked.mock.calls.length]).toEqual([4, 4]);
  });

  test("may be left half way, and say what is wrong", { timeout: 60_000 }, async () => {
    const b = batches(images, { ...options, transform: augment({ flip: 0.5 }) });
    for await (const batch of b) {
      expect(batch.x!.shape).toEqual([6, 1, 6, 6]);
      break;
    }
    const wrong = batches(images, { ...options, transform: augment({ field: "image" }) });
    await expect(there(wrong)).rejects.toMatchObject({ code: "missing_input", name: "ArborizeError" });
    expect(() => batches(images, { workers: -1 })).toThrow(/workers is -1/);
  });
});
