// `arborize inspect`: what a network consists of.

import { inspect } from "../../dendrites/inspect.ts";
import { readOnnx } from "../../train/open.ts";
import { type Command, JSON_OPTION, onlyOperand, textOf, UsageError } from "../command.ts";
import { modelText } from "../model-text.ts";
import { SELECTION_FLAGS, selectionOf } from "../selection.ts";

export const inspectCommand: Command = {
  name: "inspect",
  operands: "FILE.onnx",
  summary: "the modules of a network, what learns, and where dendrites can grow",
  about: `Prints the modules of a network with their shapes and parameters, and of each whether it learns and takes dendrites,
and why or why not; which operators no gradient passes, and what they keep from learning; which parameters
nothing covers. Options choose where dendrites grow as arborize train has them; of several that name a module the first
in this order counts: track by path, modules, blocks by path, skip, track by class, blocks by class, types.`,
  options: {
    json: JSON_OPTION,
    ...SELECTION_FLAGS,
    axes: { value: "NAME=N,...", help: "lengths for axes that the file leaves open, such as batch=1" },
  },
  async run(given, { color }) {
    const file = onlyOperand(this, given);
    const axes = textOf(given, "axes");
    const model = await readOnnx(file, axes === undefined ? {} : { axes: readAxes(axes) });
    const report = inspect(model, selectionOf(given));
    return given.values.json ? `${JSON.stringify(report, null, 2)}\n` : `${modelText(report, color)}\n`;
  },
};

function readAxes(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split(",").map((part) => {
      const [, name, length] = /^\s*(.+?)\s*=\s*(\d+)\s*$/.exec(part) ?? [];
      if (name === undefined || Number(length) < 1) {
        throw new UsageError(`--axes takes lengths such as batch=1,time=16, not "${part}".`);
      }
      return [name, Number(length)];
    }),
  );
}
