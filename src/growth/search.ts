// Which learning rate to start a dendrite with: the scheduler's steps, and the search after each growth.
//
// A dendrite is trained with the schedule from its beginning: the first run. When the rate has changed twice,
// the first run is set aside and training starts again from the model as it had just grown, one change further
// down: the second run. When its rate has changed once, both have come to the same rate, and their best scores
// are compared. If the second is worse, the first goes on where it stopped and the search is over. Otherwise
// the second takes the place of the first, to be compared with a start that is lower still.

import type { Epoch } from "./epoch.ts";
import { improves, isBetter } from "./score.ts";
import { forDendrites, type GrowthSettings } from "./settings.ts";
import { epochsInCycle, type RateSearch, type RateTried, type TrackerState } from "./state.ts";
import { change, restart, restore, save, type Turn, tell } from "./turn.ts";

/**
 * Begins the search for a model that has just grown, on one that had made `bound` changes of the rate by its
 * best epoch; without a scheduler there is none, nor where each epoch ends a cycle.
 */
export function startSearch(turn: Turn, settings: GrowthSettings, epoch: Epoch, bound: number): Turn {
  if (!settings.findBestRate || epoch.nextLearningRate === undefined) return turn;
  if (settings.switchMode === "every") return turn;
  const search: RateSearch = { skip: 0, bound, toBeat: null, comparisonEpochs: null };
  return save(change(turn, { search }), "switch");
}

/**
 * Ends the search because its cycle is over, even in the midst of a run. Nothing must be undone: the switch
 * goes on from the best model, and whichever run that is of, the state comes back with it.
 */
export function endSearch(turn: Turn, settings: GrowthSettings): Turn {
  const { search } = turn.state;
  return search === null ? turn : change(noteRun(turn, search, settings), { search: null });
}

/**
 * For how many epochs the rate has been what it is, if a cycle whose patience is over must go on until it
 * changes; null if it may end.
 *
 * There must be a change to wait for: the search still has to come to as many as the cycle before needed up
 * to its best. And it must not be overdue: every dendrite runs through the same schedule from its start, so
 * the changes up to the bound were all seen before, and none takes longer than the longest of those did. A
 * schedule that has no further change, or that gets better scores than patience asks for, can't block the
 * run.
 */
export function epochsHeld(state: TrackerState, settings: GrowthSettings, epoch: Epoch): number | null {
  const { search, longestWait } = state;
  if (!settings.holdUntilLowered || epoch.nextLearningRate === undefined) return null;
  if (search === null || search.skip >= search.bound) return null;
  const epochs = epochsAtRate(state);
  return epochs <= longestWait ? epochs : null;
}

/** Whether the scheduler takes a step after this epoch, which ends no cycle; see `Outcome.stepScheduler`. */
export function stepsSchedule(state: TrackerState, settings: GrowthSettings, epoch: Epoch): boolean {
  const settling = forDendrites(settings.initialHistory, state.dendrites);
  return epoch.nextLearningRate !== undefined && scheduledEpochs(state) > settling;
}

/** Counts what the scheduler's step changes, and goes on with the search if it is time for it. */
export function followSchedule(turn: Turn, settings: GrowthSettings, epoch: Epoch, stepped: boolean): Turn {
  if (epoch.nextLearningRate === undefined) return turn;
  const epochs = scheduledEpochs(turn.state);
  const { search } = turn.state;
  const timeIsUp =
    search !== null &&
    search.comparisonEpochs !== null &&
    epochs === search.comparisonEpochs * (search.toBeat === null ? 2 : 1);

  const changed = stepped && epoch.nextLearningRate !== epoch.learningRate;
  const counted = changed ? countChange(turn, epochs) : turn;
  if (search === null || !(changed || timeIsUp)) return counted;
  return search.toBeat === null
    ? endFirstRun(counted, settings, timeIsUp)
    : compareRuns(counted, settings, search.toBeat, timeIsUp);
}

/**
 * The epochs of the present cycle as the scheduler counts them. In the first cycle the first epoch is none:
 * so it is in the original, and the learning rates of a run should come out the same.
 */
function scheduledEpochs(state: TrackerState): number {
  return epochsInCycle(state) - (state.switchEpochs.length === 0 ? 1 : 0);
}

/** How many epochs up to the newest one had its learning rate, within the present cycle. */
function epochsAtRate({ history, switchEpochs }: TrackerState): number {
  const present = history.at(-1)?.learningRate;
  const cycle = history.slice(switchEpochs.at(-1) ?? 0);
  return cycle.length - 1 - cycle.findLastIndex(({ learningRate }) => learningRate !== present);
}

function countChange(turn: Turn, epochs: number): Turn {
  const { state } = turn;
  const rateChanges = state.rateChanges + 1;
  const longestWait = Math.max(state.longestWait, epochsAtRate(state));
  const counted = change(turn, { rateChanges, longestWait });
  const { search } = state;
  if (search === null || rateChanges !== search.bound || rateChanges !== search.skip + 1) return counted;
  return change(counted, { search: { ...search, comparisonEpochs: epochs } });
}

/** Sets a first run aside for a lower start, if it has come to its end. */
function endFirstRun(turn: Turn, settings: GrowthSettings, timeIsUp: boolean): Turn {
  const { search, rateChanges, cycleBest } = turn.state;
  if (search === null || cycleBest === null) return turn;
  const changes = rateChanges - search.skip;
  if (changes < 2 && !timeIsUp) return turn;
  const noted = noteRun(turn, search, settings);
  if (changes < 1) return finish(noted); // it met no rate to start from

  const skip = search.skip + 1;
  const { startRate } = noted.state.ratesTried.at(-1)!;
  const toBeat = { score: cycleBest.score, startRate, rateChanges };
  const restarted = restart(save(noted, "run"), skip);
  return tell(change(restarted, { search: { ...search, skip, toBeat } }), {
    type: "next_rate",
    dendrite: turn.state.dendrites,
    startRate,
    score: cycleBest.score,
    skip,
    from: restarted.state.history.length,
  });
}

/** Decides between a second run and the one before it. */
function compareRuns(
  turn: Turn,
  settings: GrowthSettings,
  toBeat: NonNullable<RateSearch["toBeat"]>,
  timeIsUp: boolean,
): Turn {
  const { search, rateChanges, cycleBest, dendrites } = turn.state;
  if (search === null || cycleBest === null) return turn;
  const noted = noteRun(turn, search, settings);
  const run = noted.state.ratesTried.at(-1)!;
  const worse = isBetter(toBeat.score, cycleBest.score, settings);
  // Up to the bound a lower start is worth a try if it costs nothing, beyond it only if it gains something:
  // a schedule that goes on changing must not be followed down for ever.
  const goOn = search.skip < search.bound || improves(cycleBest.score, toBeat.score, settings, dendrites);
  const result = worse ? "worse" : timeIsUp || !goOn ? "chosen" : "not_worse";
  const told = tell(noted, {
    type: "rates_compared",
    startRate: run.startRate,
    score: cycleBest.score,
    previous: { startRate: toBeat.startRate, score: toBeat.score },
    sameRate: rateChanges === toBeat.rateChanges,
    result,
  });
  if (result === "not_worse") return change(told, { search: { ...search, toBeat: null } });
  return finish(worse ? restore(told, "run") : told);
}

/** The run in hand is the one that goes on. It gets its whole patience, and its rivals can be forgotten. */
function finish(turn: Turn): Turn {
  const { history, snapshots } = turn.state;
  const { switch: _grown, run: _rival, ...lasting } = snapshots;
  return change(turn, { search: null, patienceFrom: history.length, snapshots: lasting });
}

/** Notes what the present run has reached, in place of what was noted of it before. */
function noteRun(turn: Turn, { skip, toBeat }: RateSearch, settings: GrowthSettings): Turn {
  const { dendrites: dendrite, failedTries, history, switchEpochs, cycleBest, ratesTried } = turn.state;
  const attempt = failedTries + 1;
  const startRate = history[switchEpochs.at(-1) ?? 0]?.learningRate ?? null;
  const score = cycleBest?.score ?? null;
  const kept = toBeat === null || (score !== null && !isBetter(toBeat.score, score, settings));
  const others = ratesTried.flatMap((other) => {
    if (other.dendrite !== dendrite || other.attempt !== attempt) return [other];
    return other.skip === skip ? [] : [{ ...other, kept: other.kept && !kept }];
  });
  const run: RateTried = { dendrite, attempt, skip, startRate, score, kept };
  return change(turn, { ratesTried: [...others, run] });
}
