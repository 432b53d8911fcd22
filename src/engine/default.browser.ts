// What runs networks in a browser where nobody says otherwise.

export { webEngine as defaultEngine } from "./web.ts";
