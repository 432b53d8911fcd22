// TensorFlow's records: a length, its checksum, the bytes, their checksum.

/** A record's bytes in a file, and where it ends there. */
export interface Frame {
  readonly content: Uint8Array;
  readonly end: number;
}

const HEAD = 12;
const TAIL = 4;

/** Bytes as one record. */
export function frame(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD + content.length + TAIL);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedChecksum(bytes.subarray(0, 8)), true);
  bytes.set(content, HEAD);
  view.setUint32(HEAD + content.length, maskedChecksum(content), true);
  return bytes;
}

/** The records of a file up to the first that is damaged or cut short. */
export function readFrames(bytes: Uint8Array): Frame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  for (let at = 0; at + HEAD + TAIL <= bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    const end = at + HEAD + length + TAIL;
    if (view.getUint32(at + 8, true) !== maskedChecksum(bytes.subarray(at, at + 8)) || end > bytes.length)
      break;
    const content = bytes.subarray(at + HEAD, end - TAIL);
    if (view.getUint32(end - TAIL, true) !== maskedChecksum(content)) break;
    frames.push({ content, end });
    at = end;
  }
  return frames;
}

/** The remainders of all bytes by Castagnoli's polynomial (1993), bits reversed. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
  return rest;
});

/** CRC-32C, rotated and shifted so that checksums can themselves stand in what is checked. */
function maskedChecksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!;
  crc = ~crc;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
