// The public `nn`: PyTorch's torch.nn.

import "./methods.ts";
import "./names.ts";

export * as functional from "./functional/index.ts";
export * as init from "./init.ts";
export * from "./layers/index.ts";
export * as models from "./models/index.ts";
export {
  Buffer,
  Module,
  type Outputs,
  Parameter,
  type StateDictReport,
  type TraceOptions,
  trace,
} from "./module.ts";
export { replaceModules } from "./replace.ts";
