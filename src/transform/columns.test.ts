import { describe, expect, it } from "vitest";
import { differentiate } from "../../test/support/differentiate.ts";
import { relativeError } from "../../test/support/golden.ts";
import { Random } from "../base/random.ts";
import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Graph, Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { channelMajor } from "./channel-major.ts";
import { trainingForm } from "./mode.ts";
import { rewrite } from "./rewrite.ts";

/** What reads a flattened map: linear layers of either form alone, so that it may lie as columns, or more than that. */
class Flattened extends nn.Module {
  conv = new nn.Conv2d(16, 8, 3, { padding: 1 }); // of 9 x 9
  first = new nn.Linear(8 * 16, 7);
  second = new nn.Linear(8 * 16, 7, { bias: false });
  third = new nn.Linear(8 * 81, 7);

  forward(x: Value): Value {
    const map = this.conv.call(x);
    const pooled = map.maxPool2d(2).flatten();
    const linear = this.first.call(pooled).add(this.second.call(pooled.tanh()));
    const flat = map.flatten();
    return linear.add(this.third.call(flat)).add(flat.softmax(1).amax(1, { keepDims: true }));
  }
}

/** `[3, C, H, W]` in tiles of a side, `[side², C, H / side, W / side, 3]`: 2x2 windows in a tile, and the places in a window first. */
function inTiles(mask: Tensor, side: 2 | 4): Tensor {
  const [batch, channels, height, width] = mask.shape as [number, number, number, number];
  const [ty, tx] = [height / side, width / side];
  const data = new Array<number>(sizeOf(mask.shape));
  Array.from(mask.toNumbers()).forEach((value, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const [channel, example] = [
      Math.floor(i / (width * height)) % channels,
      Math.floor(i / (width * height * channels)),
    ];
    const [inX, inY] = [x % side, y % side];
    const window = (Math.floor(inY / 2) * side) / 2 + Math.floor(inX / 2);
    const place = ((inY % 2) * 2 + (inX % 2)) * (side / 2) ** 2 + window;
    const tile = Math.floor(y / side) * tx + Math.floor(x / side);
    data[((place * channels + channel) * ty * tx + tile) * batch + example] = value;
  });
  return Tensor.of([side ** 2, channels, ty, tx, batch], data, mask.dtype);
}

/** `[3, N]` as `[N, 3]`. */
function transposed(mask: Tensor): Tensor {
  const [rows, columns] = mask.shape as [number, number];
  const numbers = Array.from(mask.toNumbers());
  const data = numbers.map((_, i) => numbers[(i % rows) * columns + Math.floor(i / rows)]!);
  return Tensor.of([columns, rows], data, mask.dtype);
}

describe("values as they lie", () => {
  it("gives linear layers flattened maps as columns", async () => {
    const graph = nn.trace(new Flattened(), { inputs: { x: ["batch", 16, 9, 9] } });
    const moved = channelMajor(graph);
    // Softmax needs rows.
    const flattened = ({ nodes }: Graph) => nodes.filter(({ operator }) => operator.type === "Flatten");
    expect([flattened(graph).length, flattened(moved).length]).toEqual([2, 1]);
    const wanted = await differentiate(rewrite(graph).graph, 9);
    const found = await differentiate(moved, 9);
    for (const [what, tensor] of wanted)
      expect(relativeError(found.get(what)!, tensor), what).toBeLessThan(1e-5);
  });

  it("draws masks for values as they lie, in tiles and in columns", async () => {
    const model = new nn.Sequential(
      new nn.Conv2d(16, 8, 3),
      new nn.Dropout(0.5),
      new nn.MaxPool2d(2), // 4 x 4
      new nn.Dropout(0.25),
      new nn.Flatten(),
      new nn.Dropout(0.5),
      new nn.Linear(128, 5),
    );
    const graph = nn.trace(model, { inputs: { x: ["batch", 16, 10, 10] } });
    const [plain, moved] = [rewrite(graph, trainingForm([])).graph, channelMajor(graph, trainingForm([]))];
    const masksOf = ({ inputs }: Graph) => inputs.filter(({ dtype }) => dtype === "bool");
    expect(masksOf(moved).map(({ shape }) => shape)).toEqual([
      [16, 8, 2, 2, "batch"],
      [4, 8, 2, 2, "batch"],
      [128, "batch"],
    ]);
    const random = Random.stream(8, "masks");
    const ordered = masksOf(plain).map(({ name, shape }) => {
      const size = shape.slice(1).reduce<number>((product, dim) => product * (dim as number), 3);
      const drawn = Array.from({ length: size }, () => Number(random.uniform() < 0.5));
      return [name, Tensor.of([3, ...(shape.slice(1) as number[])], drawn, "bool")] as const;
    });
    const lie = [(mask: Tensor) => inTiles(mask, 4), (mask: Tensor) => inTiles(mask, 2), transposed];
    const lying = ordered.map(([name, mask], i) => [name, lie[i]!(mask)] as const);
    const wanted = await differentiate(plain, 10, new Map(ordered));
    const found = await differentiate(moved, 10, new Map(lying));
    for (const [what, tensor] of wanted)
      expect(relativeError(found.get(what)!, tensor), what).toBeLessThan(1e-5);
  });
});
