/** docs/ARCHITECTURE.md repeats the table of rooms as it is, and the numbers of the kernel. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { PRIORITIES } from "../../backtest/kernel/virtual-clock.ts";
import { ROOT, textOf } from "../architecture/checkout.ts";
import { codes, section, tableRows } from "./pages.ts";

type Room = { readonly imports: readonly string[]; readonly io?: boolean };
const { ROOMS, DETERMINISTIC } = (await import(`${ROOT}/scripts/walls.mjs`)) as {
  readonly ROOMS: Readonly<Record<string, Room>>;
  readonly DETERMINISTIC: readonly string[];
};
const PAGE = "docs/ARCHITECTURE.md";
const rows = tableRows(section(PAGE, "Folders")).map(([folder = "", , imports = "", io = ""]) => ({
  folder: codes(folder)[0] ?? "",
  imports,
  io,
}));

/** Rooms of the table's words, in no order. */
function roomsOf(imports: string, folder: string): readonly string[] {
  if (imports === "nothing") return [];
  if (imports === "all but cli")
    return rows.map((row) => row.folder).filter((name) => name !== "cli" && name !== folder);
  if (imports === "all above")
    return rows
      .slice(
        0,
        rows.findIndex((row) => row.folder === folder),
      )
      .map((row) => row.folder);
  return imports.split(", ");
}

test("the table of folders is that of the walls", () => {
  // A room for pages to come has a row in the walls, but no folder yet.
  const rooms = Object.entries(ROOMS).filter(([name]) => existsSync(`${ROOT}/${name}`));
  const held = rooms.map(([folder, { imports, io }]) => [folder, [...imports].sort(), io === true ? "yes" : "no"]);
  const said = rows.map(({ folder, imports, io }) => [folder, [...roomsOf(imports, folder)].sort(), io]);
  expect(Object.fromEntries(said.map(([folder, ...rest]) => [folder, rest]))).toEqual(
    Object.fromEntries(held.map(([folder, ...rest]) => [folder, rest])),
  );
});

test("the deterministic folders are those of the walls", () => {
  const sentence = /`core`, `contracts`[\s\S]*?\*\*deterministic\*\*/.exec(section(PAGE, "Folders"))?.[0] ?? "";
  expect(codes(sentence)).toEqual([...DETERMINISTIC]);
});

test("the order of work at one instant is the kernel's", () => {
  const order = Object.entries(PRIORITIES)
    .sort(([, left], [, right]) => left - right)
    .map(([name]) => name);
  expect(section(PAGE, "Determinism")).toContain(`in the order of priority (${order.join(", ")})`);
  expect(textOf("backtest/simulation.ts")).toContain("REACTION_ROUNDS_MAX = 200");
});

test("files that the page names exist", () => {
  const paths = codes(textOf(PAGE)).filter((code) => /^[a-z-]+\/[\w./-]+$/.test(code));
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !existsSync(`${ROOT}/${path}`))).toEqual([]);
});
