/** Books with the answers of an independent oracle. They are not in the repository; without them this is skipped. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { unwrap } from "#core";
import {
  type Book,
  checkBook,
  clearingInterval,
  type OrderDraft,
  payAsBid,
  payAsClear,
} from "../../marketplace/clearing/index.ts";

type OrderJson = {
  readonly id: string;
  readonly owner: string;
  readonly priceMicrosPerKwh: string;
  readonly energyWh: string;
};
type CaseJson = {
  readonly id: string;
  readonly bids: readonly OrderJson[];
  readonly offers: readonly OrderJson[];
  readonly expected: {
    readonly volumeWh: string;
    readonly priceMicrosPerKwh: string | null;
    readonly interval: readonly [number, number] | null;
    readonly welfareMicroWh: string;
  };
};

const FILE = fileURLToPath(new URL("../../../shared/cases/clearing-public.json", import.meta.url));

function readCases(): readonly CaseJson[] {
  if (!existsSync(FILE)) {
    console.log(
      "skipped: the public clearing cases are not beside the checkout (../shared/cases/clearing-public.json)",
    );
    return [];
  }
  return (JSON.parse(readFileSync(FILE, "utf8")) as { readonly cases: readonly CaseJson[] }).cases;
}

function bookOf({ bids, offers }: CaseJson): Book {
  const draft = ({ id, owner, priceMicrosPerKwh, energyWh }: OrderJson, sequence: number): OrderDraft => ({
    id,
    owner,
    limit: BigInt(priceMicrosPerKwh),
    energy: BigInt(energyWh),
    sequence,
  });
  return unwrap(checkBook({ bids: bids.map(draft), offers: offers.map(draft) }));
}

const CASES = readCases();

describe.skipIf(CASES.length === 0)("public cases", () => {
  test("there are as many as were published", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(24);
  });

  test.each(CASES)("$id", (each) => {
    const { volumeWh, priceMicrosPerKwh, interval, welfareMicroWh } = each.expected;
    const book = bookOf(each);
    const clearing = payAsClear.clear(book);
    expect({
      volumeWh: clearing.volume.toString(),
      priceMicrosPerKwh: clearing.price?.toString() ?? null,
      welfareMicroWh: clearing.welfare.toString(),
    }).toEqual({ volumeWh, priceMicrosPerKwh, welfareMicroWh });
    expect(clearingInterval(book)).toEqual(
      interval === null ? null : { low: BigInt(interval[0]), high: BigInt(interval[1]) },
    );
    const asBid = payAsBid.clear(book);
    expect([asBid.volume, asBid.welfare]).toEqual([clearing.volume, clearing.welfare]);
  });
});
