// Writes what is made from the sources: the table of operators, and the schema of configurations.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonSchema } from "../src/cli/train/config.ts";
import { operatorTable } from "./operator-table.ts";

writeFileSync(join(import.meta.dirname, "..", "docs", "operators.md"), operatorTable());
writeFileSync(
  join(import.meta.dirname, "..", "config.schema.json"),
  `${JSON.stringify(jsonSchema(), null, 2)}\n`,
);
