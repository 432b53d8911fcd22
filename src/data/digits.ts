// Generated digits that look handwritten: a data set for demonstrations and tests that needs no network and
// no files.

import { Random } from "../base/random.ts";
import { type Dataset, imageDataset } from "./dataset.ts";
import { GLYPHS, type Stroke } from "./glyphs.ts";
import { checkInteger, checkNames } from "./options.ts";
import { scan, smooth, trace } from "./pen.ts";

/**
 * What makes the task hard, in units of the image's side unless said otherwise. Calibrated in PyTorch for
 * growing dendrites: with the default 3000 images, a network of 6,000 parameters (conv 8, conv 16, linear 32)
 * ends at 92 to 94 % validation accuracy, one four times as wide at 95.5 %, and a deeper one with batch
 * normalisation at 99.4 %. So what the small one misses is capacity, not information. Place, size and slant
 * do most of it: people hardly notice them, a small network pays for each.
 */
const DIFFICULTY = {
  /** Standard deviation of each control point's place: no two people write alike. */
  jitter: 0.022,
  /** Standard deviation of the turn, in radians. Larger ones make a 1 of a 7, which no network can mend. */
  rotation: 0.18,
  /** Standard deviation of the slant's tangent. */
  shear: 0.22,
  /** The digit's size against its glyph's. In smaller ones a thick pen closes the loops of 6, 8 and 9. */
  scale: [0.74, 1],
  /** Standard deviation of the logarithm of the aspect ratio. */
  aspect: 0.14,
  /** How much of the room that is left the digit's place may use, 0 … 1; with scale, the strongest knob. */
  shift: 0.55,
  /** Size of the smooth distortion, as from a moving hand. */
  elastic: 0.03,
  /** Pen widths. */
  width: [0.07, 0.14],
  /** How dark the ink is, 0 … 1. */
  ink: [0.6, 1],
  /** At most this share of its ink is lost on a stroke's way. */
  fade: 0.35,
  /** At most this share of a 3 x 3 mean is in each pixel. */
  blur: 0.6,
  /** At most this standard deviation of the pixel noise, of 1. */
  noise: 0.08,
} as const;

/** Mean and standard deviation of the default training pixels in 0 … 1. */
const MEAN = 0.134;
const STD = 0.229;

/** How many generated digits, how large. */
export interface DigitsOptions {
  /** Number of training images. Default 3000. */
  train?: number;
  /** Number of validation images. Default 1000. */
  validation?: number;
  /** Number of test images. Default 2000. */
  test?: number;
  /** Side of the square images in pixels, 8 or more. Default 20. */
  size?: number;
  /** Another seed gives other images. Default 0. */
  seed?: number;
}

/**
 * Generated digits that look handwritten, ten balanced classes: `x`, float32 `[1, size, size]`, normalised,
 * and `target`, int64 `[]`. Takes well under a second. Each image depends on `seed`, its part and its index
 * alone, so asking for more images leaves the first ones as they were.
 *
 * @throws `bad_option` for options out of range or unknown.
 */
export function digits(options: DigitsOptions = {}): { train: Dataset; validation: Dataset; test: Dataset } {
  const { train = 3000, validation = 1000, test = 2000, size = 20, seed = 0 } = options;
  checkNames("digits", options, ["train", "validation", "test", "size", "seed"]);
  checkInteger("digits", "train", train, 0);
  checkInteger("digits", "validation", validation, 0);
  checkInteger("digits", "test", test, 0);
  checkInteger("digits", "size", size, 8);
  checkInteger("digits", "seed", seed, 0);
  const part = (name: string, count: number) => {
    const { images, labels } = drawDigits(name, count, size, seed);
    return imageDataset({ images, shape: [count, 1, size, size], labels, mean: MEAN, std: STD });
  };
  return {
    train: part("train", train),
    validation: part("validation", validation),
    test: part("test", test),
  };
}

/** The images of one part as bytes, 255 the darkest ink, and their labels. */
export function drawDigits(part: string, count: number, size: number, seed: number) {
  const images = new Uint8Array(count * size * size);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const canvas = new Float32Array(size * size);
  for (let i = 0; i < count; i++) {
    const random = Random.stream(seed, `digits/${part}/${i}`);
    const styles = GLYPHS[labels[i]!]!;
    const paths = place(styles[random.integer(styles.length)]!, random);
    const width = random.uniform(...DIFFICULTY.width) * size;
    const ink = random.uniform(...DIFFICULTY.ink);
    canvas.fill(0);
    for (const path of paths) {
      const fade = random.uniform(0, DIFFICULTY.fade);
      trace(canvas, size, path, { width, ink, fade, phase: random.uniform(0, 2 * Math.PI) });
    }
    const blur = random.uniform(0, DIFFICULTY.blur);
    const noise = random.uniform(0, DIFFICULTY.noise);
    scan(canvas, size, images.subarray(i * size * size, (i + 1) * size * size), { blur, noise, random });
  }
  return { images, labels };
}

/** The paths of a glyph as one hand would write them, at one place: x, y, x, y, … from 0 to 1. */
function place(glyph: readonly Stroke[], random: Random): number[][] {
  const move = distortion(random);
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const paths = glyph.map((stroke) => {
    const path = smooth(jittered(stroke, random));
    for (let i = 0; i < path.length; i += 2) {
      const moved = move(path[i]! - 0.5, path[i + 1]! - 0.5);
      for (const axis of [0, 1] as const) {
        path[i + axis] = moved[axis];
        low[axis] = Math.min(low[axis]!, moved[axis]);
        high[axis] = Math.max(high[axis]!, moved[axis]);
      }
    }
    return path;
  });
  const offset = [0, 1].map((axis) => {
    // The margin keeps the pen's own width inside.
    const room = Math.max(0, 0.94 - (high[axis]! - low[axis]!)) / 2;
    return 0.5 - (low[axis]! + high[axis]!) / 2 + DIFFICULTY.shift * room * random.uniform(-1, 1);
  });
  return paths.map((path) => path.map((value, i) => value + offset[i % 2]!));
}

/** `stroke` with each point moved a little; corners stay corners. */
function jittered(stroke: Stroke, random: Random): number[] {
  const moved = stroke.map((value) => value + DIFFICULTY.jitter * random.normal());
  for (let i = 2; i < stroke.length; i += 2) {
    const corner = stroke[i] === stroke[i - 2] && stroke[i + 1] === stroke[i - 1];
    if (corner) [moved[i], moved[i + 1]] = [moved[i - 2]!, moved[i - 1]!];
  }
  return moved;
}

/** A random way to move points around the origin: size, aspect, slant and turn, then a smooth distortion. */
function distortion(random: Random): (x: number, y: number) => [number, number] {
  const angle = DIFFICULTY.rotation * random.normal();
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const shear = DIFFICULTY.shear * random.normal();
  const scale = random.uniform(...DIFFICULTY.scale);
  const stretch = Math.exp((DIFFICULTY.aspect * random.normal()) / 2);
  const wave = () => {
    // Wavelengths down to 0.7 of the image: shorter ones would make the line tremble.
    const [fx, fy] = [random.uniform(-9, 9), random.uniform(-9, 9)];
    const phase = random.uniform(0, 2 * Math.PI);
    return (x: number, y: number) => DIFFICULTY.elastic * Math.sin(fx * x + fy * y + phase);
  };
  const [a, b, c, d] = [wave(), wave(), wave(), wave()];
  return (x, y) => {
    const v = y * scale * stretch;
    const u = (x * scale) / stretch - shear * v;
    const [right, down] = [u * cos - v * sin, u * sin + v * cos];
    return [right + a(right, down) + b(right, down), down + c(right, down) + d(right, down)];
  };
}
