// Random nets of all operators: their gradients against central differences. A seed that failed is run again alone, with its
// net as text, by FUZZ_SEED=123 npx vitest run test/fuzz.test.ts; FUZZ_NETS=20000 looks further than every run does.

import { describe, expect, it } from "vitest";
import { type Checked, checkNet } from "./support/fuzz/check.ts";

const SEED = process.env.FUZZ_SEED;
const NETS = Number(process.env.FUZZ_NETS ?? 1000);
const PART = 100;

describe("random nets", () => {
  if (SEED !== undefined) {
    it(`of seed ${SEED}`, async () => expectAgreement([await checkNet(Number(SEED))]));
    return;
  }
  for (let first = 0; first < NETS; first += PART) {
    it(`of the seeds from ${first} on have the gradients of central differences`, async () => {
      const checked: Checked[] = [];
      for (let seed = first; seed < Math.min(first + PART, NETS); seed++) checked.push(await checkNet(seed));
      expectAgreement(checked);
      // Near kinks differences decide nothing: those must be few.
      const total = (count: (each: Checked) => number) => checked.reduce((sum, each) => sum + count(each), 0);
      expect(total(({ compared }) => compared)).toBeGreaterThan(PART);
      expect(total(({ undecided }) => undecided)).toBeLessThan(0.05 * total(({ compared }) => compared));
    });
  }
});

/** Shows the first net that failed, and which others did. */
function expectAgreement(checked: readonly Checked[]): void {
  const failures = checked.flatMap(({ failure }) => failure ?? []);
  const others = failures.slice(1).map((failure) => failure.split("\n")[0]);
  if (failures.length > 0) expect.fail([failures[0], ...others].join("\n"));
}
