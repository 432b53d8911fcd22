// TensorProto and Tensor. Bytes are shared both ways where alignment allows.

import { create } from "@bufbuild/protobuf";
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from "onnx-buf";
import { ArborizeError } from "../base/errors.ts";
import { bytesPerElement, sizeOf, Tensor, viewBytes } from "../base/tensor.ts";
import { dtypeOfOnnx, ONNX_DTYPES } from "../ops/cast.ts";
import { ExternalData } from "./external.ts";

/** A tensor as ONNX stores it. */
export function toTensorProto(tensor: Tensor, name = ""): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: ONNX_DTYPES[tensor.dtype],
    dims: tensor.shape.map(BigInt),
    rawData: tensor.bytes() as Uint8Array<ArrayBuffer>,
  });
}

/**
 * The tensor that ONNX stored.
 *
 * @param external where tensors of other files come from. Default: they are refused.
 * @throws `bad_file` naming the tensor when type, shape and data do not agree.
 */
export function fromTensorProto(proto: TensorProto, external = new ExternalData()): Tensor {
  const label = `tensor "${proto.name}"`;
  const dtype = dtypeOfOnnx(proto.dataType);
  const shape = proto.dims.map(Number);
  const size = sizeOf(shape);
  const length = size * bytesPerElement(dtype);
  if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0) || !Number.isSafeInteger(length)) {
    throw new ArborizeError("bad_file", `${label} has an impossible shape [${shape.join(", ")}]`);
  }
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    return new Tensor(dtype, shape, viewBytes(dtype, external.bytesOf(proto, length)));
  }
  if (proto.rawData.length > 0 || size === 0) {
    if (proto.rawData.length !== length) {
      throw new ArborizeError(
        "bad_file",
        `${label} is ${dtype}[${shape.join(", ")}] but holds ${proto.rawData.length} bytes`,
      );
    }
    return new Tensor(dtype, shape, viewBytes(dtype, proto.rawData));
  }
  const listed = {
    float32: proto.floatData,
    float64: proto.doubleData,
    int64: proto.int64Data,
    int32: proto.int32Data,
    uint8: proto.int32Data,
    int8: proto.int32Data,
    bool: proto.int32Data,
  }[dtype];
  if (listed.length !== size) {
    throw new ArborizeError(
      "bad_file",
      `${label} is ${dtype}[${shape.join(", ")}] but holds ${listed.length} elements`,
    );
  }
  if (dtype === "int64") return new Tensor(dtype, shape, BigInt64Array.from(proto.int64Data));
  return Tensor.of(shape, listed as readonly number[], dtype);
}
