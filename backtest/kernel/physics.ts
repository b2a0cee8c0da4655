/**
 * The physical side of a simulation: what meters measure, given production, load and what batteries do. Floats in here are
 * watt-hours of electricity that nobody owns; the meter rounds to whole watt-hours.
 */
import { type Slot, type SlotId, type WattHours, wattHours } from "#core";
import type { BatterySpec, CommunityMember, DataStore, MeterSeries } from "#data";
import type { BatteryState } from "#strategies";

export type MeteredEnergy = { readonly produced: WattHours; readonly consumed: WattHours };
export type SlotMeasurement = MeteredEnergy & {
  /** The same slot if nobody had planned the battery: the baseline without a market. */
  readonly baseline: MeteredEnergy;
  /** A reading was missing and the last known one of the same time of day stands in for it. */
  readonly isEstimated: boolean;
};

const HOURS_PER_MINUTE = 1 / 60;

/** A battery: stored energy within its capacity, power limits, and losses shared between charging and discharging. */
class Battery {
  readonly #spec: BatterySpec;
  storedWh: number;

  constructor(spec: BatterySpec) {
    this.#spec = spec;
    this.storedWh = spec.capacityWh / 2;
  }

  /** Charges (positive) or discharges (negative) as much of `energyWh` as it can; gives what passed at the connection. */
  exchange(energyWh: number, slotHours: number): number {
    const { capacityWh, powerW, roundTripEfficiency } = this.#spec;
    const oneWay = Math.sqrt(roundTripEfficiency);
    const limit = powerW * slotHours;
    if (energyWh >= 0) {
      const charged = Math.floor(Math.min(energyWh, limit, (capacityWh - this.storedWh) / oneWay));
      this.storedWh = Math.min(capacityWh, this.storedWh + charged * oneWay);
      return charged;
    }
    const discharged = Math.floor(Math.min(-energyWh, limit, this.storedWh * oneWay));
    this.storedWh = Math.max(0, this.storedWh - discharged / oneWay);
    return -discharged;
  }

  get state(): BatteryState {
    return { ...this.#spec, storedWh: this.storedWh };
  }
}

/** One member's connection to the grid. */
export class MemberPlant {
  readonly #production: MeterSeries | undefined;
  readonly #load: MeterSeries | undefined;
  readonly #battery: Battery | undefined;
  readonly #baselineBattery: Battery | undefined;
  readonly #plans = new Map<SlotId, number>();

  constructor(member: CommunityMember, data: DataStore) {
    this.#production = member.production === undefined ? undefined : data.meters.get(member.production);
    this.#load = member.load === undefined ? undefined : data.meters.get(member.load);
    this.#battery = member.battery && new Battery(member.battery);
    this.#baselineBattery = member.battery && new Battery(member.battery);
  }

  state(): BatteryState | undefined {
    return this.#battery?.state;
  }

  plan(slotId: SlotId, energyWh: number): void {
    this.#plans.set(slotId, energyWh);
  }

  /** Lives through a slot: slots must come in time order, each once. */
  measure(slot: Slot): SlotMeasurement {
    const production = readingAt(this.#production, slot);
    const load = readingAt(this.#load, slot);
    const hours = slot.minutes * HOURS_PER_MINUTE;
    const planned = this.#plans.get(slot.id);
    this.#plans.delete(slot.id);
    const surplus = production.energyWh - load.energyWh;
    const exchanged = this.#battery?.exchange(planned ?? surplus, hours) ?? 0;
    const baselineExchanged = this.#baselineBattery?.exchange(surplus, hours) ?? 0;
    return {
      ...metered(production.energyWh, load.energyWh, exchanged),
      baseline: metered(production.energyWh, load.energyWh, baselineExchanged),
      isEstimated: production.isEstimated || load.isEstimated,
    };
  }
}

/** Discharging counts as production, charging as consumption. */
function metered(productionWh: number, loadWh: number, exchangedWh: number): MeteredEnergy {
  return {
    produced: wattHours(productionWh + Math.max(0, -exchangedWh)),
    consumed: wattHours(loadWh + Math.max(0, exchangedWh)),
  };
}

const DAYS_BACK_MAX = 28;
const DAY_MS = 86_400_000;

function readingAt(
  series: MeterSeries | undefined,
  slot: Slot,
): { readonly energyWh: number; readonly isEstimated: boolean } {
  if (series === undefined) return { energyWh: 0, isEstimated: false };
  const lengthMs = series.slotMinutes * 60_000;
  for (let back = 0; back <= DAYS_BACK_MAX; back++) {
    const energyWh = series.energyWh[(slot.startMs - back * DAY_MS - series.startMs) / lengthMs];
    if (energyWh !== undefined && Number.isFinite(energyWh) && energyWh >= 0)
      return { energyWh: Math.round(energyWh), isEstimated: back > 0 };
  }
  return { energyWh: 0, isEstimated: true };
}
