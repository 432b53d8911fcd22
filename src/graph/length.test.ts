import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addDims,
  ceilDivide,
  type Dim,
  divideDims,
  floorDivide,
  isAtLeast,
  lengthReader,
  multiplyDims,
  resolveDim,
  subtractDims,
  symbolOf,
  symbolsOf,
} from "./length.ts";

describe("lengths", () => {
  it("have one form, however they were made", () => {
    expect(multiplyDims(multiplyDims("time", 2), "batch")).toBe("2*batch*time");
    expect(addDims(addDims("time", 3), "batch")).toBe("batch+time+3");
    expect(addDims("batch", addDims(3, "time"))).toBe("batch+time+3");
    expect(multiplyDims(addDims("time", 1), addDims("time", -1))).toBe("time*time-1");
    expect(subtractDims(addDims("time", 2), "time")).toBe(2);
    expect(subtractDims(1, "time")).toBe("-time+1");
    expect(multiplyDims("batch", 0)).toBe(0);
  });

  it("divide where the quotient is whole for every length", () => {
    expect(divideDims("12*batch*time", "4*time")).toBe("3*batch");
    expect(divideDims(addDims(multiplyDims(4, "time"), 8), 4)).toBe("time+2");
    expect(divideDims(addDims(multiplyDims(2, "time"), 2), addDims("time", 1))).toBe(2);
    expect(divideDims("batch", 2)).toBeUndefined();
    expect(divideDims("batch", "time")).toBeUndefined();
    expect(divideDims(addDims("time", 1), "time")).toBeUndefined();
  });

  it("round quotients, with what divides taken out", () => {
    expect(floorDivide(7, 2)).toBe(3);
    expect(floorDivide(addDims(multiplyDims(2, "time"), 5), 2)).toBe("time+2");
    expect(floorDivide(addDims("time", -1), 2)).toBe("floor((time+1)/2)-1");
    expect(ceilDivide("time", 2)).toBe("floor((time+1)/2)");
    expect(floorDivide(addDims(floorDivide("time", 2), 1), 2)).toBe("floor((floor((time)/2)+1)/2)");
  });

  it("know a least value", () => {
    expect(isAtLeast(addDims("time", 2), 3)).toBe(true);
    expect(isAtLeast(addDims("time", -1), 1)).toBe(false);
    expect(isAtLeast(subtractDims(9, "time"), 1)).toBe(false);
    expect(isAtLeast(floorDivide("time", 2), 1)).toBe(false);
  });

  it("say what symbol is unknown", () => {
    expect(() => resolveDim("2*batch*time", new Map([["batch", 3]]))).toThrow('"2*batch*time"');
    expect(symbolsOf("floor((time+1)/2)*batch")).toEqual(["time", "batch"]);
    expect(symbolOf("sequence-length 1")).toBe("sequence_length_1");
    expect(symbolOf("0")).toBe("_0");
  });

  it("from elsewhere are formulas of what else is there, or names", () => {
    const read = lengthReader(["batch", "time", "batch-size", "time + 1"]);
    expect(["batch", "time + 1", "time*2", "floor((time+1)/2)", "2*batch*time"].map(read)).toEqual([
      "batch",
      "time+1",
      "2*time",
      "floor((time+1)/2)",
      "2*batch*time",
    ]);
    expect(["batch-size", "batch/2", "image height", "12", "unk__6"].map(read)).toEqual([
      "batch_size",
      "batch_2",
      "image_height",
      "_12",
      "unk__6",
    ]);
  });

  it("agree with arithmetic on numbers", () => {
    const lengths = new Map([
      ["a", 5],
      ["b", 3],
    ]);
    const leaf = fc.oneof(fc.integer({ min: -4, max: 9 }), fc.constantFrom<Dim>("a", "b"));
    const steps = fc.array(fc.tuple(fc.constantFrom("+", "-", "*", "/", "floor", "ceil"), leaf), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(leaf, steps, (start, given) => {
        let dim: Dim = start;
        let number = resolveDim(start, lengths);
        for (const [operation, other] of given) {
          const value = resolveDim(other, lengths);
          const divisor = Math.abs(value) + 1;
          if (operation === "+") [dim, number] = [addDims(dim, other), number + value];
          if (operation === "-") [dim, number] = [subtractDims(dim, other), number - value];
          if (operation === "*") [dim, number] = [multiplyDims(dim, other), number * value];
          if (operation === "floor")
            [dim, number] = [floorDivide(dim, divisor), Math.floor(number / divisor)];
          if (operation === "ceil") [dim, number] = [ceilDivide(dim, divisor), Math.ceil(number / divisor)];
          if (operation === "/") {
            const quotient = value === 0 ? undefined : divideDims(dim, other);
            if (quotient !== undefined) [dim, number] = [quotient, number / value];
          }
          // Zeros have a sign in JavaScript.
          expect(resolveDim(dim, lengths) + 0).toBe(number + 0);
        }
      }),
      { numRuns: 500 },
    );
  });
});
