// The live page as people meet it, in a browser: while a run goes on, with keys alone, on a phone, in the dark, with a run that
// means harm. Times are printed, not judged.

import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveRuns, type Watch } from "../src/cli/watch/server.ts";
import { readSafetensors, fit as train, writeSafetensors } from "../src/index.ts";
import { RunFolder } from "../src/train/run-folder.ts";
import { missingBrowser, open, seriousProblems, startBrowser } from "./support/browser.ts";
import { temporaryFolders } from "./support/folders.ts";
import { OPTIONS, SmallNet } from "./support/journey.ts";

if (missingBrowser) console.log(missingBrowser);

const file = temporaryFolders();
const HOSTILE = "<img src=x onerror=hurt()>";
const [run, other, hostile, long] = [file("digits"), file("other"), file(HOSTILE), file("long")];
const MARKUP = "<script>hurt()</script><b>bold</b>";
const LONG = 20_000;

let browser: Browser;
const served: Watch[] = [];

async function serve(paths: readonly string[], port = 0): Promise<Watch> {
  const watch = await serveRuns(paths, port);
  served.push(watch);
  return watch;
}

type State = { record: { history: Record<string, unknown> & { epochs: Record<string, unknown>[] } } };

/** A run with another past, in a folder of its own. */
function disguise(from: string, to: string, change: (history: State["record"]["history"]) => void): void {
  mkdirSync(to, { recursive: true });
  const { tensors, metadata } = readSafetensors(readFileSync(new RunFolder(from).file("latest")));
  const state = JSON.parse(metadata.arborize!) as State;
  change(state.record.history);
  const bytes = writeSafetensors(tensors, { ...metadata, arborize: JSON.stringify(state) });
  writeFileSync(new RunFolder(to).file("latest"), bytes);
  for (const kind of ["best", "about"] as const) {
    writeFileSync(new RunFolder(to).file(kind), readFileSync(new RunFolder(from).file(kind)));
  }
}

// biome-ignore lint/performance/useDomNodeTextContent: what people see, with line ends between blocks
const text = (page: Page, selector: string) => page.locator(selector).innerText();
const epochs = (page: Page, count: string) =>
  page.waitForSelector(`#facts > div:has(dt:text-is("Epochs")) dd.value:text-is("${count}")`);
const focused = (page: Page) =>
  page.evaluate(
    "document.activeElement.id || document.activeElement.dataset.key || document.activeElement.textContent",
  );

/** Presses Tab until something has the focus. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  for (let i = 0; i < 80; i++) {
    if ((await focused(page)) === wanted) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${wanted}`);
}

describe.skipIf(missingBrowser)("the page in a browser", () => {
  beforeAll(async () => {
    browser = await startBrowser();
    await train(new SmallNet(), { ...OPTIONS, runFolder: run });
  });
  afterAll(async () => {
    await browser.close();
    for (const watch of served) await watch.close();
  });

  it("follows a run from before its first epoch, through a restart of the server, to its end", async () => {
    const live = file("live");
    mkdirSync(live);
    let watch = await serve([live]);
    const { page, errors, requests } = await open(browser, watch.url);
    await page.waitForSelector("text=The first epoch is not over yet.");
    expect(await text(page, "#state")).toBe("first epoch");
    const waits: number[] = [];
    await train(new SmallNet(), {
      ...OPTIONS,
      runFolder: live,
      onEpoch: async ({ epoch }) => {
        const start = performance.now();
        if (epoch === 4) {
          await watch.close();
          await page.waitForSelector("text=The server does not answer");
          watch = await serve([live], Number(new URL(watch.url).port));
        }
        await epochs(page, String(epoch + 1));
        if (epoch !== 4) waits.push(performance.now() - start);
        if (epoch === 1) expect(await text(page, "#state")).toBe("training");
      },
    });
    console.log(`from the end of an epoch to the page: ${waits.map((ms) => Math.round(ms)).join(", ")} ms`);
    await page.waitForSelector("#state:text-is('finished')");
    expect(await text(page, "#connection")).toBe("");
    expect(await text(page, "h1#title")).toBe("live");
    expect(await page.title()).toMatch(/^\d+\.\d+% · live/);
    expect(await text(page, "#facts")).toMatch(
      /Best accuracy\n\d[\s\S]*Dendrites\n\d\nof at most 2[\s\S]*Examples a second\n\d/,
    );
    expect(await text(page, "#log")).toMatch(/epoch \d+\n.*dendrite 1 is added/i);
    expect(await text(page, "#settings")).toMatch(/growth\.maxDendrites\s+2\s+100/);
    expect(await page.locator("#modules svg.bars").count()).toBeGreaterThan(1);
    expect(await text(page, "#legend")).toMatch(/no dendrites\n1 dendrite\n2 dendrites\ntest/);
    // The server was gone for a while, which the browser says by itself.
    expect(errors.filter((error) => !/ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED)/.test(error))).toEqual([]);
    expect(requests.filter((url) => !url.startsWith("http://127.0.0.1:"))).toEqual([]);
    await page.close();
  });

  it("shows several runs side by side, with the additions, tests and lost branches of each", async () => {
    disguise(run, other, (history) => {
      for (const epoch of history.epochs.slice(5, 7)) epoch.abandoned = true;
    });
    const watch = await serve([run, other]);
    const { page, errors } = await open(browser, watch.url);
    await page.waitForSelector("#legend >> text=other");
    expect(await text(page, "#legend")).toBe("digits\nother\ntest\nabandoned\ndendrites added");
    expect(await text(page, "#score-readout")).toMatch(
      /^epoch \d+\ndigits, test [\d.]+%\ndigits [\d.]+%\nother, test [\d.]+%\nother [\d.]+%$/,
    );
    expect(await page.locator("#runs tbody tr").count()).toBe(2);
    const picture = () => page.locator("#score canvas").screenshot();
    const before = await picture();
    for (const name of ["dendrites added", "test", "abandoned", "other"]) {
      const shown = await picture();
      await page.click(`#legend >> text="${name}"`);
      await expect.poll(async () => (await picture()).equals(shown)).toBe(false);
    }
    expect(await text(page, "#loss-readout")).not.toContain("other");
    for (const name of ["dendrites added", "test", "abandoned", "other"])
      await page.click(`#legend >> text="${name}"`);
    // Not the same focus ring, so the pointer leaves first.
    await expect.poll(async () => (await picture()).equals(before)).toBe(true);
    await page.keyboard.press("2");
    expect(await text(page, "#title")).toBe("other");
    expect(await text(page, "#log")).toContain("abandoned");
    expect(errors).toEqual([]);
    await page.close();
  });

  it("can be used by keys alone", async () => {
    const watch = await serve([run, other]);
    const { page, errors } = await open(browser, watch.url);
    await page.waitForSelector("#legend >> text=other");
    await tabTo(page, "theme");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
    await tabTo(page, "1");
    await page.keyboard.press("Enter");
    expect([await text(page, "#title"), await focused(page)]).toEqual(["other", "1"]);
    await tabTo(page, "run 0");
    await page.keyboard.press("Space");
    expect(await page.getAttribute("[data-key='run 0']", "aria-pressed")).toBe("false");
    await tabTo(page, "score");
    await page.keyboard.press("Home");
    expect(await text(page, "#score-readout")).toMatch(/^epoch 0\nother/);
    expect(await text(page, "#loss-readout")).toMatch(/^epoch 0\nother/);
    await page.keyboard.press("ArrowRight");
    expect(await text(page, "#score-readout")).toMatch(/^epoch 1\n/);
    const whole = await page.locator("#score canvas").screenshot();
    await page.keyboard.press("+");
    await expect
      .poll(async () => (await page.locator("#score canvas").screenshot()).equals(whole))
      .toBe(false);
    await page.keyboard.press("0");
    await tabTo(page, "events-only");
    await page.keyboard.press("Space");
    expect(await page.locator("#log li:not(.event)").count()).toBe(0);
    const details = "All others";
    for (let i = 0; i < 80 && !String(await focused(page)).startsWith(details); i++)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector(`details[open] >> text=${details}`);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("has nothing serious for axe-core, in light and dark, wide and narrow, and never scrolls sideways", async () => {
    const papers = new Set<string>();
    for (const paths of [[run], [run, other]]) {
      const { url } = await serve(paths);
      const { page, errors } = await open(browser, url);
      await page.waitForSelector("#score canvas");
      await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
      for (const [colorScheme, width] of [
        ["light", 1280],
        ["dark", 390],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 844 });
        expect([colorScheme, width, await seriousProblems(page)]).toEqual([colorScheme, width, []]);
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
        papers.add(String(await page.evaluate("getComputedStyle(document.body).backgroundColor")));
      }
      expect(errors).toEqual([]);
      await page.close();
    }
    expect(papers.size).toBe(2);
  });

  it("shows as text what a run says, whatever it says", async () => {
    disguise(run, hostile, (history) => {
      Object.assign(history, { metric: MARKUP, ended: MARKUP });
      for (const each of history.switches as { reason: string }[]) each.reason = MARKUP;
      for (const epoch of history.epochs) epoch.dendriteScores = { [MARKUP]: 0.5 };
    });
    writeFileSync(new RunFolder(hostile).file("about"), JSON.stringify({ settings: { [MARKUP]: MARKUP } }));
    for (const paths of [[hostile], [hostile, run]]) {
      const watch = await serve(paths);
      const { page, errors } = await open(browser, watch.url);
      await page.waitForSelector("#score canvas");
      expect(await text(page, "#title")).toBe(HOSTILE);
      expect(await text(page, "#ended")).toBe(`${MARKUP}.`);
      expect(await text(page, "#log")).toContain(MARKUP);
      expect(await text(page, "#facts")).toContain(MARKUP);
      expect(await text(page, "#dendrite-readout")).toContain(MARKUP);
      expect(await text(page, "#settings")).toContain(MARKUP);
      expect(
        await page.evaluate(
          "[document.images.length, document.scripts.length, document.querySelectorAll('main b b').length]",
        ),
      ).toEqual([1, 1, 0]);
      expect(errors).toEqual([]);
      await page.close();
    }
  });

  it(`draws ${LONG.toLocaleString("en")} epochs`, async () => {
    disguise(run, long, (history) => {
      const [first] = history.epochs;
      history.epochs = Array.from({ length: LONG }, (_, epoch) => ({
        ...first!,
        epoch,
        branchEpoch: epoch,
        validation: 0.9 - 0.5 * Math.exp(-epoch / 3000) + 0.01 * Math.sin(epoch * epoch),
        test: 0.88 - 0.5 * Math.exp(-epoch / 3000) + 0.01 * Math.cos(epoch * epoch),
        trainLoss: Math.exp(-epoch / 4000) + 0.02 * Math.sin(epoch),
        learningRate: 0.01 * 0.9997 ** epoch,
        abandoned: epoch % 1000 > 900,
      }));
      history.switches = [];
    });
    const watch = await serve([long]);
    const { page, errors } = await open(browser, watch.url);
    await epochs(page, "20,000");
    await page.evaluate(`
      window.blocked = [];
      new PerformanceObserver((list) => blocked.push(...list.getEntries().map(({ duration }) => Math.round(duration)))).observe({ type: "longtask" });
      window.timed = async (id) => {
        const start = performance.now();
        document.getElementById(id).click();
        await Promise.resolve();
        const drawn = performance.now() - start;
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        return [drawn, performance.now() - start].map((ms) => Math.round(10 * ms) / 10);
      };`);
    const zooms = [];
    for (const id of ["zoom-in", "zoom-in", "zoom-out", "zoom-all"]) {
      zooms.push(`${id} ${((await page.evaluate(`timed("${id}")`)) as number[]).join(" / ")}`);
    }
    console.log(`${LONG} epochs, milliseconds to draw / until painted: ${zooms.join(", ")}`);
    const asked = performance.now();
    await (await fetch(`${watch.url}api/runs/0`)).text();
    const answered = performance.now() - asked;
    await page.evaluate("blocked.length = 0");
    const update = page.waitForResponse(/api\/runs\/0/);
    utimesSync(join(long, "latest.safetensors"), new Date(), new Date(Date.now() + 5000));
    await update;
    await page.waitForTimeout(1000);
    const blocked = (await page.evaluate("blocked")) as number[];
    console.log(
      `an update: answered in ${Math.round(answered)} ms, tasks on the page of ${blocked.join(", ") || "< 50"} ms`,
    );
    expect(await page.locator("#score canvas").count()).toBe(1);
    expect(await text(page, "#score-readout")).toContain(`epoch ${LONG - 1}`);
    expect(errors).toEqual([]);
    await page.close();
  });
});
