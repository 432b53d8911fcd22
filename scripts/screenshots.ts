// The pictures of the live page in docs/images, made anew:
//
//   npm run screenshots [-- FOLDER]
//
// It needs Chromium (CHROMIUM_PATH names one at an unusual place). FOLDER keeps the runs that the page shows, which take some
// minutes to train; by default they are trained every time.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode, encode } from "fast-png";
import type { BrowserContextOptions } from "playwright-core";
import { serveRuns } from "../src/cli/watch/server.ts";
import { missingBrowser, open, startBrowser } from "../test/support/browser.ts";
import { demoRuns } from "./demo-runs.ts";

const OUT = join(import.meta.dirname, "..", "docs", "images");
const WIDE = { width: 1180, height: 880 };

if (missingBrowser) {
  console.error(missingBrowser);
  process.exit(1);
}

const runs = await demoRuns(process.argv[2] ?? mkdtempSync(join(tmpdir(), "arborize-screenshots-")));
const browser = await startBrowser();

async function shoot(name: string, paths: readonly string[], options: BrowserContextOptions) {
  const watch = await serveRuns(paths, 0);
  const { page } = await open(browser, watch.url, options);
  await page.waitForSelector("#score canvas");
  await page.evaluate("document.fonts.ready");
  // The last canvas is drawn in the next frame.
  await page.waitForTimeout(500);
  const picture = smaller(await page.screenshot());
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, `${name}.png`), picture);
  console.log(`${name}.png: ${Math.ceil(picture.length / 1000)} kB`);
  await page.close();
  await watch.close();
}

/** A picture without alpha, packed as well as it can be. */
function smaller(png: Uint8Array): Uint8Array {
  const { width, height, data, channels } = decode(png);
  const colors = data.filter((_, i) => channels !== 4 || i % 4 !== 3);
  return encode({ width, height, data: colors, channels: 3, depth: 8 }, { zlib: { level: 9 } });
}

const [first] = runs;
await shoot("page-light", [first!], { viewport: WIDE, colorScheme: "light" });
await shoot("page-dark", [first!], { viewport: WIDE, colorScheme: "dark" });
await shoot("page-runs", runs, { viewport: WIDE, colorScheme: "light" });
await shoot("page-phone", [first!], { viewport: { width: 390, height: 844 }, colorScheme: "light" });
await browser.close();
