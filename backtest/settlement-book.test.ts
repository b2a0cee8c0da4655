/** The settlement book: each kind of final transaction, by hand, lands in the rows of those whom it concerns and nowhere else. */
import { describe, expect, test } from "vitest";
import type { NodeEvent } from "#contracts";
import { hashOf, micros, microsPerKwh, wattHours } from "#core";
import { auction, bid, deliveryRecord, funds, keyOf, NEXT_SLOT, order, SLOT, slotSettlement, VALID } from "#testkit";
import { settlementsCsv } from "./report/index.ts";
import type { SettlementRow } from "./report/model.ts";
import { SettlementBook } from "./settlement-book.ts";

const NAMES = ["alice", "bob", "carol", "grid authority", "marketplace", "power company"] as const;

function emptyBook(): SettlementBook {
  const book = new SettlementBook();
  for (const name of NAMES) book.addMember({ name, key: keyOf(name), roles: ["prosumer"] });
  return book;
}

function event(command: NodeEvent["command"], consumed: NodeEvent["consumed"], made: NodeEvent["made"]): NodeEvent {
  return { txId: hashOf("event"), command, consumed, made };
}

/** The columns of a slot's rows that are not zero, by member. */
function nonZero(book: SettlementBook): Readonly<Record<string, Readonly<Record<string, bigint>>>> {
  const amountsOf = (row: SettlementRow): [string, bigint][] =>
    Object.entries(row).flatMap(([column, value]): [string, bigint][] =>
      typeof value === "bigint" && value !== 0n ? [[column, value]] : [],
    );
  const rows = book.rows([SLOT]);
  return Object.fromEntries(
    rows
      .map((row) => [row.member, Object.fromEntries(amountsOf(row))])
      .filter(([, amounts]) => Object.keys(amounts ?? {}).length > 0),
  );
}

const netSum = (book: SettlementBook): bigint => book.rows([SLOT]).reduce((sum, { netMicros }) => sum + netMicros, 0n);

describe("a pool round", () => {
  const trades = [
    { bid: "bid of bob", offer: "offer of alice", energy: wattHours(1_001), price: microsPerKwh(150_000) },
    { bid: "bid of carol", offer: "offer of alice", energy: wattHours(300), price: microsPerKwh(150_000) },
  ];
  const orders = [
    order("offer", "alice", 1_500, 100_000),
    order("bid", "bob", 1_001, 200_000),
    order("bid", "carol", 300, 160_000),
  ];

  test("moves energy and money between owners, and the fee to the marketplace", () => {
    const book = emptyBook();
    book.addPoolRound(event({ tag: "clear-pool", slot: SLOT, price: null, isFinal: false, trades }, orders, []));
    // Bob: 1,001 Wh at 0.15 = 150,150, fee at 0.005 = 5,005. Carol: 45,000 and 1,500.
    expect(nonZero(book)).toEqual({
      alice: { soldWh: 1_301n, tradeMicros: 195_150n, netMicros: 195_150n },
      bob: { boughtWh: 1_001n, tradeMicros: -150_150n, feesMicros: -5_005n, netMicros: -155_155n },
      carol: { boughtWh: 300n, tradeMicros: -45_000n, feesMicros: -1_500n, netMicros: -46_500n },
      marketplace: { feesMicros: 6_505n, netMicros: 6_505n },
    });
    expect(netSum(book)).toBe(0n);
  });

  test("without trades, or any other transaction, leaves no trace", () => {
    const book = emptyBook();
    book.addPoolRound(event({ tag: "clear-pool", slot: SLOT, price: null, isFinal: true, trades: [] }, orders, []));
    book.addPoolRound(event({ tag: "cancel-orders", owner: keyOf("alice") }, orders, []));
    book.addAuction(
      event(
        { tag: "bid", auctionId: "auction", bidder: keyOf("bob"), requires: null },
        [auction(), bid("bob", 1, 1)],
        [],
      ),
    );
    expect(nonZero(book)).toEqual({});
  });
});

test("a settled auction pays the seller and the marketplace out of what the bid locked", () => {
  const book = emptyBook();
  const won = auction({ status: "ended", highestPrice: microsPerKwh(200_000), highestBidder: keyOf("carol") });
  const command = { tag: "settle-auction", auctionId: "auction" } as const;
  // 1,500 Wh at 0.20 and 0.005 fee.
  book.addAuction(event(command, [won, bid("carol", 200_000, 307_500)], []));
  expect(nonZero(book)).toEqual({
    alice: { soldWh: 1_500n, tradeMicros: 300_000n, netMicros: 300_000n },
    carol: { boughtWh: 1_500n, tradeMicros: -300_000n, feesMicros: -7_500n, netMicros: -307_500n },
    marketplace: { feesMicros: 7_500n, netMicros: 7_500n },
  });
});

test("a checked delivery costs the supplier the lost deposit and the fee; both go where they belong", () => {
  const book = emptyBook();
  const record = deliveryRecord("alice", { promised: 2_000, delivered: 1_500, depositLost: 300_000, gridFee: 15_000 });
  const made = [record, funds("alice", 885_000), funds("power company", 295_000), funds("grid authority", 20_000)];
  const command = { tag: "check-delivery", supplier: keyOf("alice"), slot: SLOT } as const;
  book.addDelivery(event(command, [], made), keyOf("grid authority"), keyOf("power company"));
  expect(nonZero(book)).toEqual({
    alice: {
      promisedWh: 2_000n,
      deliveredWh: 1_500n,
      shortfallWh: 500n,
      feesMicros: -15_000n,
      depositLostMicros: -300_000n,
      netMicros: -315_000n,
    },
    "grid authority": { feesMicros: 20_000n, netMicros: 20_000n },
    "power company": { depositLostMicros: 295_000n, netMicros: 295_000n },
  });
  expect(netSum(book)).toBe(0n);
});

test("what surplus costs is among the fees, and the sum of the money columns is still the net", () => {
  const book = emptyBook();
  const settlement = slotSettlement("carol", {
    feedInEnergy: 1_500,
    feedInAmount: 120_000,
    surplusAmount: 30_000,
    bought: 1_500,
  });
  const command = { tag: "settle-slot", member: keyOf("carol"), slot: SLOT } as const;
  book.addSettlement(event(command, [], [settlement]), keyOf("power company"));
  expect(nonZero(book)).toEqual({
    carol: { feedInMicros: 120_000n, feesMicros: -30_000n, netMicros: 90_000n },
    "power company": { feedInMicros: -120_000n, feesMicros: 30_000n, netMicros: -90_000n },
  });
  expect(netSum(book)).toBe(0n);
});

test("a correction adds the difference to the slot's row, and the money still sums to nothing", () => {
  const book = emptyBook();
  const [gridAuthority, powerCompany] = [keyOf("grid authority"), keyOf("power company")];
  const eventOf = (tag: "check-delivery" | "correct-settlement"): NodeEvent => {
    const { content, inputs } = VALID[tag]().resolved();
    return event(
      content.command,
      inputs.map(({ state }) => state),
      content.outputs,
    );
  };
  book.addDelivery(eventOf("check-delivery"), gridAuthority, powerCompany);
  book.addCorrection(eventOf("check-delivery"), gridAuthority, powerCompany);
  book.addCorrection(eventOf("correct-settlement"), gridAuthority, powerCompany);
  // 1.5 of 2 kWh were delivered, then 1.6: 0.06 of the deposit comes back, 0.001 is more grid fee, 35 Wh more are paid feed-in.
  expect(nonZero(book)).toEqual({
    alice: {
      producedWh: 100n,
      promisedWh: 2_000n,
      deliveredWh: 1_600n,
      shortfallWh: 400n,
      feesMicros: -16_000n,
      depositLostMicros: -240_000n,
      feedInMicros: 2_800n,
      netMicros: -253_200n,
    },
    "grid authority": { feesMicros: 20_000n, netMicros: 20_000n },
    "power company": { depositLostMicros: 236_000n, feedInMicros: -2_800n, netMicros: 233_200n },
  });
  expect(netSum(book)).toBe(0n);
});

test("a settlement is between the member and the power company; the baseline is beside it", () => {
  const book = emptyBook();
  const settlement = slotSettlement("bob", {
    produced: 300,
    consumed: 1_400,
    used: 1_000,
    feedInEnergy: 50,
    feedInAmount: 4_000,
    retailEnergy: 100,
    retailAmount: 30_000,
  });
  const command = { tag: "settle-slot", member: keyOf("bob"), slot: SLOT } as const;
  book.addSettlement(event(command, [], [settlement]), keyOf("power company"));
  const metered = { produced: wattHours(301), consumed: wattHours(1_402) };
  // 1,101 Wh drawn at 0.300001: 330,301.101, rounded up.
  book.addBaseline(keyOf("bob"), SLOT, metered, { feedIn: microsPerKwh(80_000), retail: microsPerKwh(300_001) });
  expect(nonZero(book)).toEqual({
    bob: {
      producedWh: 300n,
      consumedWh: 1_400n,
      feedInMicros: 4_000n,
      retailMicros: -30_000n,
      netMicros: -26_000n,
      baselineMicros: -330_302n,
    },
    "power company": { feedInMicros: -4_000n, retailMicros: 30_000n, netMicros: 26_000n },
  });
});

test("every member has one row in every slot, sorted; the file of them can be written", () => {
  const rows = emptyBook().rows([SLOT, NEXT_SLOT]);
  expect(rows.map(({ slot, member }) => [slot, member])).toEqual(
    [SLOT, NEXT_SLOT].flatMap((slot) => NAMES.map((name) => [slot, name])),
  );
  expect(rows.every(({ netMicros }) => netMicros === micros(0n))).toBe(true);
  expect(settlementsCsv(rows).trimEnd().split("\n")).toHaveLength(1 + 2 * NAMES.length);
});
