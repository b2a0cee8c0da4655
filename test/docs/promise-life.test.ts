/** The life of a promise in docs/market-rules.md, lived step by step: after each, everybody has what the page says. */
import { expect, test } from "vitest";
import { blocks, section } from "./pages.ts";
import { LIFE_STEPS, PromiseLife } from "./promise-life.ts";

type Accounts = Readonly<Record<string, Readonly<Record<string, string>>>>;
const [page = ""] = blocks(section("docs/market-rules.md", "The life of a promise"), "json");
const told = JSON.parse(page) as Readonly<Record<string, Accounts>>;

test("everybody has what the page says after each step", async () => {
  const life = new PromiseLife();
  await life.begin();
  expect(Object.keys(told)).toEqual(LIFE_STEPS);
  for (const step of LIFE_STEPS) {
    await life[step]();
    expect(life.accounts(), step).toMatchObject(told[step] ?? {});
    for (const [name, account] of Object.entries(told[step] ?? {}))
      expect(life.accounts()[name], step).toEqual(account);
  }
});
