/** Every kind of member and strategy on one small market: production and load that no forecast gets right, prices with a peak. */
import { seededPrng } from "#core";
import type { Community } from "#data";
import { type BySlot, type HandMadeMember, handMadeCommunity } from "#testkit";

const HOUR_MS = 3_600_000;

/** Sunshine with clouds: half a sine from 5 to 19 h UTC, less a random share. */
function sun(peakWh: number, stream: string): BySlot {
  const clouds = seededPrng("busy", stream);
  return ({ startMs }) => {
    const hour = (startMs / HOUR_MS) % 24;
    const clear = hour < 5 || hour > 19 ? 0 : Math.sin((Math.PI * (hour - 5)) / 14);
    return Math.floor(peakWh * clear * (0.45 + 0.55 * clouds.nextFloat()));
  };
}

function household(baseWh: number, stream: string): BySlot {
  const habits = seededPrng("busy", stream);
  return ({ startMs }) => {
    const hour = (startMs / HOUR_MS) % 24;
    const evening = hour >= 16 && hour < 22 ? 2.5 : 1;
    return Math.floor(baseWh * evening * (0.5 + habits.nextFloat()));
  };
}

const MEMBERS = (): readonly HandMadeMember[] => [
  { name: "park", roles: ["producer"], strategy: "producer", productionWh: sun(4_000, "park"), capacityWh: 5_000 },
  {
    name: "roof",
    roles: ["prosumer"],
    strategy: "newsvendor-prosumer",
    productionWh: sun(3_000, "roof"),
    loadWh: household(300, "roof load"),
    capacityWh: 4_000,
  },
  {
    name: "store",
    roles: ["prosumer", "storage-provider"],
    strategy: "storage-arbitrage",
    productionWh: sun(3_000, "store"),
    loadWh: household(400, "store load"),
    capacityWh: 8_000,
    battery: { capacityWh: 6_000, powerW: 3_000, roundTripEfficiency: 0.9 },
  },
  { name: "flat", roles: ["consumer"], strategy: "load-follower", loadWh: household(600, "flat load") },
  {
    name: "braggart",
    roles: ["producer"],
    strategy: "double-promiser",
    productionWh: sun(1_000, "braggart"),
    capacityWh: 5_000,
  },
  {
    name: "trader",
    roles: ["speculator"],
    strategy: "speculator",
    strategyConfig: { explorationWh: 400, explorationLimitPercent: 70 },
    holdingCapWh: 500,
  },
];

/** Feed-in at 0.06 all day, retail at 0.21 and 0.50 from 15 to 20 h UTC: odd figures, so that roundings show. */
export function busyCommunity(days: number): Community {
  return handMadeCommunity({
    members: MEMBERS(),
    feedIn: (_slot, index) => 60_001 + index,
    retail: ({ startMs }, index) =>
      ((startMs / HOUR_MS) % 24 >= 15 && (startMs / HOUR_MS) % 24 < 20 ? 500_003 : 210_007) + index,
    historyDays: 8,
    days,
  });
}
