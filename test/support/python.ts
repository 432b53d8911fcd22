// The Python of this machine, where it has PyTorch: an independent judge.

import { spawnSync } from "node:child_process";

/** How Python with PyTorch is called here; undefined where there is none. */
export const python = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", "import torch"], { encoding: "utf8" }).status === 0,
);

/** Runs a program, and gives what it prints. @throws with what it says where it fails. */
export function runPython(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(python!, [...args], { encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`${args.join(" ")} failed:\n${stderr}`);
}
