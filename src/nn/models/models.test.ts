import { describe, expect, it } from "vitest";
import { expectTorch, type TorchCase } from "../../../test/support/torch.ts";
import { Tensor } from "../../base/tensor.ts";
import type { Shape } from "../../graph/shape.ts";
import * as nn from "../index.ts";

const { models } = nn;
const IDS = Tensor.of([2, 4], [1, 0, 4, 2, 2, 4, 4, 5], "int64");
const COUNTS = Tensor.of([2, 4], [1, 1, 1, 0, 1, 1, 0, 0], "int64");
const TYPES = Tensor.of([2, 4], [0, 0, 1, 1, 0, 1, 1, 1], "int64");

/**
 * BasicBlock is torchvision's. The others were built of PyTorch's modules for this, after their papers: `UNet` of channels,
 * classes, features; `Bert` of vocabulary, width, layers, heads, positions, labels, with F.multi_head_attention_forward.
 */
const CASES: Record<string, TorchCase> = {
  "BasicBlock(3, 3)": [
    () => new nn.models.BasicBlock(3, 3),
    [[2, 3, 4, 4]],
    {
      shape: [2, 3, 4, 4],
      output: 1.79891,
      inputs: [32.4209],
      parameters: {
        "conv1.weight": -0.425839,
        "bn1.weight": -0.522315,
        "bn1.bias": 0.898131,
        "conv2.weight": -4.02286,
        "bn2.weight": -4.2748,
        "bn2.bias": -1.09711,
      },
    },
  ],
  "BasicBlock(2, 3, 2, nn.Sequential(conv1x1(2, 3, 2), nn.BatchNorm2d(3)))": [
    () => new nn.models.BasicBlock(2, 3, 2),
    [[2, 2, 6, 4]],
    {
      shape: [2, 3, 3, 2],
      output: -0.18641,
      inputs: [0.353755],
      parameters: {
        "conv1.weight": -2.18906,
        "bn1.weight": 0.686621,
        "bn1.bias": -0.609306,
        "conv2.weight": 1.46282,
        "bn2.weight": -0.209807,
        "bn2.bias": 0.596432,
        "downsample.0.weight": -0.47571,
        "downsample.1.weight": 0.878343,
        "downsample.1.bias": 0.596432,
      },
    },
  ],
  "UNet(2, 3, 2)": [
    () => new nn.models.UNet({ inChannels: 2, numClasses: 3, features: 2 }),
    [[2, 2, 32, 36]],
    {
      shape: [2, 3, 32, 36],
      output: -8.2872,
      inputs: [5.58228],
      parameters: {
        "inc.double_conv.0.weight": -17.5201,
        "inc.double_conv.1.weight": 0.250881,
        "inc.double_conv.1.bias": -2.58389,
        "inc.double_conv.3.weight": -0.28304,
        "inc.double_conv.4.weight": -0.840234,
        "inc.double_conv.4.bias": -0.916942,
        "down1.maxpool_conv.1.double_conv.0.weight": -0.0412172,
        "down1.maxpool_conv.1.double_conv.1.weight": -0.100807,
        "down1.maxpool_conv.1.double_conv.1.bias": 0.197001,
        "down1.maxpool_conv.1.double_conv.3.weight": 0.0716716,
        "down1.maxpool_conv.1.double_conv.4.weight": 0.20199,
        "down1.maxpool_conv.1.double_conv.4.bias": -0.0499834,
        "down2.maxpool_conv.1.double_conv.0.weight": -0.052915,
        "down2.maxpool_conv.1.double_conv.1.weight": -0.208131,
        "down2.maxpool_conv.1.double_conv.1.bias": 0.158187,
        "down2.maxpool_conv.1.double_conv.3.weight": -0.00285298,
        "down2.maxpool_conv.1.double_conv.4.weight": -0.00113113,
        "down2.maxpool_conv.1.double_conv.4.bias": -0.0819863,
        "down3.maxpool_conv.1.double_conv.0.weight": -0.000172115,
        "down3.maxpool_conv.1.double_conv.1.weight": 0.00553363,
        "down3.maxpool_conv.1.double_conv.1.bias": 0.000305837,
        "down3.maxpool_conv.1.double_conv.3.weight": -0.000567137,
        "down3.maxpool_conv.1.double_conv.4.weight": -0.00737972,
        "down3.maxpool_conv.1.double_conv.4.bias": 0.000635654,
        "down4.maxpool_conv.1.double_conv.0.weight": -5.52373e-6,
        "down4.maxpool_conv.1.double_conv.1.weight": 0.000724008,
        "down4.maxpool_conv.1.double_conv.1.bias": -0.000217364,
        "down4.maxpool_conv.1.double_conv.3.weight": -2.48599e-5,
        "down4.maxpool_conv.1.double_conv.4.weight": 0.00107933,
        "down4.maxpool_conv.1.double_conv.4.bias": 0.00274079,
        "up1.up.weight": -0.00652742,
        "up1.up.bias": -0.000451802,
        "up1.conv.double_conv.0.weight": -0.0720029,
        "up1.conv.double_conv.1.weight": -0.0020548,
        "up1.conv.double_conv.1.bias": 0.00858741,
        "up1.conv.double_conv.3.weight": -0.0107698,
        "up1.conv.double_conv.4.weight": 0.0117729,
        "up1.conv.double_conv.4.bias": -0.0737477,
        "up2.up.weight": -0.0424693,
        "up2.up.bias": 0.0537677,
        "up2.conv.double_conv.0.weight": -0.00975531,
        "up2.conv.double_conv.1.weight": 0.0529802,
        "up2.conv.double_conv.1.bias": 0.0316264,
        "up2.conv.double_conv.3.weight": -0.023587,
        "up2.conv.double_conv.4.weight": -0.145343,
        "up2.conv.double_conv.4.bias": -0.199961,
        "up3.up.weight": 0.294338,
        "up3.up.bias": -0.00919126,
        "up3.conv.double_conv.0.weight": 0.0627478,
        "up3.conv.double_conv.1.weight": 0.0584018,
        "up3.conv.double_conv.1.bias": -0.0579634,
        "up3.conv.double_conv.3.weight": 0.265715,
        "up3.conv.double_conv.4.weight": -1.8427,
        "up3.conv.double_conv.4.bias": 1.04846,
        "up4.up.weight": -1.06221,
        "up4.up.bias": 1.31242,
        "up4.conv.double_conv.0.weight": 0.441268,
        "up4.conv.double_conv.1.weight": -1.55355,
        "up4.conv.double_conv.1.bias": 2.76201,
        "up4.conv.double_conv.3.weight": 2.29477,
        "up4.conv.double_conv.4.weight": 6.16047,
        "up4.conv.double_conv.4.bias": 0.313451,
        "outc.conv.weight": -0.546595,
        "outc.conv.bias": 0.326482,
      },
    },
  ],
  "UNet(2, 3, 2, True)": [
    () => new nn.models.UNet({ inChannels: 2, numClasses: 3, features: 2, bilinear: true }),
    [[2, 2, 34, 32]],
    {
      shape: [2, 3, 34, 32],
      output: 2.30461,
      inputs: [-0.766552],
      parameters: {
        "inc.double_conv.0.weight": -4.48101,
        "inc.double_conv.1.weight": 0.537335,
        "inc.double_conv.1.bias": -0.561091,
        "inc.double_conv.3.weight": 6.3153,
        "inc.double_conv.4.weight": 0.681061,
        "inc.double_conv.4.bias": -1.62236,
        "down1.maxpool_conv.1.double_conv.0.weight": 0.10777,
        "down1.maxpool_conv.1.double_conv.1.weight": 0.483445,
        "down1.maxpool_conv.1.double_conv.1.bias": -0.319814,
        "down1.maxpool_conv.1.double_conv.3.weight": -0.0462434,
        "down1.maxpool_conv.1.double_conv.4.weight": -0.513584,
        "down1.maxpool_conv.1.double_conv.4.bias": -1.03768,
        "down2.maxpool_conv.1.double_conv.0.weight": -0.119392,
        "down2.maxpool_conv.1.double_conv.1.weight": 0.065935,
        "down2.maxpool_conv.1.double_conv.1.bias": -0.109905,
        "down2.maxpool_conv.1.double_conv.3.weight": 0.00661925,
        "down2.maxpool_conv.1.double_conv.4.weight": -0.0340916,
        "down2.maxpool_conv.1.double_conv.4.bias": -0.0385005,
        "down3.maxpool_conv.1.double_conv.0.weight": 4.28373e-5,
        "down3.maxpool_conv.1.double_conv.1.weight": 0.00989675,
        "down3.maxpool_conv.1.double_conv.1.bias": -0.0160646,
        "down3.maxpool_conv.1.double_conv.3.weight": 0.0016066,
        "down3.maxpool_conv.1.double_conv.4.weight": 0.0181515,
        "down3.maxpool_conv.1.double_conv.4.bias": 0.009758,
        "down4.maxpool_conv.1.double_conv.0.weight": 0.000197504,
        "down4.maxpool_conv.1.double_conv.1.weight": 0.00109223,
        "down4.maxpool_conv.1.double_conv.1.bias": 0.000969143,
        "down4.maxpool_conv.1.double_conv.3.weight": -8.8778e-5,
        "down4.maxpool_conv.1.double_conv.4.weight": -0.0174715,
        "down4.maxpool_conv.1.double_conv.4.bias": 0.0196402,
        "up1.conv.double_conv.0.weight": 0.00147706,
        "up1.conv.double_conv.1.weight": -0.0138066,
        "up1.conv.double_conv.1.bias": -0.0114344,
        "up1.conv.double_conv.3.weight": -0.0068496,
        "up1.conv.double_conv.4.weight": -0.0129992,
        "up1.conv.double_conv.4.bias": -0.0371051,
        "up2.conv.double_conv.0.weight": -0.0205834,
        "up2.conv.double_conv.1.weight": 0.0153353,
        "up2.conv.double_conv.1.bias": -0.0137748,
        "up2.conv.double_conv.3.weight": -0.0214078,
        "up2.conv.double_conv.4.weight": -0.0575233,
        "up2.conv.double_conv.4.bias": 0.139143,
        "up3.conv.double_conv.0.weight": -0.166465,
        "up3.conv.double_conv.1.weight": -0.389016,
        "up3.conv.double_conv.1.bias": 0.206352,
        "up3.conv.double_conv.3.weight": 0.107173,
        "up3.conv.double_conv.4.weight": -1.5495,
        "up3.conv.double_conv.4.bias": 0.600132,
        "up4.conv.double_conv.0.weight": 0.383728,
        "up4.conv.double_conv.1.weight": -12.099,
        "up4.conv.double_conv.1.bias": -3.42904,
        "up4.conv.double_conv.3.weight": 4.85368,
        "up4.conv.double_conv.4.weight": 4.87415,
        "up4.conv.double_conv.4.bias": 5.01812,
        "outc.conv.weight": -1.76648,
        "outc.conv.bias": -0.000495415,
      },
    },
  ],
  "Bert(6, 8, 2, 2, 5, 3)": [
    () =>
      new nn.models.BertForSequenceClassification(
        {
          vocabSize: 6,
          hiddenSize: 8,
          numHiddenLayers: 2,
          numAttentionHeads: 2,
          maxPositionEmbeddings: 5,
          hiddenDropoutProb: 0,
          attentionProbsDropoutProb: 0,
          layerNormEps: 0.1,
        },
        { numLabels: 3 },
      ),
    [IDS],
    {
      scale: 0.3,
      shape: [2, 3],
      output: -0.0878731,
      inputs: [],
      parameters: {
        "bert.embeddings.word_embeddings.weight": 0.00306462,
        "bert.embeddings.position_embeddings.weight": -0.000415804,
        "bert.embeddings.token_type_embeddings.weight": 0.000249886,
        "bert.embeddings.LayerNorm.weight": 0.0056329,
        "bert.embeddings.LayerNorm.bias": -0.00019569,
        "bert.encoder.layer.0.attention.self.query.weight": 9.80773e-7,
        "bert.encoder.layer.0.attention.self.query.bias": -3.75387e-6,
        "bert.encoder.layer.0.attention.self.key.weight": 4.60434e-6,
        "bert.encoder.layer.0.attention.self.key.bias": -5.87767e-12,
        "bert.encoder.layer.0.attention.self.value.weight": 0.0010275,
        "bert.encoder.layer.0.attention.self.value.bias": 0.00101019,
        "bert.encoder.layer.0.attention.output.dense.weight": 0.0010748,
        "bert.encoder.layer.0.attention.output.dense.bias": 0.000167867,
        "bert.encoder.layer.0.attention.output.LayerNorm.weight": -0.00615838,
        "bert.encoder.layer.0.attention.output.LayerNorm.bias": 0.0041172,
        "bert.encoder.layer.0.intermediate.dense.weight": 0.000148812,
        "bert.encoder.layer.0.intermediate.dense.bias": -0.00112841,
        "bert.encoder.layer.0.output.dense.weight": -0.000419099,
        "bert.encoder.layer.0.output.dense.bias": -0.00186886,
        "bert.encoder.layer.0.output.LayerNorm.weight": 0.000200052,
        "bert.encoder.layer.0.output.LayerNorm.bias": 0.0129762,
        "bert.encoder.layer.1.attention.self.query.weight": -1.48755e-7,
        "bert.encoder.layer.1.attention.self.query.bias": -4.7889e-7,
        "bert.encoder.layer.1.attention.self.key.weight": -7.44128e-8,
        "bert.encoder.layer.1.attention.self.key.bias": -9.95101e-11,
        "bert.encoder.layer.1.attention.self.value.weight": -0.00262599,
        "bert.encoder.layer.1.attention.self.value.bias": -0.00455779,
        "bert.encoder.layer.1.attention.output.dense.weight": -0.000751753,
        "bert.encoder.layer.1.attention.output.dense.bias": 0.00971641,
        "bert.encoder.layer.1.attention.output.LayerNorm.weight": -0.0300685,
        "bert.encoder.layer.1.attention.output.LayerNorm.bias": 0.00114685,
        "bert.encoder.layer.1.intermediate.dense.weight": 0.0031367,
        "bert.encoder.layer.1.intermediate.dense.bias": -0.00508793,
        "bert.encoder.layer.1.output.dense.weight": 0.00489868,
        "bert.encoder.layer.1.output.dense.bias": 0.0231768,
        "bert.encoder.layer.1.output.LayerNorm.weight": 0.0199303,
        "bert.encoder.layer.1.output.LayerNorm.bias": 0.204919,
        "bert.pooler.dense.weight": 0.0118172,
        "bert.pooler.dense.bias": -0.0446368,
        "classifier.weight": 0.0992517,
        "classifier.bias": 0.00390198,
      },
    },
  ],
  "Bert(6, 8, 2, 2, 5, 3), with masks": [
    () =>
      new nn.models.BertForSequenceClassification(
        {
          vocabSize: 6,
          hiddenSize: 8,
          numHiddenLayers: 2,
          numAttentionHeads: 2,
          maxPositionEmbeddings: 5,
          hiddenDropoutProb: 0,
          attentionProbsDropoutProb: 0,
          layerNormEps: 0.1,
        },
        { numLabels: 3 },
      ),
    [IDS, COUNTS, TYPES],
    {
      scale: 0.3,
      shape: [2, 3],
      output: 0.0227173,
      inputs: [],
      parameters: {
        "bert.embeddings.word_embeddings.weight": -0.0084321,
        "bert.embeddings.position_embeddings.weight": 0.00132845,
        "bert.embeddings.token_type_embeddings.weight": 0.00228901,
        "bert.embeddings.LayerNorm.weight": 0.00289336,
        "bert.embeddings.LayerNorm.bias": -0.000521417,
        "bert.encoder.layer.0.attention.self.query.weight": 2.18076e-9,
        "bert.encoder.layer.0.attention.self.query.bias": -5.45e-8,
        "bert.encoder.layer.0.attention.self.key.weight": 2.09896e-8,
        "bert.encoder.layer.0.attention.self.key.bias": 2.2238e-12,
        "bert.encoder.layer.0.attention.self.value.weight": -0.000274908,
        "bert.encoder.layer.0.attention.self.value.bias": -7.08774e-5,
        "bert.encoder.layer.0.attention.output.dense.weight": -0.00215551,
        "bert.encoder.layer.0.attention.output.dense.bias": 0.000915654,
        "bert.encoder.layer.0.attention.output.LayerNorm.weight": -0.00106787,
        "bert.encoder.layer.0.attention.output.LayerNorm.bias": -0.00694566,
        "bert.encoder.layer.0.intermediate.dense.weight": -0.000119885,
        "bert.encoder.layer.0.intermediate.dense.bias": -0.000260788,
        "bert.encoder.layer.0.output.dense.weight": -0.00136284,
        "bert.encoder.layer.0.output.dense.bias": -0.00342128,
        "bert.encoder.layer.0.output.LayerNorm.weight": 0.0207338,
        "bert.encoder.layer.0.output.LayerNorm.bias": -0.0147381,
        "bert.encoder.layer.1.attention.self.query.weight": -2.15954e-9,
        "bert.encoder.layer.1.attention.self.query.bias": 4.25594e-8,
        "bert.encoder.layer.1.attention.self.key.weight": 2.07201e-8,
        "bert.encoder.layer.1.attention.self.key.bias": -2.49071e-10,
        "bert.encoder.layer.1.attention.self.value.weight": -0.00105951,
        "bert.encoder.layer.1.attention.self.value.bias": -0.00811837,
        "bert.encoder.layer.1.attention.output.dense.weight": 0.0445469,
        "bert.encoder.layer.1.attention.output.dense.bias": 0.00856183,
        "bert.encoder.layer.1.attention.output.LayerNorm.weight": 0.00531603,
        "bert.encoder.layer.1.attention.output.LayerNorm.bias": 0.153598,
        "bert.encoder.layer.1.intermediate.dense.weight": 0.00631649,
        "bert.encoder.layer.1.intermediate.dense.bias": -0.000742242,
        "bert.encoder.layer.1.output.dense.weight": -0.00217508,
        "bert.encoder.layer.1.output.dense.bias": 0.0667013,
        "bert.encoder.layer.1.output.LayerNorm.weight": -0.028894,
        "bert.encoder.layer.1.output.LayerNorm.bias": -0.00200174,
        "bert.pooler.dense.weight": -0.0578409,
        "bert.pooler.dense.bias": -0.180531,
        "classifier.weight": -0.0270579,
        "classifier.bias": 0.00390198,
      },
    },
  ],
  "Dsn(6, 4, 5, 2)": [
    () =>
      new nn.models.DsnBert({
        vocabSize: 6,
        hiddenSize: 4,
        maxPositionEmbeddings: 5,
        hiddenDropoutProb: 0,
        layerNormEps: 0.1,
      }),
    [IDS],
    {
      shape: [2, 2],
      output: 6.35377,
      inputs: [],
      parameters: {
        "embeddings.word_embeddings.weight": -0.632081,
        "embeddings.position_embeddings.weight": -0.207744,
        "embeddings.token_type_embeddings.weight": 1.34193,
        "embeddings.LayerNorm.weight": 1.29921,
        "embeddings.LayerNorm.bias": -6.53317,
        "classifier.weight": -9.56396,
        "classifier.bias": 0.340884,
      },
    },
  ],
  "LeNet()": [
    () => new nn.models.LeNet(),
    [[2, 1, 28, 28]],
    {
      shape: [2, 10],
      output: 5.36899,
      inputs: [-65.6135],
      parameters: {
        "conv1.weight": -74.4825,
        "conv1.bias": 3.20428,
        "conv2.weight": -5.78728,
        "conv2.bias": -0.89571,
        "fc1.weight": -30.8702,
        "fc1.bias": -0.260729,
        "fc2.weight": -0.627986,
        "fc2.bias": 0.12327,
        "fc3.weight": -1.20799,
        "fc3.bias": 0.779566,
      },
    },
  ],
};

describe("networks as in PyTorch", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => expectTorch(given));
});

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
