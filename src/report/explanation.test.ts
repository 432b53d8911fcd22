import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { pictureOf } from "./bitmap.ts";
import { type Explanation, effectRows, explanationTable, worthOf } from "./explanation.ts";
import { explanationChart } from "./explanation-chart.ts";
import { epoch, fullRun, history } from "./histories.fixture.ts";
import { modelCard } from "./model-card.ts";
import { reportPage } from "./page.ts";

const PICTURE = pictureOf([0, 1, 2, 3], [1, 2, 2], [0, 3]);

const explanation: Explanation = {
  metric: "accuracy",
  maximize: true,
  examples: 500,
  of: 2000,
  score: 0.92,
  scoreWithout: 0.6,
  modules: [
    {
      id: "conv1",
      type: "Conv2d",
      parameters: 51,
      share: 0.4,
      scoreWithout: 0.7,
      dendrites: [
        { parameters: 26, share: 0.5, scoreWithout: 0.75, examples: [7, 3] },
        { parameters: 25, share: -0.1, scoreWithout: 0.93, examples: [3] },
      ],
      kernels: {
        shape: [1, 2, 2],
        neurons: [
          {
            kernel: [1, -1, 0.5, 0],
            dendrites: [
              { kernel: [0.1, 0, 0, 0], outputWeight: 0.25, example: 7 },
              { kernel: [0, 0, 0, 0], outputWeight: -2, example: 3 },
            ],
          },
        ],
      },
    },
    {
      id: "fc",
      type: "Linear",
      parameters: 12,
      share: 0.05,
      scoreWithout: 0.919,
      dendrites: [{ parameters: 12, share: 0.05, scoreWithout: 0.919, examples: [] }],
    },
  ],
  pictures: { 3: PICTURE, 7: PICTURE },
};

interface Page {
  querySelectorAll(selector: string): Iterable<{ textContent: string; getAttribute(name: string): string }>;
}
const parse = (page: string) => (parseHTML(page) as unknown as { document: Page }).document;

describe("an explanation", () => {
  it("is a table of modules and their dendrites, one dendrite alone as its module", () => {
    expect(explanationTable(explanation)).toBe(
      [
        "module   dendrite   parameters   share of variance   accuracy without          change",
        "─────────────────────────────────────────────────────────────────────────────────────",
        "conv1         all           51               40.0%             70.00%   −22.00 points",
        "                0           26               50.0%             75.00%   −17.00 points",
        "                1           25              −10.0%             93.00%    +1.00 points",
        "fc              0           12                5.0%             91.90%    −0.10 points",
        "",
        "2 dendrites on conv1; 1 dendrite on fc; accuracy 92.00% with them, 60.00% if none is heard, on 500 of 2,000 validation examples",
      ].join("\n"),
    );
    expect(explanationTable({ ...explanation, modules: [], of: 500 })).toBe(
      "No dendrites; accuracy 92.00% on 500 validation examples",
    );
  });

  it("is worth what is lost without it, whichever way the score goes", () => {
    expect(worthOf({ score: 0.9, maximize: true }, { scoreWithout: 0.7 })).toBeCloseTo(0.2);
    expect(worthOf({ score: 0.3, maximize: false }, { scoreWithout: 0.7 })).toBeCloseTo(0.4);
  });

  it("is a chart with two bars a row, from zero to either side", () => {
    for (const width of [960, 400]) {
      const svg = explanationChart(explanation, { width });
      expect(svg).toBe(explanationChart(explanation, { width }));
      expect(svg).not.toMatch(/NaN|undefined/);
      const page = parse(`<html>${svg}</html>`);
      const bars = [...page.querySelectorAll("rect[fill-opacity]")];
      expect(bars).toHaveLength(2 * effectRows(explanation).length);
      const at = (i: number, name: string) => Number(bars[i]!.getAttribute(name));
      // The share of conv1's first dendrite is ten times fc's; its second one's goes from zero to the left.
      expect(at(1, "width") / at(3, "width")).toBeCloseTo(10, 1);
      expect(at(2, "x") + at(2, "width")).toBeCloseTo(at(1, "x"), 1);
      // Without conv1's second dendrite, the score gets better.
      expect(at(6, "x") + at(6, "width")).toBeCloseTo(at(5, "x"), 1);
    }
    expect(explanationChart({ ...explanation, modules: [] })).not.toContain("NaN");
  });

  it("is part of the page, with kernels and inputs as pictures that it brings along", () => {
    const page = reportPage(fullRun(), { name: "digits", explanation });
    const document = parse(page);
    expect([...document.querySelectorAll("h2")].map((each) => each.textContent)).toContain(
      "What the dendrites do",
    );
    const summaries = [...document.querySelectorAll("summary")].map((each) => each.textContent);
    expect(summaries.slice(0, 3)).toEqual([
      "As a table",
      "Kernels of conv1 and its dendrites",
      "Inputs that move each dendrite most",
    ]);
    const images = [...document.querySelectorAll("img")];
    // Three kernels with two examples beside, and three inputs.
    expect(images).toHaveLength(8);
    for (const image of images) {
      expect(image.getAttribute("src")).toMatch(/^data:image\/png;base64,iVBOR/);
      expect(image.getAttribute("alt")).toMatch(/kernel of|validation example/);
    }
    expect(page).not.toMatch(/undefined|\[object|NaN/);
  });

  it("shows no picture that is none, and escapes what it is given", () => {
    const evil = `"><script>alert('&')</script>`;
    const pictures = { 3: `data:text/html,${evil}`, 7: "https://example.org/x.png" };
    const modules = explanation.modules.map((module) => ({ ...module, id: evil }));
    const page = reportPage(fullRun(), {
      name: "x",
      explanation: { ...explanation, metric: evil, modules, pictures },
    });
    expect(page).not.toMatch(/<script|example\.org|data:text/);
  });
});

describe("pictureOf", () => {
  it("is a PNG, and of a large one every few pixels", () => {
    const size = (uri: string) => {
      const view = new DataView(Uint8Array.from(atob(uri.split(",")[1]!), (c) => c.charCodeAt(0)).buffer);
      return [view.getUint32(16), view.getUint32(20)];
    };
    expect(size(PICTURE)).toEqual([2, 2]);
    expect(size(pictureOf(new Float32Array(3 * 100 * 130), [3, 100, 130], [0, 0]))).toEqual([44, 34]);
  });
});

describe("modelCard", () => {
  const settings = {
    loss: "cross entropy",
    metric: "accuracy",
    optimizer: { name: "adam", learningRate: 0.01 },
    growth: { patience: 4 },
    data: { path: "data/digits", validationShare: 0.1, seed: 5, examples: { train: 5000 } },
    seed: 7,
  };
  const options = {
    name: "digits",
    settings,
    defaults: { growth: { patience: 10 } },
    environment: { Arborize: "0.1.0" },
    explanation,
  };

  it("says what the network is, how good, from what, and how to load it", () => {
    const card = modelCard({ ...fullRun(), origin: "Pruned from a." }, options);
    expect(card).toMatch(/^# digits\n\nValidation accuracy 98\.\d\d% with 2 dendrites\./);
    expect([...card.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual([
      "Scores",
      "Data",
      "Training",
      "Dendrites",
      "How to load it",
      "Made with",
    ]);
    expect(card).toContain("Pruned from a.");
    expect(card).toContain("| ★ 2 | ");
    expect(card).toContain("- data.path: data/digits\n");
    expect(card).toContain("- growth.patience: 4 (default: 10)");
    expect(card).toContain("Everything random follows from data.seed: 5, seed: 7.");
    expect(card).toContain("| conv1 | all | 51 | 40.0% | 70.00% | −22.00 points |");
    expect(card).toContain("Test scores are those of the epoch with the best validation score");
    expect(card).not.toContain("patent");
    expect(card).not.toMatch(/undefined|\[object/);
  });

  it("speaks of the patent where dendrites learned by correlation, and of scores that flatter without a test", () => {
    const card = modelCard(history([epoch({ epoch: 0 })]), {
      name: "x",
      settings: { dendrites: { learning: "correlation" } },
    });
    expect(card).toContain("US patent 11,580,403");
    expect(card).toContain("There was no test part");
  });

  it("shows what it is given as text", () => {
    const evil = "a|b\n# c <script> `d` [e](f)";
    const card = modelCard(fullRun(), {
      ...options,
      name: evil,
      settings: { data: { [evil]: evil } },
      explanation: { ...explanation, metric: evil },
    });
    expect(card).toContain("# a\\|b \\# c \\<script\\> \\`d\\` \\[e\\](f)\n");
    expect(card).not.toMatch(/[^\\]<script/);
    expect(card.match(/^# /gm)).toHaveLength(1);
  });
});
