// What each dendrite does: its share of its module's output, what the score is without it, and which examples move it.

import { sizeOf, type Tensor } from "../base/tensor.ts";
import type { Batches } from "../data/batches.ts";
import { type Batch, type Dataset, sizeOfBatch } from "../data/dataset.ts";
import { type Some, type SomeOptions, someOf } from "../data/some.ts";
import { countsIn } from "../dendrites/counts.ts";
import { type Chosen, removed, silenced } from "../dendrites/removal.ts";
import type { Site } from "../dendrites/site.ts";
import type { Value } from "../graph/graph.ts";
import { isStatic } from "../graph/shape.ts";
import type { Metric } from "../nn/metrics.ts";
import { pictureOf, rangeOf } from "../report/bitmap.ts";
import type { Explanation, ModuleExplanation, NeuronKernels } from "../report/explanation.ts";
import { type Contribution, measureContributions } from "./contributions.ts";
import type { GrowingNetwork } from "./network.ts";
import { scoringOf, type TrainingParts } from "./parts.ts";

/** What dendrites are explained on. */
export interface ExplainOptions extends SomeOptions {
  /** Called as the examples are gone through, again and again. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Examples that are shown for each dendrite. */
const SHOWN = 8;

/** The score of a network that does not hear some of its dendrites: one compiled program, whose inputs the weights are. */
export function ablation(
  network: GrowingNetwork,
  metric: Metric | null,
  values: ReadonlyMap<string, Tensor>,
  source: Iterable<Batch>,
): (chosen: Chosen) => Promise<number> {
  return (chosen) => network.evaluate(source, metric, silenced(values, chosen));
}

/** Explains the network as it now stands, by its own metric. */
export async function explainNetwork(
  network: GrowingNetwork,
  parts: TrainingParts,
  data: Dataset | Batches,
  options: ExplainOptions,
): Promise<Explanation> {
  const some = someOf(data, options);
  const snapshot = await network.snapshot();
  const { values } = snapshot;
  const counts = countsIn(values);
  const sites = parts.sites.filter(({ id }) => counts.has(id));
  const all = (id: string): Chosen =>
    new Map([[id, new Set(Array.from({ length: counts.get(id)! }, (_, j) => j))]]);
  const total = sites.length === 0 ? 1 : 4 + sites.reduce((sum, { id }) => sum + 1 + counts.get(id)!, 0);
  let passes = 0;
  const passed = <T>(value: T): T => {
    options.onProgress?.(++passes, total);
    return value;
  };
  const ablate = ablation(network, parts.metric, values, some.batches);
  const without = async (chosen: Chosen) => passed(await ablate(chosen));

  const score = await without(new Map());
  const none = new Map(sites.flatMap(({ id }) => [...all(id)]));
  const scoreWithout = sites.length === 0 ? score : await without(none);
  const contributions =
    sites.length === 0
      ? new Map<string, readonly Contribution[]>()
      : await measureContributions(parts, snapshot, some.batches, () => passed(null));
  const image = imageOf(parts.base.inputs);
  const modules: ModuleExplanation[] = [];
  for (const site of sites) {
    const { id, type } = site;
    const found = contributions.get(id)!;
    const dendrites = [];
    for (const [j, { share, moves }] of found.entries()) {
      const chosen = new Map([[id, new Set([j])]]);
      const parameters = numbersOf(values) - numbersOf(removed(values, chosen));
      // Rows that are no examples, such as steps in time, have no place.
      const told = moves.length === some.positions.length;
      const examples = told ? strongest(moves).map((at) => some.positions[at]!) : [];
      dendrites.push({ parameters, share, scoreWithout: await without(chosen), examples });
    }
    const kernels = image && kernelsOf(site, image, values, found, some.positions);
    modules.push({
      id,
      type,
      parameters: numbersOf(values) - numbersOf(removed(values, all(id))),
      share: found.reduce((sum, { share }) => sum + share, 0),
      scoreWithout: dendrites.length === 1 ? dendrites[0]!.scoreWithout : await without(all(id)),
      dendrites,
      ...(kernels && { kernels }),
    });
  }
  const { metric, maximize } = scoringOf(parts, parts.metric);
  const examples = some.positions.length;
  const pictures = image ? picturesOf(image, some, modules) : {};
  options.onProgress?.(total, total);
  return { metric, maximize, examples, of: some.of, score, scoreWithout, modules, pictures };
}

function numbersOf(values: ReadonlyMap<string, Tensor>): number {
  return [...values.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function strongest(moves: Float64Array): number[] {
  return Array.from(moves, (_, at) => at)
    .sort((a, b) => moves[b]! - moves[a]! || a - b)
    .slice(0, SHOWN);
}

/** An image that a network reads. */
interface Image {
  readonly input: Value;
  readonly shape: readonly [channels: number, height: number, width: number];
}

/** The input that holds images, grey ones or coloured ones. */
function imageOf(inputs: readonly Value[]): Image | null {
  for (const input of inputs) {
    const [, channels, height, width, ...more] = input.shape;
    if (channels !== 1 && channels !== 3) continue;
    if (height === undefined || width === undefined || more.length > 0) continue;
    if (isStatic(height) && isStatic(width)) return { input, shape: [channels, height, width] };
  }
  return null;
}

/** The kernels of a convolution that reads the image itself. */
function kernelsOf(
  site: Site,
  image: Image,
  values: ReadonlyMap<string, Tensor>,
  found: readonly Contribution[],
  positions: ArrayLike<number>,
): ModuleExplanation["kernels"] | undefined {
  const { id, input, channels, parameters, names } = site;
  const weight = parameters.find(({ rank }) => rank === 4);
  const [outputs, inputs, height, width] = weight?.shape ?? [];
  if (input !== image.input || !weight || outputs !== channels || inputs !== image.shape[0]) return undefined;
  const name = names.get(weight)!;
  const shape = [inputs, height as number, width as number] as const;
  const own = (tensor: Tensor, n: number) => {
    const size = sizeOf(shape);
    return slice(tensor.toNumbers(), n * size, size);
  };
  const outputWeights = values.get(`${id}.dendrites.output`)!.toNumbers();
  const neurons = Array.from(
    { length: channels },
    (_, n): NeuronKernels => ({
      kernel: own(values.get(weight.name)!, n),
      dendrites: found.map(({ strongest }, j) => ({
        kernel: own(values.get(`${id}.dendrites.${j}.${name}`)!, n),
        outputWeight: outputWeights[j * channels + n]!,
        example: positions[strongest[n]!]!,
      })),
    }),
  );
  return { shape, neurons };
}

/** The examples that an explanation names. */
function picturesOf(
  { input, shape }: Image,
  { batches, positions }: Some,
  modules: readonly ModuleExplanation[],
): Record<string, string> {
  const named = new Set(
    modules.flatMap(({ dendrites, kernels }) => [
      ...dendrites.flatMap(({ examples }) => examples),
      ...(kernels?.neurons.flatMap((neuron) => neuron.dendrites.map(({ example }) => example)) ?? []),
    ]),
  );
  const pictures: Record<string, string> = {};
  const size = sizeOf(shape);
  let at = 0;
  for (const batch of batches) {
    const numbers = batch[input.name]!.toNumbers();
    for (let i = 0; i < sizeOfBatch(batch); i++, at++) {
      if (!named.has(positions[at]!)) continue;
      const pixels = slice(numbers, i * size, size);
      pictures[positions[at]!] = pictureOf(pixels, shape, rangeOf(pixels));
    }
  }
  return pictures;
}

function slice(numbers: ArrayLike<number>, start: number, length: number): number[] {
  return Array.from({ length }, (_, i) => numbers[start + i]!);
}
