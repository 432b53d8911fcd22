import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { fashionMnist, type IdxSource, loadIdxSource, mnist } from "./mnist.ts";
import { defaultCache } from "./source.ts";

/** A small data set of the same make: 3 training and 2 test images of 2 x 2. */
const idx = (shape: number[], data: number[]) =>
  Uint8Array.of(0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, 0, n]), ...data);
const CONTENTS: Record<string, Uint8Array> = {
  "tr-images": idx([3, 2, 2], [...Array(12).keys()]),
  "tr-labels": idx([3], [2, 0, 1]),
  "te-images": idx([2, 2, 2], [255, 0, 255, 0, 1, 2, 3, 4]),
  "te-labels": idx([2], [9, 8]),
};
const entry = (name: string) => ({
  name,
  sha256: createHash("sha256").update(CONTENTS[name]!).digest("hex"),
});
const source: Omit<IdxSource, "mirrors"> = {
  title: "Tiny",
  folder: "tiny",
  mean: 0.5,
  std: 0.5,
  train: [entry("tr-images"), entry("tr-labels")],
  test: [entry("te-images"), entry("te-labels")],
};

let folder: string;
let server: Server;
let origin: string;
/** Where nobody listens. */
let nowhere: string;
let answer: RequestListener;
const requests: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request.url!);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  nowhere = await new Promise<string>((resolve) => {
    const closed = createServer().listen(0, "127.0.0.1", () => {
      const { port } = closed.address() as AddressInfo;
      closed.close(() => resolve(`http://127.0.0.1:${port}/`));
    });
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  requests.length = 0;
  answer = serve;
  vi.stubEnv("ARBORIZE_DATA", "");
  folder = await mkdtemp(join(tmpdir(), "arborize-mnist-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const packed = (url: string) => gzipSync(CONTENTS[url.slice(url.lastIndexOf("/") + 1, -3)]!);
const serve: RequestListener = ({ url }, response) => void response.end(packed(url!));
const load = (options = {}, mirrors = ["/a/"], timeout?: number) =>
  loadIdxSource(
    { ...source, mirrors: mirrors.map((m) => (m.startsWith("/") ? origin + m : m)) },
    { cache: folder, ...options },
    timeout,
  );

describe("downloads", () => {
  test("go to the cache, once, packed as they came, with progress", async () => {
    const progress: unknown[] = [];
    const { train, test } = await load({ onProgress: (p: unknown) => progress.push(p) });
    expect([train.length, test.length]).toEqual([3, 2]);
    const batch = test.batch([0]);
    expect([batch.x!.shape, [...batch.x!.data]]).toEqual([
      [1, 1, 2, 2],
      [1, -1, 1, -1],
    ]);
    expect(batch.target!.data).toEqual(BigInt64Array.of(9n));
    expect(requests).toEqual(["tr-images", "tr-labels", "te-images", "te-labels"].map((f) => `/a/${f}.gz`));
    const total = packed("/tr-labels.gz").length;
    expect(progress).toContainEqual({ file: "tr-labels.gz", received: 0, total });
    expect(progress).toContainEqual({ file: "tr-labels.gz", received: total, total });
    expect((await readdir(join(folder, "tiny"))).length).toBe(4);
    await load();
    expect(requests.length).toBe(4);
  });

  test("a mirror that fails is followed by the next", async () => {
    answer = (request, response) => {
      if (request.url!.startsWith("/a/")) response.writeHead(503).end();
      else serve(request, response);
    };
    const { train } = await load({}, [nowhere, "/a/", "/b/"]);
    expect(train.length).toBe(3);
  });

  test("a truncated body, with and without a length, is never put in place", async () => {
    answer = ({ url }, response) => {
      if (url!.startsWith("/a/")) response.writeHead(200, { "content-length": "500" });
      response.write(packed(url!).subarray(0, 30));
      setTimeout(() => (url!.startsWith("/a/") ? response.destroy() : response.end()), 5);
    };
    await expect(load({}, ["/a/", "/b/"])).rejects.toMatchObject({
      code: "bad_file",
      message: expect.stringMatching(
        /^Cannot download "tr-images.gz": \S+a\/tr-images.gz: the connection was lost half-way; "\S+b\S+ cannot be unpacked: its gzip data is cut short/,
      ),
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("a wrong checksum names found and wanted and is never put in place", async () => {
    answer = (_, response) => void response.end(gzipSync(idx([3], [7, 7, 7])));
    await expect(load()).rejects.toMatchObject({
      code: "bad_file",
      message: expect.stringMatching(
        /is not Tiny's "tr-images": .* SHA-256 [0-9a-f]{64}, wanted [0-9a-f]{64}\. Delete it/,
      ),
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("a login page instead of the file", async () => {
    answer = (_, response) => void response.end("<html>please log in</html>");
    await expect(load()).rejects.toThrow(/begins with 3c 68 74 6d.*web page/);
  });

  test("offline: the error says which files to get and which folder to pass", async () => {
    await expect(load({}, [nowhere])).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(
        /connection was refused\. Get tr-images.gz, tr-labels.gz, .* from http:\/\/127.* and pass it as folder, or in ARBORIZE_DATA/,
      ),
    });
  });

  test("a server that falls silent is given up; a cancelled download says so", async () => {
    answer = (_, response) => void response.write("\x1f");
    await expect(load({}, ["/a/"], 60)).rejects.toThrow(/nothing arrived for 0.06 s/);
    const controller = new AbortController();
    const loading = load({ signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(loading).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(/"tr-images.gz" was cancelled/),
      cause: new Error("enough"),
    });
    await expect(load({ signal: AbortSignal.abort() })).rejects.toThrow(/cancelled/);
  });

  test("a damaged file in the cache is replaced; a packing undone by the transfer is fine", async () => {
    await mkdir(join(folder, "tiny"));
    await writeFile(join(folder, "tiny/tr-images.gz"), "damaged");
    answer = ({ url }, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(packed(url!));
    };
    expect((await load()).train.length).toBe(3);
    expect((await readdir(join(folder, "tiny"))).length).toBe(5);
    expect(new Uint8Array(await readFile(join(folder, "tiny/tr-images")))).toEqual(CONTENTS["tr-images"]);
  });

  test("a callback's error and a cache that cannot be written pass through", async () => {
    const onProgress = () => {
      throw new RangeError("mine");
    };
    await expect(load({ onProgress })).rejects.toThrow(new RangeError("mine"));
    await writeFile(join(folder, "file"), "");
    const loading = load({ cache: join(folder, "file") });
    await expect(loading).rejects.toMatchObject({ code: "write_failed" });
    await expect(loading).rejects.toThrow(/pass another folder as cache/);
  });
});

describe("folders", () => {
  const fill = async (where: string, gz: boolean) => {
    await mkdir(where, { recursive: true });
    for (const [name, bytes] of Object.entries(CONTENTS)) {
      await writeFile(join(where, gz ? `${name}.gz` : name), gz ? gzipSync(bytes) : bytes);
    }
  };

  test.each([
    ["itself", "", true],
    ["a subfolder", "tiny", true],
    ["unpacked", "", false],
  ])("%s, as option and as ARBORIZE_DATA", async (_, below, gz) => {
    await fill(join(folder, below), gz);
    expect((await load({ folder, cache: undefined })).train.length).toBe(3);
    vi.stubEnv("ARBORIZE_DATA", folder);
    expect((await load()).test.length).toBe(2);
    expect(requests).toEqual([]);
  });

  test("a missing file: what, where, and how to get it; nothing is downloaded", async () => {
    await fill(folder, true);
    await rm(join(folder, "te-labels.gz"));
    const message = /^Tiny: "te-labels.gz" .* neither in ".*" \(folder\) nor in its subfolder "tiny"\. Get /;
    await expect(load({ folder })).rejects.toMatchObject({
      code: "bad_file",
      message: expect.stringMatching(message),
    });
    vi.stubEnv("ARBORIZE_DATA", folder);
    await expect(load()).rejects.toThrow(/\(ARBORIZE_DATA\).*leave ARBORIZE_DATA unset/);
    expect(requests).toEqual([]);
  });

  test("a misspelt option; the cache's place", async () => {
    await expect(load({ Folder: "x" })).rejects.toThrow(
      /Tiny has no option "Folder". Did you mean "folder"\?/,
    );
    expect(defaultCache({ XDG_CACHE_HOME: "/c" }, "linux")).toBe("/c/arborize");
    expect(defaultCache({ XDG_CACHE_HOME: "c" }, "linux")).toMatch(/\.cache.arborize$/);
    expect(defaultCache({ LOCALAPPDATA: "/L" }, "win32")).toBe("/L/arborize");
  });
});

const data = join(import.meta.dirname, "..", "..", "..", "shared", "data");
if (!existsSync(data)) console.log(`skipped: no ${data} with the real MNIST files`);
describe.skipIf(!existsSync(data))("the real files", () => {
  test("MNIST and Fashion-MNIST", async () => {
    const digits = await mnist({ folder: data });
    expect([digits.train.length, digits.test.length]).toEqual([60000, 10000]);
    const first = digits.train.batch([0, 1, 2]);
    expect(first.target!.data).toEqual(BigInt64Array.of(5n, 0n, 4n));
    expect(Math.min(...(first.x!.toNumbers() as Float32Array))).toBeCloseTo(-0.1307 / 0.3081, 6);
    expect(Math.max(...(first.x!.toNumbers() as Float32Array))).toBeCloseTo((1 - 0.1307) / 0.3081, 2);
    vi.stubEnv("ARBORIZE_DATA", data);
    const clothes = await fashionMnist();
    expect(clothes.train.batch([0]).target!.data).toEqual(BigInt64Array.of(9n));
  });

  test("one data set's file under the other's name", async () => {
    await expect(mnist({ folder: join(data, "fashion-mnist") })).rejects.toThrow(
      /is not MNIST's "train-images-idx3-ubyte": .*\(it is Fashion-MNIST's "train-images-idx3-ubyte"\)/,
    );
  });
});
