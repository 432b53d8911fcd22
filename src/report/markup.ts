// HTML as text: whatever is put into a template is escaped, unless it is markup itself.

/** Text that is HTML already. Only `html` and `trusted` make it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template; lists are joined, false and undefined leave nothing. */
export type Content = Markup | string | number | false | undefined | readonly Content[];

/** A template whose values are escaped, in text and in quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(parts.map((part, i) => part + textOf(i < values.length ? values[i] : "")).join(""));
}

/** Text that is known to be HTML, such as a chart. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function textOf(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(textOf).join("");
  return escapeText(String(content));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: HTML has no control characters but blanks and line ends
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

const escapeText = (text: string) =>
  text.replace(control, "\ufffd").replace(/[&<>"']/g, (character) => entities[character]!);
