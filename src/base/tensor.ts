// Dense tensors in JavaScript memory: what goes into a program and what comes out of it.

import { ArborizeError } from "./errors.ts";

/** Element types, under ONNX's names. */
export type DType = "float32" | "float64" | "int64" | "int32" | "uint8" | "int8" | "bool";

interface DTypeArrays {
  float32: Float32Array;
  float64: Float64Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  int8: Int8Array;
  bool: Uint8Array;
}

/** The typed array that holds elements of `D`. */
export type TensorData<D extends DType = DType> = DTypeArrays[D];

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const;

/** Bytes that one element of `dtype` takes. */
export function bytesPerElement(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Whether gradients can flow through values of `dtype`. */
export function isFloat(dtype: DType): dtype is "float32" | "float64" {
  return dtype === "float32" || dtype === "float64";
}

/** Number of elements of a shape; 1 for a scalar's `[]`. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** A typed array of `length` zeros for elements of `dtype`. */
export function allocate<D extends DType>(dtype: D, length: number): TensorData<D> {
  return new ARRAYS[dtype](length) as TensorData<D>;
}

/** A view of `bytes` as elements of `dtype`, copying only where the alignment demands it. */
export function viewBytes<D extends DType>(dtype: D, bytes: Uint8Array): TensorData<D> {
  const Type = ARRAYS[dtype];
  // Not `slice`: a Buffer's would be another view.
  const aligned = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  const length = aligned.byteLength / Type.BYTES_PER_ELEMENT;
  return new Type(aligned.buffer as ArrayBuffer, aligned.byteOffset, length) as TensorData<D>;
}

/** A dense, row-major tensor. `data` is shared, not copied. */
export class Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TensorData<D>;

  /** @throws `shape_mismatch` when `data` does not have as many elements as `shape` asks for. */
  constructor(dtype: D, shape: readonly number[], data: TensorData<D>) {
    if (data.length !== sizeOf(shape)) {
      throw new ArborizeError(
        "shape_mismatch",
        `Tensor ${dtype}[${shape.join(", ")}] needs ${sizeOf(shape)} elements, its data has ${data.length}.`,
      );
    }
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /** A tensor of zeros. */
  static zeros<D extends DType = "float32">(shape: readonly number[], dtype = "float32" as D): Tensor<D> {
    return new Tensor(dtype, shape, allocate(dtype, sizeOf(shape)));
  }

  /** A tensor with every element `value`. */
  static full<D extends DType = "float32">(shape: readonly number[], value: number, dtype = "float32" as D) {
    const tensor = Tensor.zeros(shape, dtype);
    // Zeros take no time as long as nobody writes them.
    if (Object.is(value, 0)) return tensor;
    const data = tensor.data as TensorData;
    if (data instanceof BigInt64Array) data.fill(BigInt(value));
    else data.fill(value);
    return tensor;
  }

  /** A tensor from plain numbers, converted to `dtype`. */
  static of<D extends DType = "float32">(
    shape: readonly number[],
    values: ArrayLike<number>,
    dtype = "float32" as D,
  ): Tensor<D> {
    const data = allocate(dtype, values.length) as TensorData;
    if (data instanceof BigInt64Array) for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i]!);
    else data.set(values);
    return new Tensor(dtype, shape, data as TensorData<D>);
  }

  /** The same numbers as another element type. Integers are truncated, as typed arrays do. */
  to<T extends DType>(dtype: T): Tensor<T> {
    if ((this.dtype as DType) === dtype) return this as unknown as Tensor<T>;
    return Tensor.of(this.shape, this.toNumbers(), dtype);
  }

  /** A copy that shares no memory with this tensor. */
  clone(): Tensor<D> {
    return new Tensor(this.dtype, this.shape, this.data.slice() as TensorData<D>);
  }

  /** The elements as plain numbers, in row-major order. */
  toNumbers(): ArrayLike<number> & Iterable<number> {
    const data = this.data as TensorData;
    return data instanceof BigInt64Array ? Array.from(data, Number) : data;
  }

  /** The only element of a tensor of size 1. @throws `shape_mismatch` for any other size. */
  item(): number {
    if (this.data.length !== 1) {
      throw new ArborizeError(
        "shape_mismatch",
        `item() needs a single element, ${this} has ${this.data.length}.`,
      );
    }
    return Number(this.data[0]);
  }

  /** The raw little-endian bytes, as a view. */
  bytes(): Uint8Array {
    return new Uint8Array(this.data.buffer, this.data.byteOffset, this.data.byteLength);
  }

  /** The bits, as a view: words of 32 bits if each of so many equal `parts` has whole ones, else bytes. */
  bits(parts = 1): Uint32Array | Uint8Array {
    const { buffer, byteOffset, byteLength } = this.data;
    const hasWords = byteOffset % 4 === 0 && byteLength % (4 * parts) === 0;
    return hasWords ? new Uint32Array(buffer, byteOffset, byteLength / 4) : this.bytes();
  }

  toString(): string {
    return `${this.dtype}[${this.shape.join(", ")}]`;
  }
}
