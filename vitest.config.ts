/** Tests run on the sources as they are: the condition `dream-source` leads `#core` to core/index.ts, so nothing is built first. */
import { defineConfig, type ViteUserConfig } from "vitest/config";

const conditions = ["dream-source", "node", "import", "default"];
/** A path for vitest's report as JSON, besides what it prints. */
const reportFile = process.env["DREAM_TEST_REPORT"];

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "runs/**"],
    pool: "forks",
    // Tests of processes wait more than they work: one worker less than cores would leave a core idle.
    maxWorkers: "100%",
    testTimeout: 120_000,
    hookTimeout: 120_000,
    allowOnly: false,
    reporters: reportFile === undefined ? ["default"] : ["default", ["json", { outputFile: reportFile }]],
  },
});
export default config;
