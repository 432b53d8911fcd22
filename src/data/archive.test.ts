// Data sets that are downloaded as one archive: small ones made here, served by a server here.

import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { EMNIST_CLASSES, loadEmnist } from "./emnist.ts";
import { loadImdb, reviewFiles } from "./imdb.ts";

let folder: string;
let server: Server;
let url: string;
let answer: RequestListener;
/** The range that each request asked for. */
const asked: (string | undefined)[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/archive`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  asked.length = 0;
  vi.stubEnv("ARBORIZE_DATA", "");
  folder = await mkdtemp(join(tmpdir(), "arborize-archive-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const md5Of = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
/** Answers with all of it, whatever was asked for. */
const whole =
  (bytes: Uint8Array): RequestListener =>
  (_, response) =>
    void response.end(bytes);
/** Answers with what was asked for, up to `end`, where the connection breaks. */
const upTo =
  (end: number, bytes: Uint8Array): RequestListener =>
  ({ headers }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "bytes=0-")![1]);
    const size = bytes.length;
    if (from >= size) return void response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": size - from,
      ...(from > 0 ? { "content-range": `bytes ${from}-${size - 1}/${size}` } : {}),
    });
    if (end >= size) return void response.end(bytes.subarray(from));
    response.write(bytes.subarray(from, end), () => setTimeout(() => response.destroy(), 20));
  };

/** A zip archive as PKWARE's APPNOTE lays it out: a header and the packed bytes of each file, then the directory. */
function zip(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [path, content] of Object.entries(files)) {
    const name = Buffer.from(path);
    const packed = deflateRawSync(content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\0", "latin1"), fields, place, name);
    const local = [Buffer.from("PK\x03\x04", "latin1"), fields, name, packed];
    parts.push(...local);
    at += local.reduce((sum, { length }) => sum + length, 0);
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(directory.length / 4, 8);
  end.writeUInt16LE(directory.length / 4, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

describe("EMNIST's archive", () => {
  const idx = (shape: number[], data: number[]) =>
    Uint8Array.of(0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, 0, n]), ...data);
  const members = Object.fromEntries(
    Object.keys(EMNIST_CLASSES).flatMap((split) => [
      [`gzip/emnist-${split}-mapping.txt`, Buffer.from("1 65\n")],
      ...["train", "test"].flatMap((part): [string, Uint8Array][] => [
        [`gzip/emnist-${split}-${part}-images-idx3-ubyte.gz`, gzipSync(idx([1, 2, 2], [0, 51, 102, 255]))],
        [`gzip/emnist-${split}-${part}-labels-idx1-ubyte.gz`, gzipSync(idx([1], [3]))],
      ]),
    ]),
  );
  const archive = zip(members);
  const load = (options = {}, md5 = md5Of(archive)) =>
    loadEmnist({ cache: folder, split: "letters", ...options }, { urls: [url], md5 });
  const left = () => readdir(join(folder, "emnist"));

  test("is downloaded once for all splits, with progress, and leaves its files alone", async () => {
    answer = whole(archive);
    const progress: unknown[] = [];
    const { train, test } = await load({ onProgress: (p: unknown) => progress.push(p) });
    expect([train.length, test.length]).toEqual([1, 1]);
    const { x, target } = train.batch([0]);
    // Upright, and letters from 0.
    expect([...(x!.data as Float32Array)].map((v) => Math.round((v * 0.3317 + 0.1736) * 255))).toEqual([
      0, 102, 51, 255,
    ]);
    expect(target!.data).toEqual(BigInt64Array.of(2n));
    expect(progress.at(0)).toEqual({ file: "archive", received: 0, total: archive.length });
    expect(progress.at(-1)).toMatchObject({ received: archive.length });
    const wanted = Object.keys(members).flatMap((path) => (path.endsWith(".gz") ? [path.slice(5)] : []));
    expect((await left()).sort()).toEqual(wanted.sort());
    const balanced = await load({ split: "balanced" });
    expect(balanced.train.batch([0]).target!.data).toEqual(BigInt64Array.of(3n));
    expect(asked).toHaveLength(1);
  });

  test("whose connection breaks goes on from there, at once", async () => {
    let end = 0;
    answer = (request, response) => {
      end += 1500;
      upTo(end, archive)(request, response);
    };
    expect((await load()).train.length).toBe(1);
    expect(asked).toEqual([undefined, "bytes=1500-", "bytes=3000-", "bytes=4500-"].slice(0, asked.length));
    expect(asked.length).toBe(Math.ceil(archive.length / 1500));
  });

  test("of which nothing more comes is kept in part, and goes on in the next call", async () => {
    answer = upTo(1000, archive);
    await expect(load()).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(
        /"archive": \S+archive: the connection was lost half-way\. The 1000 bytes that arrived are kept for another try\. Get https:\/\/www\.nist/,
      ),
    });
    expect(await left()).toEqual(["archive.part"]);
    answer = upTo(archive.length, archive);
    const progress: unknown[] = [];
    expect((await load({ onProgress: (p: unknown) => progress.push(p) })).train.length).toBe(1);
    expect(progress[0]).toEqual({ file: "archive", received: 1000, total: archive.length });
    expect(asked).toEqual([undefined, "bytes=1000-", "bytes=1000-"]);
    expect(await left()).not.toContain("archive.part");
  });

  test("that is cancelled is kept in part", async () => {
    answer = (_, response) => void response.write(archive.subarray(0, 700));
    const controller = new AbortController();
    const onProgress = ({ received }: { received: number }) => received === 700 && controller.abort();
    await expect(load({ signal: controller.signal, onProgress })).rejects.toThrow(
      /"archive" was cancelled\. The 700 bytes that arrived are kept/,
    );
    expect(await readFile(join(folder, "emnist/archive.part"))).toEqual(archive.subarray(0, 700));
  });

  test.each([
    ["the server sends all again", 1000, whole(archive), ["bytes=1000-"]],
    ["it was of another file", 1000, upTo(archive.length, archive), ["bytes=1000-", undefined]],
    [
      "it was longer",
      archive.length + 1,
      upTo(archive.length, archive),
      [`bytes=${archive.length + 1}-`, undefined],
    ],
  ])("is fetched as a whole where %s", async (_, size, serve, ranges) => {
    answer = serve;
    await mkdir(join(folder, "emnist"));
    await writeFile(join(folder, "emnist/archive.part"), Buffer.alloc(size, "x"));
    expect((await load()).train.length).toBe(1);
    expect(asked).toEqual(ranges);
  });

  test("with another checksum is refused, and nothing of it stays", async () => {
    answer = whole(archive);
    await expect(load({}, "0".repeat(32))).rejects.toMatchObject({
      code: "bad_file",
      message: expect.stringMatching(/archive" is not EMNIST: it has MD5 [0-9a-f]{32}, wanted 0{32}\. Get/),
    });
    expect(await left()).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  test.each([
    ["cut short", archive.subarray(0, -40), /archive" is no zip archive, or damaged: .*central directory/],
    [
      "a member short",
      zip(Object.fromEntries(Object.entries(members).slice(0, -1))),
      /archive" has no emnist-mnist-test-labels-idx1-ubyte.gz in it/,
    ],
    ["damaged", Buffer.from(archive).fill(0xff, 60, 90), /or damaged: /],
  ])("that is %s is refused, and fetched anew by the next call", async (_, bytes, message) => {
    answer = whole(bytes);
    await expect(load({}, md5Of(bytes))).rejects.toMatchObject({
      code: "bad_file",
      message: expect.stringMatching(message),
    });
    expect(await left()).not.toContain("archive");
    answer = whole(archive);
    expect((await load()).train.length).toBe(1);
  });

  test("whose unpacking was interrupted is not downloaded again", async () => {
    await mkdir(join(folder, "emnist"));
    await writeFile(join(folder, "emnist/archive"), archive);
    expect((await load()).train.length).toBe(1);
    expect(asked).toEqual([]);
    expect(await left()).not.toContain("archive");
  });

  test("is not downloaded for a misspelt option, and not into a file", async () => {
    await expect(load({ Cache: folder })).rejects.toThrow(/EMNIST has no option "Cache"/);
    await writeFile(join(folder, "file"), "");
    await expect(load({ cache: join(folder, "file") })).rejects.toMatchObject({ code: "write_failed" });
    expect(asked).toEqual([]);
  });
});
describe("IMDB's archive", () => {
  /** A tar header and its file, as the format's specification lays them out. */
  const tar = (path: string, text: string) => {
    const content = Buffer.from(text);
    const entry = Buffer.alloc(512 + Math.ceil(content.length / 512) * 512);
    entry.write(path, 0);
    entry.write(content.length.toString(8).padStart(11, "0"), 124);
    entry.write("0", 156);
    entry.write("ustar\0", 257);
    content.copy(entry, 512);
    return entry;
  };
  const reviews = (test: readonly string[]) =>
    gzipSync(
      Buffer.concat([
        ...["pos/1_9", "neg/0_1", "neg/1_2", "pos/0_7"].map((at) =>
          tar(`aclImdb/train/${at}.txt`, `${at}\tis\r\nlong`),
        ),
        ...test.map((at) => tar(`aclImdb/test/${at}.txt`, "x".repeat(600))),
        tar("aclImdb/train/unsup/0_0.txt", "none"),
        Buffer.alloc(1024),
      ]),
    );
  const TEST = ["neg/0_1", "pos/0_9", "pos/1_9", "neg/1_3"];

  test("is downloaded once, checked, and read as its files are", async () => {
    const archive = reviews(TEST);
    answer = whole(archive);
    const from = (md5: string) => ({
      urls: [url],
      md5,
      unpack: (path: string, name: string) => reviewFiles(path, name, 2),
    });
    await expect(loadImdb({ cache: folder }, from("0".repeat(32)))).rejects.toThrow(
      /is not IMDB: it has MD5 [0-9a-f]{32}, wanted 0+/,
    );
    const first = await loadImdb({ cache: folder }, from(md5Of(archive)));
    expect(first.train).toEqual({
      texts: ["neg/0_1 is long", "pos/0_7 is long", "neg/1_2 is long", "pos/1_9 is long"],
      labels: [0, 1, 0, 1],
    });
    expect(first.test.texts[3]).toHaveLength(600);
    expect(await loadImdb({ cache: folder }, from(md5Of(archive)))).toEqual(first);
    expect(asked).toHaveLength(2);
    expect(await readdir(join(folder, "imdb"))).toEqual(["test.tsv.gz", "train.tsv.gz"]);
  });

  test("that lacks something is refused", async () => {
    const refused = async (bytes: Uint8Array) => {
      const path = join(folder, "reviews");
      await writeFile(path, bytes);
      return expect(reviewFiles(path, "it", 2).next()).rejects;
    };
    await (await refused(reviews(TEST.slice(1)))).toThrow(
      /"it" has not 2 reviews of each class in each part/,
    );
    const other = reviews(["neg/0_1", "pos/0_9", "pos/2_9", "neg/1_3"]);
    await (await refused(other)).toThrow(/has not 2 reviews/);
    const text = Buffer.from("x".repeat(600));
    await (await refused(text)).toThrow(/"it" is no tar archive, or cut short: at byte 0/);
    const tarred = gunzipSync(reviews(TEST));
    await (await refused(tarred.subarray(0, 600))).toThrow(/cut short: at byte 0/);
  });
});
