// Who may work when: the page beside the engine, and one call of the runtime after the other.

/** Milliseconds after which a run lets the page have its turn. */
const TURN = 50;

let turned = 0;

/**
 * Lets events happen, now and then: runs of small programs follow one another without an end to the thread's task, and a page
 * would stand still, or a worker not hear that it is to stop.
 */
export async function giveTurn(): Promise<void> {
  if (performance.now() - turned < TURN) return;
  // Timers wait for some milliseconds, messages don't.
  const { port1, port2 } = new MessageChannel();
  await new Promise<void>((resolve) => {
    port1.addEventListener("message", () => resolve());
    port1.start();
    port2.postMessage(null);
  });
  port1.close();
  turned = performance.now();
}

let last: Promise<unknown> = Promise.resolve();

/** Works when all that was asked for before is done: the runtime may wait in the middle of a call, and takes no other meanwhile. */
export function alone<T>(work: () => Promise<T>): Promise<T> {
  const done = last.then(work);
  last = done.catch(() => undefined);
  return done;
}
