/** Promises more than it can make and sells none of it: the yardstick of what broken promises cost. */
import { z } from "zod";
import { wholeWattHours } from "../shared/amounts.ts";
import { Desk } from "../shared/desk.ts";
import { medianOf } from "../shared/quantiles.ts";
import { defineStrategy, type Strategy } from "../strategy.ts";

export type DoublePromiserConfig = {
  /** What is promised, as a multiple of the basis. */
  readonly factor: number;
  /** The middle or the highest quantile of the forecast production. */
  readonly basis: "median" | "maximum";
};
export type DoublePromiserMemory = Record<string, never>;

export const doublePromiser: Strategy<DoublePromiserConfig, DoublePromiserMemory> = defineStrategy({
  name: "double-promiser",
  description:
    "Promises twice what it expects to produce and offers none of it: the yardstick of what broken promises cost.",
  config: z.strictObject({
    factor: z.number().positive().max(100).default(2),
    basis: z.enum(["median", "maximum"]).default("median"),
  }),
  warmup: { days: 0 },
  initialMemory: () => ({}),

  onForecast(ctx, { slotIds }) {
    const desk = new Desk(ctx, { fundsReservePercent: 0, tradeWhMin: 1 });
    for (const slotId of slotIds) {
      const production = ctx.forecast(slotId)?.productionWh;
      if (production === undefined) continue;
      const basisWh = ctx.config.basis === "median" ? medianOf(production) : (production.at(-1) ?? 0);
      const wanted = wholeWattHours(basisWh * ctx.config.factor);
      const { promised } = desk.book(slotId);
      if (wanted > promised) desk.promise(slotId, wholeWattHours(Number(wanted - promised)));
    }
    return desk.intents();
  },
});
