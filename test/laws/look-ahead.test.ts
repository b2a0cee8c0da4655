/**
 * Nobody looks ahead: with every datum that becomes known after an instant T replaced by garbage, all decisions up to T are the
 * same, down to what the strategies looked at. Physics reads what a slot's meters will say at its end, so what happens after T
 * differs; each case shows that it does.
 */

import { beforeAll, describe, expect, test } from "vitest";
import type { Decision } from "#agents";
import { addLocalDays, canonicalJson, localMidnightMs } from "#core";
import { type Community, type DataStore, generateCommunity, type ScrambledPart, scrambleAfter } from "#data";
import { createAutomatic, createIntraday } from "#forecast";
import { type InMemoryRun, runInMemory } from "#testkit";

const MINUTE_MS = 60_000;
/** A home with a battery, a solar park and a speculator that explores; weather forecasts come out at half past twelve. */
const community = withWeatherAfter(generateCommunity({ seed: 11, days: 11, homes: 1, parks: 1 }), 30 * MINUTE_MS);
const firstDay = addLocalDays(community.firstDay, 8);
const strategies = {
  "speculator-1": { strategy: "speculator", config: { explorationWh: 300, explorationLimitPercent: 60 } },
};

/** An instant by the clock of the first day; negative hours lie on its eve. No clock changes on these days. */
const day = (hour: number, minute: number): number =>
  localMidnightMs(community.timeZone, firstDay) + (hour * 60 + minute) * MINUTE_MS;
const eve = (hour: number, minute: number): number => day(hour - 24, minute);

function withWeatherAfter(made: Community, delayMs: number): Community {
  const weather = [...made.data.weather].map(([name, series]) => {
    const vintages = series.vintages.map((run) => ({ ...run, knownAtMs: run.issuedAtMs + delayMs }));
    return [name, { ...series, vintages }] as const;
  });
  return { ...made, data: { ...made.data, weather: new Map(weather) } };
}

/** The forecasters are those of `dream simulate`; the second day is there for its day-ahead market. */
function simulated(data: DataStore, stopAtMs: number): Promise<InMemoryRun> {
  const { timeZone } = community;
  const forecaster = createIntraday(createAutomatic({ timeZone }), { timeZone });
  return runInMemory({ community: { ...community, data }, firstDay, days: 2, strategies, forecaster, stopAtMs });
}

function upTo(decisions: readonly Decision[], untilMs: number): readonly string[] {
  return decisions.filter(({ atMs }) => atMs <= untilMs).map((decision) => canonicalJson(decision));
}

function linesUpTo(lines: readonly string[], untilMs: number): readonly string[] {
  return lines.filter((line) => (JSON.parse(line) as { readonly atMs: number }).atMs <= untilMs);
}

const END_MS = day(15, 30);
let truth: InMemoryRun;
beforeAll(async () => {
  truth = await simulated(community.data, END_MS);
});

// Prices come out at 11:00 the day before, forecasts are made at 12:00, the day-ahead round is at 13:00, gates call at each half.
const CASES: readonly (readonly [what: string, part: ScrambledPart, atMs: number, untilMs: number])[] = [
  ["everything after the day-ahead round of the eve", "all", eve(13, 30), day(1, 30)],
  ["everything after 10:30, before prices and forecasts of tomorrow", "all", day(10, 30), day(12, 0)],
  ["everything after 13:30, in the middle of the day", "all", day(13, 30), END_MS],
  ["the weather alone, forecast at 12:30 of the eve", "weather", eve(12, 10), day(9, 30)],
  ["the meters alone, after 13:30 of the eve", "meters", eve(13, 30), day(2, 30)],
  ["the prices alone, after 10:30", "tariffs", day(10, 30), day(12, 0)],
];

describe("decisions do not depend on", () => {
  test.each(CASES)("%s", async (_what, part, atMs, untilMs) => {
    const run = await simulated(scrambleAfter(community.data, atMs, `look-ahead ${atMs}`, part), untilMs);
    const before = upTo(truth.decisions, atMs);
    expect(before.length).toBeGreaterThan(1);
    expect(upTo(run.decisions, atMs)).toEqual(before);
    // Not only what is decided: every line of the event log up to then, with the ids of all transactions.
    expect(linesUpTo(run.lines, atMs)).toEqual(linesUpTo(truth.lines, atMs));
    // The control: what comes later is decided otherwise, so the garbage did reach the agents in time.
    expect(upTo(run.decisions, untilMs)).not.toEqual(upTo(truth.decisions, untilMs));
  });

  test("anything, in a run in which every agent took part, at noon, at gates and in answer to others", () => {
    expect(truth.problems).toEqual([]);
    expect(new Set(truth.decisions.map(({ agent }) => agent))).toEqual(
      new Set(community.members.map(({ name }) => name)),
    );
    const hooks = new Set(truth.decisions.map(({ hook }) => hook));
    for (const hook of ["onForecast", "onGate"]) expect(hooks).toContain(hook);
    expect(truth.decisions.length).toBeGreaterThan(20);
  });
});
