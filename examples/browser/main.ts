// The page: starts and stops the thread that learns, and shows what it reports.

import { chartIn } from "./chart.ts";
import type { Order, Report } from "./messages.ts";
import { drawOn } from "./pad.ts";

const find = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const [go, keep, status] = [find("go"), find("keep"), find("status")];
const learner = new Worker(new URL("./learner.ts", import.meta.url), { type: "module" });
const order = (message: Order) => learner.postMessage(message);
const chart = chartIn(find("chart"));

/** The best score of each number of dendrites, with the parameters it took. */
const best = new Map<number, { parameters: number; validation: number }>();
let learning = false;
/** The network as it was when it last stopped. */
let model: Uint8Array<ArrayBuffer> | undefined;

function setLearning(now: boolean): void {
  learning = now;
  go.textContent = now ? "Stop" : "Go on";
}

go.addEventListener("click", () => {
  order({ type: learning ? "stop" : "train" });
  if (!learning) status.textContent = "Loading the runtime …";
  setLearning(!learning);
});

keep.addEventListener("click", () => {
  if (!model) return;
  const href = URL.createObjectURL(new Blob([model]));
  Object.assign(document.createElement("a"), { href, download: "digits.onnx" }).click();
  URL.revokeObjectURL(href);
});

function showEpoch(report: Report & { type: "epoch" }): void {
  const { epoch, dendrites, parameters, validation, told } = report;
  chart.add(epoch, dendrites, validation);
  if (validation > (best.get(dendrites)?.validation ?? 0)) best.set(dendrites, { parameters, validation });
  find("counts").replaceChildren(
    ...[...best].map(([count, row]) => {
      const line = document.createElement("tr");
      const cells = [String(count), row.parameters.toLocaleString("en"), percent(row.validation)];
      line.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
      return line;
    }),
  );
  status.textContent = told ?? `Epoch ${epoch}: ${percent(validation)} of the validation digits read.`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function showGuess(shares: readonly number[]): void {
  const highest = Math.max(...shares);
  find("guesses").replaceChildren(
    ...shares.map((share) => {
      const [line, bar] = [document.createElement("li"), document.createElement("span")];
      bar.style.setProperty("--share", String(100 * share));
      bar.title = percent(share);
      line.classList.toggle("best", share === highest);
      line.append(bar);
      return line;
    }),
  );
}

learner.addEventListener("message", ({ data: report }: MessageEvent<Report>) => {
  if (report.type === "epoch") showEpoch(report);
  else if (report.type === "guess") showGuess(report.shares);
  else {
    setLearning(false);
    status.textContent = report.told;
    if (report.type === "failed") return;
    status.textContent += ` On ${report.engine}.`;
    model = report.model;
    keep.hidden = false;
  }
});

showGuess(new Array<number>(10).fill(0));
const pad = drawOn(find<HTMLCanvasElement>("pad"), (ink) => order({ type: "read", ink }));
find("clear").addEventListener("click", () => {
  pad.clear();
  showGuess(new Array<number>(10).fill(0));
});
