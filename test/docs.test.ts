// The documentation that is made from the sources is up to date, and says of the runtime what is so.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FLOAT32_ONLY, operatorTable } from "../scripts/operator-table.ts";
import { Tensor } from "../src/base/tensor.ts";
import { Graph } from "../src/graph/graph.ts";
import { findOperator } from "../src/ops/registry.ts";
import { runGraph } from "./support/run.ts";

/** Whether an operator of one value runs. */
async function runs(type: string, dtype: "float32" | "float64"): Promise<boolean> {
  const graph = new Graph();
  const x = Tensor.full([1, 2, 3, 4], 0.5, dtype);
  try {
    const node = graph.add(findOperator(type)!, [graph.input("x", dtype, x.shape)]);
    await runGraph(graph, { x }, { y: node.output });
    return true;
  } catch {
    return false;
  }
}

describe("docs/operators.md", () => {
  it("is what `npm run docs` writes", () => {
    const found = readFileSync(join(import.meta.dirname, "..", "docs", "operators.md"), "utf8");
    expect(found).toBe(operatorTable());
  });

  it("has a row for each operator, with what it lacks", () => {
    const rows = operatorTable()
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    const row = (type: string) => rows.find((line) => line.startsWith(`| \`${type}\` `))!.replace(/ +/g, " ");
    expect(row("Relu")).toBe("| `Relu` | 14 | | yes | | |");
    expect(row("Shape")).toBe(
      "| `Shape` | 19 | `start` int, `end` int | no: its output is a shape | yes | |",
    );
    expect(row("Softplus")).toBe("| `Softplus` | 1 | | yes | | float32 |");
    for (const type of FLOAT32_ONLY) expect(row(type), type).toContain("float32");
  });

  it("says float32 where the runtime refuses float64", async () => {
    let compared = 0;
    for (const type of FLOAT32_ONLY) {
      // Others need more than one value, or attributes.
      if (!(await runs(type, "float32"))) continue;
      expect(await runs(type, "float64"), type).toBe(false);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(20);
    expect(await runs("Relu", "float64")).toBe(true);
  });
});
