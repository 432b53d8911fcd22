// Layers under the names they are exported by, whatever a bundler that shortens names has called their classes: dendrites find
// their places by them.

import * as layers from "./layers/index.ts";
import * as models from "./models/index.ts";
import { Module } from "./module.ts";

for (const [name, made] of [["Module", Module], ...Object.entries(layers), ...Object.entries(models)]) {
  if (typeof made === "function" && (made === Module || made.prototype instanceof Module))
    Object.defineProperty(made, "name", { value: name });
}
