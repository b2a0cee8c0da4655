/** What members may do before the gate, chosen by dice. Much of it is refused; what is not must keep all laws. */
import { type ClaimRequirement, DELEGABLE_FLOWS } from "#contracts";
import { hashOf, micros, microsPerKwh, type SlotId, slotOf, type WattHours, wattHours } from "#core";
import { keyOf } from "#testkit";
import {
  AGENCIES,
  CAPACITY,
  type Claimed,
  DAY,
  LAST_MS,
  SLOTS,
  type Stage,
  SUPPLIERS,
  TRADERS,
  type WithoutId,
} from "./stage.ts";

export type Operation = (stage: Stage) => Promise<unknown>;

const MINUTE_MS = 60_000;
/** The delegate of each trader signs by a key of this name. */
export const delegateOf = (trader: string): string => `delegate of ${trader}`;

/** By the owner's own key, or by its delegate's under whatever mandate there is. */
function trade(stage: Stage, trader: string, command: WithoutId): Promise<unknown> {
  const isDelegated = stage.dice.isLucky(1);
  return stage.act(trader, command, isDelegated ? delegateOf(trader) : null);
}

/** Most dice fall where something can happen: on slots whose gate is open, and on whoever holds free energy. */
function slotOfChoice({ dice, world }: Stage): SlotId {
  const open = SLOTS.filter((slot) => slotOf(slot).startMs - 300_000 > world.nowMs);
  return open.length > 0 && dice.isLucky(9) ? dice.one(open) : dice.one(SLOTS);
}

function holderOfChoice({ dice, world }: Stage, slot: SlotId): string {
  const holders = TRADERS.filter((name) =>
    world.all("power-promise").some((each) => each.owner === keyOf(name) && each.slot === slot && each.lock === null),
  );
  return holders.length > 0 && dice.isLucky(9) ? dice.one(holders) : dice.one(TRADERS);
}

export function claimed({ dice }: Stage): Claimed | undefined {
  if (dice.isLucky(3)) return undefined;
  return {
    source: dice.one(["solar", "wind", null]),
    renewable: dice.isLucky(6),
    origin: dice.one(["north", "south", null]),
    gramsCo2PerKwh: dice.one([0, 40, null]),
  };
}

export const fundTrader: Operation = (stage) =>
  stage.act("payment provider", {
    tag: "issue-funds",
    to: keyOf(stage.dice.one(TRADERS)),
    amounts: [micros(1_000_000n + BigInt(stage.dice.below(9_000_000)))],
  });

const RENEWABLE: ClaimRequirement = {
  source: null,
  renewable: true,
  origin: null,
  gramsCo2PerKwhMax: null,
  contradictedPerMilleMax: 1_000,
};

const promise: Operation = (stage) => {
  const { dice } = stage;
  const items = Array.from({ length: 1 + dice.below(2) }, () => {
    const claims = claimed(stage);
    const item = { slot: slotOfChoice(stage), energy: dice.energy(Number(CAPACITY) / 2) };
    return claims === undefined ? item : { ...item, claims };
  });
  return trade(stage, dice.one(SUPPLIERS), { tag: "create-promises", promises: items });
};

/** How a life begins: suppliers promise, and some have it certified. */
export const open: Operation = async (stage) => {
  for (const supplier of SUPPLIERS) {
    const claims = claimed(stage);
    const promises = SLOTS.map((slot) => {
      const item = { slot, energy: stage.dice.energy(Number(CAPACITY) / 2) };
      return claims === undefined ? item : { ...item, claims };
    });
    await stage.act(supplier, { tag: "create-promises", promises });
    const agency = keyOf(stage.dice.one(AGENCIES));
    if (stage.dice.isLucky(5)) await stage.act(supplier, { tag: "certify-claims", agency, slots: SLOTS });
  }
};

/** An offer of a holder, and often a bid of somebody else that meets it. */
const order: Operation = async (stage) => {
  const { dice } = stage;
  const slot = slotOfChoice(stage);
  const seller = holderOfChoice(stage, slot);
  const energy = dice.energy(1_200);
  const marketplace = keyOf("marketplace");
  const offer = { side: "offer", slot, energy, limit: microsPerKwh(50_000 + dice.below(90_001)) } as const;
  if (dice.isLucky(6)) await trade(stage, seller, { tag: "place-orders", marketplace, orders: [offer] });
  const buyer = dice.one(dice.isLucky(5) ? SUPPLIERS : TRADERS);
  const bid = {
    side: "bid",
    slot,
    energy: dice.energy(1_200),
    limit: microsPerKwh(130_000 + dice.below(90_001)),
  } as const;
  const orders = [dice.isLucky(3) ? { ...bid, requires: RENEWABLE } : bid];
  if (dice.isLucky(6)) await trade(stage, buyer, { tag: "place-orders", marketplace, orders });
};

const cancel: Operation = async (stage) => {
  const open = stage.world.all("pool-order");
  if (open.length === 0) return;
  const { orderId, owner } = stage.dice.one(open);
  const name = TRADERS.find((trader) => keyOf(trader) === owner);
  if (name !== undefined) await trade(stage, name, { tag: "cancel-orders", orderIds: [orderId] });
};

const clear: Operation = (stage) => stage.marketplace.clearSlots([slotOfChoice(stage)], stage.dice.isLucky(1));

const openAuction: Operation = (stage) => {
  const { dice, world } = stage;
  const slot = slotOfChoice(stage);
  return trade(stage, holderOfChoice(stage, slot), {
    tag: "create-auction",
    marketplace: keyOf("marketplace"),
    slot,
    energy: dice.energy(700),
    basePrice: microsPerKwh(20_000 + dice.below(60_000)),
    deadlineMs: Math.min(world.nowMs + (5 + dice.below(30)) * MINUTE_MS, slotOf(slot).startMs - 20 * MINUTE_MS),
  });
};

const bid: Operation = async (stage) => {
  const { dice, world } = stage;
  const open = world.all("auction").filter((each) => each.status === "active" && each.deadlineMs > world.nowMs);
  if (open.length === 0) return;
  const { auctionId, highestPrice, basePrice } = dice.one(open);
  const price = microsPerKwh((highestPrice ?? basePrice) + BigInt(1_000 + dice.below(20_000)));
  await trade(stage, dice.one(TRADERS), { tag: "bid", auctionId, price });
};

const finishAuction: Operation = async (stage) => {
  const { dice, world } = stage;
  const due = world.all("auction").filter(({ deadlineMs }) => deadlineMs <= world.nowMs);
  if (due.length === 0) return;
  const auction = dice.one(due);
  const nameOf = (key: string | null): string | undefined => TRADERS.find((trader) => keyOf(trader) === key);
  const [seller, winner] = [nameOf(auction.seller), nameOf(auction.highestBidder)];
  const { auctionId } = auction;
  if (auction.status === "active") await stage.act(seller ?? "marketplace", { tag: "end-auction", auctionId });
  else if (winner !== undefined) await stage.act(winner, { tag: "settle-auction", auctionId });
  if (winner !== undefined && dice.isLucky(2)) await stage.act(winner, { tag: "lapse-auction", auctionId });
};

const grant: Operation = (stage) => {
  const { dice } = stage;
  const principal = dice.one(TRADERS);
  return stage.act(principal, {
    tag: "grant-mandate",
    mandateId: `mandate of ${principal}`,
    delegate: keyOf(delegateOf(principal)),
    flows: DELEGABLE_FLOWS,
    energyPerSlotMax: dice.energy(4_000),
    energyPerDayMax: dice.energy(6_000),
    bidPriceMax: microsPerKwh(100_000 + dice.below(150_000)),
    expiresMs: LAST_MS,
  });
};

const revoke: Operation = (stage) => {
  const principal = stage.dice.one(TRADERS);
  return stage.act(principal, { tag: "revoke-mandate", mandateId: `mandate of ${principal}` });
};

const redeem: Operation = (stage) =>
  stage.act(stage.dice.one(TRADERS), {
    tag: "redeem-funds",
    amount: micros(10_000n + BigInt(stage.dice.below(3_000_000))),
  });

const cap: Operation = (stage) =>
  stage.act("grid authority", {
    tag: "amend-member",
    member: keyOf("spe"),
    holdingCapPerSlot: wattHours(500 + stage.dice.below(2_500)),
  });

const split: Operation = (stage) => {
  const energies = [wattHours(1 + stage.dice.below(300)), wattHours(1 + stage.dice.below(300))];
  const slot = slotOfChoice(stage);
  return trade(stage, holderOfChoice(stage, slot), { tag: "split-promise", slot, energies });
};

const merge: Operation = (stage) => {
  const slot = slotOfChoice(stage);
  const supplier = keyOf(stage.dice.one(SUPPLIERS));
  return trade(stage, holderOfChoice(stage, slot), { tag: "merge-promises", slot, supplier });
};

/** Those who have sold and hold what others promised may cover; those who have sold and hold nothing try to buy. */
const cover: Operation = async (stage) => {
  const { dice, world } = stage;
  const slot = slotOfChoice(stage);
  const promises = world.all("power-promise").filter((each) => each.slot === slot && each.lock === null);
  const selling = SUPPLIERS.filter((name) =>
    promises.some(({ supplier, owner }) => supplier === keyOf(name) && owner !== supplier),
  );
  if (selling.length === 0) return;
  const able = selling.filter((name) =>
    promises.some(({ supplier, owner }) => supplier !== keyOf(name) && owner === keyOf(name)),
  );
  const energy = wattHours(100 + dice.below(400));
  if (able.length > 0) await trade(stage, dice.one(able), { tag: "substitute", slot, energy });
  else await buyToCover(stage, dice.one(selling), { slot, energy });
};

/** Another supplier offers what it made, and the pool is cleared at once. */
async function buyToCover(
  stage: Stage,
  buyer: string,
  bought: { readonly slot: SlotId; readonly energy: WattHours },
): Promise<void> {
  const marketplace = keyOf("marketplace");
  const offer = { side: "offer", ...bought, limit: microsPerKwh(40_000) } as const;
  const bid = { side: "bid", ...bought, limit: microsPerKwh(250_000) } as const;
  const seller = stage.dice.one(SUPPLIERS.filter((name) => name !== buyer));
  await stage.act(seller, { tag: "place-orders", marketplace, orders: [offer] });
  await stage.act(buyer, { tag: "place-orders", marketplace, orders: [bid] });
  await stage.marketplace.clearSlots([bought.slot], false);
}

const certify: Operation = (stage) =>
  trade(stage, stage.dice.one(SUPPLIERS), {
    tag: "certify-claims",
    agency: keyOf(stage.dice.one(AGENCIES)),
    slots: SLOTS,
  });

const contradict: Operation = async (stage) => {
  const { dice, world } = stage;
  const certificates = world.all("certificate");
  if (certificates.length === 0) return;
  const { agency, supplier, slot } = dice.one(certificates);
  const other = AGENCIES.find((name) => keyOf(name) !== agency) ?? AGENCIES[0];
  await stage.act(other, { tag: "contradict-certificate", agency, supplier, slot, evidence: hashOf("a photograph") });
};

const curtail: Operation = (stage) =>
  stage.act("grid authority", {
    tag: "curtail-slot",
    slot: stage.dice.one(SLOTS),
    cap: wattHours(1_000 + stage.dice.below(9_000)),
  });

const releaseMargin: Operation = (stage) => stage.act("spe", { tag: "release-margin", day: DAY });

const payOut: Operation = async (stage) => {
  const owed = stage.world.all("redemption");
  if (owed.length === 0) return;
  const { owner, redemptionId } = stage.dice.one(owed);
  const ids = { messageId: "message", endToEndId: "payment" };
  await stage.act("payment provider", { tag: "confirm-payout", owner, redemptionId, ...ids });
};

/** Each with its weight. */
export const TRADING: readonly (readonly [number, Operation])[] = [
  [1, fundTrader],
  [8, promise],
  [24, order],
  [2, cancel],
  [10, clear],
  [3, openAuction],
  [5, bid],
  [4, finishAuction],
  [2, grant],
  [1, revoke],
  [1, redeem],
  [1, payOut],
  [1, cap],
  [2, split],
  [2, merge],
  [10, cover],
  [4, certify],
  [1, contradict],
  [1, curtail],
  [1, releaseMargin],
];
