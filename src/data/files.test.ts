import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readFileBytes, writeFailure, writeFileAtomic } from "./files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "arborize-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("writes text and bytes, creates folders, leaves nothing beside", async () => {
  const path = join(folder, "a/b/c.bin");
  await writeFileAtomic(path, "grüße");
  expect(await readFile(path, "utf8")).toBe("grüße");
  await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
  expect(await readFileBytes(path)).toEqual(Uint8Array.of(1, 2, 3));
  expect(await readdir(join(folder, "a/b"))).toEqual(["c.bin"]);
});

test("replaces a link's target, keeps the mode, takes long names", async () => {
  const [real, link] = [join(folder, "real"), join(folder, "link")];
  await writeFile(real, "old");
  await chmod(real, 0o640);
  await symlink("real", link);
  await writeFileAtomic(link, "new");
  expect(await readlink(link)).toBe("real");
  expect(await readFile(real, "utf8")).toBe("new");
  expect((await stat(real)).mode & 0o777).toBe(0o640);
  const long = join(folder, "n".repeat(250));
  await writeFileAtomic(long, "x");
  expect(await readFile(long, "utf8")).toBe("x");
});

test("many writers of one file: it is one of theirs, whole", async () => {
  const path = join(folder, "contended");
  await Promise.all(Array.from({ length: 20 }, (_, i) => writeFileAtomic(path, `${i};`.repeat(5000))));
  const text = await readFile(path, "utf8");
  expect(new Set(text.split(";").slice(0, -1)).size).toBe(1);
  expect(await readdir(folder)).toEqual(["contended"]);
});

test("failures name the file, the reason and the way out, and leave no temporary file", async () => {
  await expect(writeFileAtomic(folder, "x")).rejects.toMatchObject({
    code: "write_failed",
    message: `Cannot write "${folder}": it is a folder (EISDIR). A file that was there before is untouched. Give the path of a file, such as one inside that folder.`,
  });
  await writeFile(join(folder, "file"), "");
  await expect(writeFileAtomic(join(folder, "file/x"), "x")).rejects.toThrow(/is a file, not a folder/);
  await expect(writeFileAtomic(join(folder, "n".repeat(300)), "x")).rejects.toThrow(/name is too long/);
  expect(await readdir(folder)).toEqual(["file"]);
});

test.skipIf(!existsSync("/dev/full"))("a full disk (/dev/full), a missing folder (/proc)", async () => {
  await expect(writeFileAtomic("/dev/full", "x")).rejects.toThrow(
    /"\/dev\/full": the disk is full \(ENOSPC\)/,
  );
  await expect(writeFileAtomic("/proc/nowhere/x", "x")).rejects.toThrow(/its folder is missing/);
  await writeFileAtomic("/dev/null", "x");
  expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
});

test.each([
  ["ENOSPC", "the disk is full"],
  ["EFBIG", "larger than allowed"],
  ["EACCES", "permission denied"],
  ["EROFS", "read-only"],
  ["ESTRANGE", "what the system said"],
])("%s is said in plain words", (code, words) => {
  const message = writeFailure("m.onnx", Object.assign(new Error("what the system said"), { code }));
  expect(message).toContain(`Cannot write "m.onnx": `);
  expect(message).toContain(words);
  expect(message).toContain("untouched");
});

test("reading: a missing file, a missing folder, a folder", async () => {
  const missing = readFileBytes(join(folder, "m"));
  await expect(missing).rejects.toMatchObject({
    code: "bad_file",
    message: expect.stringMatching(/no such file/),
  });
  await expect(readFileBytes(join(folder, "no/m"))).rejects.toThrow(/its folder ".*no" does not exist/);
  await expect(readFileBytes(folder)).rejects.toThrow(/it is a folder/);
});
