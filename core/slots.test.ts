/** Slots: ids, alignment, and the slots of local days of 23, 24 and 25 hours. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  InvariantError,
  isSlotMinutes,
  localDay,
  localDayAt,
  nextLocalDay,
  parseSlotId,
  type SlotId,
  type SlotMinutes,
  slotAt,
  slotOf,
  slotStartingAt,
  slotsOfLocalDay,
  zone,
} from "./index.ts";

const MINUTE = 60_000;
const arbMinutes = fc.constantFrom<SlotMinutes>(15, 30, 60);
const arbInstant = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });

describe("slot ids", () => {
  test("a slot by its id", () => {
    const slot = slotOf("2031-06-01T10:15Z/PT15M" as SlotId);
    expect(slot).toEqual({
      id: "2031-06-01T10:15Z/PT15M",
      startMs: Date.UTC(2031, 5, 1, 10, 15),
      endMs: Date.UTC(2031, 5, 1, 10, 30),
      minutes: 15,
    });
  });

  test.each([
    ["empty", ""],
    ["no zone", "2031-06-01T10:15/PT15M"],
    ["seconds", "2031-06-01T10:15:00Z/PT15M"],
    ["a length that is not offered", "2031-06-01T10:15Z/PT20M"],
    ["not aligned to a quarter-hour", "2031-06-01T10:16Z/PT15M"],
    ["not aligned to the hour", "2031-06-01T10:15Z/PT60M"],
    ["31 June", "2031-06-31T10:15Z/PT15M"],
    ["29 February of a common year", "2031-02-29T10:15Z/PT15M"],
    ["hour 24", "2031-06-01T24:00Z/PT15M"],
    ["minute 60", "2031-06-01T10:60Z/PT15M"],
    ["an offset", "2031-06-01T10:15+02:00/PT15M"],
    ["a trailing line end", "2031-06-01T10:15Z/PT15M\n"],
    ["lower case", "2031-06-01t10:15z/pt15m"],
    ["a year of five digits", "12031-06-01T10:15Z/PT15M"],
    ["before 1970", "1969-12-31T23:45Z/PT15M"],
    ["year 0", "0000-01-01T00:00Z/PT15M"],
    ["the year 9999, whose next day has no four-digit year", "9999-12-31T23:45Z/PT15M"],
  ])("refuses %s", (_what, text) => {
    expect(parseSlotId(text)).toEqual({ ok: false, error: "slot_id_malformed" });
  });

  test("our own malformed id stops", () => {
    expect(() => slotOf("nonsense" as SlotId)).toThrow(InvariantError);
    expect(() => slotStartingAt(1, 15)).toThrow(InvariantError);
    expect(() => slotStartingAt(Number.NaN, 15)).toThrow(InvariantError);
  });

  test("random text never throws", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseSlotId(text).ok).toBe(false);
      }),
    );
  });

  test("an instant lies in its slot, and the slot's id leads back to it", () => {
    fc.assert(
      fc.property(arbInstant, arbMinutes, (atMs, minutes) => {
        const slot = slotAt(atMs, minutes);
        expect(slot.startMs <= atMs && atMs < slot.endMs).toBe(true);
        expect(slot.endMs - slot.startMs).toBe(minutes * MINUTE);
        expect(slotOf(slot.id)).toEqual(slot);
      }),
    );
  });

  test("ids of one length sort in time order", () => {
    fc.assert(
      fc.property(arbInstant, arbInstant, arbMinutes, (left, right, minutes) => {
        const [a, b] = [slotAt(left, minutes), slotAt(right, minutes)];
        expect(Math.sign(a.startMs - b.startMs)).toBe(a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
      }),
    );
  });

  test("which lengths there are", () => {
    expect([15, 30, 60, 45, 0, 5, Number.NaN].filter(isSlotMinutes)).toEqual([15, 30, 60]);
  });
});

describe("slots of a local day", () => {
  test.each([
    // Changes of the clock: 2031-03-30 and 2031-10-26 in Berlin, 2031-03-09 and 2031-11-02 in Los Angeles.
    ["Europe/Berlin", "2031-03-30", 23, "2031-03-29T23:00Z"],
    ["Europe/Berlin", "2031-06-01", 24, "2031-05-31T22:00Z"],
    ["Europe/Berlin", "2031-10-26", 25, "2031-10-25T22:00Z"],
    ["America/Los_Angeles", "2031-03-09", 23, "2031-03-09T08:00Z"],
    ["America/Los_Angeles", "2031-06-01", 24, "2031-06-01T07:00Z"],
    ["America/Los_Angeles", "2031-11-02", 25, "2031-11-02T07:00Z"],
    ["Asia/Kathmandu", "2031-06-01", 24, "2031-05-31T18:15Z"],
    ["+05:45", "2031-06-01", 24, "2031-05-31T18:15Z"],
    ["-03:30", "2031-06-01", 24, "2031-06-01T03:30Z"],
    ["UTC", "2031-06-01", 24, "2031-06-01T00:00Z"],
    // Midnight itself is skipped (Brazil until 2018) or the day is (Samoa crossed the date line).
    ["America/Sao_Paulo", "2018-11-04", 23, "2018-11-04T03:00Z"],
    ["Pacific/Apia", "2011-12-30", 0, undefined],
  ])("%s %s has %i hours from %s", (zoneName, day, hours, first) => {
    for (const minutes of [15, 30, 60] as const) {
      const slots = slotsOfLocalDay(zone(zoneName), localDay(day), minutes);
      expect(slots).toHaveLength((hours * 60) / minutes);
      if (minutes === 15) expect(slots[0]?.id).toBe(first === undefined ? undefined : `${first}/PT15M`);
    }
  });

  test("every slot belongs to the day on which it starts: days follow each other without gap or overlap", () => {
    const arbZone = fc.constantFrom(
      "Europe/Berlin",
      "America/Los_Angeles",
      "Asia/Kathmandu",
      "Australia/Lord_Howe",
      "+05:45",
      "Asia/Kolkata",
    );
    fc.assert(
      fc.property(arbZone, arbMinutes, fc.integer({ min: 1_000, max: 40_000 }), (zoneName, minutes, dayNumber) => {
        const day = localDay(new Date(dayNumber * 86_400_000).toISOString().slice(0, 10));
        const slots = slotsOfLocalDay(zone(zoneName), day, minutes);
        for (const slot of slots) expect(localDayAt(zone(zoneName), slot.startMs)).toBe(day);
        const next = slotsOfLocalDay(zone(zoneName), nextLocalDay(day), minutes);
        expect(next[0]?.startMs).toBe(slots.at(-1)?.endMs);
      }),
      { numRuns: 60 },
    );
  });
});
