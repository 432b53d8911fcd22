// `arborize init`: a commented file to begin with.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { ArborizeError, didYouMean } from "../../base/errors.ts";
import { writeFileAtomic } from "../../data/files.ts";
import { type Command, UsageError } from "../command.ts";
import { STARTERS } from "../starters.ts";

export const initCommand: Command = {
  name: "init",
  operands: "KIND [FOLDER]",
  summary: "write a commented configuration to begin with",
  about: `Writes a starter into FOLDER (default: this one), to be edited and given to arborize train. KIND is one of:
${Object.entries(STARTERS)
  .map(([kind, { file, about }]) => `  ${kind.padEnd(8)} ${file}: ${about}`)
  .join("\n")}`,
  options: {},
  async run({ positionals }) {
    const [kind, folder = ".", ...rest] = positionals;
    const kinds = Object.keys(STARTERS);
    if (kind === undefined) throw new UsageError(`init needs a kind: arborize init ${kinds.join("|")}.`);
    if (rest.length > 0)
      throw new UsageError(`init takes KIND and FOLDER, "${rest.join('", "')}" is too much.`);
    const starter = Object.hasOwn(STARTERS, kind) ? STARTERS[kind] : undefined;
    if (!starter) {
      throw new UsageError(
        `there is no starter "${kind}".${didYouMean(kind, kinds)} There are ${kinds.join(", ")}.`,
      );
    }
    const path = join(folder, starter.file);
    if (existsSync(path)) {
      throw new ArborizeError(
        "bad_option",
        `"${path}" exists already and is left as it is. Name another folder.`,
      );
    }
    await writeFileAtomic(path, starter.text);
    return `Wrote ${path}. Edit it, then: arborize train ${path}\n`;
  },
};
