/** Readings to whole watt-hours per slot: units, sign, and sums over the parts of a slot. */
import type { SlotMinutes } from "#core";
import type { DataProblem, ProblemList } from "./problems.ts";
import type { Readings } from "./readings.ts";
import type { RowClock } from "./row-clock.ts";
import type { EnergySpec, ResolutionMinutes } from "./schema.ts";
import type { Table } from "./table.ts";
import { wattHoursPerReading } from "./units.ts";

/** Production below zero by no more than this share of capacity is an inverter's own use at night, and counts as zero. */
const STANDBY_SHARE_MAX = 0.02;
/** Beyond this share of capacity it is the unit that is wrong, not the nameplate. */
const IMPLAUSIBLE_SHARE = 3;

/** The smallest slot that the file's step divides: 5 minutes give 15, 20 give 60. */
export function slotMinutesOf(resolution: ResolutionMinutes): SlotMinutes {
  return resolution <= 15 && 15 % resolution === 0 ? 15 : 30 % resolution === 0 ? 30 : 60;
}

/** A column's energy in each of the file's steps, in watt-hours and not yet rounded; what cannot be is reported. */
export function stepEnergyWh(
  readings: Readings,
  spec: EnergySpec,
  resolutionMinutes: ResolutionMinutes,
  table: Table,
  problems: ProblemList,
): Float64Array {
  const factor = wattHoursPerReading(spec.unit, resolutionMinutes, spec.capacityKw ?? Number.NaN) * spec.scale;
  const energyWh = readings.values.map((value) => value * factor);
  const largest = energyWh.reduce((max, value) => (value > max ? value : max), 0);
  const capacityWh = spec.capacityKw === undefined ? largest : (spec.capacityKw * 1_000 * resolutionMinutes) / 60;
  const report: Report = (severity, kind, step, problem, mend) => {
    const line = table.lineOf(readings.rowOfStep[step] ?? -1);
    problems.add(kind, { severity, file: table.file, line, field: spec.column, problem, mend });
  };
  clearNegatives(energyWh, spec, capacityWh, readings, report);
  if (spec.capacityKw !== undefined) checkCapacity(energyWh, spec, capacityWh, largest, report);
  return energyWh;
}

type Report = (severity: DataProblem["severity"], kind: string, step: number, problem: string, mend: string) => void;

function clearNegatives(
  energyWh: Float64Array,
  spec: EnergySpec,
  capacityWh: number,
  { values }: Readings,
  report: Report,
): void {
  const standbyWh = spec.kind === "load" ? 0 : capacityWh * STANDBY_SHARE_MAX;
  const standby: number[] = [];
  energyWh.forEach((value, step) => {
    if (!(value < 0)) return;
    if (value >= -standbyWh) {
      energyWh[step] = 0;
      standby.push(step);
      return;
    }
    const what = spec.kind === "load" ? "consumption" : "production";
    const mend = `write scale: ${-spec.scale} if the file counts ${what} as negative; split a net meter into two series; else correct the reading`;
    report("error", "negative", step, `negative ${what}: ${values[step]} ${spec.unit}`, mend);
  });
  if (standby.length === 0) return;
  const problem = `${countOf(standby.length)} slightly negative (at most ${100 * STANDBY_SHARE_MAX} % of capacity), the first here`;
  report(
    "warning",
    "standby",
    standby[0] ?? 0,
    problem,
    "nothing to do: an inverter's own use at night is taken as zero",
  );
}

function checkCapacity(
  energyWh: Float64Array,
  spec: EnergySpec,
  capacityWh: number,
  largest: number,
  report: Report,
): void {
  const above = energyWh.reduce((count, value) => (value > capacityWh * 1.001 ? count + 1 : count), 0);
  const peak = energyWh.indexOf(largest);
  const ratio = largest / capacityWh;
  if (ratio > IMPLAUSIBLE_SHARE) {
    const problem = `readings reach ${rounded(ratio)} times the capacity of ${spec.capacityKw} kW, the largest here`;
    report("error", "unit", peak, problem, `correct unit (now ${spec.unit}) or capacityKw`);
  } else if (above > 0) {
    const problem = `${countOf(above)} above the capacity of ${spec.capacityKw} kW, the largest (${rounded(ratio)} times) here`;
    report(
      "warning",
      "above capacity",
      peak,
      problem,
      "registers are often wrong: write the capacity that the readings show",
    );
  } else if (largest > 0 && ratio < 0.01) {
    const problem = `readings reach only ${rounded(100 * ratio)} % of the capacity of ${spec.capacityKw} kW, the largest here`;
    report("warning", "unit", peak, problem, `correct unit (now ${spec.unit}) or capacityKw`);
  }
}

function countOf(readings: number): string {
  return readings === 1 ? "1 reading is" : `${readings} readings are`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** Values per slot of another length, and the first slot's start. NaN where any part of a slot is missing. */
export type Slotted = { readonly startMs: number; readonly values: Float64Array };

/**
 * Joins steps to slots: `sum` for energy, `mean` for weather. A slot that the data cover in part has no value.
 * The slot's length is a multiple of the step's.
 */
export function joinSteps(
  clock: Pick<RowClock, "startMs" | "stepMs">,
  values: Float64Array,
  slotMinutes: SlotMinutes,
  how: "sum" | "mean",
): Slotted {
  const slotMs = slotMinutes * 60_000;
  const parts = slotMs / clock.stepMs;
  const startMs = Math.floor(clock.startMs / slotMs) * slotMs;
  const lead = (clock.startMs - startMs) / clock.stepMs;
  const joined = new Float64Array(Math.ceil((lead + values.length) / parts));
  for (let slot = 0; slot < joined.length; slot++) {
    let sum = 0;
    for (let part = 0; part < parts; part++) sum += values[slot * parts + part - lead] ?? Number.NaN;
    joined[slot] = how === "sum" ? sum : sum / parts;
  }
  return { startMs, values: joined };
}
