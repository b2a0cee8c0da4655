/** Names that docs/glossary.md and strategies/README.md give are names in the code, and the glossary is in order. */
import { describe, expect, test } from "vitest";
import { builtInStrategies } from "#strategies";
import { promiseLevel } from "../../strategies/shared/newsvendor.ts";
import { filesEndingWith, rooms, textOf } from "../architecture/checkout.ts";
import { codes, section, tableRows } from "./pages.ts";

describe("the glossary", () => {
  const rows = tableRows(textOf("docs/glossary.md"));
  const sources = rooms()
    .flatMap((room) => filesEndingWith(".ts", room))
    .filter((path) => !path.endsWith(".test.ts"))
    .map(textOf);

  test("names what is in the code", () => {
    const names = rows.flatMap(([, place = ""]) => codes(place));
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => !sources.some((source) => new RegExp(`\\b${name}\\b`).test(source)))).toEqual([]);
  });

  test("has each word once, in order", () => {
    const words = rows.map(([word = ""]) => word);
    expect(words).toEqual([...new Set(words)].sort((left, right) => (left < right ? -1 : 1)));
  });
});

describe("the strategies' page", () => {
  const PAGE = "strategies/README.md";

  test("lists the built-in strategies, and no others", () => {
    const listed = tableRows(section(PAGE, "Strategies").split("## ")[0] ?? "").map(
      ([name = ""]) => codes(name)[0] ?? "",
    );
    expect([...listed].sort()).toEqual([...builtInStrategies.keys()]);
  });

  test("lists the hooks and intents of the interface", () => {
    const source = textOf("strategies/strategy.ts");
    const hooks = tableRows(section(PAGE, "The interface")).map(([hook = ""]) => codes(hook)[0]);
    expect([...hooks].sort()).toEqual([...source.matchAll(/^ {2}(on\w+)\?\(/gm)].map(([, hook]) => hook).sort());
    const intents = /^Intents: ([^.]*)\./m.exec(section(PAGE, "The interface"))?.[1] ?? "";
    const union = /export type Intent =([\s\S]*?);\n\n/.exec(source)?.[1] ?? "";
    expect([...codes(intents)].sort()).toEqual([...union.matchAll(/tag: "([a-z-]+)"/g)].map(([, tag]) => tag).sort());
  });

  test("works out its example right", () => {
    const level = promiseLevel({
      salePrice: 200_000,
      saleChance: 0.8,
      feedIn: 60_000,
      gridFee: 5_000,
      shortfallPrice: 800_000,
      waitingValue: 0,
    });
    expect(section(PAGE, "The critical quantile")).toContain(`the first is ${level.toFixed(3)}:`);
    expect(1 / level).toBeCloseTo(7, 0);
  });
});
