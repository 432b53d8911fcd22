import { describe, expect, it } from "vitest";
import { largestError, outputOf, randn, runBytes } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { attachDendrites } from "../dendrites/attach.ts";
import { findSites } from "../dendrites/sites.ts";
import { nodeEngine } from "../engine/node.ts";
import type { Graph, Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { readOnnx } from "../onnx/read.ts";
import { writeOnnx } from "../onnx/write.ts";
import { cleanForm } from "./clean.ts";
import { evaluationForm } from "./mode.ts";
import { forOpset } from "./opset.ts";

const engine = nodeEngine({ threads: 1 });

class Net extends nn.Module {
  conv1 = new nn.Conv2d(2, 4, 3, { padding: 1, bias: false });
  bn1 = new nn.BatchNorm2d(4);
  conv2 = new nn.Conv2d(4, 6, 3, { stride: 2 });
  bn2 = new nn.BatchNorm2d(6);
  depthwise = new nn.Conv2d(6, 6, 2, { groups: 6 });
  drop = new nn.Dropout(0.3);
  fc = new nn.Linear(24, 5);
  norm = new nn.BatchNorm1d(5);
  head = new nn.Linear(5, 3, { bias: false });
  forward(x: Value): Value {
    x = this.bn1.call(this.conv1.call(x)).relu();
    x = this.bn2.call(this.conv2.call(x)).relu();
    x = this.drop.call(this.depthwise.call(x)).flatten();
    return this.head.call(this.norm.call(this.fc.call(x)).tanh());
  }
}

class Sequence extends nn.Module {
  embedding = new nn.Embedding(2000, 6);
  q = new nn.Linear(6, 6);
  k = new nn.Linear(6, 6, { bias: false });
  out = new nn.Linear(6, 4);
  forward(ids: Value): Value {
    const x = this.embedding.call(ids);
    const mixed = this.q.call(x).mul(this.k.call(x)).gelu();
    // Tied: the embedding is used as it is and transposed.
    return this.out.call(mixed).matmul(this.out.call(mixed).transpose(1, 2)).add(this.logits(mixed).mean());
  }
  logits(x: Value): Value {
    return nn.functional.linear(x, this.embedding.weight);
  }
}

/** A traced network with dendrites on all sites and nothing in its state that is 0 or 1. */
function grown(
  model: nn.Module,
  input: nn.TraceOptions["inputs"],
  count: number,
  withNormalization = true,
): Graph {
  const base = nn.trace(model, { inputs: input });
  const plan = {
    sites: findSites(base, { withNormalization }),
    count,
    random: (name: string) => Random.stream(1, name),
  };
  const { state } = attachDendrites(base, plan);
  const values = new Map<string, Tensor>(
    [...state].map(([name, { dtype, shape }]) => {
      if (dtype !== "float32") return [name, Tensor.zeros(shape, dtype)] as const;
      const drawn = randn(shape, name, 0.5);
      const positive = name.endsWith("running_var");
      return [
        name,
        positive
          ? Tensor.of(
              shape,
              drawn.data.map((v) => Math.abs(v) + 0.3),
            )
          : drawn,
      ] as const;
    }),
  );
  return attachDendrites(base, { ...plan, values });
}

const IMAGE = { x: ["batch", 2, 8, 8] } as const;
const IDS = { ids: { dtype: "int64", shape: ["batch", "time"] } } as const;
const image = randn([3, 2, 8, 8], "image");
const ids = Tensor.of(
  [2, 7],
  Array.from({ length: 14 }, (_, i) => (i * 37) % 2000),
  "int64",
);

const countOf = (graph: Graph, type: string) =>
  graph.nodes.filter(({ operator }) => operator.type === type).length;

describe("cleanForm", () => {
  // Dendrites with normalizations of their own, and one normalization of the sum.
  for (const [count, own] of [
    [0, true],
    [1, true],
    [3, true],
    [1, false],
    [2, false],
  ] as const) {
    for (const foldBatchNorm of [false, true]) {
      const norms = `${own ? "own " : ""}normalizations ${foldBatchNorm ? "folded" : "left"}`;
      it(`computes what evaluation does, ${count} dendrites, ${norms}`, async () => {
        const graph = grown(new Net(), IMAGE, count, own);
        const clean = await cleanForm(graph, engine, { foldBatchNorm });
        const wanted = await outputOf(evaluationForm(graph).graph, image);
        const found = await outputOf(clean, image);
        expect(largestError(found.data as Float32Array, wanted.data as Float32Array)).toBeLessThan(1e-5);
        expect(countOf(clean, "BatchNormalization")).toBe(foldBatchNorm ? 0 : own ? 3 * (1 + count) : 3);
        // A convolution for each wide one; depthwise each stays alone.
        expect(countOf(clean, "Conv")).toBe(2 + 1 + count);
        expect(countOf(clean, "Gemm")).toBe(2);
        for (const type of ["Dropout", "Reshape", "Identity", "Transpose"])
          expect(countOf(clean, type)).toBe(0);
        expect(clean.outputNames).toEqual(graph.outputNames);
        if (count === 0) expect(clean.parameters.map(({ name }) => name)).toContain("conv2.weight");
      });
    }
  }

  it("makes one product of all that read a sequence, and no second copy of a tied table", async () => {
    for (const count of [0, 2]) {
      const graph = grown(new Sequence(), IDS, count);
      const clean = await cleanForm(graph, engine);
      const [wanted, found] = [await outputOf(evaluationForm(graph).graph, ids), await outputOf(clean, ids)];
      expect(largestError(found.data as Float32Array, wanted.data as Float32Array)).toBeLessThan(1e-5);
      // Queries and keys, both calls of the output, its product with itself, logits.
      expect(countOf(clean, "MatMul")).toBe(4);
      expect(writeOnnx(clean).length).toBeLessThan(2000 * 6 * 4 + 20_000);
    }
  });

  it("can be read again under the names of its inputs and outputs", async () => {
    const graph = grown(new Net(), IMAGE, 2);
    const clean = await cleanForm(graph, engine, { foldBatchNorm: true });
    const { graph: again } = readOnnx(writeOnnx(clean));
    expect(again.outputs.map(({ name }) => name)).toEqual(graph.outputNames);
    const found = await outputOf(again, image);
    expect(found.data).toEqual((await outputOf(clean, image)).data);
  });
});

describe("forOpset", () => {
  class Newer extends nn.Module {
    conv = new nn.Conv2d(2, 4, 3);
    norm = new nn.GroupNorm(2, 4);
    forward(x: Value): Value {
      const y = this.norm.call(this.conv.call(x)).gelu();
      const [a, b] = nn.functional.mish(y).chunk(2, 1) as [Value, Value];
      return nn.functional.gelu(a, { approximate: "tanh" }).add(b).mean([2, 3]).add(b.amax(2).sum(2));
    }
  }

  for (const opset of [17, 18, 19, 20, 21]) {
    it(`writes opset ${opset}, which computes the same`, async () => {
      const graph = grown(new Newer(), IMAGE, 1);
      const wanted = await outputOf(graph, image);
      for (const form of [graph, await cleanForm(graph, engine)]) {
        const bytes = writeOnnx(forOpset(form, opset), { opset });
        const [name] = graph.outputNames as [string];
        const found = (await runBytes(bytes, { x: image }, [name]))[name]!;
        expect(largestError(found.data as Float32Array, wanted.data as Float32Array)).toBeLessThan(1e-5);
        expect(
          readOnnx(bytes).graph.nodes.some(
            ({ operator }) => operator.since > opset && operator.type === "Gelu",
          ),
        ).toBe(false);
      }
    });
  }

  it("names all that an older opset has no form of", () => {
    class Wrapped extends nn.Module {
      forward(x: Value): Value {
        return nn.functional.pad(x, [1, 1], { mode: "circular" });
      }
    }
    const graph = nn.trace(new Wrapped(), { inputs: { x: ["batch", 2, 8] } });
    expect(() => writeOnnx(graph, { opset: 18 })).toThrow(
      /cannot be written for opset 18:\n.*Pad.*mode wrap/,
    );
    expect(() => writeOnnx(graph, { opset: 16 })).toThrow(/opset is 16, written are 17, 18, 19, 20, 21/);
  });
});

describe("grouped convolutions", () => {
  class Grouped extends nn.Module {
    conv1 = new nn.Conv2d(4, 6, 3, { groups: 2 });
    conv2 = new nn.Conv2d(6, 9, 2, { groups: 3, bias: false });
    depthwise = new nn.Conv2d(9, 9, 2, { groups: 9 });
    forward(x: Value): Value {
      return this.depthwise.call(this.conv2.call(this.conv1.call(x)).tanh());
    }
  }

  it.each([1, 2])("are one with %s dendrites each, depthwise ones stay apart", async (count) => {
    const graph = grown(new Grouped(), { x: ["batch", 4, 6, 7] }, count);
    const clean = await cleanForm(graph, engine);
    const convs = clean.nodes.filter(({ operator }) => operator.type === "Conv");
    const groups = convs.map(({ attributes }) => attributes.group ?? 1);
    expect(groups).toEqual([2, 3, ...new Array<number>(count + 1).fill(9)]);
    const x = randn([3, 4, 6, 7], "x");
    const [found, wanted] = [await outputOf(clean, x), await outputOf(evaluationForm(graph).graph, x)];
    expect(found.shape).toEqual(wanted.shape);
    expect(largestError(found.toNumbers(), wanted.toNumbers())).toBeLessThan(1e-5);
  });
});
