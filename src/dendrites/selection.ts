// Which modules are asked to grow, to be left alone, or neither: the rules that users give.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import { matcher } from "../base/patterns.ts";
import * as layers from "../nn/layers/index.ts";
import type { SiteRule } from "./site.ts";

/** The classes of modules that grow dendrites when nothing else is asked for. */
export const DEFAULT_TYPES: readonly string[] = ["Linear", "Conv1d", "Conv2d", "Conv3d"];

/** What lies between two values, as one block. */
export interface BlockBetween {
  /** The name of the value that the block reads. */
  readonly from: string;
  /** The name of the value that it computes. */
  readonly to: string;
  /** What it is called, and its dendrites after it. Default: `to`. */
  readonly id?: string;
}

/**
 * Where dendrites grow. Modules are named by their dotted paths, in which `*` stands for any text, or by their classes. For a
 * module the first that fits counts: `track` by path, `modules` and `blocks` by path, `skip`, `track` by class, `types` and
 * `blocks` by class. What is in a module that grows, is tracked or skipped, is not asked for.
 */
export interface Selection {
  /** Classes of modules that grow. Default: Linear, Conv1d, Conv2d, Conv3d, and what grows as one, such as `nn.Block`. */
  readonly types?: readonly string[];
  /** Paths of modules that grow besides, each as one. */
  readonly modules?: readonly string[];
  /** Paths or classes of modules that grow besides as one, with all that is in them; or what lies between two values. */
  readonly blocks?: readonly (string | BlockBetween)[];
  /** Paths or classes of modules that deliberately have no dendrites. */
  readonly track?: readonly string[];
  /** Paths or classes of modules that are left out, like what nothing covers. */
  readonly skip?: readonly string[];
  /**
   * Whether a layer that grows takes along the normalization that alone reads it, so that each dendrite has its own.
   * Default: true.
   */
  readonly withNormalization?: boolean;
  /** What is asked of the dendrites of modules, by path or class. */
  readonly rules?: Readonly<Record<string, SiteRule>>;
}

/** What rules say of a module: what becomes of it, and which rule says so. */
export interface Ruling {
  readonly what: "grows" | "tracked" | "skipped";
  readonly reason: string;
  /** Whether it is named by its path or as a block, so that it must be possible. */
  readonly explicit: boolean;
}

/** Rules made ready to be asked. */
export class Rules {
  readonly #selection: Selection;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  /** What is asked of a module; undefined where nothing is. */
  of(id: string, type: string, growsAsOne: boolean): Ruling | undefined {
    const { types = DEFAULT_TYPES, modules = [], track = [], skip = [] } = this.#selection;
    const blocks = this.blockNames;
    const byPath = (patterns: readonly string[]) => patterns.find((pattern) => matcher(pattern)(id));
    const rulings: [Ruling["what"], string | undefined, string, boolean][] = [
      ["tracked", byPath(track), "track", false],
      ["grows", byPath(modules), "modules", true],
      ["grows", byPath(blocks), "blocks", true],
      ["skipped", byPath(skip) ?? skip.find((name) => name === type), "skip", false],
      ["tracked", track.find((name) => name === type), "track", false],
      ["grows", blocks.find((name) => name === type), "blocks", false],
      ["grows", types.find((name) => name === type), "types", false],
    ];
    const [what, name, option, byName] = rulings.find(([, given]) => given !== undefined) ?? [];
    const asked = this.#selection.types !== undefined;
    if (!what && growsAsOne && !asked)
      return { what: "grows", reason: `${type} grows as one`, explicit: false };
    if (!what) return undefined;
    const reason = option === "types" && !asked ? `${type} grows by default` : `${option} has "${name}"`;
    return { what, reason, explicit: byName === true && !name!.includes("*") };
  }

  /** The blocks that are named, not given by values. */
  get blockNames(): readonly string[] {
    return (this.#selection.blocks ?? []).filter((block) => typeof block === "string");
  }

  get blocksBetween(): readonly BlockBetween[] {
    return (this.#selection.blocks ?? []).filter((block) => typeof block !== "string");
  }

  get withNormalization(): boolean {
    return this.#selection.withNormalization ?? true;
  }

  /** What is asked of a module's dendrites: by its path first, then by its class. */
  ruleFor(id: string, type: string): SiteRule {
    const rules = Object.entries(this.#selection.rules ?? {});
    const byPath = rules.find(([pattern]) => matcher(pattern)(id));
    return (byPath ?? rules.find(([name]) => name === type))?.[1] ?? {};
  }

  /** @throws `bad_option` for a name that no module of a network has, as path or class. */
  check(network: string, modules: readonly { readonly id: string; readonly type: string }[]): void {
    const { types = [], modules: paths = [], track = [], skip = [], rules = {} } = this.#selection;
    const ids = modules.map(({ id }) => id);
    const classes = new Set(modules.map(({ type }) => type));
    const given: [option: string, names: readonly string[], paths: boolean, classes: boolean][] = [
      ["types", types, false, true],
      ["modules", paths, true, false],
      ["blocks", this.blockNames, true, true],
      ["track", track, true, true],
      ["skip", skip, true, true],
      ["rules", Object.keys(rules), true, true],
    ];
    for (const [option, names, asPath, asClass] of given) {
      for (const name of names) {
        if ((asClass && classes.has(name)) || (asPath && ids.some(matcher(name)))) continue;
        // Classes may be those of several networks, as long as they are classes.
        if (option === "types" && Object.hasOwn(layers, name)) continue;
        const kind = !asPath ? "of the class" : asClass ? "with the path or of the class" : "with the path";
        const known = [...(asPath ? ids : []), ...(asClass ? classes : [])];
        throw new ArborizeError(
          "bad_option",
          `dendrites.${option}: "${network}" has no module ${kind} "${name}".${didYouMean(name, known)}`,
        );
      }
    }
  }
}
