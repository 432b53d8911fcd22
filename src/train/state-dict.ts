// State dicts and networks with dendrites: whether they fit, and what training starts from.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { Tensor } from "../base/tensor.ts";
import { attachDendrites } from "../dendrites/attach.ts";
import { countsFor, countsIn } from "../dendrites/counts.ts";
import { grownText } from "../report/format.ts";
import type { NetworkParts, Snapshot } from "./network.ts";

type Places = Pick<NetworkParts, "base" | "sites">;

/** What a network must have to be that of a snapshot, by name; values of dendrites are none that matter. */
function stateOf({ dendrites, values }: Snapshot, { base, sites }: Places): Map<string, Tensor> {
  const count = countsFor(dendrites, sites, values);
  return attachDendrites(base, { sites, count, random: () => Random.stream(0, "") }).state;
}

/** What values lack of a network's state with so many dendrites, and what has another type or shape there. */
export function misfits(snapshot: Snapshot, places: Places): string[] {
  return [...stateOf(snapshot, places)].flatMap(([key, wanted]) => {
    const found = snapshot.values.get(key);
    if (found && `${found}` === `${wanted}`) return [];
    return [`${key} ${found ? `is ${found}, wanted ${wanted}` : "is missing"}`];
  });
}

/** Problems as lines of an error, not too many. */
export function listed(problems: readonly string[]): string {
  const shown =
    problems.length > 6 ? [...problems.slice(0, 6), `… and ${problems.length - 6} more`] : problems;
  return shown.join("\n  ");
}

/**
 * What a network starts from that is given a state dict: as many dendrites as it has weights for.
 *
 * @throws `bad_data` naming what is missing, of another shape, or not the network's.
 */
export function startFrom(values: ReadonlyMap<string, Tensor>, places: Places): Snapshot {
  const counts = countsIn(values);
  const start = { dendrites: Math.max(0, ...counts.values()), values };
  const own = stateOf(start, places);
  const unexpected = [...values.keys()].filter((name) => !own.has(name));
  const problems = [
    ...misfits(start, places),
    ...unexpected.map((name) => `${name} is not in the network.${didYouMean(name, own.keys())}`),
  ];
  if (problems.length === 0) return start;
  throw new ArborizeError(
    "bad_data",
    `The state does not fit "${places.base.name}" with ${grownText([...counts])}:\n  ${listed(problems)}`,
  );
}
