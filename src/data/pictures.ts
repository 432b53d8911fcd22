// Pictures: PNG and JPEG files as bytes a channel, at a size that is wanted.

import { convertIndexedToRgb, decode as decodePng } from "fast-png";
import jpeg from "jpeg-js";
import { ArborizeError } from "../base/errors.ts";

/** A picture: red, green and blue one after another for each pixel, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** The most pixels that a picture may have: a small file can claim to be huge. */
const MOST_PIXELS = 2 ** 26;

/**
 * Decodes a PNG or JPEG file, whichever it is by its first bytes. Grey becomes three equal channels, transparency is left out,
 * of 16 bits the upper 8 are kept.
 *
 * @throws `bad_file` for other formats, damaged files, and more than 64 million pixels.
 */
export function decodePicture(bytes: Uint8Array, name: string): Picture {
  const fail = (problem: string, cause?: unknown): never => {
    throw new ArborizeError("bad_file", `"${name}" is not a readable picture: ${problem}.`, { cause });
  };
  const png = bytes[0] === 0x89 && bytes[1] === 0x50;
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!png && !isJpeg) fail("it is neither PNG nor JPEG by its first bytes");
  if (png) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 24 || view.getUint32(16) * view.getUint32(20) > MOST_PIXELS) {
      fail("it is cut short, or has more than 64 million pixels");
    }
  }
  try {
    if (png) return fromPng(bytes);
    const { width, height, data } = jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      maxResolutionInMP: MOST_PIXELS / 1e6,
    });
    return { width, height, rgb: data };
  } catch (error) {
    return fail((error as Error).message, error);
  }
}

function fromPng(bytes: Uint8Array): Picture {
  const image = decodePng(bytes, { checkCrc: true });
  const { width, height, depth } = image;
  const data = image.palette ? convertIndexedToRgb(image) : image.data;
  const channels = image.palette ? image.palette[0]!.length : image.channels;
  const shift = depth === 16 ? 8 : 0;
  // Packed pixels of 1, 2 and 4 bits come one a byte from a palette, as they are in the file without one.
  const values = !image.palette && depth < 8 ? unpacked(data, width, height, depth) : data;
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      rgb[pixel * 3 + c] = values[pixel * channels + (channels < 3 ? 0 : c)]! >> shift;
    }
  }
  return { width, height, rgb };
}

function unpacked(data: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const perByte = 8 / depth;
  const stride = Math.ceil(width / perByte);
  const most = 2 ** depth - 1;
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const byte = data[y * stride + Math.floor(x / perByte)]!;
    return (((byte >> (8 - depth * ((x % perByte) + 1))) & most) * 255) / most;
  });
}

/** Whether all pixels of a picture are grey. */
export function isGrey({ rgb }: Picture): boolean {
  for (let i = 0; i < rgb.length; i += 3) {
    if (rgb[i] !== rgb[i + 1] || rgb[i] !== rgb[i + 2]) return false;
  }
  return true;
}

/**
 * Writes a picture into `to` from `offset` on, plane by plane (its first channel alone, or all three), at another size: each pixel
 * is the mean over the area that it covers, or where it is magnified, a linear blend of the four nearest.
 */
export function placePicture(
  picture: Picture,
  [height, width]: readonly [number, number],
  channels: number,
  to: Uint8Array,
  offset: number,
): void {
  const rows = weightsAlong(picture.height, height);
  const columns = weightsAlong(picture.width, width);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (const [row, a] of rows[y]!) {
          const start = row * picture.width;
          for (const [column, b] of columns[x]!) sum += a * b * picture.rgb[(start + column) * 3 + c]!;
        }
        to[offset + (c * height + y) * width + x] = Math.round(sum);
      }
    }
  }
}

/** For each place of an axis of `to` places, which of `from` it consists of, and how much of each. */
function weightsAlong(from: number, to: number): [place: number, weight: number][][] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    if (scale <= 1) {
      const center = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), from - 1);
      const low = Math.floor(center);
      const part = center - low;
      return part === 0
        ? [[low, 1]]
        : [
            [low, 1 - part],
            [low + 1, part],
          ];
    }
    const [start, end] = [i * scale, (i + 1) * scale];
    const places: [number, number][] = [];
    for (let place = Math.floor(start); place < Math.min(from, end); place++) {
      const covered = Math.min(end, place + 1) - Math.max(start, place);
      if (covered > 1e-9) places.push([place, covered / scale]);
    }
    return places;
  });
}
