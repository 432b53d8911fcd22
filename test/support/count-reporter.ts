// The last line of a test run: how many tests passed, failed and were skipped, for programs to read.

import type { TestModule } from "vitest/node";

export default class CountReporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
      if (module.errors().length > 0) counts.failed += 1;
    }
    const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
    process.once("exit", () => console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`));
  }
}
