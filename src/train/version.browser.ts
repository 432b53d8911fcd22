// What `version.ts` says in a browser, which has no package.json to look into.

/** Nothing is known. */
export function version(): null {
  return null;
}
