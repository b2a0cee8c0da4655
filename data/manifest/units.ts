/** Units that a manifest may name, and what one of each is in our own: watt-hours per step, W/m², °C, m/s, shares of 1. */
import type { WeatherVariable } from "../series.ts";

/** Mean power over the step, energy in the step, or mean power per kilowatt of capacity. */
export const ENERGY_UNITS = ["W", "kW", "MW", "Wh", "kWh", "MWh", "W/kW"] as const;
export type EnergyUnit = (typeof ENERGY_UNITS)[number];

const WATTS: Readonly<Record<"W" | "kW" | "MW", number>> = { W: 1, kW: 1_000, MW: 1_000_000 };
const WATT_HOURS: Readonly<Record<"Wh" | "kWh" | "MWh", number>> = { Wh: 1, kWh: 1_000, MWh: 1_000_000 };

/** Watt-hours in one step for a reading of 1 in the unit; `capacityKw` counts for `W/kW` only. */
export function wattHoursPerReading(unit: EnergyUnit, resolutionMinutes: number, capacityKw: number): number {
  const hours = resolutionMinutes / 60;
  if (unit === "W/kW") return capacityKw * hours;
  if (unit === "W" || unit === "kW" || unit === "MW") return WATTS[unit] * hours;
  return WATT_HOURS[unit];
}

type Conversion = { readonly factor: number; readonly offset?: number };

const IRRADIANCE: Readonly<Record<string, Conversion>> = {
  "W/m2": { factor: 1 },
  "kW/m2": { factor: 1_000 },
  // Energy in the hour; a weather service's running hour, also where the rows are a quarter of an hour apart.
  "J/m2/h": { factor: 1 / 3_600 },
};
const SHARE: Readonly<Record<string, Conversion>> = { "1": { factor: 1 }, "%": { factor: 0.01 } };

/** Units per weather variable; the first is ours. */
export const WEATHER_UNITS: Readonly<Record<WeatherVariable, Readonly<Record<string, Conversion>>>> = {
  ghi: IRRADIANCE,
  dni: IRRADIANCE,
  temperature: { C: { factor: 1 }, K: { factor: 1, offset: -273.15 } },
  windSpeed: { "m/s": { factor: 1 }, "km/h": { factor: 1 / 3.6 } },
  humidity: SHARE,
  cloudCover: SHARE,
};

/** `EUR/MWh`, `USD/kWh`: an ISO 4217 code over an energy. */
export const PRICE_UNIT: RegExp = /^([A-Z]{3})\/(kWh|MWh)$/;

/** Micros per kilowatt-hour for a reading of 1 in the price unit. */
export function microsPerKwhPerReading(unit: string): number {
  return PRICE_UNIT.exec(unit)?.[2] === "MWh" ? 1_000 : 1_000_000;
}
