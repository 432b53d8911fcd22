// Elements of a picture, made without a browser. The few types stand in for TypeScript's DOM library, which a
// library for Node leaves out.

import { parseHTML } from "linkedom";

/** An element as far as it is used here. */
export interface SvgElement {
  readonly tagName: string;
  readonly children: Iterable<SvgElement>;
  readonly outerHTML: string;
  textContent: string | null;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  append(child: SvgElement): void;
}

/** A document as far as it is used here; Plot uses more of it. */
export interface SvgDocument {
  createElementNS(namespace: string, tag: string): SvgElement;
}

/** Attributes by name. */
export type Attributes = Record<string, string | number>;

const namespace = "http://www.w3.org/2000/svg";

/** A picture under construction: an `<svg>` and the document that its elements come from. */
export class Canvas {
  readonly document: SvgDocument;
  readonly svg: SvgElement;

  constructor(attributes: Attributes) {
    this.document = parseHTML("<html></html>").document as unknown as SvgDocument;
    this.svg = this.#create("svg", { xmlns: namespace, ...attributes });
  }

  /** Appends an element to the picture, or to another element. */
  add(tag: string, attributes: Attributes = {}, parent: SvgElement = this.svg): SvgElement {
    const element = this.#create(tag, attributes);
    parent.append(element);
    return element;
  }

  /** Appends a text whose baseline begins at (x, y). */
  text(x: number, y: number, text: string, attributes: Attributes): SvgElement {
    const element = this.add("text", { x, y, ...attributes });
    element.textContent = text;
    return element;
  }

  /** Takes over what a plot drew, at (x, y). Plot's own `<svg>` and style sheet are for a picture on its own. */
  embed(plot: SvgElement, x: number, y: number): void {
    const group = this.add("g", { transform: `translate(${x},${y})` });
    for (const name of ["fill", "font-size", "text-anchor"]) {
      const value = plot.getAttribute(name);
      if (value !== null) group.setAttribute(name, value);
    }
    for (const child of [...plot.children]) if (child.tagName.toLowerCase() !== "style") group.append(child);
  }

  /** The picture as text, with a line end. */
  toString(): string {
    return stableIds(`${this.svg.outerHTML.replace(forbidden, "\ufffd")}\n`);
  }

  #create(tag: string, attributes: Attributes): SvgElement {
    const element = this.document.createElementNS(namespace, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    return element;
  }
}

/** What XML has no way to write. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is for
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

const idPattern = /(id="|url\(#)(plot-clip-\d+)/g;

/**
 * Plot numbers its clip paths across all plots of the process. Here they are named after the picture they belong
 * to: the same picture gives the same text, and two pictures on one page don't share names.
 */
function stableIds(svg: string): string {
  const ids = [...new Set([...svg.matchAll(idPattern)].map((match) => match[2]))];
  const rename = (prefix: string) =>
    svg.replace(idPattern, (_, start, id) => start + prefix + ids.indexOf(id));
  let hash = 0x811c9dc5; // FNV-1a
  for (const character of rename("")) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  return rename(`arborize-${hash.toString(36)}-`);
}
