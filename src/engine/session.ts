// What every engine tells the runtime of a session.

export const SESSION = {
  graphOptimizationLevel: "all",
  // A plan of one block for all tensors would come on top of what the first run has taken.
  enableMemPattern: false,
  // Errors alone: they are told as ours.
  logSeverityLevel: 3,
} as const;
