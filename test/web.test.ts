// Arborize in a browser: bundled and minified as for the public, on a page of its own.

import { writeFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arborize, data, readOnnx, fit as train } from "../src/index.ts";
import { missingBrowser, open, startBrowser } from "./support/browser.ts";
import { bundle, type Served, serveFolder } from "./support/bundle.ts";
import { temporaryFolders } from "./support/folders.ts";
import { OPTIONS, SmallNet } from "./support/journey.ts";
import type { page as Functions } from "./support/web/page.ts";

if (missingBrowser) console.log(missingBrowser);
if (!process.env.ARBORIZE_GPU) console.log("skipped: WebGPU in the browser (ARBORIZE_GPU=1 has it tested)");

type Results = { [Name in keyof typeof Functions]: Awaited<ReturnType<(typeof Functions)[Name]>> };

describe.skipIf(missingBrowser)("in a browser", () => {
  const file = temporaryFolders();
  const folder = file("site");
  let browser: Browser;
  const served: Served[] = [];
  /** A page that is not isolated. */
  let plain: Promise<Page>;

  /** The page, on a server that isolates it from others or not. */
  async function visit(isolated: boolean): Promise<Page> {
    const site = await serveFolder(folder, isolated);
    served.push(site);
    const { page } = await open(browser, site.url);
    await page.waitForFunction("globalThis.page !== undefined");
    return page;
  }

  const call = <Name extends keyof Results>(page: Page, name: Name, input?: unknown) =>
    page.evaluate(`page.${name}(${JSON.stringify(input)})`) as Promise<Results[Name]>;

  beforeAll(async () => {
    [browser] = await Promise.all([startBrowser(), bundle("web", folder)]);
    plain = visit(false);
  });
  afterAll(async () => {
    await browser?.close();
    for (const site of served) site.close();
  });

  it("trains and grows as in Node.js, and what it gives goes on there", async () => {
    const page = await visit(true);
    const grown = await call(page, "grow");
    expect(grown.engine).toMatch(/^WebAssembly \(\d+ threads?\)$/);
    expect(grown.turns, "what else the page did meanwhile").toBeGreaterThan(3);
    const growth = { ...OPTIONS.growth, maxDendrites: 1 };
    const { training, history } = await train(new SmallNet(), { ...OPTIONS, growth });
    expect(grown.epochs).toEqual(
      history.epochs.map(({ dendrites, validation }) => `${dendrites} ${validation}`),
    );
    history.epochs.forEach(({ trainLoss }, i) => {
      expect(grown.losses[i]).toBeCloseTo(trainLoss!, 4);
    });
    const [batch] = data.batches(OPTIONS.validation, { batchSize: 20 });
    const output = await training.predict(batch!);
    const close = (found: readonly number[]) =>
      Array.from(output.toNumbers()).forEach((value, i) => {
        expect(found[i]).toBeCloseTo(value, 3);
      });
    close(grown.output);
    // The exported network, on the runtime for Node.js.
    const exported = await readOnnx(Uint8Array.from(grown.onnx));
    const { inputs: _, ...options } = OPTIONS;
    const again = await arborize(exported, options);
    close(Array.from((await again.predict(batch!)).toNumbers()));
    // The checkpoint, for a step more.
    const resumed = await arborize(new SmallNet(), { ...OPTIONS, growth });
    await resumed.load(Uint8Array.from(grown.checkpoint));
    expect(resumed.history.epochs).toHaveLength(history.epochs.length);
    expect(await resumed.step(batch!)).toBeCloseTo(await training.step(batch!), 4);
  });

  it("goes on from a checkpoint of Node.js, on one thread where pages are not isolated", async () => {
    const training = await arborize(new SmallNet(), OPTIONS);
    await training.addValidationScore(0.5, { forceSwitch: true });
    const checkpoint = Array.from(await training.toCheckpoint());
    const [batch] = data.batches(OPTIONS.validation, { batchSize: 20 });
    const [dendrites, loss] = await call(await plain, "goOn", checkpoint);
    expect(dendrites).toBe(training.dendrites);
    expect(loss).toBeCloseTo(await training.step(batch!), 4);
  });

  // Half a minute where the processor plays the GPU.
  it.runIf(process.env.ARBORIZE_GPU)("computes on a GPU what WebAssembly computes", async ({ skip }) => {
    const withGpu = await startBrowser(true);
    try {
      const { page, errors } = await open(withGpu, served[0]!.url);
      await page.waitForFunction("globalThis.page !== undefined");
      const found = await call(page, "onGpu");
      if (!found) return skip("no WebGPU adapter, not even a software one");
      const { wasm, gpu } = found;
      expect(gpu.engine).toBe("WebGPU");
      expect([0, 0.25, 0.5, 0.75, 1]).toContain(gpu.score);
      expect(gpu.told).toHaveLength(wasm.told.length);
      gpu.told.forEach((value, i) => {
        expect(value).toBeCloseTo(wasm.told[i]!, 4);
      });
      gpu.state.forEach((value, i) => {
        expect(value).toBeCloseTo(wasm.state[i]!, 4);
      });
      // What a program wrote must not be freed after it.
      await page.evaluate("new Promise((done) => setTimeout(done, 300))");
      expect(errors).toEqual([]);
    } finally {
      await withGpu.close();
    }
  });

  it("fetches files, and says what a browser has not", async () => {
    const training = await arborize(new SmallNet(), OPTIONS);
    writeFileSync(`${folder}/model.onnx`, await training.toOnnx());
    writeFileSync(`${folder}/best.safetensors`, data.writeSafetensors(await training.stateDict()));
    const found = await call(await plain, "files");
    expect(found).toMatchObject({ parameters: 4, state: [...(await training.stateDict()).keys()] });
    expect(found.missing).toMatch(/^bad_file: Cannot fetch "missing.onnx": the server says 404 Not Found\./);
    expect(found.folder).toMatch(/^bad_option: There is no folder for a run, "runs\/x", in a browser/);
    expect(found.saved).toMatch(/^write_failed: Cannot write "latest.safetensors": .*toCheckpoint\(\)/);
    expect(found.threads).toMatch(/^bad_option: webEngine: threads is 0/);
    expect(found.model).toMatch(/^bad_file/);
  });
});
