// A run's past, from its folder.

import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";
import { exists, readFileBytes } from "../data/files.ts";
import type { RunHistory } from "../report/history.ts";
import type { ReportOptions } from "../report/page.ts";
import { decodeHistory } from "../train/checkpoint.ts";
import { RunFolder } from "../train/run-folder.ts";

/** The history of the run in a folder. @throws `bad_file` where it holds none. */
export async function readHistory(path: string): Promise<RunHistory> {
  const file = new RunFolder(path).file("latest");
  return decodeHistory(await readFileBytes(file), file);
}

const about = z.object({
  settings: z.record(z.string(), z.unknown()).optional(),
  defaults: z.record(z.string(), z.unknown()).optional(),
  environment: z.record(z.string(), z.unknown()).optional(),
});

/** What the run in a folder was made with and on, as far as the folder says. @throws `bad_file` where it says it wrongly. */
export async function readAbout(path: string): Promise<Omit<ReportOptions, "name">> {
  const file = new RunFolder(path).file("about");
  if (!(await exists(file))) return {};
  const bytes = await readFileBytes(file);
  try {
    const { settings, defaults, environment } = about.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return {
      ...(settings && { settings }),
      ...(defaults && { defaults }),
      ...(environment && { environment }),
    };
  } catch (error) {
    throw new ArborizeError("bad_file", `"${file}" cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
