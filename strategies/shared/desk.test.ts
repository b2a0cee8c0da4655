import { describe, expect, test } from "vitest";
import { type MicrosPerKwh, micros, microsPerKwh, type SlotId, slotStartingAt, type WattHours, wattHours } from "#core";
import type { Intent, OpenAuction, Position } from "#strategies";
import { FakeStrategyContext, NO_POSITION } from "#testkit";
import { Desk } from "./desk.ts";

const slotId: SlotId = slotStartingAt(Date.parse("2031-06-11T10:00:00Z"), 15).id;
const wh = (energy: number): WattHours => wattHours(energy);
const price = (perKwh: number): MicrosPerKwh => microsPerKwh(perKwh);
const config = { fundsReservePercent: 0, tradeWhMin: 10 };

type Fake = FakeStrategyContext<null, null>;

function context(change: (ctx: Fake) => void = () => undefined): Fake {
  const ctx = new FakeStrategyContext<null, null>(null, null);
  change(ctx);
  return ctx;
}
function holding(position: Partial<Position>): Fake {
  return context((ctx) => ctx.positions.set(slotId, { ...NO_POSITION, ...position }));
}
function tags(desk: Desk): readonly string[] {
  return desk.intents().map((intent) => ("energy" in intent ? `${intent.tag} ${intent.energy}` : intent.tag));
}
function auction(change: Partial<OpenAuction>): OpenAuction {
  return {
    auctionId: "a1",
    slotId,
    energy: wh(500),
    seller: "another",
    isOwn: false,
    basePrice: price(70_000),
    highestPrice: undefined,
    isHighestBidder: false,
    deadlineMs: 1,
    ...change,
  };
}

describe("promise", () => {
  test("is cut down to capacity and to what the deposits can be paid for", () => {
    const small = context((ctx) => {
      ctx.member = { ...ctx.member, capacityPerSlot: wh(800) };
      ctx.positions.set(slotId, { ...NO_POSITION, promised: wh(500) });
    });
    expect(new Desk(small, config).promise(slotId, wh(900))).toBe(300n);
    const poor = context((ctx) => {
      ctx.freeFunds = micros(100_000n); // 0.10 backs 125 Wh at 0.80 per kWh; half of it stays free.
    });
    expect(new Desk(poor, { ...config, fundsReservePercent: 50 }).promise(slotId, wh(900))).toBe(62n);
  });

  test("is split where one would be too large, and left out where it would be too small", () => {
    const ctx = context((fake) => {
      fake.rules = { ...fake.rules, promiseMin: wh(50), promiseMax: wh(200) };
    });
    const desk = new Desk(ctx, config);
    expect(desk.promise(slotId, wh(530))).toBe(530n);
    expect(tags(desk)).toEqual(["promise 200", "promise 200", "promise 130"]);
    expect(new Desk(ctx, config).promise(slotId, wh(420))).toBe(400n);
    expect(new Desk(ctx, config).promise(slotId, wh(49))).toBe(0n);
  });
});

describe("offer and order", () => {
  test("not more is offered than is held, promises of the same hook included", () => {
    const desk = new Desk(holding({ held: wh(100) }), config);
    desk.promise(slotId, wh(50));
    expect(desk.offer(slotId, wh(120), price(65_000))).toBe(120n);
    expect(desk.offer(slotId, wh(120), price(65_000))).toBe(30n);
    expect(desk.offer(slotId, wh(120), price(65_000))).toBe(0n);
  });

  test("an order's limit is at most retail less the fee, and dust is not ordered", () => {
    const desk = new Desk(context(), config);
    desk.order(slotId, wh(100), price(900_000));
    expect(desk.intents()).toEqual([{ tag: "order", slotId, energy: wh(100), limit: price(296_000) }]);
    expect(desk.order(slotId, wh(9), price(100_000))).toBe(0n);
  });

  test("an order is cut down to the free funds and to the speculator's cap", () => {
    const ctx = context((fake) => {
      fake.freeFunds = micros(100_000n); // at 96 + 4 per kWh: 1000 Wh
    });
    expect(new Desk(ctx, config).order(slotId, wh(5_000), price(96_000))).toBe(1_000n);
    ctx.member = { ...ctx.member, speculatorCapPerSlot: wh(700) };
    ctx.positions.set(slotId, { ...NO_POSITION, bought: wh(300), held: wh(300), bidding: wh(150) });
    const desk = new Desk(ctx, config);
    expect(desk.order(slotId, wh(5_000), price(96_000))).toBe(250n);
    expect(desk.order(slotId, wh(5_000), price(96_000))).toBe(0n);
  });

  test("a member does not stand on both sides of one pool", () => {
    const buyer = new Desk(holding({ held: wh(100), bidding: wh(50) }), config);
    expect(buyer.offer(slotId, wh(100), price(65_000))).toBe(0n);
    const seller = new Desk(holding({ offered: wh(100) }), config);
    expect(seller.order(slotId, wh(100), price(65_000))).toBe(0n);
  });

  test("nothing is bought where retail is not known", () => {
    const ctx = context((fake) => {
      fake.usualTariff = undefined;
    });
    expect(new Desk(ctx, config).order(slotId, wh(100), price(65_000))).toBe(0n);
  });
});

describe("quote", () => {
  const lot = (energy: number, limit = 100_000): { energy: WattHours; limit: MicrosPerKwh } => ({
    energy: wh(energy),
    limit: price(limit),
  });
  type Case = {
    readonly name: string;
    readonly position: Partial<Position>;
    readonly wanted: Parameters<Desk["quote"]>[1];
    readonly expected: readonly string[];
  };
  const cases: readonly Case[] = [
    {
      name: "orders what is missing to the open ones",
      position: { bidding: wh(60) },
      wanted: { orders: [lot(100)] },
      expected: ["order 40"],
    },
    {
      name: "leaves alone what is right",
      position: { bidding: wh(100) },
      wanted: { orders: [lot(100)] },
      expected: [],
    },
    { name: "tolerates dust too much", position: { bidding: wh(109) }, wanted: { orders: [lot(100)] }, expected: [] },
    {
      name: "withdraws too much and orders again",
      position: { bidding: wh(200) },
      wanted: { orders: [lot(100)] },
      expected: ["cancel", "order 100"],
    },
    {
      name: "withdraws orders when nothing is wanted",
      position: { bidding: wh(200) },
      wanted: {},
      expected: ["cancel"],
    },
    {
      name: "reprices offers",
      position: { offered: wh(80), held: wh(20) },
      wanted: { offers: [lot(100)], reprice: true },
      expected: ["cancel", "offer 100"],
    },
    {
      name: "adds to offers",
      position: { offered: wh(80), held: wh(20) },
      wanted: { offers: [lot(100)] },
      expected: ["offer 20"],
    },
    {
      name: "turns from buying to selling",
      position: { bidding: wh(80), held: wh(50) },
      wanted: { offers: [lot(50)], orders: [lot(100)] },
      expected: ["cancel", "offer 50"],
    },
    {
      name: "turns from selling to buying",
      position: { offered: wh(80) },
      wanted: { orders: [lot(100)] },
      expected: ["cancel", "order 100"],
    },
    {
      name: "fills the dearer lot first",
      position: { bidding: wh(70) },
      wanted: { orders: [lot(50, 200_000), lot(60, 90_000)] },
      expected: ["order 40"],
    },
  ];
  test.each(cases)("$name", ({ position, wanted, expected }) => {
    const desk = new Desk(holding(position), config);
    desk.quote(slotId, wanted);
    expect(tags(desk)).toEqual(expected);
  });

  test("funds of withdrawn orders count as free when their limit is known", () => {
    const ctx = holding({ bidding: wh(200) });
    ctx.freeFunds = micros(0n);
    const blind = new Desk(ctx, config);
    blind.quote(slotId, { orders: [lot(100)] });
    expect(tags(blind)).toEqual(["cancel"]);
    const knowing = new Desk(ctx, config);
    knowing.quote(slotId, { orders: [lot(100)], openOrderLimit: price(100_000) });
    expect(tags(knowing)).toEqual(["cancel", "order 100"]);
  });
});

describe("auctions", () => {
  test("energy on auction is not withdrawn with the pool's offers", () => {
    const ctx = holding({ offered: wh(600), held: wh(10) });
    ctx.auctions = [auction({ isOwn: true })];
    const desk = new Desk(ctx, config);
    expect(desk.book(slotId)).toMatchObject({ poolOffered: 100n, held: 10n });
    desk.cancel(slotId);
    expect(desk.book(slotId)).toMatchObject({ poolOffered: 0n, held: 110n });
  });

  test.each<[string, Partial<OpenAuction>, number, boolean]>([
    ["a bid above the base price", {}, 70_001, true],
    ["a bid at the base price", {}, 70_000, false],
    ["a bid at the highest", { highestPrice: price(90_000) }, 90_000, false],
    ["its own lot", { isOwn: true }, 90_000, false],
    ["a lot for which it is the highest bidder", { isHighestBidder: true, highestPrice: price(80_000) }, 90_000, false],
  ])("%s", (_case, change, bidPrice, expected) => {
    const lot = auction(change);
    const ctx = context((fake) => {
      fake.auctions = [lot];
    });
    const desk = new Desk(ctx, config);
    expect(desk.bid(lot, price(bidPrice))).toBe(expected);
    if (expected) expect(desk.bid(lot, price(bidPrice + 1_000))).toBe(false); // Once per auction and hook.
  });

  test("a bid is left out when funds or cap do not allow the whole lot, and is never above retail less fee", () => {
    const lot = auction({});
    const poor = context((fake) => {
      fake.freeFunds = micros(36_999n); // 500 Wh at 70 + 4 per kWh cost 37 000.
    });
    expect(new Desk(poor, config).bid(lot, price(70_001))).toBe(false);
    const capped = context((fake) => {
      fake.member = { ...fake.member, speculatorCapPerSlot: wh(499) };
    });
    expect(new Desk(capped, config).bid(lot, price(70_001))).toBe(false);
    const desk = new Desk(context(), config);
    desk.bid(lot, price(900_000));
    expect(desk.intents()).toEqual([{ tag: "bid", auctionId: "a1", price: price(296_000) } satisfies Intent]);
  });
});

test("battery plans are whole watt-hours, rounded towards less", () => {
  const desk = new Desk(context(), config);
  desk.chargeBattery(slotId, -12.9);
  desk.chargeBattery(slotId, -0.4);
  expect(desk.intents()).toEqual([
    { tag: "charge-battery", slotId, energyWh: -12 },
    { tag: "charge-battery", slotId, energyWh: 0 },
  ]);
});
