import { describe, expect, it } from "vitest";
import type { Shape } from "../../graph/shape.ts";
import * as nn from "../index.ts";

const { models } = nn;

const countOf = (module: nn.Module) =>
  [...module.namedParameters().keys()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);

describe("sizes", () => {
  // torchvision's, Hugging Face's (google/bert_uncased_L-*, bert-base-uncased) and milesial/Pytorch-UNet's own counts.
  it.each<[string, () => nn.Module, number, number]>([
    ["LeNet", () => new models.LeNet(), 61_706, 10],
    ["MnistNet", () => new models.MnistNet(), 1_199_882, 8],
    ["ResNet-18", () => models.resnet18(), 11_689_512, 122],
    ["ResNet-34", () => models.resnet34(), 21_797_672, 218],
    ["ResNet-18 for 10 classes", () => models.resnet18({ numClasses: 10 }), 11_181_642, 122],
    ["UNet", () => new models.UNet(), 31_037_633, 118],
    ["BERT tiny", () => new models.BertForSequenceClassification(models.BERT_SIZES.tiny), 4_386_178, 41],
    ["BERT mini", () => new models.BertForSequenceClassification(models.BERT_SIZES.mini), 11_171_074, 73],
    ["BERT small", () => new models.BertForSequenceClassification(models.BERT_SIZES.small), 28_764_674, 73],
    [
      "BERT medium",
      () => new models.BertForSequenceClassification(models.BERT_SIZES.medium),
      41_374_210,
      137,
    ],
    ["BERT base", () => new models.BertForSequenceClassification(models.BERT_SIZES.base), 109_483_778, 201],
    ["BERT's embeddings alone", () => new models.DsnBert(), 496_642, 7],
  ])("of %s", (_, make, parameters, names) => {
    const module = make();
    expect(countOf(module)).toBe(parameters);
    expect(module.namedParameters().size + module.namedBuffers().size).toBe(names);
  });
});

describe("names", () => {
  it("of ResNet are torchvision's", () => {
    const names = [...models.resnet18().namedParameters().values()];
    expect(names).toContain("conv1.weight");
    expect(names).toContain("layer2.0.downsample.0.weight");
    expect(names).toContain("layer4.1.bn2.bias");
    expect([...models.resnet18().namedBuffers().values()]).toContain("layer3.0.downsample.1.running_var");
  });

  it("of BERT are Hugging Face's", () => {
    const bert = new models.BertForSequenceClassification(models.BERT_SIZES.tiny);
    const names = [...bert.namedParameters().values()];
    expect(names).toContain("bert.embeddings.word_embeddings.weight");
    expect(names).toContain("bert.encoder.layer.1.attention.self.query.bias");
    expect(names).toContain("bert.encoder.layer.0.attention.output.LayerNorm.weight");
    expect(names).toContain("bert.encoder.layer.0.intermediate.dense.weight");
    expect(names).toContain("bert.pooler.dense.bias");
    expect(names).toContain("classifier.weight");
  });
});

describe("shapes", () => {
  const image = (size: number): Shape => ["batch", 3, size, size];
  it.each<[string, () => nn.Module, Shape, Shape]>([
    ["LeNet of 32 pixels", () => new models.LeNet({ imageSize: 32 }), ["batch", 1, 32, 32], ["batch", 10]],
    ["MnistNet", () => new models.MnistNet(), ["batch", 1, 28, 28], ["batch", 10]],
    [
      "ResNet with a small stem",
      () => new models.ResNet([1, 1, 1, 1], { stem: "small", numClasses: 10 }),
      image(32),
      ["batch", 10],
    ],
    ["ResNet with a large stem", () => new models.ResNet([1, 1, 1, 1]), image(64), ["batch", 1000]],
    ["UNet of odd lengths", () => new models.UNet({ features: 4 }), image(37), ["batch", 1, 37, 37]],
  ])("of %s", (_, make, shape, wanted) => {
    expect(nn.trace(make(), { inputs: { x: shape } }).outputs[0]!.shape).toEqual(wanted);
  });

  it("of BERT, for any number of tokens", () => {
    const inputs = { ids: { dtype: "int64", shape: ["batch", "time"] } } as const;
    const config = { ...models.BERT_SIZES.tiny, vocabSize: 50 };
    const graph = nn.trace(new models.BertModel(config), { inputs });
    expect(graph.outputs.map(({ shape }) => shape)).toEqual([
      ["batch", "time", 128],
      ["batch", 128],
    ]);
  });
});

it("ResNet's convolutions start as He has it, by their outputs", () => {
  const model = new nn.Sequential(new models.BasicBlock(64, 64));
  const weight = nn.trace(model, { inputs: { x: ["batch", 64, 4, 4] } }).parameters[0]!.data!.toNumbers();
  const variance = Array.from(weight).reduce((sum, w) => sum + w * w, 0) / weight.length;
  // 36,864 draws: five standard errors.
  expect(Math.abs(variance / (2 / (64 * 9)) - 1)).toBeLessThan(0.04);
});
