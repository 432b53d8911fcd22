// Validation accuracy by epoch, a colour for each number of dendrites.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

const COLORS = ["#5b6b7b", "#00966a", "#d1742f", "#7c5cd6"];

/** A chart that grows. */
export interface Chart {
  add(epoch: number, dendrites: number, validation: number): void;
}

/** Draws into an element, as wide as that is. */
export function chartIn(element: HTMLElement): Chart {
  const epochs: number[] = [];
  const curves = COLORS.map((): (number | null)[] => []);
  const { color, borderColor } = getComputedStyle(element);
  const axis = { stroke: color, grid: { stroke: borderColor, width: 1 }, ticks: { show: false } };
  const label = (count: number) => (count === 1 ? "1 dendrite" : `${count} dendrites`);
  const plot = new uPlot(
    {
      width: element.clientWidth,
      height: 260,
      scales: { x: { time: false } },
      axes: [
        { ...axis, label: "epoch" },
        { ...axis, size: 60, values: (_, ticks) => ticks.map((tick) => `${(100 * tick).toFixed(0)} %`) },
      ],
      series: [
        { label: "epoch" },
        ...COLORS.map((stroke, count) => ({
          label: label(count),
          stroke,
          width: 2,
          value: (_: uPlot, value: number | null) => (value === null ? "" : `${(100 * value).toFixed(1)} %`),
        })),
      ],
    },
    [epochs, ...curves],
    element,
  );
  addEventListener("resize", () => plot.setSize({ width: element.clientWidth, height: 260 }));
  return {
    add(epoch, dendrites, validation) {
      epochs.push(epoch);
      curves.forEach((curve, count) => {
        curve.push(count === dendrites ? validation : null);
      });
      plot.setData([epochs, ...curves]);
    },
  };
}
