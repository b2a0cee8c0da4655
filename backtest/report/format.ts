/**
 * Numbers as people read them: energy in kWh or MWh, money in the currency, from bigints and without floats.
 * For display only: every figure is rounded half away from zero, and nothing is ever computed from its result.
 */
import { invariant } from "#core";

/** How a figure is written. */
export type FigureStyle = {
  /** Digits after the point; those left out are rounded half away from zero. */
  readonly decimals?: number;
  /** Also mark what is more than zero with a plus. */
  readonly plus?: boolean;
  /** The sign of what is less than zero: `-`, or `−` (U+2212), which is as wide as a plus. */
  readonly minus?: "-" | "−";
};

export type EnergyUnit = "kWh" | "MWh";

const WH_DIGITS: Readonly<Record<EnergyUnit, number>> = { kWh: 3, MWh: 6 };
const MICROS_DIGITS = 6;

/** From this amount on, energy reads better in MWh. */
const MWH_FROM_WH = 10_000_000n;

/**
 * `value / 10^digits` in decimal notation with commas between thousands.
 * What rounds to zero has no sign.
 * @example formatScaled(-1_234_567n, 3, { decimals: 1 }); // "-1,234.6"
 */
export function formatScaled(value: bigint, digits: number, style: FigureStyle = {}): string {
  const decimals = style.decimals ?? digits;
  invariant(Number.isInteger(decimals) && decimals >= 0 && decimals <= digits, `decimals are in 0…${digits}`);
  const dropped = 10n ** BigInt(digits - decimals);
  const size = value < 0n ? -value : value;
  const rounded = (size + dropped / 2n) / dropped;
  const unit = 10n ** BigInt(decimals);
  const fraction = decimals === 0 ? "" : `.${(rounded % unit).toString().padStart(decimals, "0")}`;
  return `${signOf(rounded === 0n ? 0n : value, style)}${groupThousands(rounded / unit)}${fraction}`;
}

/** Energy in `unit`, by default in kWh with one decimal, without the unit's name. */
export function formatEnergy(wattHours: bigint, style: FigureStyle = {}, unit: EnergyUnit = "kWh"): string {
  return formatScaled(wattHours, WH_DIGITS[unit], { decimals: 1, ...style });
}

/** Money in the currency, by default with two decimals, without the currency's name. */
export function formatMoney(amountMicros: bigint, style: FigureStyle = {}): string {
  return formatScaled(amountMicros, MICROS_DIGITS, { decimals: 2, ...style });
}

/** A price in currency per kWh, by default with four decimals: a hundredth of a cent. */
export function formatPrice(priceMicrosPerKwh: bigint, style: FigureStyle = {}): string {
  return formatScaled(priceMicrosPerKwh, MICROS_DIGITS, { decimals: 4, ...style });
}

/** A whole number with commas between thousands. */
export function formatCount(count: bigint | number, style: FigureStyle = {}): string {
  return formatScaled(BigInt(typeof count === "number" ? Math.round(count) : count), 0, { ...style, decimals: 0 });
}

/** A score or a rate, which is a number already; `n/a` for what is not finite. */
export function formatNumber(value: number, style: FigureStyle = {}): string {
  const decimals = style.decimals ?? 1;
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15) return "n/a";
  const [whole = "0", fraction] = Math.abs(value).toFixed(decimals).split(".");
  const isZero = /^0*$/.test(whole + (fraction ?? ""));
  const sign = signOf(isZero ? 0n : value < 0 ? -1n : 1n, style);
  return `${sign}${groupThousands(BigInt(whole))}${fraction === undefined ? "" : `.${fraction}`}`;
}

/**
 * `part` of `whole` in per cent with one decimal, rounded down, so that 100.0 means all of it; null of nothing.
 * @example percentFloor(9_999n, 10_000n); // "99.9"
 */
export function percentFloor(part: bigint, whole: bigint): string | null {
  return whole <= 0n ? null : formatScaled((part * 1000n) / whole, 1);
}

/** The unit in which the greatest of some amounts of energy reads well. */
export function energyUnitFor(wattHours: readonly bigint[]): EnergyUnit {
  return wattHours.some((amount) => amount >= MWH_FROM_WH || amount <= -MWH_FROM_WH) ? "MWh" : "kWh";
}

/** Seconds of wall time: `0.42 s`, `12.3 s`, `3 min 04 s`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "n/a";
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** A period of local days such as `24 Mar – 6 Apr 2025`; a text that is no day is left as it is. */
export function formatPeriod(firstDay: string, lastDay: string): string {
  const [firstYear, firstMonth, first] = firstDay.split("-");
  const [lastYear, lastMonth, last] = lastDay.split("-");
  const end = `${Number(last)} ${monthName(lastMonth)} ${lastYear}`;
  if (firstDay === lastDay) return end;
  if (firstYear !== lastYear) return `${Number(first)} ${monthName(firstMonth)} ${firstYear} – ${end}`;
  if (firstMonth !== lastMonth) return `${Number(first)} ${monthName(firstMonth)} – ${end}`;
  return `${Number(first)} – ${end}`;
}

function monthName(month: string | undefined): string {
  return MONTHS[Number(month) - 1] ?? "?";
}

function signOf(value: bigint, style: FigureStyle): string {
  if (value < 0n) return style.minus ?? "-";
  return value > 0n && style.plus === true ? "+" : "";
}

function groupThousands(value: bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}
