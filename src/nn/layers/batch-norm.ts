// Batch normalization under PyTorch's names.

import { Tensor } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import { shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import { operand } from "../functional/operand.ts";
import { ones, zeros } from "../init.ts";
import { Buffer, Module, Parameter, Trace } from "../module.ts";

/** Options of the batch normalizations. */
export interface BatchNormOptions {
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
  /** The share of the batch in a new running statistic. Default: 0.1. */
  readonly momentum?: number;
  /** Whether a learned scale and shift follow. Default: true. */
  readonly affine?: boolean;
}

/**
 * Normalizes each channel: in training by the mean and variance of the batch, which also go into running statistics, in
 * evaluation by those.
 */
abstract class BatchNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly running_mean: Buffer;
  readonly running_var: Buffer;
  /** How many batches the running statistics have seen. */
  readonly num_batches_tracked: Buffer;

  /** Number of axes that the input may have. */
  protected abstract readonly ranks: readonly number[];

  constructor(numFeatures: number, { eps = 1e-5, momentum = 0.1, affine = true }: BatchNormOptions = {}) {
    super();
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter([numFeatures], ones) : null;
    this.bias = affine ? new Parameter([numFeatures], zeros) : null;
    this.running_mean = new Buffer(Tensor.zeros([numFeatures]));
    this.running_var = new Buffer(Tensor.full([numFeatures], 1));
    this.num_batches_tracked = new Buffer(Tensor.zeros([], "int64"));
  }

  forward(x: Value): Value {
    expectShape(
      this.ranks.includes(x.rank) && x.shape[1] === this.numFeatures,
      () =>
        `${this.constructor.name} wants ${this.numFeatures} channels on axis 1 of ${this.ranks.join(" or ")}, it got ${shapeText(x.shape)}`,
    );
    const trace = Trace.of(x.graph);
    const constant = (value: number) => x.graph.constant(Tensor.full([this.numFeatures], value, x.dtype));
    const scale = this.weight ? operand(x, this.weight) : constant(1);
    const bias = this.bias ? operand(x, this.bias) : constant(0);
    const running = [this.running_mean, this.running_var].map((buffer) => trace.valueOf(buffer));
    // PyTorch's momentum is the share of the batch, ONNX's that of what was before.
    const attributes = { epsilon: this.eps, momentum: 1 - this.momentum, training_mode: 1 };
    const node = x.graph.add(op.batchNormalizationOp, [x, scale, bias, ...running], attributes);
    trace.update(this.running_mean, node.outputs[1]!);
    trace.update(this.running_var, node.outputs[2]!);
    const batches = trace.valueOf(this.num_batches_tracked);
    trace.update(this.num_batches_tracked, op.add(batches, op.scalar(batches, 1)));
    return node.output;
  }
}

/** `[B, C]` or `[B, C, L]`, by channel. */
export class BatchNorm1d extends BatchNorm {
  protected override get ranks() {
    return [2, 3];
  }
}

/** `[B, C, H, W]`, by channel. */
export class BatchNorm2d extends BatchNorm {
  protected override get ranks() {
    return [4];
  }
}

/** `[B, C, D, H, W]`, by channel. */
export class BatchNorm3d extends BatchNorm {
  protected override get ranks() {
    return [5];
  }
}
