import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PINNED_SETS } from "../download/sources.ts";
import { KNOWN_FIELDS, parseManifest } from "./parse.ts";
import { SHIPPED_SETS } from "./shipped.ts";
import { ENERGY_UNITS, WEATHER_UNITS } from "./units.ts";

const page = readFileSync(new URL("../../docs/data.md", import.meta.url), "utf8");

describe("docs/data.md", () => {
  test("names every field, unit and set that the code knows", () => {
    for (const field of KNOWN_FIELDS) expect(page, field).toMatch(new RegExp(`\\b${field}\\b`));
    for (const unit of ENERGY_UNITS) expect(page).toContain(`\`${unit}\``);
    for (const units of Object.values(WEATHER_UNITS)) {
      for (const unit of Object.keys(units)) expect(page).toMatch(new RegExp(`\`"?${unit.replace("/", "\\/")}"?\``));
    }
    for (const set of SHIPPED_SETS) expect(page).toContain(`| \`${set}\` |`);
  });

  test("says of each set whether get fetches it", () => {
    for (const { name, files, otherFiles } of PINNED_SETS) {
      const says = files.length === 0 ? "no" : otherFiles.length === 0 ? "yes" : "in part";
      expect(page).toMatch(new RegExp(`\\| \`${name}\` \\|.*\\| ${says} \\|`));
    }
  });

  test("its manifest is one", () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    expect(parseManifest(example, "docs/data.md")).toMatchObject({ ok: true });
  });
});
