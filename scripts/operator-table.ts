// docs/operators.md as text, from the operators themselves.

import type { Operator } from "../src/graph/operator.ts";
import { listOperators } from "../src/ops/registry.ts";

/** Of what ONNX Runtime computes on the CPU in float32 alone. */
export const FLOAT32_ONLY: readonly string[] = [
  "Acos",
  "Acosh",
  "Asin",
  "Asinh",
  "Atan",
  "Atanh",
  "AveragePool",
  "Celu",
  "Conv",
  "ConvTranspose",
  "Cosh",
  "Elu",
  "Erf",
  "GRU",
  "Gelu",
  "GlobalAveragePool",
  "GlobalLpPool",
  "GlobalMaxPool",
  "HardSigmoid",
  "HardSwish",
  "Hardmax",
  "InstanceNormalization",
  "LRN",
  "LSTM",
  "LeakyRelu",
  "LpPool",
  "MaxUnpool",
  "Mean",
  "MeanVarianceNormalization",
  "Mish",
  "OneHot",
  "PRelu",
  "RNN",
  "Resize",
  "Selu",
  "Sinh",
  "Softplus",
  "Softsign",
  "Tan",
  "ThresholdedRelu",
];

/** What else the runtime lacks, and what is done about it. */
const LACKS: Readonly<Record<string, string>> = {
  BatchNormalization:
    "in training mode it writes over its inputs; training graphs have reductions and the evaluation form in its place",
  GroupNormalization: "statistics in float32",
  LRN: "images of known channels",
  LayerNormalization: "statistics in float32",
  MatMul: "wrong for a transposed matrix and a vector; `ops.matMul` makes a matrix of the vector",
  MaxPool:
    "a wrong shape with `ceil_mode` where a window starts beyond the input; files are written without it",
  MeanVarianceNormalization: "equal elements give NaN",
  Pad: "wrong amounts with `axes` between two Transposes; gradients name all axes",
  Shrink: "rounds to float32",
  Sigmoid: "`x * sigmoid(x)` becomes one kernel, in float32 only",
};

const HEADER = `# Operators

Made by \`npm run docs\` from the definitions in \`src/ops\`; a test fails when it is not up to date.

Everything in this table is read from ONNX files, and can be called as a function of \`ops\`. **Meaning** is the operator set
version whose meaning is implemented: nodes of files of operator sets 7 to 23 become what the operator means in it.
**Gradient** says whether losses are differentiated through it, or why not.
**Shapes** says whether lengths that a graph computes through it are known when the graph is built, also where they are
symbolic. **Runtime** says what ONNX Runtime lacks on the CPU: "float32" is an operator that it has for no other floating type.
Networks are trained in float32, so that rarely matters.
`;

/** The text of docs/operators.md. */
export function operatorTable(): string {
  const operators = [...listOperators()].sort((a, b) => (a.type < b.type ? -1 : 1));
  const rows = operators.map((operator) => [
    `\`${operator.type}\``,
    `${operator.since}`,
    attributes(operator),
    typeof operator.gradient === "function" ? "yes" : `no: ${operator.gradient.nondifferentiable}`,
    operator.evaluate ? "yes" : "",
    lacks(operator),
  ]);
  const table = [["Operator", "Meaning", "Attributes", "Gradient", "Shapes", "Runtime"], ...rows];
  const [titles, ...lines] = table.map((cells) => `| ${cells.join(" | ")} |`);
  const differentiable = operators.filter(({ gradient }) => typeof gradient === "function").length;
  const total = `${operators.length} operators, ${differentiable} with a gradient.`;
  return [HEADER, total, "", titles, "| --- | ---: | --- | --- | --- | --- |", ...lines, ""].join("\n");
}

function attributes(operator: Operator): string {
  return Object.entries(operator.attributes)
    .map(([name, kind]) => `\`${name}\` ${kind}`)
    .join(", ");
}

function lacks({ type }: Operator): string {
  const single = FLOAT32_ONLY.includes(type) ? ["float32"] : [];
  return [...single, ...(LACKS[type] === undefined ? [] : [LACKS[type]])].join("; ");
}
