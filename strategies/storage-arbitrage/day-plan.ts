/** Plans a day's battery and says what is left for the market in each slot. */
import { parseSlotId, type SlotId, slotAt, slotOf, slotStartingAt } from "#core";
import { clamp, priceFloor, wholeWattHours } from "../shared/amounts.ts";
import { aloneCharge, aloneNet } from "../shared/battery-gate.ts";
import {
  type BatteryModel,
  type BatteryPlan,
  batteryModel,
  chargeLimits,
  chargeOf,
  type PlanSlot,
  planBattery,
  valueAt,
} from "../shared/battery-plan.ts";
import type { Book, Desk, Lot } from "../shared/desk.ts";
import { buyLimit } from "../shared/need.ts";
import { promiseLevel } from "../shared/newsvendor.ts";
import type { PoolRound } from "../shared/prices.ts";
import { medianOf, quantileAt, shifted } from "../shared/quantiles.ts";
import { outlooksOf, type SlotOutlook } from "../shared/quotes.ts";
import { supplyPrices, supplyWish } from "../shared/supply.ts";
import type { SlotPlan, StorageContext } from "./settings.ts";

/** A slot of the day with its plan and what is left for the market. */
export type PlannedSlot = { readonly plan: SlotPlan; readonly outlook: SlotOutlook };

/** Points at which the value of the charge is remembered: enough for a curve, and few enough to save with the agent. */
const VALUE_POINTS = 17;
/** Even where no new promise pays, existing ones are checked against what is nearly sure. */
const CAUTIOUS_LEVEL_MIN = 0.05;
const PREDICTED_SLOTS_MAX = 400;

/** The member's battery, where it has one that can move energy. */
export function modelOf(ctx: StorageContext): BatteryModel | undefined {
  const battery = ctx.battery();
  if (battery === undefined || battery.capacityWh <= 0 || battery.powerW <= 0) return undefined;
  return batteryModel(battery, ctx.rules.slotMinutes, ctx.config.wearMicrosPerKwh);
}

/** What the slot brings and costs, as expected now; undefined without a tariff. */
export function planSlotOf(
  ctx: StorageContext,
  slotId: SlotId,
  surplus: Float64Array,
  { promised, bought }: Book,
  round: PoolRound,
): PlanSlot | undefined {
  const tariff = ctx.tariff(slotId);
  if (tariff === undefined) return undefined;
  const prices = supplyPrices(ctx, ctx.memory.sales, slotId, tariff, round);
  const { salePrice, saleChance, feedIn, gridFee, shortfallPrice } = prices;
  const inPool = Math.min(salePrice, Number(buyLimit(ctx, tariff))) + Number(ctx.rules.marketFee);
  const buyChance = ctx.config.buyChancePercent / 100;
  return {
    surplusWh: medianOf(surplus),
    cautiousWh: quantileAt(surplus, Math.max(promiseLevel(prices), CAUTIOUS_LEVEL_MIN)),
    promisedWh: Number(promised),
    boughtWh: Number(bought),
    sellPrice: Math.max(feedIn, saleChance * salePrice + (1 - saleChance) * feedIn - gridFee),
    buyPrice: buyChance * inPool + (1 - buyChance) * Number(tariff.retail),
    feedIn,
    shortfallPrice: shortfallPrice - gridFee,
  };
}

/** The best plan for the slots that have a forecast and a tariff, from the charge that is expected at the first one's start. */
export function planDay(
  ctx: StorageContext,
  model: BatteryModel,
  desk: Desk,
  slotIds: readonly SlotId[],
): readonly PlannedSlot[] {
  const outlooks = outlooksOf(ctx, slotIds).filter(({ slotId }) => ctx.tariff(slotId) !== undefined);
  const [first] = outlooks;
  if (first === undefined) return [];
  const slots = outlooks.map(({ slotId, surplus }) => planSlotOf(ctx, slotId, surplus, desk.book(slotId), "day-ahead"));
  const startWh = predictedStored(ctx, model, slotOf(first.slotId).startMs);
  const plan = planBattery(model, slots, startWh, {
    gridSteps: ctx.config.gridSteps,
    endPrice: endPrice(model, slots),
  });
  return outlooks.map((outlook, index) =>
    plannedSlot(ctx, model, outlook, plan, index, index === 0 ? startWh : (plan.storedWh[index - 1] ?? 0)),
  );
}

/**
 * The charge expected at `atMs`: what is stored now, moved on by the plans of the slots until then; where a slot has no plan, by
 * what the battery does by itself at the median.
 *
 * What is stored may be read at the running slot's start or in the midst of it. How much of the running slot's plan it shows
 * already is told by its distance from what was expected at the start; only the rest is still to come.
 */
export function predictedStored(ctx: StorageContext, model: BatteryModel, atMs: number): number {
  let stored = clamp(ctx.battery()?.storedWh ?? 0, 0, model.capacityWh);
  let slot = slotAt(ctx.nowMs, ctx.rules.slotMinutes);
  const running = ctx.memory.plans[slot.id];
  for (let count = 0; slot.startMs < atMs && count < PREDICTED_SLOTS_MAX; count++) {
    const plan = ctx.memory.plans[slot.id];
    const surplus = plan === undefined ? ctx.forecast(slot.id)?.surplusWh : undefined;
    const wished = plan?.chargeWh ?? (surplus === undefined ? 0 : aloneCharge(model, stored, medianOf(surplus)));
    const done = plan !== undefined && plan === running ? shownAlready(model, plan, stored) : 0;
    const { chargeWh, dischargeWh } = chargeLimits(model, stored);
    stored = clamp(stored + (1 - done) * chargeOf(model, clamp(wished, -dischargeWh, chargeWh)), 0, model.capacityWh);
    slot = slotStartingAt(slot.endMs, slot.minutes);
  }
  return stored;
}

/** Share, 0…1, of a plan's change of the charge that the battery shows. */
function shownAlready(model: BatteryModel, { chargeWh, startWh }: SlotPlan, storedWh: number): number {
  const change = clamp(startWh + chargeOf(model, chargeWh), 0, model.capacityWh) - startWh;
  return Math.abs(change) < 1 ? 0 : clamp((storedWh - startWh) / change, 0, 1);
}

/** Drops the plans of slots that are over. */
export function forgetPlans(ctx: StorageContext): void {
  for (const slotId of Object.keys(ctx.memory.plans)) {
    const slot = parseSlotId(slotId);
    if (!slot.ok || slot.value.endMs <= ctx.nowMs) delete ctx.memory.plans[slotId];
  }
}

/** Value in micros of a charge at a slot's end, from the points remembered; else what it saves at the price given. */
export function valueAfter(
  model: BatteryModel,
  plan: SlotPlan | undefined,
  pricePerKwh: number,
): (storedWh: number) => number {
  const values = plan?.values ?? [];
  if (values.length < 2) return (storedWh) => (storedWh * model.efficiency * pricePerKwh) / 1_000;
  return (storedWh) => valueAt(values, model.capacityWh / (values.length - 1), storedWh);
}

/** What is charged beyond the own surplus, and what a kWh of it is worth: the slope of the value, less loss and fee. */
export function storingLot(
  ctx: StorageContext,
  model: BatteryModel,
  chargeWh: number,
  surplusWh: number,
  storedAfterWh: number,
  worth: (storedWh: number) => number,
): Lot {
  const halfStep = model.capacityWh / (VALUE_POINTS - 1);
  const high = Math.min(storedAfterWh + halfStep, model.capacityWh);
  const low = Math.max(storedAfterWh - halfStep, 0);
  const perKwh = ((worth(high) - worth(low)) / (high - low)) * 1_000;
  const limit = priceFloor(perKwh * model.efficiency - Number(ctx.rules.marketFee));
  return { energy: wholeWattHours(chargeWh - Math.max(0, surplusWh)), limit };
}

/** What is left in the battery after the last slot will save at least the cheapest purchase of such a day. */
function endPrice(model: BatteryModel, slots: readonly (PlanSlot | undefined)[]): number {
  const prices = slots.flatMap((slot) => (slot === undefined ? [] : [slot.buyPrice]));
  return prices.length === 0 ? 0 : model.efficiency * Math.min(...prices);
}

/** Fixed where it differs from what the battery does by itself, or where something is promised; else the battery is left alone. */
function plannedSlot(
  ctx: StorageContext,
  model: BatteryModel,
  { slotId, surplus }: SlotOutlook,
  plan: BatteryPlan,
  index: number,
  storedWh: number,
): PlannedSlot {
  const chargeWh = Math.trunc(plan.chargeWh[index] ?? 0) + 0;
  const net = shifted(surplus, -chargeWh);
  const differs = Math.abs(chargeWh - aloneCharge(model, storedWh, medianOf(surplus))) > plan.stepWh;
  const isFixed =
    differs ||
    ctx.memory.plans[slotId]?.isFixed === true ||
    supplyWish(ctx, ctx.memory.sales, slotId, net, "day-ahead").target >= ctx.rules.promiseMin;
  const after = plan.values[index + 1] ?? new Float64Array(2);
  const worth = (stored: number): number => valueAt(after, plan.stepWh, stored);
  const storing = storingLot(ctx, model, chargeWh, medianOf(surplus), plan.storedWh[index] ?? 0, worth);
  return {
    plan: { chargeWh, isFixed, startWh: Math.round(storedWh), values: sampled(model, worth) },
    outlook: {
      slotId,
      surplus: isFixed ? net : aloneNet(model, storedWh, surplus),
      ...(storing.energy > 0n ? { storing } : {}),
    },
  };
}

function sampled(model: BatteryModel, worth: (storedWh: number) => number): number[] {
  return Array.from({ length: VALUE_POINTS }, (_, point) =>
    Math.round(worth((model.capacityWh * point) / (VALUE_POINTS - 1))),
  );
}
