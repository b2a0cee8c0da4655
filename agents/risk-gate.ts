/**
 * The one gate between any strategy and the ledger, the same in backtest, simulation and live. It denies with a code what the
 * ledger would reject or the owner has forbidden; the ledger checks everything again.
 */

import {
  type DelegableFlow,
  type ExposureEntry,
  type Mandate,
  type Member,
  marginNeeded,
  type NetworkParameters,
  orderLock,
  SUPPLIER_ROLES,
  storageOverdraw,
} from "#contracts";
import {
  compareText,
  costCeil,
  err,
  type Micros,
  type MicrosPerKwh,
  NO_ENERGY,
  ok,
  parseSlotId,
  type Result,
  type SlotId,
  slotOf,
  type WattHours,
  wattHours,
} from "#core";
import type { Intent, Position } from "#strategies";

/** In descending precedence: the first that applies is returned. */
export const RISK_DENIALS = [
  "trading_halted",
  "mandate_revoked",
  "mandate_expired",
  "strategy_not_in_mandate",
  "member_suspended",
  "reducing_only",
  "rate_limited",
  "intent_malformed",
  "gate_closed",
  "stale_forecast",
  "role_not_allowed",
  "energy_out_of_range",
  "price_out_of_band",
  "promise_exceeds_capacity",
  "promise_exceeds_storage",
  "promise_not_held",
  "volume_cap_exceeded",
  "auction_unknown",
  "insufficient_funds",
] as const;
export type RiskDenialCode = (typeof RISK_DENIALS)[number];
export type RiskDenial = { readonly tag: RiskDenialCode; readonly limit?: string; readonly asked?: string };

/** What the owner allows its agent, beyond the mandate on the ledger. */
export type RiskLimits = {
  readonly isHalted: boolean;
  /** Only what lowers exposure: offers, auctions and cancellations of what is held, no promises, orders or bids. */
  readonly isReducingOnly: boolean;
  readonly intentsPerHourMax: number;
  /** Money that stays free for settlements. */
  readonly reserve: Micros;
  readonly forecastAgeMsMax: number;
};

/** What the gate knows when it decides; `position` and `funds` already count what was let through before. */
export type RiskView = {
  readonly nowMs: number;
  readonly member: Pick<Member, "roles" | "standing" | "capacityPerSlot" | "holdingCapPerSlot" | "storage">;
  readonly parameters: Pick<
    NetworkParameters,
    | "promiseMin"
    | "promiseMax"
    | "priceMin"
    | "priceMax"
    | "gateLeadMs"
    | "slotMinutes"
    | "emergencyPrice"
    | "surplusPrice"
  >;
  readonly marketFee: MicrosPerKwh;
  /** Undefined when the owner has revoked it. */
  readonly mandate: Mandate | undefined;
  /** The name of the strategy that the agent runs. */
  readonly strategy: string;
  readonly funds: Micros;
  readonly intentsLastHour: number;
  position(slotId: SlotId): Position;
  /** All that the member has promised, and holds or bids for, on the slot's day. */
  day(slotId: SlotId): DayTotals;
  /** What the ledger counts of the member on the slot's day, in the order of slots. */
  entries(slotId: SlotId): readonly ExposureEntry[];
  /** What is locked as the member's margin of the slot's day. */
  lockedMargin(slotId: SlotId): bigint;
  /** Age of the newest forecast for the slot; undefined without one. */
  forecastAgeMs(slotId: SlotId): number | undefined;
  auction(
    auctionId: string,
  ): { readonly slotId: SlotId; readonly energy: WattHours; readonly deadlineMs: number } | undefined;
};

export type DayTotals = { readonly promised: bigint; readonly buying: bigint };

/** What a let-through intent takes: counted before the next one is judged. */
export type RiskUse = {
  readonly funds: bigint;
  readonly promised: bigint;
  readonly bidding: bigint;
  readonly taken: bigint;
  /** Of the funds, what is locked as margin. */
  readonly margin: bigint;
};
const NO_USE: RiskUse = { funds: 0n, promised: 0n, bidding: 0n, taken: 0n, margin: 0n };

/** Judges one intent. */
export function checkRisk(intent: Intent, view: RiskView, limits: RiskLimits): Result<RiskUse, RiskDenial> {
  const general = generalDenial(intent, view, limits);
  if (general !== undefined) return err(general);
  switch (intent.tag) {
    case "cancel":
    case "charge-battery":
      return ok(NO_USE);
    case "promise":
      return checkPromise(intent, view, limits);
    case "offer":
    case "auction":
      return checkSale(intent, view);
    case "cover":
      return checkCover(intent, view);
    case "order":
      return checkPurchase(intent.slotId, intent.energy, intent.limit, view, limits);
    case "bid": {
      const auction = view.auction(intent.auctionId);
      if (auction === undefined || auction.deadlineMs <= view.nowMs) return err({ tag: "auction_unknown" });
      return checkPurchase(auction.slotId, auction.energy, intent.price, view, limits);
    }
  }
}

function generalDenial(intent: Intent, view: RiskView, limits: RiskLimits): RiskDenial | undefined {
  if (limits.isHalted && intent.tag !== "cancel") return { tag: "trading_halted" };
  if (intent.tag === "charge-battery") return batteryDenial(intent, view);
  const unmandated = mandateDenial(intent, view);
  if (unmandated !== undefined) return unmandated;
  if (view.member.standing === "suspended" && intent.tag !== "cancel") return { tag: "member_suspended" };
  if (limits.isReducingOnly && (intent.tag === "promise" || intent.tag === "bid" || intent.tag === "order"))
    return { tag: "reducing_only" };
  if (view.intentsLastHour >= limits.intentsPerHourMax)
    return { tag: "rate_limited", limit: `${limits.intentsPerHourMax} an hour` };
  if (isMalformed(intent, view)) return { tag: "intent_malformed" };
  if (intent.tag === "cancel") return undefined;
  return intent.tag === "bid" ? bidPriceDenial(intent.price, view) : slotDenial(intent, view, limits);
}

/** Whether the owner lets the agent's key do this at all, now, by this strategy. */
function mandateDenial(
  intent: Exclude<Intent, { readonly tag: "charge-battery" }>,
  { mandate, strategy, nowMs }: RiskView,
): RiskDenial | undefined {
  if (mandate === undefined || !allows(mandate, intent)) return { tag: "mandate_revoked" };
  if (mandate.expiresMs <= nowMs) return { tag: "mandate_expired" };
  const isNamed = mandate.strategies.length === 0 || mandate.strategies.includes(strategy);
  return isNamed || intent.tag === "cancel" ? undefined : { tag: "strategy_not_in_mandate", asked: strategy };
}

const FLOW_OF: Readonly<Record<Exclude<Intent["tag"], "charge-battery">, DelegableFlow>> = {
  promise: "create-promises",
  offer: "place-orders",
  order: "place-orders",
  cancel: "cancel-orders",
  auction: "create-auction",
  bid: "bid",
  cover: "substitute",
};

/** Whether the mandate names the flow that the intent needs; what no flow carries out is malformed, not forbidden. */
function allows({ flows }: Mandate, { tag }: Exclude<Intent, { readonly tag: "charge-battery" }>): boolean {
  return !Object.hasOwn(FLOW_OF, tag) || flows.includes(FLOW_OF[tag]);
}

/** The battery is the member's own: neither mandate nor market rules bear on what it does. */
function batteryDenial(
  intent: Extract<Intent, { readonly tag: "charge-battery" }>,
  view: RiskView,
): RiskDenial | undefined {
  if (isMalformed(intent, view)) return { tag: "intent_malformed" };
  return slotOf(intent.slotId).endMs <= view.nowMs ? { tag: "gate_closed" } : undefined;
}

/** A strategy is user code: what it hands over may have any shape, whatever its type says. */
function isMalformed(intent: Intent, { parameters: { slotMinutes } }: RiskView): boolean {
  const isSlot = (text: unknown): boolean =>
    typeof text === "string" && text.endsWith(`/PT${slotMinutes}M`) && parseSlotId(text).ok;
  if (intent.tag === "bid") return typeof intent.auctionId !== "string" || typeof intent.price !== "bigint";
  if (!isSlot(intent.slotId)) return true;
  switch (intent.tag) {
    case "cancel":
      return false;
    case "charge-battery":
      return !Number.isFinite(intent.energyWh);
    case "promise":
    case "cover":
      return typeof intent.energy !== "bigint";
    case "offer":
    case "order":
      return typeof intent.energy !== "bigint" || typeof intent.limit !== "bigint";
    case "auction":
      return (
        typeof intent.energy !== "bigint" ||
        typeof intent.basePrice !== "bigint" ||
        !Number.isSafeInteger(intent.deadlineMs)
      );
    default:
      return true;
  }
}

function slotDenial(
  intent: Exclude<Intent, { readonly tag: "bid" | "cancel" | "charge-battery" }>,
  view: RiskView,
  limits: RiskLimits,
): RiskDenial | undefined {
  if (slotOf(intent.slotId).startMs - view.parameters.gateLeadMs <= view.nowMs) return { tag: "gate_closed" };
  if (intent.tag === "promise") {
    const age = view.forecastAgeMs(intent.slotId);
    if (age === undefined || age > limits.forecastAgeMsMax) return { tag: "stale_forecast" };
    const isSupplier = view.member.roles.some((role) => SUPPLIER_ROLES.includes(role));
    if (!isSupplier) return { tag: "role_not_allowed" };
  }
  if (intent.energy <= 0n) return { tag: "energy_out_of_range", asked: `${intent.energy}` };
  if (intent.tag === "promise" || intent.tag === "cover") return undefined;
  if (intent.tag === "order") return bidPriceDenial(intent.limit, view);
  return priceDenial(intent.tag === "auction" ? intent.basePrice : intent.limit, view);
}

/** What is bid stays within what the owner lets its delegate bid. */
function bidPriceDenial(price: MicrosPerKwh, view: RiskView): RiskDenial | undefined {
  const { mandate } = view;
  if (mandate === undefined || price <= mandate.bidPriceMax) return priceDenial(price, view);
  return { tag: "price_out_of_band", asked: `${price}`, limit: `${mandate.bidPriceMax}` };
}

function priceDenial(price: MicrosPerKwh, { parameters: { priceMin, priceMax } }: RiskView): RiskDenial | undefined {
  return price < priceMin || price > priceMax
    ? { tag: "price_out_of_band", asked: `${price}`, limit: `${priceMin}…${priceMax}` }
    : undefined;
}

function checkPromise(
  { slotId, energy }: Extract<Intent, { readonly tag: "promise" }>,
  view: RiskView,
  limits: RiskLimits,
): Result<RiskUse, RiskDenial> {
  const { promiseMin, promiseMax, emergencyPrice } = view.parameters;
  if (energy < promiseMin || energy > promiseMax)
    return err({ tag: "energy_out_of_range", asked: `${energy}`, limit: `${promiseMin}…${promiseMax}` });
  const promised = view.position(slotId).promised + energy;
  if (promised > view.member.capacityPerSlot)
    return err({ tag: "promise_exceeds_capacity", asked: `${promised}`, limit: `${view.member.capacityPerSlot}` });
  const { slotMinutes } = view.parameters;
  const overdraw = storageOverdraw(
    view.member,
    withMore(view.entries(slotId), slotId, "promised", energy),
    slotMinutes,
  );
  if (overdraw !== undefined)
    return err({ tag: "promise_exceeds_storage", asked: `${overdraw.asked}`, limit: `${overdraw.stored}` });
  const beyond = beyondMandate(promised, view.day(slotId).promised + energy, view);
  if (beyond !== undefined) return beyond;
  const deposit = costCeil(energy, emergencyPrice);
  return withinFunds(deposit, view, limits) ?? ok({ ...NO_USE, funds: deposit, promised: energy });
}

function checkSale(
  intent: Extract<Intent, { readonly tag: "offer" | "auction" }>,
  view: RiskView,
): Result<RiskUse, RiskDenial> {
  const { held } = view.position(intent.slotId);
  if (intent.energy > held) return err({ tag: "promise_not_held", asked: `${intent.energy}`, limit: `${held}` });
  return beyondMandate(intent.energy, 0n, view) ?? ok({ ...NO_USE, taken: intent.energy });
}

/** What is covered is sold, and covered with what is held: it frees money and lowers what the member answers for. */
function checkCover(
  { slotId, energy }: Extract<Intent, { readonly tag: "cover" }>,
  view: RiskView,
): Result<RiskUse, RiskDenial> {
  const { coverable } = view.position(slotId);
  if (energy > coverable) return err({ tag: "promise_not_held", asked: `${energy}`, limit: `${coverable}` });
  return beyondMandate(energy, 0n, view) ?? ok(NO_USE);
}

function checkPurchase(
  slotId: SlotId,
  energy: WattHours,
  price: MicrosPerKwh,
  view: RiskView,
  limits: RiskLimits,
): Result<RiskUse, RiskDenial> {
  const cap = view.member.holdingCapPerSlot;
  const { bought, bidding } = view.position(slotId);
  if (cap !== null && bought + bidding + energy > cap)
    return err({ tag: "volume_cap_exceeded", asked: `${bought + bidding + energy}`, limit: `${cap}` });
  const beyond = beyondMandate(bought + bidding + energy, view.day(slotId).buying + energy, view);
  if (beyond !== undefined) return beyond;
  const margin = marginAdded(slotId, energy, view);
  const locked = orderLock({ side: "bid", energy, limit: price, marketFee: view.marketFee }) + margin;
  return withinFunds(locked, view, limits) ?? ok({ ...NO_USE, funds: locked, bidding: energy, margin });
}

/** What a speculator must lock beside the price, beyond what is locked of its day. */
function marginAdded(slotId: SlotId, energy: WattHours, view: RiskView): bigint {
  const { surplusPrice } = view.parameters;
  if (surplusPrice === 0n || !view.member.roles.includes("speculator")) return 0n;
  const needed = marginNeeded(withMore(view.entries(slotId), slotId, "bidding", energy), surplusPrice);
  const locked = view.lockedMargin(slotId);
  return needed > locked ? needed - locked : 0n;
}

/** Entries of a day with more in one slot. */
function withMore(
  entries: readonly ExposureEntry[],
  slot: SlotId,
  measure: "promised" | "bidding",
  energy: WattHours,
): readonly ExposureEntry[] {
  const none: ExposureEntry = { slot, promised: NO_ENERGY, bought: NO_ENERGY, bidding: NO_ENERGY };
  const entry = entries.find((each) => each.slot === slot) ?? none;
  const more = { ...entry, [measure]: wattHours(entry[measure] + energy) };
  return [...entries.filter((each) => each.slot !== slot), more].sort((left, right) =>
    compareText(left.slot, right.slot),
  );
}

/** What the owner lets its delegate promise, buy or offer in one slot, and in all slots of a day together. */
function beyondMandate(inSlot: bigint, inDay: bigint, { mandate }: RiskView): Result<never, RiskDenial> | undefined {
  if (mandate === undefined) return undefined;
  const { energyPerSlotMax, energyPerDayMax } = mandate;
  if (inSlot > energyPerSlotMax)
    return err({ tag: "volume_cap_exceeded", asked: `${inSlot}`, limit: `${energyPerSlotMax}` });
  return inDay > energyPerDayMax
    ? err({ tag: "volume_cap_exceeded", asked: `${inDay}`, limit: `${energyPerDayMax} a day` })
    : undefined;
}

function withinFunds(needed: bigint, view: RiskView, limits: RiskLimits): Result<never, RiskDenial> | undefined {
  if (view.funds - limits.reserve >= needed) return undefined;
  return err({ tag: "insufficient_funds", asked: `${needed}`, limit: `${view.funds - limits.reserve}` });
}
