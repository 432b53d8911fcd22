// The live page by HTTP: what it tells of runs, to whom, and what it refuses.

import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveRuns, type Watch } from "../src/cli/watch/server.ts";
import type { RunView } from "../src/cli/watch/view.ts";
import { fit as train } from "../src/index.ts";
import { runHere, startCommand } from "./support/command.ts";
import { temporaryFolders } from "./support/folders.ts";
import { OPTIONS, SmallNet } from "./support/journey.ts";

const file = temporaryFolders();
const HOSTILE = "<img src=x onerror=alert(1)>";
const folder = file(HOSTILE);
const empty = file("just-begun");
let watch: Watch;

beforeAll(async () => {
  await train(new SmallNet(), { ...OPTIONS, runFolder: folder });
  mkdirSync(empty);
  writeFileSync(file("secret.txt"), "not to be read");
  symlinkSync(file("secret.txt"), join(empty, "report.html"));
  symlinkSync("../secret.txt", join(empty, "chart.svg"));
  watch = await serveRuns([folder, empty], 0);
});
afterAll(() => watch.close());

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** As it stands: `fetch` would tidy paths up and set the host itself. */
function get(path: string, host = new URL(watch.url).host): Promise<Answer> {
  const { port } = new URL(watch.url);
  return new Promise((done, fail) => {
    request({ host: "127.0.0.1", port, path, headers: { host } }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("end", () => done({ status: response.statusCode!, headers: response.headers, body }));
    })
      .on("error", fail)
      .end();
  });
}

describe("the live page", () => {
  it("tells of a run what its folder says", async () => {
    const view: RunView = JSON.parse((await get("/api/runs/0")).body);
    expect(view).toMatchObject({ name: HOSTILE, metric: "accuracy", maximize: true });
    expect(view.epochs.epoch).toEqual([...view.epochs.epoch.keys()]);
    for (const values of Object.values(view.epochs)) expect(values).toHaveLength(view.epochs.epoch.length);
    expect(view.switches.map(({ dendrites }) => dendrites)).toContain(1);
    expect(view.status).toMatch(/^Best accuracy \d+\.\d+% in epoch \d+ of \d+\./);
    expect(view.log.filter(({ event }) => event).map(({ text }) => text)[0]).toMatch(/dendrite 1 is added/);
    expect(view.settings.find(({ path }) => path === "growth.maxDendrites")).toEqual({
      path: "growth.maxDendrites",
      value: "2",
      standard: "100",
    });
    expect(view.facts.map(({ label }) => label)).toEqual([
      "Best accuracy",
      "Dendrites",
      "Parameters",
      "Epochs",
      "Examples a second",
      "Time",
    ]);
    expect(view.environment.map(({ path }) => path)).toContain("engine");
    expect([view.over, view.percent, view.ended !== ""]).toEqual([true, true, true]);
    const [conv] = view.modules;
    expect(conv).toMatchObject({ path: "conv", parameters: 40 });
    const grown = Number(view.summary.rows.find(({ mark }) => mark === "best")!.cells[0]!.replace("★ ", ""));
    expect(conv!.outputs.map((row) => row.length)).toEqual(Array(grown).fill(4));
    expect(conv!.dendriteParameters).toBe(grown * 40 + grown * 4 + (4 * grown * (grown - 1)) / 2);
  });

  it("has a run that has only begun, and lists all by name", async () => {
    expect(JSON.parse((await get("/api/runs")).body)).toEqual([{ name: HOSTILE }, { name: "just-begun" }]);
    expect(JSON.parse((await get("/api/runs/1")).body)).toMatchObject({
      version: "",
      modules: [],
      log: [],
      settings: [],
    });
  });

  it("is made of files of ours alone, which show names as text", async () => {
    const page = await get("/");
    expect(page.headers["content-type"]).toContain("text/html");
    expect(page.headers["content-security-policy"]).toContain("script-src 'self'");
    expect(page.body).not.toMatch(/https?:/);
    const names = [...page.body.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, name]) => name!);
    expect([...new Set(names)]).toEqual(["icon.svg", "uplot.css", "colors.css", "style.css", "client.js"]);
    const loaded = ["charts.js", "curves.js", "dom.js", "modules.js", "parts.js", "uplot.js", "regular.otf"];
    for (const name of [...names, ...loaded]) {
      const { status, body } = await get(`/${name}`);
      expect([name, status, body.length > 300]).toEqual([name, 200, true]);
      expect(body).not.toMatch(/innerHTML *=.*view|insertAdjacentHTML|document\.write/);
    }
    const report = await get("/runs/0/report.html");
    expect([report.status, report.body.includes(HOSTILE)]).toEqual([200, false]);
    expect(report.body).toContain("&lt;img src=x");
    expect(report.headers["content-security-policy"]).not.toContain("script-src");
  });

  it("refuses paths outside of runs, other files in them, and other hosts", async () => {
    const outside = [
      "/runs/0/../../secret.txt",
      "/runs/0/..%2f..%2fsecret.txt",
      "/runs/0/latest.safetensors",
      "/runs/0/%2e%2e/%2e%2e/secret.txt",
      "/runs/0/..%5c..%5csecret.txt",
      "/runs/0/report.html%00",
      "/runs/0%2f..%2f../secret.txt",
      "/runs/%2e%2e/secret.txt",
      // Links that lead out of the folder, of the file itself and of a part of the path.
      "/runs/1/report.html",
      "/runs/1/chart.svg",
      "/runs/9/report.html",
      "/runs/-1/report.html",
      "/api/runs/2",
      "/api/runs/constructor",
      "/../secret.txt",
      "/client.js/../../view.ts",
    ];
    for (const path of outside) {
      const { status, body } = await get(path);
      expect([path, status]).toEqual([path, 404]);
      expect(body).not.toContain("not to be read");
    }
    const { port } = new URL(watch.url);
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", "127.0.0.1:1"]) {
      expect([host, (await get("/api/runs", host)).status]).toEqual([host, 403]);
    }
    expect((await get("/api/runs", `localhost:${port}`)).status).toBe(200);
  });

  it("is nowhere but on this machine's own address", async () => {
    const { port } = new URL(watch.url);
    const others = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    const reachable = others.filter(({ internal, family }) => !internal && family === "IPv4");
    for (const { address } of reachable) {
      await expect(fetch(`http://${address}:${port}/`)).rejects.toThrow();
    }
    await expect(serveRuns([folder], Number(port))).rejects.toThrow(
      `Port ${port} cannot be used: another program has it`,
    );
  });

  it("says soon that a run has changed", async () => {
    const answer = await fetch(`${watch.url}events`);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = "";
    const until = async (count: number) => {
      while (heard.split("event: change").length <= count) heard += (await reader.read()).value ?? "";
    };
    await until(2);
    utimesSync(join(folder, "latest.safetensors"), new Date(), new Date(Date.now() + 5000));
    await until(3);
    utimesSync(join(folder, "about.json"), new Date(), new Date(Date.now() + 5000));
    await until(4);
    expect(heard.match(/data: \d/g)).toEqual(["data: 0", "data: 1", "data: 0", "data: 0"]);
    await reader.cancel();
  });

  it("is not served for what is no run", async () => {
    const wrong: [path: string, message: RegExp][] = [
      [file("nowhere"), /nowhere" is no run: there is no such folder/],
      [file("secret.txt"), /secret.txt" is no run: it is no folder/],
      [
        join(import.meta.dirname, "support"),
        /support" holds no run: neither it nor a folder in it has a latest/,
      ],
    ];
    for (const [path, message] of wrong) {
      const { code, errors } = await runHere(["watch", path]);
      expect([code, errors]).toEqual([1, expect.stringMatching(message)]);
    }
  });

  it("is served by the command until Ctrl-C, for all runs of a folder", async () => {
    const { child, ended } = startCommand(["watch", file(".")]);
    child.stderr.on("data", async (chunk: Buffer) => {
      const [url] = /http:\S+/.exec(chunk.toString()) ?? [];
      if (!url) return;
      const answer = await fetch(`${url}api/runs`);
      expect(await answer.json()).toEqual([{ name: HOSTILE }]);
      child.kill("SIGINT");
    });
    expect(await ended).toMatchObject({
      code: 130,
      out: "",
      errors: expect.stringContaining("(Ctrl-C ends it)"),
    });
  });
});
