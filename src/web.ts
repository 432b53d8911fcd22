// The public names in a browser, `arborize/web`. Everything exported here is covered by semantic versioning.

export * from "./anywhere.ts";
export * as data from "./data/anywhere.ts";
export { type WebEngineOptions, webEngine } from "./engine/web.ts";
