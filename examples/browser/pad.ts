// A place to draw on, seen as the network sees it.

const SIDE = 20;
/** The pen's width, of a side: as wide as those of the digits that were learned. */
const PEN = 0.1;

/** Makes a canvas a place to draw on, and tells of each change what is on it: 20 x 20 numbers, 0 for paper and 1 for ink. */
export function drawOn(canvas: HTMLCanvasElement, changed: (ink: Float32Array) => void): { clear(): void } {
  const pen = canvas.getContext("2d", { willReadFrequently: true })!;
  const small = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true })!;
  const clear = () => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
  };
  const tell = () => {
    small.drawImage(canvas, 0, 0, SIDE, SIDE);
    const { data } = small.getImageData(0, 0, SIDE, SIDE);
    changed(Float32Array.from({ length: SIDE * SIDE }, (_, i) => 1 - data[4 * i]! / 255));
  };
  const to = ({ offsetX, offsetY }: PointerEvent) => pen.lineTo(offsetX, offsetY);
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    Object.assign(pen, { lineWidth: PEN * canvas.width, lineCap: "round", lineJoin: "round" });
    pen.beginPath();
    to(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons === 0) return;
    to(event);
    pen.stroke();
    tell();
  });
  clear();
  return { clear };
}
