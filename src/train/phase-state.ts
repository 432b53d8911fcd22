// What a saved dendrite phase must hold to be gone on with.

import { Random } from "../base/random.ts";
import type { Tensor } from "../base/tensor.ts";
import { candidateId } from "../dendrites/candidates.ts";
import { nodesBehind } from "../graph/graph.ts";
import { candidateState, withCandidates } from "./candidate-step.ts";
import { MEASURED, type PhaseState } from "./dendrite-phase.ts";
import type { CorrelationParts, NetworkParts, Snapshot } from "./network.ts";
import { SiteCandidates } from "./site-candidates.ts";
import { keptName } from "./step.ts";

/** What a saved phase of a network lacks, and what has another type or shape there. */
export function phaseMisfits(
  { standing, tensors }: PhaseState,
  network: Snapshot,
  parts: NetworkParts & { readonly correlation: CorrelationParts },
): string[] {
  if (standing.dendrite !== network.dendrites + 1) {
    return [`it is of dendrite ${standing.dendrite}, and the network has ${network.dendrites}`];
  }
  return [...expected(standing.progress.epochs > 0, network, parts)].flatMap(([name, wanted]) => {
    const found = tensors.get(name);
    if (found && `${found}` === `${wanted}`) return [];
    return [`${name} ${found ? `is ${found}, wanted ${wanted}` : "is missing"}`];
  });
}

/** By name tensors of the types and shapes that a phase has. `begun`: whether an epoch of learning is over. */
function expected(
  begun: boolean,
  { dendrites, values }: Snapshot,
  parts: NetworkParts & { readonly correlation: CorrelationParts },
): Map<string, Tensor> {
  const { correlation } = parts;
  const draw = () => Random.stream(0, "");
  const grown = withCandidates(parts, { dendrites, values, draw }, correlation);
  const state = candidateState(grown);
  const wanted = new Map(state);
  const outputs = grown.sites.flatMap(({ places }) => places.flatMap(({ candidates }) => candidates));
  const read = new Set(nodesBehind(outputs).flatMap(({ inputs }) => inputs));
  for (const parameter of grown.graph.parameters) {
    if (!state.has(parameter.name) || !read.has(parameter)) continue;
    for (const key of Object.keys(correlation.optimizer.state)) {
      wanted.set(keptName(parameter.name, key), parameter.data!);
    }
  }
  for (const site of parts.sites) {
    for (const [name, tensor] of new SiteCandidates(site, correlation).state()) {
      wanted.set(MEASURED + name, tensor);
    }
    const first = `${candidateId(site, 0)}.`;
    for (const [name, tensor] of begun ? state : []) {
      if (name.startsWith(first))
        wanted.set(`${MEASURED}${site.id}.best.${name.slice(first.length)}`, tensor);
    }
  }
  return wanted;
}
