// Parts of the report page: sections, cards, tables.

import { type Content, html, type Markup } from "./markup.ts";

/** A part of the page under a heading. */
export function section(title: string, ...content: Content[]): Markup {
  return html`<section><h2>${title}</h2>${content}</section>`;
}

/** A column of a table. */
export interface Column<Row> {
  header: string;
  value: (row: Row) => Content;
  number?: boolean;
}

/** Rows under a header, which goes where no column has one. The first column names the rows. */
export function table<Row>(
  rows: readonly Row[],
  columns: Column<Row>[],
  rowClass: (row: Row) => string = () => "",
): Markup {
  const side = (column: Column<Row>) => column.number && html` class="number"`;
  const head = columns.map((c, i) => html`<th scope="col"${i > 0 && side(c)}>${c.header}</th>`);
  const body = rows.map((row) => {
    const cells = columns.map((c, i) =>
      i === 0 ? html`<th scope="row">${c.value(row)}</th>` : html`<td${side(c)}>${c.value(row)}</td>`,
    );
    const name = rowClass(row);
    return html`<tr${name !== "" && html` class="${name}"`}>${cells}</tr>\n`;
  });
  const headed = columns.some((c) => c.header !== "") && html`<thead><tr>${head}</tr></thead>`;
  return html`<table>${headed}<tbody>\n${body}</tbody></table>`;
}

/** Something that may be wider than the page. */
export const card = (content: Content) => html`<div class="card wide">${content}</div>`;

/** A picture that has one form for wide pages and one for narrow ones. */
export function chartOf(name: string, draw: (width: number) => Content): Markup {
  return html`<section class="chart" aria-label="${name}"><div class="broad">${draw(960)}</div><div class="tall">${draw(400)}</div></section>`;
}
