// A run in a process of its own, to be killed: `journey-child.ts FOLDER`. Says on standard output where it is: "." after
// each step, "F" before each epoch's files are written, "done" at the end.

import { writeSync } from "node:fs";
import { fit as train } from "../../src/index.ts";
import { OPTIONS, SmallNet } from "./journey.ts";

const say = (text: string) => writeSync(1, text);
await train(new SmallNet(), {
  ...OPTIONS,
  runFolder: process.argv[2]!,
  resume: true,
  progress: {
    start: () => undefined,
    update: () => say("."),
    finish: () => say("F"),
    log: () => undefined,
    close: () => undefined,
  },
});
say("done");
