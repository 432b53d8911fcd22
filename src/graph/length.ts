// Lengths of axes: numbers, or formulas of symbols in a canonical form, so that equal lengths are equal strings.

import { ArborizeError } from "../base/errors.ts";

/**
 * The length of one axis: a number, or a formula of symbols such as `"batch"`, `"576*batch"`, `"batch*time"`, `"2*time+1"` or
 * `"floor((time+1)/2)"`. The operations below give canonical formulas; a symbol by itself is one.
 */
export type Dim = number | string;

/** A sum: the factor of each product of atoms, by the atoms joined with "*"; the constant's are none. */
type Sum = ReadonlyMap<string, number>;

const CONSTANT = "";

/** Whether the length is known when the graph is built. */
export function isStatic(dim: Dim): dim is number {
  return typeof dim === "number";
}

/** The sum of two lengths. */
export function addDims(a: Dim, b: Dim): Dim {
  if (isStatic(a) && isStatic(b)) return a + b;
  return format(sumOf([...parse(a), ...parse(b)]));
}

/** `a - b`. */
export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(b, -1));
}

/** The product of two lengths. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (isStatic(a) && isStatic(b)) return a * b;
  const [left, right] = [[...parse(a)], [...parse(b)]];
  if (left.length * right.length > MOST_TERMS) throw tooLong(`(${a})*(${b})`);
  const terms = left.flatMap(([p, x]) => right.map(([q, y]): [string, number] => [joined(p, q), x * y]));
  return format(sumOf(terms));
}

/** `a / b` where it is a whole number for every value of the symbols, else `undefined`. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (a === b && a !== 0) return 1;
  const [x, y] = [parse(a), [...parse(b)]];
  if (y.length !== 1) return multipleOf(x, y);
  const [atoms, factor] = y[0]!;
  const terms: [string, number][] = [];
  for (const [product, times] of x) {
    const rest = without(product, atoms);
    if (rest === undefined || !Number.isInteger(times / factor)) return undefined;
    terms.push([rest, times / factor]);
  }
  return format(sumOf(terms));
}

/** `a / b` rounded down, for a whole number `b` from 1. */
export function floorDivide(a: Dim, b: number): Dim {
  if (isStatic(a)) return Math.floor(a / b);
  // What b divides comes out; of the constant, all but a rest from 0.
  const whole: [string, number][] = [];
  const rest: [string, number][] = [];
  for (const [product, times] of parse(a)) {
    const out = product === CONSTANT ? Math.floor(times / b) : Math.trunc(times / b);
    whole.push([product, out]);
    rest.push([product, times - out * b]);
  }
  const left = format(sumOf(rest));
  if (isStatic(left)) return format(sumOf(whole));
  return format(sumOf([...whole, [`floor((${left})/${b})`, 1]]));
}

/** `a / b` rounded up, for a whole number `b` from 1. */
export function ceilDivide(a: Dim, b: number): Dim {
  return floorDivide(addDims(a, b - 1), b);
}

/** Whether a length is known to be at least `least`, every symbol being at least 1. */
export function isAtLeast(dim: Dim, least: number): boolean {
  if (isStatic(dim)) return dim >= least;
  let total = 0;
  for (const [product, times] of parse(dim)) {
    if (product !== CONSTANT && times < 0) return false;
    // A quotient may be 0.
    total += product.includes("floor(") ? 0 : times;
  }
  return total >= least;
}

/** The symbols in a length. */
export function symbolsOf(dim: Dim): string[] {
  if (isStatic(dim)) return [];
  const names = dim.match(SYMBOL) ?? [];
  return names.filter((name) => name !== "floor");
}

/** What a symbol may be called; other names become one by `symbolOf`. */
const SYMBOL = /[A-Za-z_][A-Za-z0-9_.]*/g;

/** A name from elsewhere as a symbol that formulas can hold. */
export function symbolOf(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.]/g, "_");
  return /^[A-Za-z_]/.test(plain) && plain !== "floor" ? plain : `_${plain}`;
}

/**
 * How lengths that come from elsewhere are read, given all of them: `"time+1"` is a formula where `"time"` is a length too.
 * What is none is the name of a symbol, whatever its characters: `"batch-size"` becomes `"batch_size"`.
 */
export function lengthReader(texts: readonly string[]): (text: string) => Dim {
  const symbols = new Set(texts.filter((text) => symbolOf(text) === text));
  return (text) => {
    const bare = text.replace(/\s/g, "");
    const known = symbolsOf(bare);
    const formula = known.length > 0 && known.every((symbol) => symbols.has(symbol)) && isFormula(bare);
    return formula ? addDims(bare, 0) : symbolOf(text);
  };
}

/** Whether a text has no other signs than formulas have. */
function isFormula(text: string): boolean {
  return /^[A-Za-z0-9_.+*-]+$/.test(text.replace(/floor\(\(|\)\/\d+\)/g, ""));
}

/**
 * A length in numbers, given those of its symbols.
 *
 * @throws `shape_mismatch` when a symbol is not among them.
 */
export function resolveDim(dim: Dim, lengths: ReadonlyMap<string, number>): number {
  if (isStatic(dim)) return dim;
  let total = 0;
  for (const [product, times] of parse(dim)) {
    total += atomsOf(product).reduce((value, atom) => value * resolveAtom(atom, dim, lengths), times);
  }
  return total;
}

function resolveAtom(atom: string, dim: Dim, lengths: ReadonlyMap<string, number>): number {
  const quotient = QUOTIENT.exec(atom);
  if (quotient) return Math.floor(resolveDim(quotient[1]!, lengths) / Number(quotient[2]));
  const length = lengths.get(atom);
  if (length !== undefined) return length;
  throw new ArborizeError("shape_mismatch", `The length "${dim}" does not follow from the batch.`);
}

const QUOTIENT = /^floor\(\((.*)\)\/(\d+)\)$/;

/** Equal products together, those that cancel left out. */
function sumOf(terms: Iterable<readonly [string, number]>): Sum {
  const sum = new Map<string, number>();
  for (const [product, factor] of terms) sum.set(product, (sum.get(product) ?? 0) + factor);
  for (const [product, factor] of sum) if (factor === 0) sum.delete(product);
  return sum;
}

/** Products of sums, and powers, double with each step: formulas end here, and lengths must be numbers instead. */
const MOST_TERMS = 1000;
const LONGEST = 4000;

function tooLong(formula: string): ArborizeError {
  return new ArborizeError(
    "shape_mismatch",
    `the length ${formula.slice(0, 100)}… has too many terms to be followed; fix some of its axes to lengths`,
  );
}

function format(sum: Sum): Dim {
  const products = [...sum.keys()].filter((product) => product !== CONSTANT).sort();
  const constant = sum.get(CONSTANT) ?? 0;
  if (products.length === 0) return constant;
  const terms = products.map((product) => {
    const factor = sum.get(product)!;
    return factor === 1 ? product : factor === -1 ? `-${product}` : `${factor}*${product}`;
  });
  if (constant !== 0) terms.push(`${constant}`);
  const text = terms.reduce((before, term) => before + (term.startsWith("-") ? term : `+${term}`));
  if (text.length > LONGEST) throw tooLong(text);
  return text;
}

function parse(dim: Dim): Sum {
  if (isStatic(dim)) return new Map(dim === 0 ? [] : [[CONSTANT, dim]]);
  return sumOf(splitOutside(dim, /[+-]/).map(parseTerm));
}

function parseTerm(term: string): [string, number] {
  const sign = term.startsWith("-") ? -1 : 1;
  const atoms = atomsOf(term.replace(/^[+-]/, ""));
  const numbers = atoms.filter((atom) => /^\d+$/.test(atom)).map(Number);
  const rest = atoms.filter((atom) => !/^\d+$/.test(atom)).sort();
  return [rest.join("*"), numbers.reduce((a, b) => a * b, sign)];
}

/** Cuts a formula before each `separator` that is in no parentheses; the separators stay with what they start. */
function splitOutside(text: string, separator: RegExp): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (depth === 0 && separator.test(character) && parts.at(-1) !== "") parts.push("");
    parts[parts.length - 1] += character;
  }
  return parts;
}

const atomsOf = (product: string) =>
  splitOutside(product, /\*/).flatMap((part) => (part === "" ? [] : [part.replace(/^\*/, "")]));

const joined = (a: string, b: string) => [...atomsOf(a), ...atomsOf(b)].sort().join("*");

/** A product without the atoms of another, or undefined where one is missing. */
function without(product: string, atoms: string): string | undefined {
  const rest = atomsOf(product);
  for (const atom of atomsOf(atoms)) {
    const at = rest.indexOf(atom);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return rest.join("*");
}

/** The number k with `a = k b`, of sums of several terms. */
function multipleOf(a: Sum, b: readonly (readonly [string, number])[]): number | undefined {
  const [first] = b;
  if (!first) return undefined;
  const k = (a.get(first[0]) ?? 0) / first[1];
  const same = a.size === b.length && b.every(([product, factor]) => a.get(product) === k * factor);
  return same && Number.isInteger(k) ? k : undefined;
}
