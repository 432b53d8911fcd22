// Folders for the tests of one file.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Makes folders that vanish after the tests of a file. */
export function temporaryFolders(): (name: string) => string {
  const root = mkdtempSync(join(tmpdir(), "arborize-test-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return (name) => join(root, name);
}
