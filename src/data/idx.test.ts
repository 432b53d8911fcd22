import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readIdx } from "./idx.ts";

const PAIR = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);

test("plain and packed files give the same", () => {
  const wanted = { shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  expect(readIdx(PAIR, "pair")).toEqual(wanted);
  expect(readIdx(gzipSync(PAIR), "pair.gz")).toEqual(wanted);
  expect(readIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0), "empty")).toEqual({
    shape: [0],
    data: new Uint8Array(),
  });
});

const packed = gzipSync(PAIR);
const flipped = packed.map((byte, i) => (i === packed.length - 5 ? byte ^ 1 : byte));
const patched = (at: number, value: number) => PAIR.map((byte, i) => (i === at ? value : byte));

test.each<[string, Uint8Array, RegExp]>([
  ["nothing", new Uint8Array(0), /has 0 bytes/],
  ["another magic", patched(0, 1), /begins with 01 00 08 02, wanted 00 00 08/],
  ["a web page", Buffer.from("<html>"), /begins with 3c 68 74 6d.*web page/],
  ["no axes", patched(3, 0), /begins with 00 00 08 00/],
  ["floats", patched(2, 13), /its elements are 32-bit floats, wanted unsigned bytes/],
  ["half a header", PAIR.subarray(0, 9), /ends inside its header, after 9 of 12/],
  ["255 axes", patched(3, 255), /ends inside its header, after 18 of 1024/],
  ["too few bytes", PAIR.subarray(0, 17), /cut short: \[2, 3\] takes 6 bytes, 5 follow/],
  ["an absurd size", patched(4, 255), /cut short: \[4278190082, 3\] takes 12834570246 bytes, 6 follow/],
  ["too many bytes", Uint8Array.of(...PAIR, 0), /bytes after its end: \[2, 3\] takes 6 bytes, 7 follow/],
  [
    "half a gzip file",
    packed.subarray(0, 20),
    /cannot be unpacked: its gzip data is cut short, after 20 bytes/,
  ],
  ["only gzip's magic", packed.subarray(0, 2), /cut short/],
  ["a damaged gzip file", flipped, /is damaged \(incorrect .* check\)/],
])("%s", (_, bytes, message) => {
  expect(() => readIdx(bytes, "f.idx")).toThrow(
    expect.objectContaining({ code: "bad_file", message: expect.stringMatching(message) }),
  );
  expect(() => readIdx(bytes, "f.idx")).toThrow(/^"f.idx" .*\.$/);
});
