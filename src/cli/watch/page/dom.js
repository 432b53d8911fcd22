// Elements of the page. Whatever comes from a run is put in as text, never as markup.

export const byId = (id) => document.getElementById(id);

/**
 * Makes an element.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} attributes "on…" are listeners; null and false are left out, true stands without a value;
 *   "aria-…" have both as words
 * @param {...(Node | string | null)} content
 */
export function element(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    const isState = name.startsWith("aria-");
    if (value === null || (value === false && !isState)) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (isState) made.setAttribute(name, String(value));
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...content.filter((each) => each !== null));
  return made;
}

const shown = new Map();

/**
 * Fills the element called `id` anew, unless it shows the same already. What has the focus keeps it, by its `data-key`.
 *
 * @param {string} id
 * @param {unknown} state what the content follows from: plain data
 * @param {() => (Node | string)[]} make
 */
export function fill(id, state, make) {
  const text = JSON.stringify(state);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  const holder = byId(id);
  const focused = holder.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  holder.replaceChildren(...make());
  if (focused === undefined) return;
  [...holder.querySelectorAll("[data-key]")].find(({ dataset }) => dataset.key === focused)?.focus();
}
