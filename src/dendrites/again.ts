// Where the dendrites of a network were before it was taken apart.

import { ArborizeError } from "../base/errors.ts";
import type { Detached } from "./detach.ts";
import type { Selection } from "./selection.ts";
import type { Site } from "./site.ts";
import { inspectLeniently } from "./sites.ts";

/**
 * The sites of a network that had dendrites: the modules that it names, with their normalization where the dendrites have
 * one. Of a selection, rules and blocks between values count: files don't say those.
 *
 * @throws `invalid_graph` naming a module whose dendrites don't fit it.
 */
export function sitesAgain({ base, modules, values }: Detached, { blocks, rules }: Selection): Site[] {
  const between = blocks?.filter((block) => typeof block !== "string") ?? [];
  const asked = { types: [], modules, blocks: between, ...(rules && { rules }) };
  const verdicts = [true, false].flatMap((withNormalization) =>
    inspectLeniently(base, { ...asked, withNormalization }),
  );
  return modules.map((id) => {
    const first = `${id}.dendrites.0.`;
    const wanted = [...values.keys()].filter((name) => name.startsWith(first)).sort();
    const own = verdicts.filter((verdict) => verdict.id === id);
    const site = own.find(
      (verdict) => verdict.site && namesOf(verdict.site, first).join() === wanted.join(),
    )?.site;
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
function namesOf({ names, parameters, statistics }: Site, first: string): string[] {
  const read = [...statistics].flatMap(([statistic, start]) => (start === null ? [] : [statistic]));
  return [...parameters, ...read].map((weight) => first + names.get(weight)).sort();
}
