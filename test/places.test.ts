// Dendrites on layers, on layers with their normalization, and on blocks of residual networks, built and imported.

import { describe, expect, it } from "vitest";
import { attachDendrites, findSites, nn, Random, readOnnx, type Selection, writeOnnx } from "../src/index.ts";
import { expectJourney, expectSlopes, expectUnchanged } from "./support/grown.ts";
import { randn } from "./support/run.ts";

/** ResNet-18 for images of 32 pixels with two channels where there are 64. */
const resnet = () => new nn.models.ResNet([2, 2, 2, 2], { numClasses: 3, stem: "small", width: 2 });
const inputs = { x: ["batch", 3, 32, 32] };
const built = () => nn.trace(resnet(), { inputs });
const imported = async () => (await readOnnx(writeOnnx(built()))).graph;
const x = randn([2, 3, 32, 32], "images");

const BLOCKS = ["layer1", "layer2", "layer3", "layer4"].flatMap((layer) => [`${layer}.0`, `${layer}.1`]);

/** Parameters with two dendrites everywhere, by the original's rule worked out by hand: 11,301 without, 2 P + 3 C more a module. */
const NUMBERS: Record<string, number> = {
  BasicBlock: 33_865,
  "convolution with its normalization": 34_251,
  layer: 33_762,
};

describe.each<[string, Selection, Selection]>([
  [
    "BasicBlock",
    { types: ["BasicBlock"] },
    { types: [], blocks: ["layer?.0", "layer*.1"].map((p) => p.replace("?", "*")) },
  ],
  ["convolution with its normalization", { types: ["Conv2d"] }, { types: ["Conv2d"] }],
  ["layer", { withNormalization: false }, { withNormalization: false }],
])("ResNet-18 with dendrites per %s", (name, ofClass, ofFile) => {
  for (const [kind, make, selection] of [
    ["built", async () => built(), ofClass],
    ["imported", imported, ofFile],
  ] as const) {
    describe(kind, () => {
      it("has sites where it should, of the parameters that belong there", async () => {
        const base = await make();
        const sites = findSites(base, selection);
        const ids = sites.map(({ id }) => id);
        const plan = { sites, count: 2, random: (key: string) => Random.stream(1, key) };
        const { parameters } = attachDendrites(base, plan);
        expect(parameters.reduce((sum, { data }) => sum + data!.data.length, 0)).toBe(NUMBERS[name]);
        if (name === "BasicBlock") {
          expect(ids).toEqual(BLOCKS);
          // Two 3x3 convolutions and two normalizations; the first of each stage brings its input to size.
          const own = sites[2]!.parameters.map((parameter) => parameter.name.slice("layer2.0.".length));
          expect(own.sort()).toEqual(
            ["bn1.bias", "bn1.weight", "bn2.bias", "bn2.weight", "conv1.weight", "conv2.weight"]
              .concat(["downsample.0.weight", "downsample.1.bias", "downsample.1.weight"])
              .sort(),
          );
          expect(sites[2]!.statistics.size).toBe(kind === "built" ? 9 : 6);
        } else {
          expect(ids).toHaveLength(name === "layer" ? 21 : 20);
          const [first] = sites;
          const norm = name === "layer" ? [] : ["bn1.weight", "bn1.bias"];
          expect(first!.parameters.map((parameter) => first!.names.get(parameter))).toEqual([
            "weight",
            ...norm,
          ]);
        }
      });

      it("computes the same at first, with as many numbers as the rule says", async () => {
        await expectUnchanged(await make(), selection, x);
      });

      it("has the gradients of central differences", async () => {
        await expectSlopes(await make(), selection, x);
      });

      it("is exported as it evaluates, and grows on from there", async () => {
        const graph = await make();
        await expectJourney(() => graph, {}, selection, x);
      });
    });
  }
});
