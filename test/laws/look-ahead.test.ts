/**
 * Nobody looks ahead: with every datum that becomes known after an instant T replaced by garbage, all decisions up to T are the
 * same, down to what the strategies looked at. Physics reads what a slot's meters will say at its end, so what happens after T
 * differs; each case shows that it does.
 */
import type { Decision } from "#agents";
import { addLocalDays, canonicalJson, localMidnightMs } from "#core";
import { type Community, generateCommunity, type ScrambledPart, scrambleAfter } from "#data";
import { createAutomatic, createIntraday, type Forecaster } from "#forecast";
import { type InMemoryRun, runInMemory } from "#testkit";
import { beforeAll, describe, expect, test } from "vitest";

/** A home with a battery, a solar park and a speculator that explores; the forecasters that `dream simulate` uses. */
const community = generateCommunity({ seed: 11, days: 13, homes: 1, parks: 1 });
const firstDay = addLocalDays(community.firstDay, 10);
const MINUTE_MS = 60_000;
/** An instant of the first day by its clock; hours beyond 23 lie on the second. No clock changes on these days. */
const day = (hour: number, minute: number): number =>
  localMidnightMs(community.timeZone, firstDay) + (hour * 60 + minute) * MINUTE_MS;
const strategies = { "speculator-1": { strategy: "speculator", config: { explorationWh: 300, explorationLimitPercent: 60 } } };

function forecaster(): Forecaster {
  return createIntraday(createAutomatic({ timeZone: community.timeZone }), { timeZone: community.timeZone });
}

function simulated(data: Community["data"], stopAtMs?: number): Promise<InMemoryRun> {
  return runInMemory({
    community: { ...community, data },
    firstDay,
    days: 2,
    strategies,
    forecaster: forecaster(),
    ...(stopAtMs === undefined ? {} : { stopAtMs }),
  });
}

function upTo(decisions: readonly Decision[], untilMs: number): readonly string[] {
  return decisions.filter(({ atMs }) => atMs <= untilMs).map((decision) => canonicalJson(decision));
}

/** The last instant that is looked at: late in the morning of the second day, when its weather has shown. */
const END_MS = day(24 + 10, 0);
let truth: InMemoryRun;
beforeAll(async () => {
  truth = await simulated(community.data, END_MS);
});

// Tomorrow's prices come out at 11:00 and the forecasts at 12:00; the day-ahead round is at 13:00; gates call at every half.
const CASES: readonly (readonly [what: string, part: ScrambledPart, atMs: number, stopAtMs: number])[] = [
  ["everything after 10:30, before prices and forecasts of tomorrow", "all", day(10, 30), day(12, 0)],
  ["everything after 13:30, when the day-ahead round is over", "all", day(13, 30), day(16, 0)],
  ["everything after 17:30, in the middle of the evening's peak", "all", day(17, 30), day(20, 0)],
  ["the weather alone, after 10:30", "weather", day(10, 30), END_MS],
  ["the meters alone, after 10:30", "meters", day(10, 30), day(12, 0)],
  ["the prices alone, after 10:30", "tariffs", day(10, 30), day(12, 0)],
];

describe("decisions do not depend on", () => {
  test.each(CASES)("%s", async (_what, part, atMs, stopAtMs) => {
    const scrambled = scrambleAfter(community.data, atMs, `look-ahead ${atMs}`, part);
    const run = await simulated(scrambled, stopAtMs);
    const before = upTo(truth.decisions, atMs);
    expect(before.length).toBeGreaterThan(5);
    expect(upTo(run.decisions, atMs)).toEqual(before);
    // Not only what is decided: every line of the event log up to then, with the ids of all transactions.
    const linesUpTo = (lines: readonly string[]): readonly string[] =>
      lines.filter((line) => (JSON.parse(line) as { readonly atMs: number }).atMs <= atMs);
    expect(linesUpTo(run.lines)).toEqual(linesUpTo(truth.lines));
    // The control: what comes later is decided otherwise, so the garbage did reach the agents in time.
    expect(upTo(run.decisions, stopAtMs)).not.toEqual(upTo(truth.decisions, stopAtMs));
  });

  test("anything, in a run that is sound: all agents took part in it", () => {
    expect(truth.problems).toEqual([]);
    expect(new Set(truth.decisions.map(({ agent }) => agent))).toEqual(new Set(["home-1", "solar-park-1", "speculator-1"]));
    const hooks = new Set(truth.decisions.map(({ hook }) => hook));
    for (const hook of ["onForecast", "onGate"]) expect(hooks).toContain(hook);
  });
});

test("garbage that is known in time does change decisions: the comparison can fail", async () => {
  const early = day(0, 30);
  const scrambled = scrambleAfter(community.data, early, "too early", "all");
  const run = await simulated(scrambled, day(12, 0));
  expect(upTo(run.decisions, day(12, 0))).not.toEqual(upTo(truth.decisions, day(12, 0)));
  expect(upTo(run.decisions, early)).toEqual(upTo(truth.decisions, early));
});
