/** Plans a day's battery and says what is left for the market in each slot. */
import { type MicrosPerKwh, parseSlotId, type SlotId, slotAt, slotOf, slotStartingAt } from "#core";
import { clamp, priceFloor, wholeWattHours } from "../shared/amounts.ts";
import { aloneNet } from "../shared/battery-gate.ts";
import { aloneCharge, type BatteryModel, type BatteryPlan, batteryModel, chargeLimits, chargeOf, type PlanSlot, planBattery, valueAt } from "../shared/battery-plan.ts";
import type { Book, Desk } from "../shared/desk.ts";
import { buyLimit } from "../shared/need.ts";
import { promiseLevel } from "../shared/newsvendor.ts";
import { type PoolRound, poolHabit } from "../shared/prices.ts";
import { medianOf, quantileAt, shifted } from "../shared/quantiles.ts";
import { outlooksOf, type SlotOutlook } from "../shared/quotes.ts";
import { trustIn, usualSaleWh } from "../shared/sales.ts";
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
export function planSlotOf(ctx: StorageContext, slotId: SlotId, surplus: Float64Array, { promised, bought }: Book, round: PoolRound): PlanSlot | undefined {
  const tariff = ctx.tariff(slotId);
  if (tariff === undefined) return undefined;
  const prices = supplyPrices(ctx, ctx.memory.sales, slotId, tariff, round);
  const { salePrice, saleChance, feedIn, gridFee, shortfallPrice } = prices;
  const inPool = Math.min(salePrice, Number(buyLimit(ctx, tariff))) + Number(ctx.rules.marketFee);
  const habit = poolHabit(ctx, slotId, ctx.config.buyChancePriorPercent / 100, ctx.config);
  const buyChance = habit.tradedShare;
  const takes = ctx.config.explorationWh + (usualSaleWh(ctx.memory.sales, ctx.rules.timeZone, slotId) * ctx.config.salesGrowthPercent) / 100;
  return {
    surplusWh: medianOf(surplus),
    cautiousWh: quantileAt(surplus, Math.max(promiseLevel(prices), CAUTIOUS_LEVEL_MIN) * trustIn(ctx.memory.sales)),
    promisedWh: Number(promised),
    boughtWh: Number(bought),
    sellPrice: Math.max(feedIn, saleChance * salePrice + (1 - saleChance) * feedIn - gridFee),
    sellableWh: Math.max(0, takes - Number(promised)),
    buyPrice: buyChance * inPool + (1 - buyChance) * Number(tariff.retail),
    buyableWh: Math.max(0, ctx.config.explorationWh + (habit.volumeWh * ctx.config.volumeSharePercent) / 100 - Number(bought)),
    retail: Number(tariff.retail),
    feedIn,
    shortfallPrice: shortfallPrice - gridFee,
  };
}

/** The best plan for the slots that have a forecast and a tariff, from the charge that is expected at the first one's start. */
export function planDay(ctx: StorageContext, model: BatteryModel, desk: Desk, slotIds: readonly SlotId[]): readonly PlannedSlot[] {
  const outlooks = outlooksOf(ctx, slotIds).filter(({ slotId }) => ctx.tariff(slotId) !== undefined);
  const [first] = outlooks;
  if (first === undefined) return [];
  const slots = outlooks.map(({ slotId, surplus }) => planSlotOf(ctx, slotId, surplus, desk.book(slotId), "day-ahead"));
  const startWh = predictedStored(ctx, model, slotOf(first.slotId).startMs);
  const plan = planBattery(model, slots, startWh, { gridSteps: ctx.config.gridSteps, endPrice: endPrice(model, slots), deviationPrice: ctx.config.deviationMicrosPerKwh });
  return outlooks.map((outlook, index) => plannedSlot(ctx, model, outlook, plan, index, index === 0 ? startWh : (plan.storedWh[index - 1] ?? 0)));
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
export function valueAfter(model: BatteryModel, plan: SlotPlan | undefined, pricePerKwh: number): (storedWh: number) => number {
  const values = plan?.values ?? [];
  if (values.length < 2) return (storedWh) => (storedWh * model.efficiency * pricePerKwh) / 1_000;
  return (storedWh) => valueAt(values, model.capacityWh / (values.length - 1), storedWh);
}

/** What a kWh more in the battery is worth at its connection, less loss and fee: the most to pay for it. */
export function storingLimit(ctx: StorageContext, model: BatteryModel, storedWh: number, worth: (storedWh: number) => number): MicrosPerKwh {
  const halfStep = model.capacityWh / (VALUE_POINTS - 1);
  const high = Math.min(storedWh + halfStep, model.capacityWh);
  const low = Math.max(storedWh - halfStep, 0);
  const perKwh = ((worth(high) - worth(low)) / (high - low)) * 1_000;
  return priceFloor(perKwh * model.efficiency - Number(ctx.rules.marketFee));
}

/** What is left in the battery after the last slot will save at least the cheapest purchase of such a day. */
function endPrice(model: BatteryModel, slots: readonly (PlanSlot | undefined)[]): number {
  const prices = slots.flatMap((slot) => (slot === undefined ? [] : [slot.buyPrice]));
  return prices.length === 0 ? 0 : model.efficiency * Math.min(...prices);
}

/**
 * A plan is handed over ahead only where a promise hangs on it. Elsewhere the gate decides with a better forecast and with what has
 * been bought, and until then the battery can still be left alone.
 */
function plannedSlot(ctx: StorageContext, model: BatteryModel, { slotId, surplus }: SlotOutlook, plan: BatteryPlan, index: number, storedWh: number): PlannedSlot {
  const chargeWh = Math.trunc(plan.chargeWh[index] ?? 0) + 0;
  const after = plan.values[index + 1] ?? new Float64Array(2);
  const worth = (stored: number): number => valueAt(after, plan.stepWh, stored);
  const toStore = wholeWattHours(chargeWh - Math.max(0, medianOf(surplus)));
  const storing = { energy: toStore, limit: storingLimit(ctx, model, plan.storedWh[index] ?? 0, worth) };
  const planned = shifted(surplus, Number(toStore) - chargeWh);
  const isPromising = supplyWish(ctx, ctx.memory.sales, slotId, planned, "day-ahead").target >= ctx.rules.promiseMin;
  const isFixed = isPromising || ctx.memory.plans[slotId]?.isFixed === true;
  const isAlone = !isFixed && Math.abs(chargeWh - aloneCharge(model, storedWh, medianOf(surplus))) <= plan.stepWh;
  return {
    plan: { chargeWh, isFixed, startWh: Math.round(storedWh), ownUseWh: 0, storingWhMax: 0, values: sampled(model, worth) },
    outlook: { slotId, surplus: isAlone ? aloneNet(model, storedWh, surplus) : planned, ...(storing.energy > 0n ? { storing } : {}) },
  };
}

function sampled(model: BatteryModel, worth: (storedWh: number) => number): number[] {
  return Array.from({ length: VALUE_POINTS }, (_, point) => Math.round(worth((model.capacityWh * point) / (VALUE_POINTS - 1))));
}
