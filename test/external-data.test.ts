// Models that keep their weights in other files.

import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "onnx-buf";
import { expect, it } from "vitest";
import { readOnnx, Tensor } from "../src/index.ts";
import { readOnnx as readBytes } from "../src/onnx/read.ts";
import { fileGraph, fileNode, fileValue } from "./support/files.ts";
import { temporaryFolders } from "./support/folders.ts";
import { runGraph } from "./support/run.ts";

const folder = temporaryFolders();

/** A model that adds two weights to its input, which are somewhere else. */
function model(entries: Readonly<Record<string, string>>, dims: readonly number[] = [3]): Uint8Array {
  const graph = fileGraph({
    nodes: [fileNode("Add", ["x", "w"], ["y"])],
    inputs: [fileValue("x", "float32", [3])],
    outputs: [fileValue("y", "float32")],
  });
  graph.initializer.push(
    create(TensorProtoSchema, {
      name: "w",
      dataType: 1,
      dims: dims.map(BigInt),
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: Object.entries(entries).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      ),
    }),
  );
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: "", version: 17n }], graph }),
  );
}

/** A folder with a model, and weights of 24 bytes in a folder beside it. */
function written(name: string, ...given: Parameters<typeof model>): string {
  mkdirSync(join(folder(name), "data"), { recursive: true });
  writeFileSync(join(folder(name), "data", "weights.bin"), Tensor.of([6], [9, 9, 9, 1, 2, 3]).bytes());
  const path = join(folder(name), "model.onnx");
  writeFileSync(path, model(...given));
  return path;
}

it("Weights beside the model are read", async () => {
  const path = written("good", { location: "data/weights.bin", offset: "12", length: "12" });
  const { graph } = await readOnnx(path);
  expect(graph.parameters.map(({ data }) => data)).toEqual([Tensor.of([3], [1, 2, 3])]);
  expect((await runGraph(graph, { x: Tensor.of([3], [1, 1, 1]) })).y).toEqual(Tensor.of([3], [2, 3, 4]));
  const start = await readOnnx(written("start", { location: "data/weights.bin" }));
  expect([...start.graph.parameters[0]!.data!.data]).toEqual([9, 9, 9]);
});

it.each([
  ["in no file", {}, "does not say which"],
  ["in a file that is not there", { location: "weights.bin" }, /weights\.bin": no such file/],
  ["in a folder", { location: "data" }, /data": it is not a file/],
  [
    "past the end",
    { location: "data/weights.bin", offset: "16" },
    "has 24 bytes, 12 from 16 on were expected",
  ],
  ["of another length", { location: "data/weights.bin", length: "8" }, "needs 12 bytes"],
  ["before the beginning", { location: "data/weights.bin", offset: "-4" }, "from -4 on"],
  ["somewhere", { location: "data/weights.bin", offset: "x" }, "from NaN on"],
  ["above the folder", { location: "data/../../weights.bin" }, "not in the folder of the model"],
  ["anywhere", { location: "/etc/passwd" }, "not in the folder of the model"],
  ["on another drive", { location: "C:\\weights.bin" }, "not in the folder of the model"],
] as const)("Weights %s are refused", async (name, entries, problem) => {
  const path = written(name, entries);
  const reading = readOnnx(path);
  await expect(reading).rejects.toMatchObject({ code: "bad_file" });
  await expect(reading).rejects.toThrow(problem);
  await expect(reading).rejects.toThrow(`"${path}"`);
});

it("Weights that no file could hold are refused before they are read", async () => {
  const path = written("huge", { location: "data/weights.bin" }, [2 ** 28, 3]);
  // A file with a hole: it has the size and takes no disk.
  truncateSync(join(folder("huge"), "data", "weights.bin"), 3 * 2 ** 30);
  await expect(readOnnx(path)).rejects.toThrow("larger than 2 GiB");
  const absurd = written("absurd", { location: "data/weights.bin" }, [2 ** 40, 2 ** 40]);
  await expect(readOnnx(absurd)).rejects.toThrow("impossible shape");
});

it("A model in memory has no folder", () => {
  const bytes = model({ location: "weights.bin" });
  expect(() => readBytes(bytes)).toThrow('in the external file "weights.bin": read the model by its path');
});
