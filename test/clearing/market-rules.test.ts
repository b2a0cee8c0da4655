/** docs/market-rules.md says what is so: its example is cleared, its codes and test names are looked up. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { paymentsOf, toJson, unwrap } from "#core";
import { clearBookCommand } from "../../cli/market-clear.ts";
import { CLEARING_REFUSALS } from "../../marketplace/clearing/index.ts";

const ROOT = new URL("../../", import.meta.url);
const RULES = readFileSync(new URL("docs/market-rules.md", ROOT), "utf8");
const CLOCK = { nowMs: () => 0 };

type OrderJson = { readonly id: string; readonly owner: string; readonly priceMicrosPerKwh: string };
type BookJson = { readonly bids: readonly OrderJson[]; readonly offers: readonly OrderJson[] };

describe("the worked example", () => {
  const [book = "", answer = "", payments = ""] = [...RULES.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, json = ""]) => json,
  );

  test("clears as the page says", () => {
    const output = unwrap(clearBookCommand(book, "market-rules.md", "pay-as-clear", CLOCK));
    expect(output).toEqual({ ...(JSON.parse(answer) as object), clearSeconds: 0 });
  });

  test("pays as the page says", () => {
    const { bids, offers } = JSON.parse(book) as BookJson;
    const ownerOf = new Map([...bids, ...offers].map(({ id, owner }) => [id, owner]));
    const { trades } = unwrap(clearBookCommand(book, "market-rules.md", "pay-as-clear", CLOCK));
    const priced = trades.map(({ bid, offer, energyWh, priceMicrosPerKwh }) => ({
      buyer: ownerOf.get(bid) ?? "",
      seller: ownerOf.get(offer) ?? "",
      energy: BigInt(energyWh) as never,
      price: BigInt(priceMicrosPerKwh) as never,
    }));
    const { buyers, sellers } = paymentsOf(priced);
    const shown = toJson({ buyers: Object.fromEntries(buyers), sellers: Object.fromEntries(sellers) });
    expect(JSON.parse(shown)).toEqual(JSON.parse(payments));
  });

  test("trades by pay-as-bid at the prices that the page says", () => {
    const { trades, priceMicrosPerKwh } = unwrap(clearBookCommand(book, "market-rules.md", "pay-as-bid", CLOCK));
    const said = /same three trades are at (\d+), (\d+) and (\d+)/.exec(RULES)?.slice(1);
    expect([priceMicrosPerKwh, trades.map((trade) => trade.priceMicrosPerKwh)]).toEqual([null, said]);
  });
});

test("the page lists the refusals in their order of precedence", () => {
  expect([...RULES.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)).toEqual([...CLEARING_REFUSALS]);
});

test("each test that the page names exists", () => {
  const folders = [
    "core/",
    "contracts/",
    "contracts/clauses/",
    "ledger-node/",
    "marketplace/",
    "marketplace/clearing/",
    "test/attacks/",
    "test/clearing/",
    "test/docs/",
  ];
  const sources = folders.flatMap((folder) =>
    readdirSync(new URL(folder, ROOT))
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => readFileSync(new URL(folder + name, ROOT), "utf8")),
  );
  // What stands in backticks and has at least three words, and is no command, is the name of a test.
  const names = [...RULES.matchAll(/`([^`\n]+)`/g)]
    .map(([, name = ""]) => name)
    .filter((name) => /\S+ \S+ \S+/.test(name) && !name.startsWith("dream "));
  expect(names.length).toBeGreaterThan(25);
  expect(names.filter((name) => !sources.some((source) => source.includes(`"${name}"`)))).toEqual([]);
});

test("each tie case that was worked by hand is on the page", () => {
  const ties = readFileSync(new URL("marketplace/clearing/ties.test.ts", ROOT), "utf8");
  const names = [...ties.matchAll(/name: "([^"]+)"/g)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !RULES.includes(`\`${name}\``))).toEqual([]);
});
