/** A hand-written context for testing strategies: every field of what a strategy sees can be set by the test. */
import {
  invariant,
  type Micros,
  micros,
  microsPerKwh,
  NO_ENERGY,
  type Prng,
  type SlotId,
  seededPrng,
  wattHours,
  zone,
} from "#core";
import type {
  BatteryState,
  MarketRules,
  MemberForecast,
  OpenAuction,
  PoolResult,
  Position,
  Strategy,
  StrategyContext,
  Tariff,
} from "#strategies";

/** Rules with the usual figures: quarter-hours in UTC, fees of 0.004 and 0.005, a shortfall at 0.80 per kWh. */
export const USUAL_RULES: MarketRules = {
  slotMinutes: 15,
  timeZone: zone("UTC"),
  marketFee: microsPerKwh(4_000n),
  gridFee: microsPerKwh(5_000n),
  emergencyPrice: microsPerKwh(800_000n),
  surplusPrice: microsPerKwh(0n),
  promiseMin: wattHours(10n),
  promiseMax: wattHours(1_000_000n),
};

export const NO_POSITION: Position = {
  promised: NO_ENERGY,
  held: NO_ENERGY,
  bought: NO_ENERGY,
  offered: NO_ENERGY,
  bidding: NO_ENERGY,
  sold: NO_ENERGY,
  coverable: NO_ENERGY,
};

/** A forecast of which every quantile is given for the surplus; production and load are its positive and negative part. */
export function surplusForecast(slotId: SlotId, issuedAtMs: number, surplusWh: readonly number[]): MemberForecast {
  invariant(surplusWh.length === 19, "a forecast has 19 quantiles");
  const surplus = Float64Array.from(surplusWh);
  const negative = Float64Array.from(surplus, (value) => Math.max(0, -value)).reverse();
  return {
    slotId,
    issuedAtMs,
    surplusWh: surplus,
    productionWh: surplus.map((value) => Math.max(0, value)),
    loadWh: negative,
  };
}

/** 19 numbers at equal steps from `first` to `last`: an even distribution. */
export function evenQuantiles(first: number, last: number): readonly number[] {
  return Array.from({ length: 19 }, (_, index) => first + ((last - first) * index) / 18);
}

/** What a strategy sees; all of it can be set by the test. */
export class FakeStrategyContext<Config, Memory> implements StrategyContext<Config, Memory> {
  nowMs = 0;
  member: StrategyContext<Config, Memory>["member"] = {
    name: "member",
    roles: ["prosumer"],
    capacityPerSlot: wattHours(1_000_000n),
    speculatorCapPerSlot: undefined,
  };
  rules: MarketRules = USUAL_RULES;
  rng: Prng = seededPrng(1, "fake strategy context");
  config: Config;
  memory: Memory;
  freeFunds: Micros = micros(1_000_000_000_000n);
  usualTariff: Tariff | undefined = { feedIn: microsPerKwh(60_000n), retail: microsPerKwh(300_000n) };
  batteryState: BatteryState | undefined;
  results: readonly PoolResult[] = [];
  auctions: readonly OpenAuction[] = [];
  readonly tariffs: Map<SlotId, Tariff> = new Map();
  readonly forecasts: Map<SlotId, MemberForecast> = new Map();
  readonly positions: Map<SlotId, Position> = new Map();
  readonly journal: string[] = [];

  constructor(config: Config, memory: Memory) {
    this.config = config;
    this.memory = memory;
  }

  tariff(slotId: SlotId): Tariff | undefined {
    return this.tariffs.get(slotId) ?? this.usualTariff;
  }
  forecast(slotId: SlotId): MemberForecast | undefined {
    return this.forecasts.get(slotId);
  }
  position(slotId: SlotId): Position {
    return this.positions.get(slotId) ?? NO_POSITION;
  }
  funds(): Micros {
    return this.freeFunds;
  }
  poolResults(): readonly PoolResult[] {
    return this.results;
  }
  openAuctions(): readonly OpenAuction[] {
    return this.auctions;
  }
  battery(): BatteryState | undefined {
    return this.batteryState;
  }
  log(message: string): void {
    this.journal.push(message);
  }
  /** Adds to a slot's surplus forecast. */
  forecastSurplus(slotId: SlotId, surplusWh: readonly number[]): void {
    this.forecasts.set(slotId, surplusForecast(slotId, this.nowMs, surplusWh));
  }
}

/** A context for a strategy with its default configuration but for `config`, and its first memory. */
export function fakeContextFor<Config, Memory>(
  strategy: Strategy<Config, Memory>,
  config: Readonly<Record<string, unknown>> = {},
): FakeStrategyContext<Config, Memory> {
  return new FakeStrategyContext(strategy.config.parse(config), strategy.initialMemory());
}
