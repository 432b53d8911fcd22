// A run's past, from its folder.

import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";
import { exists, readFileBytes } from "../data/files.ts";
import type { Explanation } from "../report/explanation.ts";
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

const numbers = z.array(z.number());
// JSON has no NaN: a score that is none is null.
const score = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const effect = { parameters: z.number(), share: score, scoreWithout: score };
const explanationSchema: z.ZodType<Explanation, unknown> = z.object({
  metric: z.string(),
  maximize: z.boolean(),
  examples: z.number(),
  of: z.number(),
  score,
  scoreWithout: score,
  modules: z.array(
    z.object({
      ...effect,
      id: z.string(),
      type: z.string(),
      dendrites: z.array(z.object({ ...effect, examples: numbers })),
      kernels: z
        .object({
          shape: z.tuple([z.number(), z.number(), z.number()]),
          neurons: z.array(
            z.object({
              kernel: numbers,
              dendrites: z.array(z.object({ kernel: numbers, outputWeight: score, example: z.number() })),
            }),
          ),
        })
        .exactOptional(),
    }),
  ),
  pictures: z.record(z.string(), z.string()),
});

/** What the run in a folder was made with and on, as far as the folder says. @throws `bad_file` where it says it wrongly. */
export async function readAbout(path: string): Promise<Omit<ReportOptions, "name">> {
  const folder = new RunFolder(path);
  const { settings, defaults, environment } = (await readJson(folder.file("about"), about)) ?? {};
  const explanation = await readJson(folder.file("explanation"), explanationSchema);
  return {
    ...(settings && { settings }),
    ...(defaults && { defaults }),
    ...(environment && { environment }),
    ...(explanation && { explanation }),
  };
}

async function readJson<T>(file: string, schema: z.ZodType<T, unknown>): Promise<T | null> {
  if (!(await exists(file))) return null;
  const bytes = await readFileBytes(file);
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    throw new ArborizeError("bad_file", `"${file}" cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
