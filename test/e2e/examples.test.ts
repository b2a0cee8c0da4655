/** The example scenarios run as they stand, and the help leads to one. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { filesEndingWith } from "../architecture/checkout.ts";
import { dream, temporaryFolder } from "./command.ts";

const folder = temporaryFolder();
// Networks have files of another kind; network.test.ts starts one.
const examples = filesEndingWith(".yaml", "examples").filter((path) => !path.startsWith("examples/network/"));

describe("examples", () => {
  test("there is one that the help names", async () => {
    const { code, stdout } = await dream(["simulate", "--help"]);
    expect(code).toBe(0);
    const [named] = /examples\/\S+\.yaml/.exec(stdout) ?? [];
    expect(examples).toContain(named);
  });

  test.each(examples)(
    "%s: its first day, settled and audited",
    async (example) => {
      const out = join(folder, example.replaceAll("/", "-"));
      // Its own days may be more than a test has time for.
      const { code, stdout, stderr } = await dream(["simulate", example, "--to", "2031-06-08", "--out", out, "--json"]);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        firstDay: "2031-06-08",
        lastDay: "2031-06-08",
        conservation: { moneyErrorMicros: "0", energyErrorWh: "0" },
      });
      expect((await dream(["ledger", "audit", out])).code).toBe(0);
    },
    120_000,
  );
});
