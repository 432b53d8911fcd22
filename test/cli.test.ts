// The command `arborize`, as a user runs it: in a process of its own.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../src/cli/command.ts";
import { run as answer } from "../src/cli/run.ts";
import { inspect, nn, ops, readOnnx, Tensor, type Value, writeOnnx } from "../src/index.ts";
import { contextOf, runCommand } from "./support/command.ts";
import { temporaryFolders } from "./support/folders.ts";

const file = temporaryFolders();
const model = file("net.onnx");

class Net extends nn.Module {
  body = new nn.Sequential(new nn.Conv2d(1, 40, 3), new nn.ReLU(), new nn.Conv2d(40, 8, 3));
  fc = new nn.Linear(512, 10);
  forward(x: Value): Value {
    return this.fc.call(this.body.call(x).flatten());
  }
}

const run = (args: readonly string[]) =>
  answer(
    args,
    contextOf(() => undefined),
  );

beforeAll(() => {
  writeFileSync(model, writeOnnx(nn.trace(new Net(), { inputs: { x: ["batch", 1, 12, 12] } })));
});

describe("arborize inspect", () => {
  it("prints the modules of a file, without colours where nobody sees them", async () => {
    const { code, out, errors } = await runCommand(["inspect", model]);
    expect([code, errors]).toEqual([0, ""]);
    expect(`\n${out}`).toBe(`
Net
input   x: float32[batch, 1, 12, 12]
output  fc/Gemm: float32[batch, 10]

module   type     output                parameters   trains   dendrites
───────────────────────────────────────────────────────────────────────
body                                         3,288
  0      Conv2d   [batch, 40, 10, 10]          400   yes      yes
  2      Conv2d   [batch, 8, 8, 8]           2,888   yes      yes
fc       Linear   [batch, 10]                5,130   yes      yes

8,418 parameters (all learn); 3 modules take dendrites
`);
  });

  it("colours for those who ask for it", async () => {
    const { out } = await runCommand(["inspect", model], { env: { FORCE_COLOR: "1" } });
    expect(out).toContain("\u001b[32myes\u001b[39m");
  });

  it("prints the same as JSON, of the classes and axes that it is told", async () => {
    const { code, out } = await runCommand([
      "inspect",
      "--json",
      "--types=Linear",
      "--axes",
      "batch=7",
      model,
    ]);
    expect(code).toBe(0);
    const told = inspect(await readOnnx(model, { axes: { batch: 7 } }), { types: ["Linear"] });
    expect(JSON.parse(out)).toEqual(told);
    expect(told.outputs[0]!.shape).toEqual([7, 10]);
    expect(told.modules.find(({ id }) => id === "fc")).toMatchObject({ verdict: "grows", parameters: 5130 });
  });

  it("chooses where dendrites grow as training does, with each module's reason and what nothing covers", async () => {
    const rules = ["--types", "none", "--blocks", "body", "--track", "fc"];
    expect(await run(["inspect", model, ...rules])).toMatch(
      /^body +3,288 +yes: blocks has "body"\n +0 .* yes +part: it is in body\n +2 .* part: it is in body\nfc .* tracked: track has "fc"$/m,
    );
    const out = await run(["inspect", model, "--modules", "fc", "--skip", "body.0", "--types", "LSTM"]);
    expect(out).toMatch(
      / 0 .* skipped: skip has "body.0"\n +2 .* no: Conv2d is not among the types.*\nfc .* yes: modules has "fc"$/m,
    );
    expect(out).toContain(`
4 parameters that no dendrite follows, in no module that is tracked
  body.0.weight
  body.0.bias
  body.2.weight
  body.2.bias

8,418 parameters (all learn); 1 module takes dendrites
`);
    const between = ["--types", "none", "--blocks", "x..fc/Gemm", "--json"];
    const told = JSON.parse(await run(["inspect", model, ...between]));
    expect(told.blocks).toEqual([{ id: "fc/Gemm", verdict: "grows", reason: "blocks has it" }]);
    expect([told.sites, told.uncovered]).toEqual([1, []]);
    const text = await run(["inspect", model, "--types", "none", "--blocks", "fc/Gemm..x"]);
    expect(text).toContain('Between two values\n  x   no: "x" does not follow from "fc/Gemm"');
    await expect(run(["inspect", model, "--modules", "body.1.conv"])).rejects.toThrow(
      'no module with the path "body.1.conv"',
    );
  });

  it("says what keeps weights from learning", async () => {
    const graph = nn.trace(new Net(), { inputs: { x: ["batch", 1, 12, 12] } });
    const votes = graph.within("vote", () => ops.argMax(graph.outputs[0]!, 1));
    const prices = graph.parameter("prices", Tensor.full([10], 1));
    const rise = graph.parameter("rise", Tensor.full([1], 1));
    graph.outputs[0] = ops.add(ops.gather(prices, votes), rise);
    const path = file("votes.onnx");
    writeFileSync(path, writeOnnx(graph));
    const out = await run(["inspect", path]);
    expect(out).toMatch(
      /^fc +Linear +\[batch, 10\] +5,130 +no: no gradient passes ArgMax "vote" \(node \d+\) +yes$/m,
    );
    expect(out).toMatch(/^Gather +Embedding +\[batch\] +10 +yes +no: Embedding is not among the types/m);
    expect(out).toMatch(/^rise +outside of modules +\[1\] +1 +yes$/m);
    expect(out).toMatch(
      /^No gradient passes\n {2}ArgMax "vote" \(node \d+\): its output is an index\n {4}keeps from learning: body.0.weight, .*, 2 more$/m,
    );
    expect(out).toContain("8,429 parameters (11 learn); 3 modules take dendrites");
  });
});

describe("arborize", () => {
  it("tells how it is used, and which it is", async () => {
    expect(await run(["--help"])).toMatch(
      /^Usage: arborize COMMAND[\s\S]*\n {2}inspect {3}.*[\s\S]*--version/,
    );
    const help = await run(["inspect", "--help"]);
    expect(await run(["help", "inspect"])).toBe(help);
    for (const option of ["--json", "--types A,B", "--blocks", "--track", "--axes", "-h, --help"])
      expect(help).toContain(option);
    const version = await runCommand(["-v"]);
    const text = readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8");
    expect(version).toEqual({ code: 0, out: `${JSON.parse(text).version}\n`, errors: "" });
  });

  it("ends with 1 and says why where a file is none, or no network", async () => {
    const broken = file("broken.onnx");
    writeFileSync(broken, readFileSync(model).subarray(0, 1000));
    const { code, out, errors } = await runCommand(["inspect", broken]);
    expect([code, out]).toEqual([1, ""]);
    expect(errors).toMatch(/^arborize: ".*broken\.onnx" cannot be decoded.*\n$/);
    await expect(run(["inspect", file("nothing.onnx")])).rejects.toMatchObject({
      code: "bad_file",
      message: expect.stringContaining("nothing.onnx"),
    });
  });

  it("ends with 2 where the command line is wrong", async () => {
    const { code, out, errors } = await runCommand(["inspct", model]);
    const told = 'arborize: there is no command "inspct". Did you mean "inspect"? See arborize --help.\n';
    expect([code, out, errors]).toEqual([2, "", told]);
  });

  it("says what was meant", async () => {
    const wrong: [string[], RegExp][] = [
      [[], /there is nothing to do\.\n\nUsage: arborize COMMAND/],
      [["--jsn", "inspect"], /a command comes first, not "--jsn"/],
      [["inspect", "--jsn", model], /no option "--jsn"\. Did you mean "--json"\?/],
      [["inspect", "-x", model], /no option "-x"\. See/],
      [["inspect"], /inspect needs FILE\.onnx/],
      [["inspect", model, "other.onnx"], /takes one FILE\.onnx, "other\.onnx" is too much/],
      [["inspect", model, "--types"], /--types needs a value/],
      [["inspect", model, "--track", "fc,,body"], /--track has an empty name: fc,,body/],
      [["inspect", model, "--blocks", "x.."], /two values as FROM\.\.TO, not "x\.\."/],
      [["inspect", model, "--json=yes"], /--json takes no value/],
      [["inspect", model, "--axes", "batch"], /lengths such as batch=1,time=16, not "batch"/],
    ];
    for (const [args, message] of wrong) {
      const failed = await run(args).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(UsageError);
      expect((failed as UsageError).message).toMatch(message);
    }
  });
});
