/**
 * The only way from a data store to a strategy or a forecaster: shows what is known at the clock's present, never more.
 * Everything handed out is a copy that holds known values only, so that not even an array's `.buffer` shows the future.
 */
import { type Clock, invariant, type Slot, slotOf } from "#core";
import type {
  DataStore,
  KnownView,
  MeterHistory,
  MeterSeries,
  TariffVintage,
  WeatherAtSlot,
  WeatherForecastSeries,
  WeatherVariable,
  WeatherVintage,
} from "./series.ts";

const MS_PER_MINUTE = 60_000;

/**
 * A view that reads the present from `clock` at each call.
 * Make one per agent: the copies belong to the view, so an agent that scribbles on its history harms only itself.
 * A clock that steps back is obeyed: what is no longer known is no longer shown.
 *
 * @throws InvariantError for the name of a series that the store does not have, or a store that is not in the order
 * in which its data became known.
 */
export function createKnownView(store: DataStore, clock: Clock): KnownView {
  const meters = new Map<string, KnownMeter>();
  const weather = new Map<string, KnownWeather>();
  let tariffs: RunIndex<TariffVintage> | undefined;
  return Object.freeze({
    get nowMs(): number {
      return clock.nowMs();
    },
    meter(name: string): MeterHistory {
      return found(meters, store.meters, name, "meter series", knownMeter)(clock.nowMs());
    },
    weatherAt(name: string, slot: Slot): WeatherAtSlot | undefined {
      return found(weather, store.weather, name, "weather series", knownWeather).at(slot, clock.nowMs());
    },
    weatherVintages(name: string): readonly WeatherVintage[] {
      return found(weather, store.weather, name, "weather series", knownWeather).vintages(clock.nowMs());
    },
    tariffAt(slotId: Slot["id"]): ReturnType<KnownView["tariffAt"]> {
      tariffs ??= runIndex(
        store.tariffs,
        (run) => run.startMs,
        tariffEndMs,
        (run) => run.knownAtMs,
      );
      return tariffOfSlot(tariffs, slotOf(slotId), clock.nowMs());
    },
  });
}

type KnownMeter = (nowMs: number) => MeterHistory;
type KnownWeather = {
  readonly at: (slot: Slot, nowMs: number) => WeatherAtSlot | undefined;
  readonly vintages: (nowMs: number) => readonly WeatherVintage[];
};

/** The view's part for one series, made at its first use. */
function found<S, K>(
  made: Map<string, K>,
  all: ReadonlyMap<string, S>,
  name: string,
  what: string,
  make: (series: S) => K,
): K {
  const known = made.get(name);
  if (known !== undefined) return known;
  const series = all.get(name);
  invariant(series !== undefined, `the data have a ${what} named ${name}`);
  const fresh = make(series);
  made.set(name, fresh);
  return fresh;
}

/** How many readings of the series are known at the instant. */
function knownReadings(series: MeterSeries, nowMs: number): number {
  const slots = Math.floor((nowMs - series.telemetryDelayMs - series.startMs) / (series.slotMinutes * MS_PER_MINUTE));
  return Math.max(0, Math.min(series.energyWh.length, slots));
}

/** Copies readings as they become known into an array of our own; asking again at the same instant costs nothing. */
function knownMeter(series: MeterSeries): KnownMeter {
  let copy = new Float64Array(0);
  let filled = 0;
  let last = history(series, copy, 0);
  return (nowMs) => {
    const known = knownReadings(series, nowMs);
    if (known === last.energyWh.length) return last;
    if (known < filled) {
      // The clock stepped back: start a copy anew, since the old one holds what is not known any more.
      copy = new Float64Array(0);
      filled = 0;
    }
    if (known > copy.length) {
      const larger = new Float64Array(Math.max(known, 2 * copy.length)).fill(Number.NaN);
      larger.set(copy.subarray(0, filled));
      copy = larger;
    }
    copy.set(series.energyWh.subarray(filled, known), filled);
    filled = known;
    last = history(series, copy, known);
    return last;
  };
}

function history(series: MeterSeries, copy: Float64Array, known: number): MeterHistory {
  const { startMs, slotMinutes } = series;
  return Object.freeze({ startMs, slotMinutes, energyWh: copy.subarray(0, known) });
}

function knownWeather(series: WeatherForecastSeries): KnownWeather {
  const index = runIndex(
    series.vintages,
    (run) => run.startMs,
    (run) => vintageEndMs(run, series),
    (run) => run.knownAtMs,
  );
  const copies: WeatherVintage[] = [];
  let last: readonly WeatherVintage[] = Object.freeze([]);
  return {
    vintages(nowMs) {
      const known = index.knownRuns(nowMs);
      while (copies.length < known) copies.push(copyOf(index.run(copies.length)));
      if (known !== last.length) last = Object.freeze(copies.slice(0, known));
      return last;
    },
    at(slot, nowMs) {
      return index.newest(
        slot,
        nowMs,
        (run) => weatherOfSlot(run, series, slot),
        (run) => run.issuedAtMs,
      );
    },
  };
}

/** A run whose arrays have buffers of their own: in the store they may be windows on one long array. */
function copyOf(run: WeatherVintage): WeatherVintage {
  const values: Partial<Record<WeatherVariable, Float64Array>> = {};
  for (const [variable, array] of variablesOf(run)) values[variable] = Float64Array.from(array);
  return Object.freeze({ ...run, values: Object.freeze(values) });
}

function variablesOf(run: WeatherVintage): [WeatherVariable, Float64Array][] {
  return Object.entries(run.values) as [WeatherVariable, Float64Array][];
}

function vintageEndMs(run: WeatherVintage, series: WeatherForecastSeries): number {
  const length = variablesOf(run)[0]?.[1].length ?? 0;
  return run.startMs + length * series.slotMinutes * MS_PER_MINUTE;
}

/** Means over the slot of what the run says; variables without a value are left out; undefined when none is left. */
function weatherOfSlot(run: WeatherVintage, series: WeatherForecastSeries, slot: Slot): WeatherAtSlot | undefined {
  const stepMs = series.slotMinutes * MS_PER_MINUTE;
  const from = Math.floor((slot.startMs - run.startMs) / stepMs);
  const until = Math.ceil((slot.endMs - run.startMs) / stepMs);
  const values: Partial<Record<WeatherVariable, number>> = {};
  let any = false;
  for (const [variable, array] of variablesOf(run)) {
    let sum = 0;
    for (let step = from; step < until; step++) sum += array[step] ?? Number.NaN;
    if (!Number.isFinite(sum)) continue;
    values[variable] = sum / (until - from);
    any = true;
  }
  return any ? { issuedAtMs: run.issuedAtMs, values } : undefined;
}

function tariffEndMs(run: TariffVintage): number {
  return run.startMs + run.retail.length * run.slotMinutes * MS_PER_MINUTE;
}

function tariffOfSlot(index: RunIndex<TariffVintage>, slot: Slot, nowMs: number): ReturnType<KnownView["tariffAt"]> {
  const priceIn = (run: TariffVintage): ReturnType<KnownView["tariffAt"]> => {
    invariant(slot.minutes <= run.slotMinutes, "a tariff has one price for a whole slot");
    const step = Math.floor((slot.startMs - run.startMs) / (run.slotMinutes * MS_PER_MINUTE));
    const feedIn = run.feedIn[step];
    const retail = run.retail[step];
    return feedIn === undefined || retail === undefined ? undefined : { feedIn, retail };
  };
  return index.newest(slot, nowMs, priceIn, (run) => run.knownAtMs);
}

/** Runs in the order in which they became known, looked up by the slot that they cover. */
type RunIndex<R> = {
  readonly run: (index: number) => R;
  /** How many runs are known at the instant. */
  readonly knownRuns: (nowMs: number) => number;
  /** What the newest known run that has something for the slot says; newest by `issuedAt`, then the one known last. */
  readonly newest: <T extends object>(
    slot: Slot,
    nowMs: number,
    pick: (run: R) => T | undefined,
    issuedAt: (run: R) => number,
  ) => T | undefined;
};

function runIndex<R>(
  runs: readonly R[],
  startOf: (run: R) => number,
  endOf: (run: R) => number,
  knownAtOf: (run: R) => number,
): RunIndex<R> {
  const knownAt = Float64Array.from(runs, knownAtOf);
  const starts = Float64Array.from(runs, startOf);
  const ends = Float64Array.from(runs, endOf);
  invariant(isRising(knownAt), "runs are listed in the order in which they became known");
  // Where runs also start and end in time order, those that cover a slot stand together and are found by halving.
  const inTimeOrder = isRising(starts) && isRising(ends);
  const knownRuns = (nowMs: number): number => countUpTo(knownAt, nowMs, runs.length);
  return {
    run: (index) => runs[index] as R,
    knownRuns,
    newest<T extends object>(slot: Slot, nowMs: number, pick: (run: R) => T | undefined, issuedAt: (run: R) => number) {
      const known = knownRuns(nowMs);
      const from = inTimeOrder ? countUpTo(ends, slot.endMs - 1, known) : 0;
      const until = inTimeOrder ? countUpTo(starts, slot.startMs, known) : known;
      let best: { readonly issuedAtMs: number; readonly picked: T } | undefined;
      for (let index = until - 1; index >= from; index--) {
        const covers = (starts[index] as number) <= slot.startMs && (ends[index] as number) >= slot.endMs;
        const issuedAtMs = issuedAt(runs[index] as R);
        if (!covers || (best !== undefined && issuedAtMs <= best.issuedAtMs)) continue;
        const picked = pick(runs[index] as R);
        if (picked !== undefined) best = { issuedAtMs, picked };
      }
      return best?.picked;
    },
  };
}

function isRising(values: Float64Array): boolean {
  return values.every((value, index) => index === 0 || value >= (values[index - 1] as number));
}

/** How many of the first `length` rising values are at most `limit`: binary search. */
function countUpTo(values: Float64Array, limit: number, length: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
