/** Days of 23 and 25 hours, and slots of all lengths: every slot of the local day is settled once, and nothing else is. */

import { describe, expect, test } from "vitest";
import { localDay, localTimeAt, type SlotMinutes, slotOf, slotsOfLocalDay, zone } from "#core";
import { type Community, generateCommunity } from "#data";
import { type InMemoryRun, runInMemory } from "#testkit";
import { expectSound } from "./sound-run.ts";

const BERLIN = zone("Europe/Berlin");

/** A park and a speculator; with short slots there are enough of them without a home. */
function community(firstDay: string, slotMinutes: SlotMinutes): Community {
  const homes = slotMinutes === 60 ? 1 : 0;
  return generateCommunity({ seed: 3, homes, parks: 1, days: 6, firstDay, slotMinutes, timeZone: BERLIN });
}

async function settled(firstDay: string, day: string, slotMinutes: SlotMinutes): Promise<InMemoryRun> {
  const made = community(firstDay, slotMinutes);
  const run = await runInMemory({ community: made, firstDay: localDay(day) });
  expectSound(run, made);
  expect(run.decisions.length).toBeGreaterThan(0);
  const expected = slotsOfLocalDay(BERLIN, localDay(day), slotMinutes).map(({ id }) => id);
  expect([...new Set(run.rows.map(({ slot }) => slot))]).toEqual(expected);
  expect(run.rows.some(({ producedWh }) => producedWh > 0n)).toBe(true);
  return run;
}

/** The hours of the local clock at which the slots begin. */
function hoursOf(run: InMemoryRun): readonly number[] {
  return run.slots.map(({ id }) => localTimeAt(BERLIN, slotOf(id).startMs).hour);
}

describe("Europe/Berlin", () => {
  test("the spring day of 23 hours, in hours", async () => {
    const run = await settled("2031-03-26", "2031-03-30", 60);
    expect(run.slots).toHaveLength(23);
    expect(hoursOf(run)).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
  });

  test("the autumn day of 25 hours, in hours", async () => {
    const run = await settled("2031-10-22", "2031-10-26", 60);
    expect(run.slots).toHaveLength(25);
    expect(hoursOf(run).filter((hour) => hour === 2)).toHaveLength(2);
  });

  test("the spring day of 23 hours, in half hours", async () => {
    const run = await settled("2031-03-26", "2031-03-30", 30);
    expect(run.slots).toHaveLength(46);
  });

  test("the autumn day of 25 hours, in quarter hours", async () => {
    const run = await settled("2031-10-22", "2031-10-26", 15);
    expect(run.slots).toHaveLength(100);
  });
});
