// What runs networks where nobody says otherwise.

export { nodeEngine as defaultEngine } from "./node.ts";
