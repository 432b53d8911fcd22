// Where the dendrites of a network were before it was taken apart.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import type { Detached } from "./detach.ts";
import type { Selection } from "./selection.ts";
import type { Site } from "./site.ts";
import { inspectLeniently, type Verdict } from "./sites.ts";

/**
 * The sites of a network that had dendrites: the modules that it names, with their normalization where the dendrites have
 * one. Of a selection, rules and blocks between values count: files don't say those.
 *
 * @throws `invalid_graph` naming a module whose dendrites don't fit it.
 */
export function sitesAgain({ base, counts, values }: Detached, { blocks, rules }: Selection): Site[] {
  const modules = [...counts.keys()];
  const between = blocks?.filter((block) => typeof block !== "string") ?? [];
  const asked = { types: [], modules, blocks: between, ...(rules && { rules }) };
  const verdicts = [true, false].flatMap((withNormalization) =>
    inspectLeniently(base, { ...asked, withNormalization }),
  );
  // A weight that modules share is the first one's.
  const shared = new Set<Value>();
  return modules.map((id) => {
    const first = `${id}.dendrites.0.`;
    const wanted = [...values.keys()].filter((name) => name.startsWith(first)).sort();
    const own = verdicts.filter((verdict) => verdict.id === id);
    const fits = ({ site }: Verdict) => site && namesOf(site, first, shared).join() === wanted.join();
    const site = own.find(fits)?.site;
    for (const weight of site?.names.keys() ?? []) shared.add(weight);
    if (site) return site;
    const problem =
      own.find((verdict) => !verdict.site)?.reason ?? "its weights are not those of its dendrites";
    throw new ArborizeError(
      "invalid_graph",
      `"${base.name}" has dendrites on ${id} that cannot be found again: ${problem}. A block between two values, or with an output of its own choice, must be given again in the options of dendrites.`,
    );
  });
}

/** What the first dendrite of a site has. A file has no statistics that evaluation does not read. */
function namesOf(
  { names, parameters, statistics }: Site,
  first: string,
  shared: ReadonlySet<Value>,
): string[] {
  const read = [...statistics].flatMap(([statistic, start]) => (start === null ? [] : [statistic]));
  const own = [...parameters, ...read].filter((weight) => !shared.has(weight));
  return own.map((weight) => first + names.get(weight)).sort();
}
