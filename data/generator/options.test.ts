import { describe, expect, test } from "vitest";
import { unwrap } from "#core";
import { checkGeneratorOptions, type GeneratorOptions } from "./options.ts";

test("everything but the seed has a default", () => {
  expect(unwrap(checkGeneratorOptions({ seed: 7 }))).toEqual({
    seed: 7,
    days: 90,
    homes: 8,
    parks: 3,
    slotMinutes: 60,
    timeZone: "Europe/Madrid",
    firstDay: "2031-03-01",
    latitude: 38,
    longitude: 15,
    climate: "continental",
  });
});

test.each([
  ["America/Los_Angeles", -120],
  ["Australia/Sydney", 150],
  ["Asia/Kolkata", 82.5],
  ["+08:00", 120],
  ["UTC", 0],
])("in %s the sun is placed over %d° by default", (timeZone, longitude) => {
  expect(unwrap(checkGeneratorOptions({ seed: 1, timeZone, slotMinutes: 15 })).longitude).toBe(longitude);
});

describe("refused", () => {
  const cases: readonly (readonly [keyof GeneratorOptions, Omit<GeneratorOptions, "seed">])[] = [
    ["days", { days: 0 }],
    ["days", { days: 1.5 }],
    ["days", { days: 3661 }],
    ["homes", { homes: -1 }],
    ["homes", { homes: Number.NaN }],
    ["parks", { parks: 1001 }],
    ["slotMinutes", { slotMinutes: 20 }],
    ["timeZone", { timeZone: "Mars/Olympus" }],
    ["firstDay", { firstDay: "2031-02-29" }],
    ["latitude", { latitude: 80 }],
    ["latitude", { latitude: Number.NaN }],
    ["longitude", { longitude: 200 }],
    ["longitude", { longitude: -117, timeZone: "Europe/Madrid" }], // Noon in the night.
    ["climate", { climate: "lunar" }],
    ["timeZone", { timeZone: "Asia/Kolkata", slotMinutes: 60 }], // Its days begin at half past.
    ["timeZone", { timeZone: "Asia/Kathmandu", slotMinutes: 30 }],
    ["timeZone", { timeZone: "Australia/Lord_Howe", slotMinutes: 60, firstDay: "2031-04-01" }],
  ];
  test.each(cases)("%s in %o", (option, options) => {
    const checked = checkGeneratorOptions({ seed: 1, ...options });
    expect(checked.ok).toBe(false);
    if (checked.ok) return;
    expect(checked.error.map((error) => error.option)).toEqual([option]);
    expect(checked.error[0]?.expected).toMatch(/\w+/);
    expect(checked.error[0]?.found).toBe(String(options[option as keyof typeof options]));
  });

  test("a seed that is no whole number or text", () => {
    expect(checkGeneratorOptions({ seed: 1.5 }).ok).toBe(false);
    expect(checkGeneratorOptions({ seed: "x".repeat(201) }).ok).toBe(false);
    expect(checkGeneratorOptions({ seed: "scenario 7" }).ok).toBe(true);
  });

  test("all that is wrong at once", () => {
    const checked = checkGeneratorOptions({ seed: 1, days: 0, slotMinutes: 7, timeZone: "?" });
    expect(checked.ok ? [] : checked.error.map(({ option }) => option)).toEqual(["days", "slotMinutes", "timeZone"]);
  });
});

test("half-hour zones work with slots that fit them", () => {
  expect(checkGeneratorOptions({ seed: 1, timeZone: "Asia/Kolkata", slotMinutes: 30 }).ok).toBe(true);
  expect(checkGeneratorOptions({ seed: 1, timeZone: "Asia/Kathmandu", slotMinutes: 15 }).ok).toBe(true);
});
