/** `dream data check`: what a data set holds and what is wrong with it. */
import { localDayAt } from "#core";
import { type DataSet, type LoadOptions, loadDataSet } from "./load.ts";
import type { DataProblem } from "./problems.ts";

export type CheckedSeries = {
  readonly name: string;
  readonly kind: string;
  readonly slotMinutes: number;
  /** First and last local day. */
  readonly from: string;
  readonly to: string;
  readonly slots: number;
  readonly missingSlots: number;
  /** Sum of the readings in kWh, for a look at the order of magnitude; absent for weather and prices. */
  readonly totalKwh?: number;
};

export type DataSetReport = {
  readonly file: string;
  /** No errors; warnings may be there. */
  readonly ok: boolean;
  readonly errors: number;
  readonly warnings: number;
  readonly name?: string;
  readonly licence?: string;
  readonly timeZone?: string;
  readonly series: readonly CheckedSeries[];
  readonly problems: readonly DataProblem[];
};

/** Reads the whole set and reports; a set that cannot be read is a report too. */
export function checkDataSet(path: string, options: Omit<LoadOptions, "quality"> = {}): DataSetReport {
  const loaded = loadDataSet(path, options);
  const problems = loaded.ok ? loaded.value.warnings : loaded.error;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const base = { file: path, ok: loaded.ok, errors, warnings: problems.length - errors };
  if (!loaded.ok) return { ...base, series: [], problems };
  const { name, licence, timeZone } = loaded.value;
  return { ...base, name, licence, timeZone, series: checkedSeries(loaded.value), problems };
}

function checkedSeries({ timeZone, data, prices }: DataSet): readonly CheckedSeries[] {
  const span = (startMs: number, endMs: number) => ({
    from: localDayAt(timeZone, startMs),
    to: localDayAt(timeZone, endMs - 1),
  });
  const missing = (values: readonly unknown[]): number =>
    values.filter((value) => value === undefined || Number.isNaN(value)).length;
  const meters = [...data.meters.values()].map(({ name, kind, slotMinutes, startMs, energyWh }) => ({
    name,
    kind,
    slotMinutes,
    ...span(startMs, startMs + energyWh.length * slotMinutes * 60_000),
    slots: energyWh.length,
    missingSlots: missing([...energyWh]),
    totalKwh: Math.round(energyWh.reduce((sum, value) => (Number.isNaN(value) ? sum : sum + value), 0) / 1_000),
  }));
  const weather = [...data.weather.values()].flatMap(({ name, slotMinutes, vintages }) => {
    const [first, last] = [vintages[0], vintages.at(-1)];
    if (first === undefined || last === undefined) return [];
    const columns = vintages.map(({ values }) => Object.values(values)[0] ?? new Float64Array(0));
    const endMs = last.startMs + (columns.at(-1)?.length ?? 0) * slotMinutes * 60_000;
    const slots = Math.round((endMs - first.startMs) / (slotMinutes * 60_000));
    const present = columns.reduce((sum, column) => sum + column.length - missing([...column]), 0);
    return [
      {
        name,
        kind: "weather-forecast",
        slotMinutes,
        ...span(first.startMs, endMs),
        slots,
        missingSlots: slots - present,
      },
    ];
  });
  const priced = [...prices.values()].map(({ name, slotMinutes, startMs, prices: list }) => ({
    name,
    kind: "price",
    slotMinutes,
    ...span(startMs, startMs + list.length * slotMinutes * 60_000),
    slots: list.length,
    missingSlots: missing(list),
  }));
  return [...meters, ...weather, ...priced];
}
