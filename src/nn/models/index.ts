// Networks that are known by name.

export * from "./bert.ts";
export * from "./cnn.ts";
export { type DendriticKind, DendriticNet, type DendriticNetOptions } from "./dendritic.ts";
export {
  blockMask,
  type DendriticSizes,
  type Sampling,
  scatteredMask,
  synapseMask,
} from "./dendritic-masks.ts";
export * from "./lenet.ts";
export * from "./resnet.ts";
export * from "./tabular.ts";
export { UNet, type UNetOptions } from "./unet.ts";
