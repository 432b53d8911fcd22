// Networks that are known by name.

export * from "./bert.ts";
export * from "./cnn.ts";
export * from "./lenet.ts";
export * from "./resnet.ts";
export * from "./tabular.ts";
export { UNet, type UNetOptions } from "./unet.ts";
