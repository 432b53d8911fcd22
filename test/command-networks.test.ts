// Networks by name and numbers to predict, from the command line: what test/command.test.ts leaves out.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runHere } from "./support/command.ts";
import { temporaryFolders } from "./support/folders.ts";

const file = temporaryFolders();
const home = file("home");
const before = process.cwd();

/** Prices that follow from two numbers and a district. */
const houses = () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const [size, age] = [40 + ((i * 37) % 120), (i * 61) % 90];
    const district = ["north", "south", "harbour"][i % 3]!;
    return `${size},${age},${district},${size * (district === "harbour" ? 5 : 3) - age}`;
  });
  return `size,age,district,price\n${rows.join("\n")}\n`;
};

async function result(...args: string[]) {
  const { code, out, errors } = await runHere([...args, "--json"]);
  expect(code, errors).toBe(0);
  return JSON.parse(out);
}

describe("from the command line", () => {
  beforeAll(() => {
    mkdirSync(home);
    process.chdir(home);
    writeFileSync("houses.csv", houses());
  });
  afterAll(() => process.chdir(before));

  it("a number is predicted, by a network with learned vectors for categories, in variances of the column", async () => {
    const config = {
      data: { path: "houses.csv", categories: "embedded" },
      model: { name: "mlp", hidden: [32] },
      threads: 1,
      growth: { switchMode: "fixed", fixedEpochs: 15, maxDendrites: 1, maxTries: 1 },
    };
    writeFileSync("houses.json", JSON.stringify(config));
    const trained = await result(
      "train",
      "houses.json",
      "--lr",
      "0.01",
      "--epochs",
      "30",
      "--batch-size",
      "16",
    );
    expect(trained).toMatchObject({ metric: "mean squared error", interrupted: false });
    expect(trained.summary.map(({ dendrites }: { dendrites: number }) => dendrites)).toEqual([0, 1]);
    expect(trained.best.validation).toBeLessThan(0.05);
    const { scores } = await result("evaluate", "runs/houses");
    expect(scores["mean squared error"]).toBeCloseTo(trained.best.test, 5);
    const { out } = await runHere(["inspect", "runs/houses/model.onnx"]);
    expect(out).toMatch(/Embedding/);
  });

  it("images are told apart by a ResNet", async () => {
    for (let i = 0; i < 48; i++) {
      const kind = i % 2 ? "rising" : "falling";
      mkdirSync(join("stripes", kind), { recursive: true });
      const data = Uint8Array.from({ length: 64 }, (_, p) => {
        const [y, x] = [Math.floor(p / 8), p % 8];
        return (i % 2 ? x + y + i : x - y + i + 64) % 4 < 2 ? 255 : 0;
      });
      writeFileSync(
        join("stripes", kind, `${i}.png`),
        encode({ width: 8, height: 8, channels: 1, depth: 8, data }),
      );
    }
    const config = { data: { path: "stripes" }, model: { name: "resnet18", width: 8 }, threads: 1 };
    writeFileSync("stripes.json", JSON.stringify(config));
    const trained = await result(
      "train",
      "stripes.json",
      "--epochs",
      "12",
      "--dendrites",
      "0",
      "--lr",
      "0.01",
    );
    // As torchvision's, with widths from 8 to 64, one channel, a stem of 3 x 3 and two classes.
    expect(trained.best.parameters).toBe(175_738);
    expect(trained.best.validation).toBe(1);
  });
});
