/** The import walls and the brands hold, and the folder lists that several tools need say the same. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { filesEndingWith, ROOT, rooms, textOf } from "./checkout.ts";

type WallTable = {
  readonly ROOMS: Readonly<Record<string, { readonly imports: readonly string[] }>>;
  readonly CROSSING: readonly string[];
  readonly DETERMINISTIC: readonly string[];
};

const table = (await import(`${ROOT}/scripts/walls.mjs`)) as WallTable;

function run(script: string): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd: ROOT, encoding: "utf8" });
  return { code: status, output: `${stdout}${stderr}` };
}

describe("gates", () => {
  test("no import crosses a wall, and every source file was read", () => {
    const { code, output } = run("scripts/lint-deps.mjs");
    expect(output).toMatch(/^walls: \d+ modules, \d+ imports, \d+ rules, 0 faults$/m);
    expect(code).toBe(0);
    const read = Number(/(\d+) modules/.exec(output)?.[1]);
    expect(read).toBeGreaterThanOrEqual(rooms().flatMap((room) => filesEndingWith(".ts", room)).length);
  });

  test("no brand is made outside the file that owns it", () => {
    const { code, output } = run("scripts/check-brands.mjs");
    expect(output).toMatch(/^brands: \d+ files, \d+ brands, \d+ casts, 0 faults$/m);
    expect(code).toBe(0);
  });
});

describe("the table of rooms", () => {
  test("has a row for each door of package.json", () => {
    expect(Object.keys(table.ROOMS)).toEqual(expect.arrayContaining([...rooms()]));
  });

  test("has no circle: some order of building the rooms exists", () => {
    const built = new Set<string>();
    const left = new Map(Object.entries(table.ROOMS));
    while (left.size > 0) {
      const ready = [...left].filter(([, { imports }]) => imports.every((name) => built.has(name)));
      expect(ready, `rooms that wait for each other: ${[...left.keys()]}`).not.toEqual([]);
      for (const [name] of ready) {
        built.add(name);
        left.delete(name);
      }
    }
  });

  test("keeps the node and its client apart, and core alone", () => {
    expect(table.ROOMS["core"]?.imports).toEqual([]);
    expect(table.ROOMS["ledger-node"]?.imports).not.toContain("ledger-client");
    expect(table.ROOMS["ledger-client"]?.imports).not.toContain("ledger-node");
  });
});

describe("the lists of folders", () => {
  const biome = JSON.parse(textOf("biome.json")) as {
    readonly plugins: readonly { readonly path: string; readonly includes: readonly string[] }[];
    readonly overrides: readonly { readonly includes: readonly string[]; readonly linter: unknown }[];
  };
  const globs = table.DETERMINISTIC.map((folder) => `**/${folder}/**/*.ts`);

  test("biome watches every deterministic folder for ambient time and randomness", () => {
    const plugin = biome.plugins.find(({ path }) => path.endsWith("ambient.grit"));
    expect(plugin?.includes).toEqual([...globs, "!**/*.test.ts"]);
    const override = biome.overrides.find(({ linter }) => JSON.stringify(linter).includes("setTimeout"));
    expect(override?.includes).toEqual(globs);
  });

  test("the compiler sees every folder", () => {
    const { include } = JSON.parse(textOf("tsconfig.json")) as { readonly include: readonly string[] };
    const folders = [...Object.keys(table.ROOMS), ...table.CROSSING].filter(
      (folder) => filesEndingWith(".ts", folder).length > 0,
    );
    expect(folders.filter((folder) => !include.includes(folder))).toEqual([]);
  });
});
