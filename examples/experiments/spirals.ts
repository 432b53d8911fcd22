// Two spirals: their points, and what a cascade of units says of the plane.

export const POINTS = 194;

/** The points of both spirals, x and y each, `shift` steps further along; the first half is the one of target 0.5. */
export function spirals(shift = 0): readonly (readonly [number, number])[] {
  const one = Array.from({ length: POINTS / 2 }, (_, i) => {
    const angle = ((i + shift) * Math.PI) / 16;
    const radius = (6.5 * (104 - i - shift)) / 104;
    return [radius * Math.sin(angle), radius * Math.cos(angle)] as const;
  });
  return [...one, ...one.map(([x, y]) => [-x, -y] as const)];
}

export const TARGETS = Array.from({ length: POINTS }, (_, i) => (i < POINTS / 2 ? 0.5 : -0.5));

/** A network: the weights of each unit and of the output, from a bias, x, y and the units before. */
export interface Cascade {
  readonly units: readonly Float32Array[];
  readonly weights: Float32Array;
}

/** What a network says of a point: above 0 for the first spiral. */
export function outputAt({ units, weights }: Cascade, x: number, y: number): number {
  const inputs = [1, x, y];
  const total = (row: Float32Array) => inputs.reduce((sum, value, i) => sum + value * row[i]!, 0);
  for (const row of units) inputs.push(1 / (1 + Math.exp(-total(row))) - 0.5);
  return 1 / (1 + Math.exp(-total(weights))) - 0.5;
}

/** The plane from -6.5 to 6.5 as the network sees it, and the points. */
export function picture(network: Cascade): string {
  const [cells, size] = [104, 416];
  const cell = size / cells;
  const at = (i: number) => ((i + 0.5) / cells - 0.5) * 14;
  const squares: string[] = [];
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const value = outputAt(network, at(column), -at(row));
      const opacity = Math.min(1, Math.abs(value) * 2).toFixed(2);
      const fill = value > 0 ? "#c2410c" : "#1d4ed8";
      squares.push(
        `<rect x="${column * cell}" y="${row * cell}" width="${cell}" height="${cell}" fill="${fill}" fill-opacity="${opacity}"/>`,
      );
    }
  }
  const dots = spirals().map(([x, y], p) => {
    const place = (value: number) => ((value / 14 + 0.5) * size).toFixed(1);
    return `<circle cx="${place(x)}" cy="${place(-y)}" r="2.5" fill="${p < POINTS / 2 ? "#fff" : "#000"}"/>`;
  });
  const title = `<title>Two spirals with ${network.units.length} units</title>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">${title}${squares.join("")}${dots.join("")}</svg>\n`;
}
