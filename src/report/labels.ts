// Where labels go so that they neither overlap nor leave the picture.

import { textWidth } from "./look.ts";

/** A label in one of the rows above a plot. */
export interface RowLabel {
  text: string;
  /** 0 is the row next to the plot. */
  row: number;
  /** Which end of the text stands at the label's place. */
  anchor: "start" | "middle" | "end";
}

/** Labels in the order of their places, and the number of rows that they take. */
export interface RowLabels {
  labels: RowLabel[];
  rows: number;
}

/** Pixels between two labels of a row. */
const apart = 8;

/**
 * Puts labels, ordered by place (pixels from the left edge of `width`), into the fewest rows that keep them apart.
 * Undefined when that takes more than `most` rows.
 */
export function layoutRows(
  items: { text: string; place: number }[],
  size: number,
  width: number,
  most: number,
): RowLabels | undefined {
  const ends: number[] = [];
  const labels = items.map(({ text, place }): RowLabel => {
    const length = textWidth(text, size);
    const anchor = place + length / 2 > width ? "end" : place - length / 2 < 0 ? "start" : "middle";
    const start = place - (anchor === "start" ? 0 : anchor === "end" ? length : length / 2);
    let row = ends.findIndex((end) => end + apart <= start);
    if (row < 0) row = ends.length;
    ends[row] = start + length;
    return { text, row, anchor };
  });
  return ends.length <= most ? { labels, rows: ends.length } : undefined;
}

/** A dot and what it would like to have written at it. */
export interface DotLabel {
  text: string;
  /** The dot's middle, in pixels from the left and top edges of the area. */
  left: number;
  top: number;
}

/**
 * Where labels beside their lines' ends go: the middles, in pixels from the top of an area of this height, moved
 * apart as little as it takes. Undefined for the last ones where there is no room for all.
 */
export function layoutColumn(tops: number[], size: number, height: number): (number | undefined)[] {
  const gap = size * 1.2;
  const room = Math.max(0, Math.floor(height / gap));
  const order = tops.slice(0, room).map((top, i) => ({ top: Math.min(height, Math.max(0, top)), i }));
  order.sort((a, b) => a.top - b.top || a.i - b.i);
  for (const [j, label] of order.entries()) {
    label.top = Math.max(label.top, (order[j - 1]?.top ?? Number.NEGATIVE_INFINITY) + gap);
  }
  for (const [j, label] of [...order.entries()].reverse()) {
    label.top = Math.min(label.top, (order[j + 1]?.top ?? height + gap) - gap);
  }
  const placed = new Map(order.map(({ top, i }) => [i, top]));
  return tops.map((_, i) => placed.get(i));
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/**
 * Whether each label goes above or below its dot, or nowhere, so that no label touches another label or another
 * dot, or leaves an area of this width and height. The first labels are served first.
 */
export function layoutDotLabels(
  items: DotLabel[],
  size: number,
  area: { width: number; height: number },
): ("above" | "below" | undefined)[] {
  const radius = 7;
  const taken = items.map(
    ({ left, top }): Box => ({
      left: left - radius,
      right: left + radius,
      top: top - radius,
      bottom: top + radius,
    }),
  );
  return items.map((item, i) => {
    const half = textWidth(item.text, size) / 2 + 2;
    const boxAt = (middle: number): Box => ({
      left: item.left - half,
      right: item.left + half,
      top: middle - size * 0.6,
      bottom: middle + size * 0.6,
    });
    for (const side of ["above", "below"] as const) {
      const box = boxAt(item.top + (side === "above" ? -dotLabelOffset : dotLabelOffset));
      const inside =
        box.left > -30 && box.right < area.width + 12 && box.top > -8 && box.bottom < area.height;
      if (!inside || taken.some((other, j) => j !== i && overlap(box, other))) continue;
      taken.push(box);
      return side;
    }
    return undefined;
  });
}

/** Pixels from a dot's middle to the middle of its label. */
export const dotLabelOffset = 15;

const overlap = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
