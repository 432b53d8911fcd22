import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Each test file computes with up to two threads of its own.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default", "./test/support/count-reporter.ts"],
    projects: [
      // Tests of single parts leave nothing behind, so the files of a worker share the modules that they import.
      { extends: true, test: { name: "parts", include: ["src/**/*.test.ts"], isolate: false } },
      { extends: true, test: { name: "whole", include: ["test/**/*.test.ts"] } },
    ],
  },
});
