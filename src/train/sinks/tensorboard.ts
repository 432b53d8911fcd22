// Event files of TensorBoard: records framed as TensorFlow's, each an `Event` of protocol buffers.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type SettingRow, settingRows } from "../../report/settings-rows.ts";
import type { Sink } from "../events.ts";
import { EpochLog, type LogFormat } from "./epoch-log.ts";
import { frame, readFrames } from "./record.ts";
import { growthAfter, seriesOf } from "./series.ts";

/**
 * Writes an event file for `tensorboard --logdir FOLDER` or one above it: for each epoch its numbers (`train/loss`,
 * `validation/accuracy`, `learning_rate`, …), why dendrites were added as text, and at the beginning the settings.
 *
 * A run that goes on goes on in its file. @throws `bad_option` at the start where the folder holds another run.
 */
export function tensorBoard(folder: string): Sink {
  let log: EpochLog | undefined;
  return {
    async receive(event) {
      if (event.type === "start") {
        const head = headOf(settingRows(event.run.settings));
        log = new EpochLog(join(folder, await fileIn(folder)), { ...FORMAT, head });
      }
      if (event.type === "start" || event.type === "epochEnd") await log?.follow(event.history);
    },
  };
}

const OURS = /^events\.out\.tfevents\.\d+\.arborize$/;

/** The event file that we have in a folder, or a new one's name, which begins as TensorBoard wants it. */
async function fileIn(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const seconds = Math.floor(Date.now() / 1000);
  return (
    names
      .filter((name) => OURS.test(name))
      .sort()
      .at(-1) ?? `events.out.tfevents.${seconds}.arborize`
  );
}

const FORMAT: Omit<LogFormat, "head"> = {
  read: (bytes) => readFrames(bytes).map(({ content, end }) => ({ epoch: epochOf(content), end })),
  epoch(epoch, history) {
    const growth = growthAfter(epoch, history);
    const values = [...seriesOf(epoch, history)].map(([tag, value]) => scalar(tag, value));
    if (growth !== undefined) values.push(text("growth", growth));
    return frame(event(values, epoch.epoch));
  },
};

/** The version that all event files begin with, and the settings as a table in Markdown. */
function headOf(settings: readonly SettingRow[]): Uint8Array {
  const version = now().tag(3, WireType.LengthDelimited).string("brain.Event:2").finish();
  const cell = (part: string) => part.replace(/[\\|]/g, "\\$&").replace(/\s+/g, " ");
  const rows = settings.map(({ path, value }) => `| ${cell(path)} | ${cell(value)} |`);
  const table = ["| setting | value |", "| --- | --- |", ...rows].join("\n");
  return Buffer.concat([frame(version), frame(event([text("settings", table)], 0))]);
}

/** `Event { double wall_time = 1; int64 step = 2; Summary summary = 5 }`, `Summary { repeated Value value = 1 }`. */
function event(values: readonly Uint8Array[], step: number): Uint8Array {
  const summary = new BinaryWriter();
  for (const value of values) summary.tag(1, WireType.LengthDelimited).bytes(value);
  return now()
    .tag(2, WireType.Varint)
    .int64(step)
    .tag(5, WireType.LengthDelimited)
    .bytes(summary.finish())
    .finish();
}

/** An event that has begun, with its time. */
function now(): BinaryWriter {
  return new BinaryWriter().tag(1, WireType.Bit64).double(Date.now() / 1000);
}

/** `Value { string tag = 1; float simple_value = 2 }` */
function scalar(tag: string, value: number): Uint8Array {
  return new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(tag)
    .tag(2, WireType.Bit32)
    .float(value)
    .finish();
}

/**
 * `Value { string tag = 1; TensorProto tensor = 8; SummaryMetadata metadata = 9 }` with a `TensorProto { DataType dtype = 1;
 * TensorShapeProto tensor_shape = 2; repeated bytes string_val = 8 }` of no axes, and `SummaryMetadata { PluginData
 * plugin_data = 1 }`, `PluginData { string plugin_name = 1 }`.
 */
function text(tag: string, content: string): Uint8Array {
  const tensor = new BinaryWriter()
    .tag(1, WireType.Varint)
    .int32(STRING)
    .tag(2, WireType.LengthDelimited)
    .bytes(new Uint8Array())
    .tag(8, WireType.LengthDelimited)
    .string(content)
    .finish();
  const plugin = new BinaryWriter().tag(1, WireType.LengthDelimited).string("text").finish();
  const metadata = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(plugin).finish();
  return new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(tag)
    .tag(8, WireType.LengthDelimited)
    .bytes(tensor)
    .tag(9, WireType.LengthDelimited)
    .bytes(metadata)
    .finish();
}

/** `DT_STRING` */
const STRING = 7;

/** The step of an event with numbers, -1 for those at the beginning. */
function epochOf(content: Uint8Array): number {
  const reader = new BinaryReader(content);
  let step = 0;
  let hasNumbers = false;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 2) step = Number(reader.int64());
    else if (field === 5) hasNumbers = summaryHasNumbers(reader.bytes());
    else reader.skip(type);
  }
  return hasNumbers ? step : -1;
}

function summaryHasNumbers(summary: Uint8Array): boolean {
  const values = new BinaryReader(summary);
  while (values.pos < values.len) {
    values.tag();
    const value = new BinaryReader(values.bytes());
    while (value.pos < value.len) {
      const [field, type] = value.tag();
      if (field === 2) return true;
      value.skip(type);
    }
  }
  return false;
}
