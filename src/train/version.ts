// Which Arborize this is.

import { readFileSync } from "node:fs";

/** The version of the package that this file is in. */
export function version(): string {
  const path = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
