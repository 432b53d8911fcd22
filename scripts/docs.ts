// Writes the documentation that is made from the sources.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { operatorTable } from "./operator-table.ts";

writeFileSync(join(import.meta.dirname, "..", "docs", "operators.md"), operatorTable());
