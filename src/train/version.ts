// Which Arborize this is.

import { readFileSync } from "node:fs";

/** The version of the package that this file is in; null where that is not known. */
export function version(): string | null {
  const path = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
