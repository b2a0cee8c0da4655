import { expect, test } from "vitest";
import { z } from "zod";
import { localDay, micros, microsPerKwh, type SlotId, slotStartingAt, wattHours } from "#core";
import { defineStrategy, type Intent, type Strategy } from "#strategies";
import { FakeStrategyContext } from "./strategy-context.ts";
import { StrategyStage } from "./strategy-stage.ts";

const slotId: SlotId = slotStartingAt(Date.parse("2031-06-11T10:00:00Z"), 15).id;
const day = localDay("2031-06-11");
const wh = wattHours;
const price = microsPerKwh;

/** A stage whose strategy answers the forecast with the given intents. */
function stageDoing(...intents: readonly Intent[]): StrategyStage<Record<string, never>, null> {
  const scripted: Strategy<Record<string, never>, null> = defineStrategy({
    name: "scripted",
    description: "Does what the test says.",
    config: z.strictObject({}),
    warmup: { days: 0 },
    initialMemory: () => null,
    onForecast: () => intents,
  });
  const ctx = new FakeStrategyContext<Record<string, never>, null>({}, null);
  ctx.freeFunds = micros(10_000_000n);
  const stage = new StrategyStage(scripted, ctx);
  stage.forecast(day, [slotId]);
  return stage;
}

test("a kept promise: sold part at the pool's price, unsold part at feed-in, deposit back less the grid's fee", () => {
  const stage = stageDoing(
    { tag: "promise", slotId, energy: wh(1_000) },
    { tag: "offer", slotId, energy: wh(1_000), limit: price(70_000) },
  );
  expect(stage.ctx.freeFunds).toBe(10_000_000n - 800_000n);
  stage.poolRound(slotId, price(200_000), 0.6);
  stage.deliver(slotId, wh(1_500));
  // 600 Wh at 0.20; 400 unsold and 500 beyond the promise at 0.06; 1000 delivered at 0.005.
  expect(stage.ctx.freeFunds).toBe(10_000_000n + 120_000n + 54_000n - 5_000n);
});

test("a broken promise loses its deposit for what is missing", () => {
  const stage = stageDoing({ tag: "promise", slotId, energy: wh(1_000) });
  stage.deliver(slotId, wh(300), wh(0));
  // 300 delivered, all of it unsold: 0.06 − 0.005; 700 missing at 0.80.
  expect(stage.ctx.freeFunds).toBe(10_000_000n + 18_000n - 1_500n - 560_000n);
});

test("bought energy is used first, the rest of the need is bought at retail, the rest of the order is released", () => {
  const stage = stageDoing({ tag: "order", slotId, energy: wh(1_000), limit: price(250_000) });
  stage.poolRound(slotId, price(150_000), 0.5);
  expect(stage.ctx.freeFunds).toBe(10_000_000n - 77_000n - 127_000n); // 500 at 0.154 paid, 500 at 0.254 locked
  stage.deliver(slotId, wh(0), wh(800));
  expect(stage.ctx.freeFunds).toBe(10_000_000n - 77_000n - 90_000n);
  const unused = stageDoing({ tag: "order", slotId, energy: wh(1_000), limit: price(250_000) });
  unused.poolRound(slotId, price(150_000), 1);
  unused.deliver(slotId, wh(0), wh(800));
  expect(unused.ctx.freeFunds).toBe(10_000_000n - 154_000n + 12_000n);
});

test("an auction: the base price, being outbid, winning", () => {
  const stage = stageDoing();
  stage.openAuction(slotId, wh(500), price(100_000), 1);
  stage.carryOut([{ tag: "bid", auctionId: "auction-1", price: price(110_000) }]);
  expect(stage.ctx.freeFunds).toBe(10_000_000n - 57_000n);
  expect(stage.ctx.position(slotId).bidding).toBe(500n);
  stage.outbid("auction-1", 1_000n);
  expect(stage.ctx.freeFunds).toBe(10_000_000n);
  stage.carryOut([{ tag: "bid", auctionId: "auction-1", price: price(111_000) }]);
  expect(stage.violations).toEqual(['bids rise: {"tag":"bid","auctionId":"auction-1","price":"111000"}']);
  stage.carryOut([{ tag: "bid", auctionId: "auction-1", price: price(120_000) }]);
  stage.endAuction("auction-1");
  expect(stage.ctx.position(slotId)).toMatchObject({ bought: 500n, held: 500n, bidding: 0n });
  expect(stage.ctx.freeFunds).toBe(10_000_000n - 62_000n);
});
