/** Looks for readings that are there but not true: values that hang, days that were copied, plants that were dead. */
import { type LocalDay, localDayAt, localMidnightMs, nextLocalDay, type ZoneName } from "#core";
import type { DataProblem } from "./problems.ts";
import type { EnergySpec } from "./schema.ts";

/** A reading that is not zero and stays the same to the last digit for this long comes from a meter that hangs. */
export const HELD_HOURS_MIN = 6;
/** A day with fewer different readings is too plain to say that it was copied. */
const COPIED_DISTINCT_MIN = 8;

/** Energy per step of the file, and where a step's reading stands in it. */
export type SteppedEnergy = {
  readonly startMs: number;
  readonly stepMs: number;
  readonly energyWh: Float64Array;
  readonly lineOfStep: (step: number) => number | null;
};

type AddWarning = (kind: string, problem: DataProblem) => void;

/** Adds a warning for each oddity; none of them changes a number. */
export function checkQuality(
  series: SteppedEnergy,
  spec: EnergySpec,
  timeZone: ZoneName,
  file: string,
  add: AddWarning,
): void {
  const warn = (kind: string, step: number, problem: string, mend: string): void =>
    add(kind, { severity: "warning", file, line: series.lineOfStep(step), field: spec.column, problem, mend });
  reportHeld(series, warn);
  reportDays(series, spec, timeZone, warn);
}

type Warn = (kind: string, step: number, problem: string, mend: string) => void;

function reportHeld({ startMs, stepMs, energyWh }: SteppedEnergy, warn: Warn): void {
  const stepsMin = (HELD_HOURS_MIN * 3_600_000) / stepMs;
  for (let from = 0; from < energyWh.length; ) {
    const value = energyWh[from] as number;
    let until = from + 1;
    while (until < energyWh.length && energyWh[until] === value) until++;
    if (value > 0 && until - from >= stepsMin) {
      const hours = ((until - from) * stepMs) / 3_600_000;
      const problem = `the same reading for ${hours} hours from ${new Date(startMs + from * stepMs).toISOString()}`;
      warn("held", from, problem, "look whether the meter hung; if so, empty the readings");
    }
    from = until;
  }
}

function reportDays(
  { startMs, stepMs, energyWh }: SteppedEnergy,
  spec: EnergySpec,
  timeZone: ZoneName,
  warn: Warn,
): void {
  const firstOf = new Map<string, LocalDay>();
  const dead: { day: LocalDay; step: number }[] = [];
  const copies: { day: LocalDay; of: LocalDay; step: number }[] = [];
  for (const { day, from, until } of wholeDays(startMs, stepMs, energyWh.length, timeZone)) {
    const values = energyWh.subarray(from, until);
    if (values.some(Number.isNaN)) continue;
    if (spec.kind === "pv" && values.every((value) => value === 0)) dead.push({ day, step: from });
    if (new Set(values).size < COPIED_DISTINCT_MIN) continue;
    const key = values.join();
    const of = firstOf.get(key);
    if (of === undefined) firstOf.set(key, day);
    else copies.push({ day, of, step: from });
  }
  for (const { day, of, step } of copies) {
    warn(
      "copied day",
      step,
      `${day} is the same as ${of}, reading by reading`,
      "it was filled by copying: empty it, or leave it out of training and tests",
    );
  }
  if (dead[0] !== undefined) {
    const problem = `no production at all on ${dead.length} ${dead.length === 1 ? "day" : "days"}, the first ${dead[0].day}`;
    warn(
      "dead",
      dead[0].step,
      problem,
      "look whether the plant was off or the meter was; if the meter, empty the readings",
    );
  }
}

/** The local days that the steps cover from midnight to midnight. */
function wholeDays(
  startMs: number,
  stepMs: number,
  length: number,
  timeZone: ZoneName,
): { day: LocalDay; from: number; until: number }[] {
  const days: { day: LocalDay; from: number; until: number }[] = [];
  let day = localDayAt(timeZone, startMs);
  for (let fromMs = localMidnightMs(timeZone, day); ; ) {
    const next = nextLocalDay(day);
    const untilMs = localMidnightMs(timeZone, next);
    const [from, until] = [(fromMs - startMs) / stepMs, (untilMs - startMs) / stepMs];
    if (until > length) return days;
    if (from >= 0 && Number.isInteger(from) && Number.isInteger(until)) days.push({ day, from, until });
    day = next;
    fromMs = untilMs;
  }
}
