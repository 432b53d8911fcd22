// A real browser for tests of pages: whichever Chromium the machine has.

import { existsSync } from "node:fs";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const PLACES = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const found = PLACES.find((path) => path !== undefined && existsSync(path));

/** A reason to print when there is no browser, or false. */
export const missingBrowser =
  found === undefined && "skipped: no Chromium on this machine (CHROMIUM_PATH names one elsewhere)";

/** WebGPU by the processor, where there is no GPU. */
const SOFTWARE_GPU = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--disable-vulkan-surface",
];

/** Starts the browser. @param gpu whether it needs WebGPU. */
export function startBrowser(gpu = false): Promise<Browser> {
  // Where everything runs as root, as in containers, Chromium's sandbox does not start. Pages here are our own.
  const root = process.getuid?.() === 0;
  const args = [...(root ? ["--no-sandbox"] : []), ...(gpu ? SOFTWARE_GPU : [])];
  return chromium.launch({ executablePath: found!, args });
}

/** A page, what went wrong on it, and where it went. */
export interface Opened {
  readonly page: Page;
  /** Errors on the console, uncaught ones among them. */
  readonly errors: string[];
  readonly requests: string[];
}

/** Opens an address. */
export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const errors: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, errors, requests };
}

/** What axe-core finds on a page that is serious or worse, each with the first element that has it. */
export async function seriousProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const problems = (await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => [id, impact, nodes[0].html]))",
  )) as [id: string, impact: string, html: string][];
  return problems
    .filter(([, impact]) => impact === "serious" || impact === "critical")
    .map((problem) => problem.join(": "));
}
