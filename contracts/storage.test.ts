/** What storage can have stored: worked by hand, and against every way to run a battery. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExposureEntry, type Storage, storageOverdraw } from "#contracts";
import { type SlotId, slotOf, slotsOfLocalDay, wattHours, zone } from "#core";
import { DAY, entry } from "#testkit";

const SLOTS = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15).map(({ id }) => id);
const slotAt = (index: number): SlotId => SLOTS[index] as SlotId;
const storage = (capacity: number, powerPerSlot: number, efficiencyPerMille: number): Storage => ({
  capacity: wattHours(capacity),
  powerPerSlot: wattHours(powerPerSlot),
  efficiencyPerMille,
});
const promises = (bySlot: Readonly<Record<number, number>>): readonly ExposureEntry[] =>
  Object.entries(bySlot).map(([index, promised]) => entry({ slot: slotAt(Number(index)), promised }));

describe("worked by hand", () => {
  const battery = { storage: storage(3_000, 1_000, 900), capacityPerSlot: wattHours(1_000) };
  const home = { storage: storage(3_000, 1_000, 900), capacityPerSlot: wattHours(3_000) };

  test("without storage nothing is bounded by it", () => {
    const none = { storage: null, capacityPerSlot: wattHours(10) };
    expect(storageOverdraw(none, promises({ 0: 5_000 }), 15)).toBeUndefined();
  });

  test("a battery that is full gives its capacity, and no more", () => {
    expect(storageOverdraw(battery, promises({ 40: 1_000, 41: 1_000, 42: 1_000 }), 15)).toBeUndefined();
    expect(storageOverdraw(battery, promises({ 40: 1_000, 41: 1_000, 42: 1_000, 43: 1 }), 15)).toEqual({
      slot: slotAt(43),
      asked: 1n,
      stored: 0n,
    });
  });

  test("an idle slot gives back power times efficiency", () => {
    expect(storageOverdraw(battery, promises({ 40: 1_000, 41: 1_000, 42: 1_000, 44: 900 }), 15)).toBeUndefined();
    expect(storageOverdraw(battery, promises({ 40: 1_000, 41: 1_000, 42: 1_000, 44: 901 }), 15)).toEqual({
      slot: slotAt(44),
      asked: 901n,
      stored: 900n,
    });
  });

  test("nothing is stored beyond the capacity, however long it is idle", () => {
    const evening = { 80: 1_000, 81: 1_000, 82: 1_000 };
    expect(storageOverdraw(battery, promises({ 0: 500, ...evening }), 15)).toBeUndefined();
    expect(storageOverdraw(battery, promises({ 0: 500, ...evening, 83: 1 }), 15)?.slot).toBe(slotAt(83));
  });

  test("what panels can give does not come from the storage", () => {
    expect(storageOverdraw(home, promises({ 40: 3_000, 41: 3_000, 42: 3_000, 43: 2_000 }), 15)).toBeUndefined();
    expect(storageOverdraw(home, promises({ 40: 3_000, 41: 3_000, 42: 3_000, 43: 2_001 }), 15)).toEqual({
      slot: slotAt(43),
      asked: 1n,
      stored: 0n,
    });
  });

  test("what panels promise they can't charge with", () => {
    // After three slots at full power it is empty. In slot 43 the panels give 2,000, of which 1,600 are promised: 400 charge 360.
    const emptied = { 40: 3_000, 41: 3_000, 42: 3_000, 43: 1_600 };
    expect(storageOverdraw(home, promises({ ...emptied, 44: 2_360 }), 15)).toBeUndefined();
    expect(storageOverdraw(home, promises({ ...emptied, 44: 2_361 }), 15)).toMatchObject({ asked: 361n, stored: 360n });
  });

  test("parts of a watt-hour that come back are kept", () => {
    const small = { storage: storage(1, 1, 500), capacityPerSlot: wattHours(1) };
    expect(storageOverdraw(small, promises({ 0: 1, 3: 1 }), 15)).toBeUndefined();
    expect(storageOverdraw(small, promises({ 0: 1, 2: 1 }), 15)).toMatchObject({ asked: 1n, stored: 0n });
  });
});

test("no battery, however it is run, delivers more than the bound allows", () => {
  const arbBattery = fc.record({
    capacity: fc.integer({ min: 0, max: 5_000 }),
    power: fc.integer({ min: 0, max: 2_000 }),
    efficiency: fc.integer({ min: 1, max: 1_000 }),
    direct: fc.integer({ min: 0, max: 2_000 }),
    stored: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const arbRun = fc.array(
    fc.record({
      exchange: fc.double({ min: -1, max: 1, noNaN: true }),
      production: fc.double({ min: 0, max: 1, noNaN: true }),
      load: fc.nat({ max: 300 }),
    }),
    { minLength: 1, maxLength: 96 },
  );
  fc.assert(
    fc.property(arbBattery, arbRun, ({ capacity, power, efficiency, direct, stored }, run) => {
      const oneWay = Math.sqrt(efficiency / 1_000);
      let level = capacity * stored;
      const delivered = run.map(({ exchange, production, load }) => {
        const charged = exchange > 0 ? Math.min(exchange * power, (capacity - level) / oneWay) : 0;
        const discharged = exchange < 0 ? Math.min(-exchange * power, level * oneWay) : 0;
        level = Math.min(capacity, Math.max(0, level + charged * oneWay - discharged / oneWay));
        return Math.max(0, Math.floor(Math.floor(production * direct) + discharged - load - charged));
      });
      const entries = delivered.flatMap((promised, index) =>
        promised === 0 ? [] : [entry({ slot: slotAt(index), promised })],
      );
      const member = { storage: storage(capacity, power, efficiency), capacityPerSlot: wattHours(direct + power) };
      expect(storageOverdraw(member, entries, 15)).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
});

test("a promise more never makes room for another", () => {
  const arbPromises = fc.uniqueArray(fc.tuple(fc.nat({ max: 95 }), fc.integer({ min: 1, max: 2_500 })), {
    selector: ([index]) => index,
    maxLength: 20,
  });
  const home = { storage: storage(2_000, 1_000, 900), capacityPerSlot: wattHours(2_000) };
  const isPossible = (chosen: readonly (readonly [number, number])[]): boolean =>
    storageOverdraw(home, promises(Object.fromEntries(chosen)), 15) === undefined;
  fc.assert(
    fc.property(arbPromises, fc.nat(), (all, drop) => {
      const fewer = all.filter((_, index) => index !== drop % Math.max(1, all.length));
      expect(isPossible(all) && !isPossible(fewer)).toBe(false);
    }),
  );
});

test("slots of another length than the network's are no more than a wrong answer", () => {
  const odd = [
    entry({ slot: slotAt(0), promised: 1 }),
    entry({ slot: "2031-06-01T10:15Z/PT15M" as SlotId, promised: 1 }),
  ];
  const member = { storage: storage(1, 1, 1_000), capacityPerSlot: wattHours(1) };
  expect(slotOf(slotAt(0)).minutes).toBe(15);
  expect(() => storageOverdraw(member, odd, 60)).not.toThrow();
});
