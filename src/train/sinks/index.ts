// The public names of this folder: trackers that `fit` tells of a training.

export { jsonLines } from "./json-lines.ts";
export { type MlflowOptions, mlflow } from "./mlflow.ts";
export { tensorBoard } from "./tensorboard.ts";
