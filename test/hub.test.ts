// Weights from the Hugging Face hub: a hub on this machine, asked by the hub's own client.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { runExperiment } from "../examples/experiments/experiment.ts";
import { imdbDsnBert } from "../examples/imdb-dsn-bert.ts";
import { nn, readStateDict, Tensor, writeSafetensors } from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";
import { SHARED } from "./support/golden.ts";

const folder = temporaryFolders();
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const files = new Map<string, Uint8Array>();
const asked: string[] = [];
let server: Server;

/** What the hub answers: facts of a path, and the file in ranges. */
beforeAll(async () => {
  server = createServer((request, response) => {
    const url = decodeURIComponent(request.url!);
    asked.push(`${request.method} ${url}`);
    const [, info, file] = /^\/(?:api\/models\/(.*)\/paths-info\/.*|(.*)\/resolve\/.*)$/.exec(url) ?? [];
    const name = info ?? file?.replace(/\/resolve$/, "");
    const bytes = name === undefined ? undefined : files.get(name);
    if (!bytes || !/main|refs\/pr\/3/.test(url)) {
      response.writeHead(404).end(JSON.stringify({ error: "Repository not found" }));
    } else if (info !== undefined) {
      const oid = createHash("sha256").update(bytes).digest("hex");
      const lfs = { oid, size: bytes.length, pointerSize: 134 };
      const lastCommit = { id: COMMIT, title: "weights", date: "2024-01-01T00:00:00.000Z" };
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify([
          { type: "file", path: "model.safetensors", oid: "1", size: bytes.length, lfs, lastCommit },
        ]),
      );
    } else {
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
      const [start, end] = from === undefined ? [0, bytes.length - 1] : [Number(from), Number(to)];
      response.writeHead(from === undefined ? 200 : 206, {
        etag: '"weights"',
        "content-range": `bytes ${start}-${end}/${bytes.length}`,
        "content-length": end - start + 1,
      });
      response.end(bytes.subarray(start, end + 1));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("HF_ENDPOINT", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv("HF_HUB_CACHE", folder("cache"));
  vi.spyOn(console, "debug").mockReturnValue();
});
afterEach(() => {
  asked.length = 0;
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
});

describe("a file of the hub", () => {
  const weights = writeSafetensors(new Map([["w", Tensor.of([3], [1, 2, 3])]]));

  it("is downloaded once, and checked", async () => {
    files.set("someone/some-net", weights);
    const first = await readStateDict("hf:someone/some-net");
    expect([...first.get("w")!.toNumbers()]).toEqual([1, 2, 3]);
    const downloads = () => asked.filter((each) => each.includes("/resolve/")).length;
    const once = downloads();
    expect(once).toBeGreaterThan(0);
    expect(await readStateDict("hf:someone/some-net@main:model.safetensors")).toEqual(first);
    expect(downloads()).toBe(once);
    expect(await readStateDict("hf:someone/some-net@refs/pr/3")).toEqual(first);
    expect(asked.at(-1)).toContain("refs/pr/3");

    const blobs = join(folder("cache"), "models--someone--some-net", "blobs");
    writeFileSync(join(blobs, readdirSync(blobs)[0]!), "something else");
    await expect(readStateDict("hf:someone/some-net")).rejects.toMatchObject({
      code: "bad_file",
      message: expect.stringMatching(/is not "model.safetensors" of "someone\/some-net": it has SHA-256/),
    });
  });

  it("that there is not, and what is no name", async () => {
    await expect(readStateDict("hf:someone/nothing")).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(/Cannot get "model.safetensors" of "someone\/nothing" \(main\)/),
    });
    for (const name of ["hf:", "hf:bert", "hf:a/b/c"]) {
      await expect(readStateDict(name)).rejects.toMatchObject({ code: "bad_option" });
    }
    expect(asked).toHaveLength(1);
  });
});

const DATA = join(SHARED, "data");
if (!existsSync(DATA)) console.log(`skipped: no ${DATA} for the experiment`);
describe.skipIf(!existsSync(DATA))("the IMDB experiment", () => {
  const context = { scale: "smoke", data: DATA, runs: undefined, log: () => undefined } as const;
  const bert = new nn.models.BertForSequenceClassification({
    hiddenSize: 8,
    numHiddenLayers: 2,
    numAttentionHeads: 2,
  });
  const state = nn.trace(bert, { inputs: { inputIds: { dtype: "int64", shape: ["batch", 4] } } }).state;

  it("starts from weights under Hugging Face's names, old ones as well", { timeout: 120_000 }, async () => {
    const old = [...state].map(([name, tensor]) => {
      const renamed = name
        .replace(/LayerNorm\.weight$/, "LayerNorm.gamma")
        .replace(/LayerNorm\.bias$/, "LayerNorm.beta");
      return [renamed, tensor] as const;
    });
    files.set(
      "someone/old-bert",
      writeSafetensors(new Map([...old, ["cls.predictions.bias", Tensor.of([2], [0, 0])]])),
    );
    const { arms } = await runExperiment(imdbDsnBert, { ...context, weights: "hf:someone/old-bert" });
    const parameters = (name: string) => arms.find((arm) => arm.name === name)!.outcomes[0]!.parameters;
    const count = (prefix: string) =>
      [...state].reduce((n, [name, { data }]) => n + (name.startsWith(prefix) ? data.length : 0), 0);
    expect(parameters("2-layer encoder")).toBe(count(""));
    expect(parameters("plain")).toBe(count("bert.embeddings.") + count("classifier."));
  });

  it("refuses weights of another network", { timeout: 60_000 }, async () => {
    files.set(
      "someone/no-bert",
      writeSafetensors(new Map([["embeddings.word_embeddings.weight", Tensor.zeros([30522, 8])]])),
    );
    await expect(runExperiment(imdbDsnBert, { ...context, weights: "hf:someone/no-bert" })).rejects.toThrow(
      /"hf:someone\/no-bert" has no .*: is it a BERT's\?/,
    );
  });
});
