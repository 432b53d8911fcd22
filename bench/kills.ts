// Kills a training process at random moments, again and again, and compares what it ends with to an undisturbed run's.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../src/index.ts";

const KILLS = Number(process.argv[2] ?? 50);
const CHILD = join(import.meta.dirname, "..", "test", "support", "journey-child.ts");
const FILES = ["best.safetensors", "model.onnx"];

/** Runs the child, killed after `after` milliseconds of training if it lives that long; whether it came to its end. */
function live(folder: string, after: number): Promise<{ done: boolean; milliseconds: number }> {
  const child = spawn(process.execPath, ["--import", "tsx", CHILD, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve) => {
    let start = 0;
    child.stdout.on("data", () => {
      if (start > 0) return;
      start = performance.now();
      if (Number.isFinite(after)) setTimeout(() => child.kill("SIGKILL"), after);
    });
    child.on("close", (code) => resolve({ done: code === 0, milliseconds: performance.now() - start }));
  });
}

const root = mkdtempSync(join(tmpdir(), "arborize-kills-"));
try {
  const undisturbed = join(root, "undisturbed");
  const { milliseconds } = await live(undisturbed, Number.POSITIVE_INFINITY);
  const random = Random.stream(1, "kills");
  let kills = 0;
  let runs = 0;
  let different = 0;
  while (kills < KILLS) {
    const folder = join(root, `run-${runs}`);
    for (let done = false; !done; ) {
      const life = await live(
        folder,
        kills < KILLS ? random.uniform(0, milliseconds) : Number.POSITIVE_INFINITY,
      );
      done = life.done;
      if (!done) kills += 1;
    }
    runs += 1;
    const same = FILES.every((name) =>
      readFileSync(join(folder, name)).equals(readFileSync(join(undisturbed, name))),
    );
    if (!same) different += 1;
    console.log(`run ${runs}: ${kills} kills so far, ${same ? "the same bytes" : "DIFFERENT bytes"}`);
  }
  console.log(
    `${kills} kills in ${runs} runs: ${different} of them ended with other bytes than an undisturbed run`,
  );
  process.exitCode = different === 0 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
