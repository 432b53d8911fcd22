import { describe, it } from "vitest";
import { checkGradient } from "../../test/support/checkGradient.ts";
import { Tensor } from "../base/tensor.ts";
import * as op from "./index.ts";

describe("MaxUnpool, which MaxPool's gradient is made of", () => {
  it("has a gradient of its own", () =>
    checkGradient({
      inputs: [{ shape: [2, 1, 2, 2] }],
      build: (y) => {
        // Places in the whole of [2, 1, 4, 4], one in each window of 2 x 2.
        const indices = y.graph.constant(Tensor.of([2, 1, 2, 2], [1, 6, 8, 15, 16, 19, 29, 30], "int64"));
        const sizes = op.int64s(y, [2, 1, 4, 4]);
        return op.maxUnpoolOp.emit([y, indices, sizes], { kernel_shape: [2, 2], strides: [2, 2] }).output;
      },
      precision: "linear",
    }));
});
