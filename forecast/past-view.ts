/** What was known at an earlier instant, as far as a present view can tell: for scoring a model on past issues. */
import type { KnownView, MeterHistory, WeatherVintage } from "#data";

const MS_PER_MINUTE = 60_000;
const READING_LAG_MS_MAX = 2 * 86_400_000;

/**
 * How late readings are, in whole slots: from the end of the last known slot to now, rounded up, two days at most.
 * An upper bound of the true delay, so a past view never shows more than was known then.
 */
export function readingLagMs(nowMs: number, history: MeterHistory): number {
  const slotMs = history.slotMinutes * MS_PER_MINUTE;
  const endMs = history.startMs + history.energyWh.length * slotMs;
  const slots = Math.max(0, Math.ceil((nowMs - endMs) / slotMs));
  return Math.min(slots * slotMs, READING_LAG_MS_MAX);
}

/** The readings whose slots had ended by `endMs`; no copy. */
export function historyUntil(history: MeterHistory, endMs: number): MeterHistory {
  const slotMs = history.slotMinutes * MS_PER_MINUTE;
  const count = Math.max(0, Math.floor((endMs - history.startMs) / slotMs));
  if (count >= history.energyWh.length) return history;
  return { ...history, energyWh: history.energyWh.subarray(0, count) };
}

/** The runs known by `atMs`, of runs in the order in which they became known. */
export function vintagesUntil(vintages: readonly WeatherVintage[], atMs: number): readonly WeatherVintage[] {
  const count = countKnownBy(vintages, atMs);
  return count === vintages.length ? vintages : vintages.slice(0, count);
}

/** How many of the runs, which are in the order in which they became known, were known by `atMs`. */
export function countKnownBy(vintages: readonly WeatherVintage[], atMs: number): number {
  let low = 0;
  let high = vintages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((vintages[middle]?.knownAtMs ?? Number.POSITIVE_INFINITY) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The view as it was at `atMs`. Shows nothing that `view` does not. */
export function pastView(view: KnownView, atMs: number): KnownView {
  const nowMs = Math.min(atMs, view.nowMs);
  const meters = new Map<string, MeterHistory>();
  return {
    nowMs,
    meter(name) {
      const history =
        meters.get(name) ?? historyUntil(view.meter(name), nowMs - readingLagMs(view.nowMs, view.meter(name)));
      meters.set(name, history);
      return history;
    },
    weatherAt(name, slot) {
      const weather = view.weatherAt(name, slot);
      const known = vintagesUntil(view.weatherVintages(name), nowMs);
      return known.some((run) => run.issuedAtMs === weather?.issuedAtMs) ? weather : undefined;
    },
    weatherVintages: (name) => vintagesUntil(view.weatherVintages(name), nowMs),
    tariffAt: () => undefined,
  };
}
