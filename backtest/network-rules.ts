/** The rules of the network that a community trades on, unless a scenario says otherwise. */
import { microsPerKwh, wattHours } from "#core";
import type { Community } from "#data";
import type { NetworkRules } from "#ledger-node";

/** Figures in micros per kWh, watt-hours and milliseconds; see docs/market-rules.md for what each does. */
export function defaultRules(
  community: Pick<Community, "name" | "timeZone" | "slotMinutes">,
  currency: string,
): NetworkRules {
  return {
    networkId: `dream/${community.name}`.slice(0, 40),
    currency,
    slotMinutes: community.slotMinutes,
    timeZone: community.timeZone,
    promiseMin: wattHours(10n),
    promiseMax: wattHours(1_000_000n),
    emergencyPrice: microsPerKwh(800_000n),
    gridFee: microsPerKwh(5_000n),
    surplusPrice: microsPerKwh(0n),
    bidRiseMin: microsPerKwh(5_000n),
    priceMin: microsPerKwh(0n),
    priceMax: microsPerKwh(2_000_000n),
    gateLeadMs: 0,
    marketFee: microsPerKwh(4_000n),
  };
}

/** When things happen, by the community's clock. */
export type DailySchedule = {
  /** Day-ahead forecasts reach the agents. */
  readonly forecastAt: { readonly hour: number; readonly minute: number };
  /** The day-ahead round of tomorrow's pools. */
  readonly dayAheadRoundAt: { readonly hour: number; readonly minute: number };
  /** Agents are called this long before a slot's gate, and its pool has its final round. */
  readonly gateCallLeadMs: number;
  readonly finalRoundLeadMs: number;
};

const MINUTE_MS = 60_000;

export const DEFAULT_SCHEDULE: DailySchedule = {
  forecastAt: { hour: 12, minute: 0 },
  dayAheadRoundAt: { hour: 13, minute: 0 },
  gateCallLeadMs: 30 * MINUTE_MS,
  finalRoundLeadMs: 10 * MINUTE_MS,
};
