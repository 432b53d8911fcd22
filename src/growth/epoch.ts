// What the caller tells the tracker of each epoch.

/** What the caller knows of an epoch that has just ended. */
export interface Epoch {
  /** The validation score. */
  readonly score: number;
  /** The learning rate the epoch was trained with. */
  readonly learningRate?: number;
  /**
   * The learning rate that the scheduler would give after one more step, worked out without taking it. Absent
   * without a scheduler, as when the caller sets the optimizer's rate: there are no steps then and no search.
   */
  readonly nextLearningRate?: number;
  /** Ends the cycle with this epoch, whatever the settings say. Default false. */
  readonly forceSwitch?: boolean;
}
