// A run of MLflow, by its REST API (2.0).

import { join } from "node:path";
import { z } from "zod";
import { ArborizeError } from "../../base/errors.ts";
import { exists, readFileBytes, writeFileAtomic } from "../../data/files.ts";
import type { EpochRecord, RunHistory } from "../../report/history.ts";
import { settingRows } from "../../report/settings-rows.ts";
import type { RunFacts, Sink, TrainingEvent } from "../events.ts";
import { call, type Refusal, type Server } from "./http.ts";
import { growthAfter, seriesOf } from "./series.ts";

/** Where a run is tracked, and as what. */
export interface MlflowOptions {
  /** The tracking server, such as `http://127.0.0.1:5000`. Default: `MLFLOW_TRACKING_URI` of the environment. */
  readonly uri?: string;
  /** The experiment, made where it does not exist. Default: `MLFLOW_EXPERIMENT_NAME`, or "Default". */
  readonly experiment?: string;
  /** Default: what the run folder is called. */
  readonly runName?: string;
  /** More tags of the run. */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * Tracks a training as a run of MLflow: settings as parameters, the numbers of each epoch as metrics, why dendrites were added
 * and the end as tags, the status. Requests are sent beside the training. A server that is away is told of once; what it has
 * missed it gets when it is back. A run that goes on goes on in its run, which the run folder knows (`mlflow.json`).
 *
 * `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, of the environment are sent along.
 *
 * @throws `bad_option` without a server's address, or where the server refuses the run at the start.
 */
export function mlflow(options: MlflowOptions = {}): Sink {
  const run = new Run(serverOf(options), options);
  return { receive: (event) => run.receive(event) };
}

const STATUS = {
  complete: "FINISHED",
  stopped: "FINISHED",
  interrupted: "KILLED",
  failed: "FAILED",
} as const;

/** What one request may hold. */
const MOST_METRICS = 1000;
const MOST_PARAMS = 100;
const LONGEST_PARAM = 500;

const anything = z.unknown();
const experimentId = z.object({ experiment_id: z.string() });
const experiment = z.object({ experiment: experimentId });
const knownRun = z.object({ uri: z.string(), runId: z.string() });
const runInfo = z.object({ run: z.object({ info: z.object({ run_id: z.string() }) }) });
const runData = z.object({
  run: z.object({ data: z.object({ metrics: z.array(z.object({ step: z.coerce.number() })).default([]) }) }),
});

class Run {
  readonly #server: Server;
  readonly #options: MlflowOptions;
  #facts: RunFacts | null = null;
  #history: RunHistory | null = null;
  #id: string | null = null;
  /** The next epoch to be sent. */
  #next = 0;
  /** Whether the run has its settings. */
  #described = false;
  /** What is being sent; never rejects. */
  #sending: Promise<void> | null = null;
  #failure: unknown = null;

  constructor(server: Server, options: MlflowOptions) {
    this.#server = server;
    this.#options = options;
  }

  async receive(event: TrainingEvent): Promise<void> {
    switch (event.type) {
      case "start":
        this.#facts = event.run;
        this.#history = event.history;
        return this.#send();
      case "step":
        return this.#tellFailure();
      case "epochEnd":
        this.#history = event.history;
        this.#sending ??= this.#send()
          .catch((error) => {
            this.#failure = error;
          })
          .finally(() => {
            this.#sending = null;
          });
        return this.#tellFailure();
      case "end":
        this.#history = event.history;
        await this.#sending;
        await this.#send();
        await this.#end(STATUS[event.status], event.history.ended);
    }
  }

  /** What failed beside the training is told with the next event. */
  #tellFailure(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure) throw failure;
  }

  /** Sends what is missing: the settings, and epochs. */
  async #send(): Promise<void> {
    this.#id ??= (await this.#goOn()) ?? (await this.#create());
    if (!this.#described) await this.#describe();
    const history = this.#history!;
    while (this.#next < history.epochs.length) {
      await this.#logEpoch(history.epochs[this.#next]!, history);
      this.#next += 1;
    }
  }

  async #logEpoch(epoch: EpochRecord, history: RunHistory): Promise<void> {
    const timestamp = Date.now();
    const metrics = [...seriesOf(epoch, history)].map(([key, value]) => ({
      key,
      value,
      timestamp,
      step: epoch.epoch,
    }));
    const growth = growthAfter(epoch, history);
    const tags =
      growth === undefined
        ? []
        : [{ key: `growth.epoch_${epoch.epoch}`, value: growth.slice(0, LONGEST_PARAM) }];
    for (const part of parts(metrics, MOST_METRICS)) await this.#log({ metrics: part, tags });
  }

  /** The run that this one goes on with; null where there is none, or one that knows more than is kept here. */
  async #goOn(): Promise<string | null> {
    const known = await this.#known();
    if (known === null) return null;
    const found = await this.#call(`runs/get?run_id=${encodeURIComponent(known)}`, runData, { missing: 404 });
    if (found === null) return null;
    const steps = found.run.data.metrics.map(({ step }) => step);
    const next = 1 + steps.reduce((most, step) => Math.max(most, step), -1);
    if (next > this.#history!.epochs.length) return null;
    await this.#call("runs/update", anything, { body: { run_id: known, status: "RUNNING" } });
    this.#next = next;
    this.#described = next > 0;
    return known;
  }

  async #create(): Promise<string> {
    const { name, folder } = this.#facts!;
    const { runName = name, tags = {} } = this.#options;
    const all = { "mlflow.runName": runName, "mlflow.source.name": "arborize", ...tags };
    const body = {
      experiment_id: await this.#experiment(),
      run_name: runName,
      start_time: Date.now(),
      tags: Object.entries(all).map(([key, value]) => ({ key, value })),
    };
    const { run_id: runId } = (await this.#call("runs/create", runInfo, { body }))!.run.info;
    if (folder !== null) {
      const content = `${JSON.stringify({ uri: this.#server.url, runId }, null, 2)}\n`;
      await writeFileAtomic(join(folder, FILE), content);
    }
    return runId;
  }

  async #describe(): Promise<void> {
    const params = settingRows(this.#facts!.settings).map(({ path, value }) => ({
      key: path.replace(/[^\w./ -]/g, "_"),
      value: value.slice(0, LONGEST_PARAM),
    }));
    for (const part of parts(params, MOST_PARAMS)) await this.#log({ params: part });
    this.#described = true;
  }

  /** The run that the folder knows, unless it is another server's. */
  async #known(): Promise<string | null> {
    const { folder } = this.#facts!;
    if (folder === null) return null;
    const path = join(folder, FILE);
    if (!(await exists(path))) return null;
    const parsed = knownRun.safeParse(JSON.parse(new TextDecoder().decode(await readFileBytes(path))));
    return parsed.success && parsed.data.uri === this.#server.url ? parsed.data.runId : null;
  }

  async #experiment(): Promise<string> {
    const name = this.#options.experiment ?? process.env.MLFLOW_EXPERIMENT_NAME ?? "Default";
    const path = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
    const found = await this.#call(path, experiment, { missing: 404 });
    if (found !== null) return found.experiment.experiment_id;
    return (await this.#call("experiments/create", experimentId, { body: { name } }))!.experiment_id;
  }

  async #end(status: (typeof STATUS)[keyof typeof STATUS], ended: string | undefined): Promise<void> {
    if (ended !== undefined)
      await this.#log({ tags: [{ key: "ended", value: ended.slice(0, LONGEST_PARAM) }] });
    await this.#call("runs/update", anything, { body: { run_id: this.#id, status, end_time: Date.now() } });
  }

  async #log(content: object): Promise<void> {
    await this.#call("runs/log-batch", anything, { body: { run_id: this.#id, ...content } });
  }

  /** @param missing a status that means null. */
  async #call<T>(
    path: string,
    schema: z.ZodType<T>,
    { body, missing }: { body?: object; missing?: number },
  ): Promise<T | null> {
    const answer = await call(this.#server, `api/2.0/mlflow/${path}`, body);
    if (!answer.ok && answer.status === missing) return null;
    if (!answer.ok) throw this.#refused(answer);
    const parsed = schema.safeParse(answer.json);
    if (parsed.success) return parsed.data;
    throw this.#refused({ ok: false, status: 200, text: JSON.stringify(answer.json).slice(0, 100) });
  }

  #refused({ status, text }: Refusal): ArborizeError {
    const wayOut =
      status === 401 || status === 403
        ? " Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
        : " Check its address and version.";
    return new ArborizeError(
      "bad_option",
      `MLflow at ${this.#server.url} refuses with ${status}: ${text.replace(/\s+/g, " ")}.${wayOut}`,
    );
  }
}

/** The file of the run folder that knows the run. */
const FILE = "mlflow.json";

function serverOf({ uri = process.env.MLFLOW_TRACKING_URI }: MlflowOptions): Server {
  const fail = (problem: string): never => {
    throw new ArborizeError(
      "bad_option",
      `${problem} MLflow wants the address of a tracking server, such as http://127.0.0.1:5000.`,
    );
  };
  if (!uri) return fail("Neither uri nor MLFLOW_TRACKING_URI is set.");
  if (!URL.canParse(uri) || !/^https?:$/.test(new URL(uri).protocol)) return fail(`"${uri}" is none.`);
  const { username, password } = new URL(uri);
  if (username || password) {
    return fail("Name and password belong into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.");
  }
  return { title: "MLflow", url: uri.replace(/\/+$/, ""), headers: authorization() };
}

function authorization(): Record<string, string> {
  const {
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_TRACKING_USERNAME: user,
    MLFLOW_TRACKING_PASSWORD: password = "",
  } = process.env;
  if (token) return { authorization: `Bearer ${token}` };
  if (!user) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

function parts<T>(all: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, i) => all.slice(i * most, (i + 1) * most));
}
