// Which pixels a dendrite reads, and which soma reads a dendrite (Chavlis and Poirazi 2025, table of masks).

import { ArborizeError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { Tensor } from "../../base/tensor.ts";

/** The sizes of a layer of dendrites and one of somata. */
export interface DendriticSizes {
  /** The images: channels, height, width. All channels have the same mask. */
  readonly image: readonly [channels: number, height: number, width: number];
  /** Dendrites of each soma. */
  readonly dendrites: number;
  readonly somata: number;
  /** Pixels that a dendrite reads. */
  readonly synapses: number;
}

/** How dendrites choose their pixels: anywhere, around one centre each, or around one centre for each soma. */
export type Sampling = "random" | "local" | "global";

/**
 * Which inputs each dendrite reads: `[dendrites * somata, channels * height * width]`, a soma's dendrites one after another.
 *
 * `"random"` places `synapses` ones a dendrite over the whole matrix, so a dendrite has that many on average alone. `"local"`:
 * each dendrite has a centre, drawn with replacement, and the pixels around it. `"global"`: each soma has a centre, its
 * dendrites have theirs around that. Pixels around a centre are its 3x3 neighbours with itself, then random ones of the ring
 * that is not used up.
 */
export function synapseMask(sampling: Sampling, sizes: DendriticSizes, random: Random): Tensor<"float32"> {
  const { image, dendrites, somata, synapses } = sizes;
  const [channels, height, width] = image;
  const pixels = height * width;
  if (synapses > pixels) {
    const found = `${synapses} synapses for images of ${height} x ${width}`;
    throw new ArborizeError("bad_option", `${found}: a dendrite cannot read more pixels than there are.`);
  }
  const rows = dendrites * somata;
  const spatial = new Uint8Array(rows * pixels);
  if (sampling === "random") {
    const chosen = random.permutation(rows * pixels).subarray(0, rows * synapses);
    for (const at of chosen) spatial[at] = 1;
  } else {
    for (let soma = 0; soma < somata; soma++) {
      const centres =
        sampling === "global"
          ? around(random.integer(pixels), dendrites, height, width, random)
          : Array.from({ length: dendrites }, () => random.integer(pixels));
      for (const [d, centre] of centres.entries()) {
        const row = (soma * dendrites + d) * pixels;
        for (const pixel of around(centre, synapses, height, width, random)) spatial[row + pixel] = 1;
      }
    }
  }
  const mask = Tensor.zeros([rows, channels * pixels]);
  for (let row = 0; row < rows; row++) {
    const of = spatial.subarray(row * pixels, (row + 1) * pixels);
    for (let c = 0; c < channels; c++) mask.data.set(of, (row * channels + c) * pixels);
  }
  return mask;
}

/** Each soma reads its own dendrites: `[somata, dendrites * somata]`, ones in blocks. */
export function blockMask(dendrites: number, somata: number): Tensor<"float32"> {
  const mask = Tensor.zeros([somata, dendrites * somata]);
  for (let soma = 0; soma < somata; soma++) {
    mask.data.fill(1, soma * dendrites * (somata + 1), soma * dendrites * (somata + 1) + dendrites);
  }
  return mask;
}

/** As many connections as in blocks, anywhere: `[somata, dendrites * somata]`. */
export function scatteredMask(dendrites: number, somata: number, random: Random): Tensor<"float32"> {
  const mask = Tensor.zeros([somata, dendrites * somata]);
  for (const at of random.permutation(mask.data.length).subarray(0, dendrites * somata)) mask.data[at] = 1;
  return mask;
}

/** `count` pixels around a centre, the nearest rings first; of the last ring, random ones. */
function around(centre: number, count: number, height: number, width: number, random: Random): number[] {
  const [row, column] = [Math.floor(centre / width), centre % width];
  const found: number[] = [];
  // The centre and its neighbours together are the first ring.
  for (let radius = 1; found.length < count; radius++) {
    const ring: number[] = [];
    for (let y = Math.max(0, row - radius); y <= Math.min(height - 1, row + radius); y++) {
      for (let x = Math.max(0, column - radius); x <= Math.min(width - 1, column + radius); x++) {
        const distance = Math.max(Math.abs(y - row), Math.abs(x - column));
        if (distance === radius || radius === 1) ring.push(y * width + x);
      }
    }
    const order = Array.from(random.permutation(ring.length), (i) => ring[i]!);
    found.push(...order.slice(0, count - found.length));
    if (radius > height + width) break;
  }
  // More dendrites than pixels share them.
  const pixels = found.length;
  for (let i = pixels; i < count; i++) found.push(found[i % pixels]!);
  return found;
}
