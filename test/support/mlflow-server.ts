// What of MLflow's tracking server a run needs, in memory, with its limits.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A run as the server knows it. */
export interface TrackedRun {
  readonly experiment: string;
  readonly name: string;
  status: string;
  ended: number | null;
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  readonly metrics: { key: string; value: number; step: number; timestamp: number }[];
}

interface Body {
  readonly name: string;
  readonly experiment_id: string;
  readonly run_name: string;
  readonly run_id: string;
  readonly status: string;
  readonly end_time?: number;
  readonly tags?: { key: string; value: string }[];
  readonly params?: { key: string; value: string }[];
  readonly metrics?: TrackedRun["metrics"];
}

/** A tracking server on this machine. */
export class MlflowServer {
  readonly experiments = new Map<string, string>([["0", "Default"]]);
  readonly runs = new Map<string, TrackedRun>();
  /** The headers of the last request. */
  authorization: string | undefined;
  /** Answers of status codes that come before any others. */
  readonly troubles: number[] = [];
  requests = 0;
  #server: Server | null = null;
  #port = 0;

  get uri(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it, on the port that it had before. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      request.on("end", () => {
        this.requests += 1;
        this.authorization = request.headers.authorization;
        const trouble = this.troubles.shift();
        const url = new URL(request.url!, this.uri);
        const [status, answer] = trouble
          ? [trouble, { error_code: "TROUBLE" }]
          : this.#answer(url, text === "" ? ({} as Body) : (JSON.parse(text) as Body));
        response.writeHead(status, { "content-type": "application/json", connection: "close" });
        response.end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #answer({ pathname, searchParams }: URL, body: Body): [status: number, answer: object] {
    const missing: [number, object] = [404, { error_code: "RESOURCE_DOES_NOT_EXIST" }];
    const invalid = (message: string): [number, object] => [
      400,
      { error_code: "INVALID_PARAMETER_VALUE", message },
    ];
    const run = this.runs.get(body.run_id ?? searchParams.get("run_id") ?? "");
    switch (pathname.replace("/api/2.0/mlflow/", "")) {
      case "experiments/get-by-name": {
        const name = searchParams.get("experiment_name");
        const id = [...this.experiments].find((entry) => entry[1] === name)?.[0];
        return id === undefined ? missing : [200, { experiment: { experiment_id: id, name } }];
      }
      case "experiments/create": {
        const id = String(this.experiments.size);
        this.experiments.set(id, body.name);
        return [200, { experiment_id: id }];
      }
      case "runs/create": {
        const id = `run-${this.runs.size}`;
        this.runs.set(id, {
          experiment: this.experiments.get(body.experiment_id)!,
          name: body.run_name,
          status: "RUNNING",
          ended: null,
          params: new Map(),
          tags: new Map(body.tags?.map(({ key, value }) => [key, value])),
          metrics: [],
        });
        return [200, { run: { info: { run_id: id, status: "RUNNING" }, data: {} } }];
      }
      case "runs/get": {
        if (!run) return missing;
        const latest = new Map<string, TrackedRun["metrics"][number]>();
        for (const metric of run.metrics) latest.set(metric.key, metric);
        const metrics = [...latest.values()].map((metric) => ({ ...metric, step: String(metric.step) }));
        return [200, { run: { info: {}, data: metrics.length > 0 ? { metrics } : {} } }];
      }
      case "runs/update":
        if (!run) return missing;
        run.status = body.status;
        run.ended = body.end_time ?? null;
        return [200, { run_info: {} }];
      case "runs/log-batch": {
        if (!run) return missing;
        const { metrics = [], params = [], tags = [] } = body;
        if (metrics.length > 1000 || params.length > 100 || tags.length > 100) return invalid("too many");
        for (const { key, value } of params) {
          if ((run.params.get(key) ?? value) !== value) return invalid(`param ${key} was logged`);
          if (value.length > 500 || !/^[\w./ -]+$/.test(key)) return invalid(`param ${key}`);
          run.params.set(key, value);
        }
        for (const metric of metrics) {
          const whole = Number.isInteger(metric.timestamp) && Number.isInteger(metric.step);
          if (!whole || typeof metric.value !== "number" || !/^[\w./ -]+$/.test(metric.key)) {
            return invalid(`metric ${metric.key}`);
          }
          run.metrics.push(metric);
        }
        for (const { key, value } of tags) run.tags.set(key, value);
        return [200, {}];
      }
      default:
        return [404, { error_code: "ENDPOINT_NOT_FOUND" }];
    }
  }
}
