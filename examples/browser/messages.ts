// What the page and the thread that learns tell each other.

/** To the thread. */
export type Order =
  | { readonly type: "train" }
  | { readonly type: "stop" }
  /** A drawn image: 20 x 20 numbers, 0 for paper and 1 for ink. */
  | { readonly type: "read"; readonly ink: Float32Array };

/** From the thread. */
export type Report =
  | {
      readonly type: "epoch";
      readonly epoch: number;
      readonly dendrites: number;
      readonly parameters: number;
      readonly validation: number;
      /** Why the network has just changed, where it has. */
      readonly told: string | null;
    }
  | { readonly type: "guess"; readonly shares: readonly number[] }
  | {
      readonly type: "end";
      readonly told: string;
      readonly engine: string;
      readonly model: Uint8Array<ArrayBuffer>;
    }
  | { readonly type: "failed"; readonly told: string };
