/** A short chaos run of real processes: a few kills, one of all nodes at once, and a bad wire. The long one is `npm run chaos`. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { isSound, renderChaos } from "../../testkit/chaos/report.ts";
import { runChaos } from "../../testkit/chaos/run.ts";

test("nodes that are killed and a wire that loses messages leave everything once or not at all", async () => {
  const report = await runChaos({
    seed: "short",
    kills: 3,
    wholeStops: 1,
    members: 2,
    isSmall: true,
    erasAfter: 1,
    host: process,
    program: join(import.meta.dirname, "..", "..", "bin", "dream"),
    onProgress: () => undefined,
  });
  expect(isSound(report), renderChaos(report)).toBe(true);
  const created = report.outcomes.filter(({ told }) => told.tag !== "refused");
  expect(Object.values(report.kills).reduce((sum, count) => sum + count, 0)).toBe(3);
  expect(report.wholeStops).toBe(1);
  expect(created.length).toBeGreaterThan(10);
  expect(Object.keys(report.wireFaults).length).toBeGreaterThan(0);
}, 600_000);
