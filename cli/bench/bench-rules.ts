/** The rules of the networks that benches found in one process. */
import { microsPerKwh, wattHours } from "#core";
import type { NetworkRules } from "#ledger-node";

export const BENCH_RULES: NetworkRules = {
  networkId: "dream/bench",
  currency: "EUR",
  slotMinutes: 15,
  timeZone: "UTC",
  promiseMin: wattHours(10n),
  promiseMax: wattHours(1_000_000n),
  emergencyPrice: microsPerKwh(800_000n),
  gridFee: microsPerKwh(5_000n),
  bidRiseMin: microsPerKwh(5_000n),
  priceMin: microsPerKwh(0n),
  priceMax: microsPerKwh(2_000_000n),
  gateLeadMs: 0,
  settlementGraceMs: 600_000,
  marketFee: microsPerKwh(4_000n),
};
