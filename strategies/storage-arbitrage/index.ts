/** A home with a battery: moves energy from cheap hours to dear ones, for its own use first, and promises what it can deliver. */
import { microsPerKwh, NO_ENERGY, type SlotId, slotOf } from "#core";
import { clamp, wholeWattHours } from "../shared/amounts.ts";
import { decideSlot } from "../shared/battery-gate.ts";
import { type BatteryModel, chargeLimits, chargeOf } from "../shared/battery-plan.ts";
import { Desk, type Lot } from "../shared/desk.ts";
import { needWish } from "../shared/need.ts";
import { expectedPrice } from "../shared/prices.ts";
import { mirrored } from "../shared/quantiles.ts";
import { outlooksOf, quoteAll, type Sides, type SlotOutlook } from "../shared/quotes.ts";
import { forgetDay, newSaleMemory, rememberDelivery, rememberTrade, trustIn } from "../shared/sales.ts";
import { defineStrategy, type Intent, type Strategy } from "../strategy.ts";
import { forgetPlans, modelOf, planDay, planSlotOf, predictedStored, storingLimit, valueAfter } from "./day-plan.ts";
import { type SlotPlan, type StorageArbitrageConfig, type StorageArbitrageMemory, type StorageContext, storageArbitrageConfig } from "./settings.ts";

export type { StorageArbitrageConfig, StorageArbitrageMemory } from "./settings.ts";

export const storageArbitrage: Strategy<StorageArbitrageConfig, StorageArbitrageMemory> = defineStrategy({
  name: "storage-arbitrage",
  description: "Plans its battery against expected prices: own use first, then promises that the battery can surely keep.",
  config: storageArbitrageConfig,
  warmup: { days: 14 },
  initialMemory: () => ({ sales: newSaleMemory(), plans: {} }),

  onForecast(ctx, { day, slotIds }) {
    forgetDay(ctx.memory.sales, ctx.nowMs, ctx.config);
    forgetPlans(ctx);
    const desk = new Desk(ctx, ctx.config);
    const model = modelOf(ctx);
    const outlooks = model === undefined ? outlooksOf(ctx, slotIds) : followPlan(ctx, model, desk, slotIds);
    quoteAll(bothSides(ctx), desk, outlooks, (slotId) => ctx.tariff(slotId), "day-ahead");
    ctx.log(`${day}: ${outlooks.length} slots planned, ${desk.intents().length} intents`);
    return desk.intents();
  },

  /** Now it is known what was sold and bought: the plan is made again around it. */
  onPoolsCleared(ctx, { slotIds }) {
    const model = modelOf(ctx);
    if (model === undefined) return [];
    const desk = new Desk(ctx, ctx.config);
    followPlan(ctx, model, desk, slotIds);
    return desk.intents();
  },

  onGate(ctx, slotId) {
    const [outlook] = outlooksOf(ctx, [slotId]);
    if (outlook === undefined) return [];
    const desk = new Desk(ctx, ctx.config);
    const model = modelOf(ctx);
    const decided = model === undefined ? outlook : decideGate(ctx, model, desk, outlook);
    quoteAll(bothSides(ctx), desk, [decided], (id) => ctx.tariff(id), "final");
    return desk.intents();
  },

  onTrade(ctx, trade) {
    rememberTrade(ctx.memory.sales, trade);
    return trade.side === "bought" ? storeWhatIsBought(ctx, trade.slotId) : [];
  },

  onDelivery(ctx, record) {
    rememberDelivery(ctx.memory.sales, record, ctx.rules.timeZone, ctx.config);
    return [];
  },
});

function bothSides(ctx: StorageContext): Sides {
  return { sells: { view: ctx, sales: ctx.memory.sales }, buys: { view: ctx } };
}

/** Plans the slots, remembers the plan and hands over what changed. @returns what is left for the market. */
function followPlan(ctx: StorageContext, model: BatteryModel, desk: Desk, slotIds: readonly SlotId[]): readonly SlotOutlook[] {
  return planDay(ctx, model, desk, slotIds).map(({ plan, outlook }) => {
    const before = ctx.memory.plans[outlook.slotId];
    const isChanged = before === undefined || !before.isFixed || before.chargeWh !== plan.chargeWh;
    if (plan.isFixed && isChanged) desk.chargeBattery(outlook.slotId, plan.chargeWh);
    ctx.memory.plans[outlook.slotId] = plan;
    return outlook;
  });
}

/** The coming slot alone, with the newest forecast and what is in the battery; the plan tells what the rest of the day is worth. */
function decideGate(ctx: StorageContext, model: BatteryModel, desk: Desk, { slotId, surplus }: SlotOutlook): SlotOutlook {
  const slot = planSlotOf(ctx, slotId, surplus, desk.book(slotId), "final");
  if (slot === undefined) return { slotId, surplus };
  const before = ctx.memory.plans[slotId];
  const stored = predictedStored(ctx, model, slotOf(slotId).startMs);
  const worth = valueAfter(model, before, slot.buyPrice);
  const { isFixed, chargeWh, net } = decideSlot(model, slot, surplus, stored, {
    valueAfter: worth,
    deviationPrice: ctx.config.deviationMicrosPerKwh,
    trust: trustIn(ctx.memory.sales),
    mayBeAlone: before?.isFixed !== true,
  });
  if (isFixed) desk.chargeBattery(slotId, chargeWh);
  const storing = chargeWh < 0 ? NOT_STORING : storingAtGate(ctx, model, slotId, stored, chargeWh, worth);
  ctx.memory.plans[slotId] = { chargeWh, isFixed, startWh: Math.round(stored), ...storedOnPurchase(ctx, slotId, net, storing), values: [] };
  return { slotId, surplus: net, storing };
}

const NOT_STORING: Lot = { energy: NO_ENERGY, limit: microsPerKwh(0n) };
const STORING_STEPS = 8;

/** The most that the battery could still take up, as far as its last part is worth at least what the pool is expected to cost. */
function storingAtGate(ctx: StorageContext, model: BatteryModel, slotId: SlotId, storedWh: number, chargeWh: number, worth: (storedWh: number) => number): Lot {
  const tariff = ctx.tariff(slotId);
  if (tariff === undefined) return NOT_STORING;
  const expected = expectedPrice(ctx, slotId, tariff, ctx.config, "final");
  const room = chargeLimits(model, storedWh).chargeWh - chargeWh;
  for (let step = STORING_STEPS; step > 0; step--) {
    const energyWh = (room * step) / STORING_STEPS;
    const limit = storingLimit(ctx, model, storedWh + chargeOf(model, chargeWh + energyWh), worth);
    if (Number(limit) >= expected) return { energy: wholeWattHours(energyWh), limit };
  }
  return NOT_STORING;
}

function storedOnPurchase(ctx: StorageContext, slotId: SlotId, net: Float64Array, storing: Lot): Pick<SlotPlan, "ownUseWh" | "storingWhMax"> {
  const tariff = ctx.tariff(slotId);
  if (tariff === undefined) return { ownUseWh: 0, storingWhMax: 0 };
  return { ownUseWh: Number(needWish(ctx, slotId, mirrored(net), tariff, "final").target), storingWhMax: Number(storing.energy) };
}

/** After the gate: what was bought beyond the own need goes into the battery. */
function storeWhatIsBought(ctx: StorageContext, slotId: SlotId): readonly Intent[] {
  const plan = ctx.memory.plans[slotId];
  if (plan === undefined || plan.storingWhMax === 0 || slotOf(slotId).endMs <= ctx.nowMs) return [];
  const extraWh = clamp(Number(ctx.position(slotId).bought) - plan.ownUseWh, 0, plan.storingWhMax);
  if (extraWh === 0) return [];
  plan.chargeWh = Math.trunc(plan.chargeWh + extraWh);
  plan.isFixed = true;
  plan.ownUseWh += extraWh;
  plan.storingWhMax -= extraWh;
  return [{ tag: "charge-battery", slotId, energyWh: plan.chargeWh }];
}
