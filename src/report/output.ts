// Lines on a stream that may be a terminal and may close at any time.

/** The part of a writable stream that is used; `process.stderr` and every `stream.Writable` have it. */
export interface WritableLike {
  write(text: string): unknown;
  on?(event: "error", listener: (error: Error) => void): unknown;
  off?(event: "error", listener: (error: Error) => void): unknown;
}

const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
/** Back to the first column, then erase to the end of the line. */
const eraseLine = "\r\u001b[K";
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Writes lines, and one line that is redrawn. Never throws: after the first error of the stream (a closed pipe)
 * it falls silent. While the cursor is hidden, the end of the process gives it back.
 */
export class SafeOutput {
  readonly #stream: WritableLike;
  #broken = false;
  #drawn = false;
  #hidden = false;

  constructor(stream: WritableLike) {
    this.#stream = stream;
    // An "error" event that nobody listens to would end the process.
    this.#attempt(() => stream.on?.("error", this.#onError));
  }

  /** Replaces the line that is being redrawn; hides the cursor. */
  redraw(text: string): void {
    this.#hide();
    this.#write(eraseLine + text);
    this.#drawn = true;
  }

  /** Erases the line that is being redrawn, if there is one. */
  clear(): void {
    if (this.#drawn) this.#write(eraseLine);
    this.#drawn = false;
  }

  /** Writes a line of its own. */
  line(text: string): void {
    this.#write(`${text}\n`);
  }

  /** Shows the cursor again, if it is hidden. */
  restoreCursor(): void {
    if (!this.#hidden) return;
    this.#hidden = false;
    process.off("exit", this.#onExit);
    for (const signal of signals) process.off(signal, this.#onSignal);
    this.#write(showCursor);
  }

  /** Clears, shows the cursor, and lets the stream go. */
  close(): void {
    this.clear();
    this.restoreCursor();
    // Errors of the last write arrive later: stay until they have.
    setImmediate(() => this.#attempt(() => this.#stream.off?.("error", this.#onError)));
  }

  #hide(): void {
    if (this.#hidden || this.#broken) return;
    this.#hidden = true;
    process.on("exit", this.#onExit);
    // First, so that a listener for one time is still there to be seen.
    for (const signal of signals) process.prependListener(signal, this.#onSignal);
    this.#write(hideCursor);
  }

  #write(text: string): void {
    if (!this.#broken) this.#attempt(() => this.#stream.write(text));
  }

  #attempt(action: () => unknown): void {
    try {
      action();
    } catch {
      this.#broken = true;
    }
  }

  readonly #onError = () => {
    this.#broken = true;
  };

  readonly #onExit = () => {
    this.clear();
    this.restoreCursor();
  };

  readonly #onSignal = (signal: NodeJS.Signals) => {
    this.#onExit();
    // Listening took away the signal's default, which is to end the process: give it back, unless others listen.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
}
