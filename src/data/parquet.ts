// Tables in Parquet files, as the cells that a text table of the same rows has.

import { parquetMetadata, parquetRead, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { ArborizeError } from "../base/errors.ts";
import type { Delimited } from "./delimited.ts";

/**
 * Reads a Parquet file, packed in any of the format's ways but LZO. Whole numbers of 64 bits keep all digits, dates and times become ISO
 * 8601's in UTC, truths `true` and `false`; a value that is missing, or no number where numbers are, an empty cell.
 *
 * @param wanted which columns are read; others are left empty, and may hold anything. Default: all.
 * @throws `bad_file` for a damaged file, one without rows, and columns of lists, records or bytes.
 */
export async function readParquet(
  bytes: Uint8Array,
  name: string,
  wanted: (column: string) => boolean = () => true,
): Promise<Delimited> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new ArborizeError("bad_file", `"${name}" cannot be read as a Parquet table: ${problem}`, { cause });
  };
  const file = {
    byteLength: bytes.length,
    slice: (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end)).buffer,
  };
  try {
    const metadata = parquetMetadata(file.slice(0), { geoparquet: false });
    const fields = parquetSchema(metadata).children;
    const columns = fields.map(({ element }) => element.name);
    const read = fields.filter(({ element }) => wanted(element.name));
    const nested = read.find(
      ({ children, element }) => children.length > 0 || element.repetition_type === "REPEATED",
    );
    if (nested) fail(`column "${nested.element.name}" holds lists or records. Leave it out (ignore).`);
    const rows = Array.from({ length: Number(metadata.num_rows) }, () => columns.map(() => ""));
    if (rows.length === 0) fail("it has no rows.");
    await parquetRead({
      file,
      metadata,
      compressors,
      columns: read.map(({ element }) => element.name),
      utf8: false,
      parsers: PARSERS,
      geoparquet: false,
      onChunk({ columnName, columnData, rowStart }) {
        const at = columns.indexOf(columnName);
        for (let i = 0; i < columnData.length; i++) {
          const cell = cellOf(columnData[i]);
          if (cell === null) fail(`column "${columnName}" holds bytes. Leave it out (ignore).`);
          rows[rowStart + i]![at] = cell!;
        }
      },
    });
    return { columns, rows };
  } catch (error) {
    if (error instanceof ArborizeError) throw error;
    return fail(`${(error as Error).message}.`, error);
  }
}

const PARSERS = {
  dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10),
  timestampFromMilliseconds: (time: bigint) => timeOf(Number(time)),
  timestampFromMicroseconds: (time: bigint) => timeOf(Number(time) / 1e3),
  timestampFromNanoseconds: (time: bigint) => timeOf(Number(time) / 1e6),
};

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.000Z$/, "Z");
}

/** A value as a cell of text; null for bytes that are none. Old writers leave out that bytes are text. */
function cellOf(value: unknown): string | null {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (!(value instanceof Uint8Array)) return String(value).trim();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(value).trim();
  } catch {
    return null;
  }
}
