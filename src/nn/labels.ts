// What losses and metrics of classes agree on.

/** PyTorch's default of a class that is none. */
export const IGNORED = -100;
