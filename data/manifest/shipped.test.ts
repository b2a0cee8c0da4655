import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { unwrap } from "#core";
import { checkDataSet, type DataSetReport } from "./check.ts";
import { loadDataSet } from "./load.ts";
import { SHIPPED_SETS, type ShippedSet, shippedManifest } from "./shipped.ts";

const shared = process.env["DREAM_DATA"] ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));
const here = SHIPPED_SETS.filter((set) => existsSync(join(shared, set)));
if (here.length < SHIPPED_SETS.length)
  console.warn("not all measured data are here: the tests of the manifests that lack theirs are skipped");

const reports = new Map<ShippedSet, DataSetReport>();
function report(set: ShippedSet): DataSetReport {
  const known = reports.get(set) ?? checkDataSet(shippedManifest(set), { root: join(shared, set) });
  reports.set(set, known);
  return known;
}
/** Warnings of a set that hold the text, as `file:line`. */
const placesOf = (set: ShippedSet, text: string): readonly string[] =>
  report(set)
    .problems.filter(({ problem }) => problem.includes(text))
    .map(({ file, line }) => `${file.replace(/^.*[\\/]/, "")}:${line}`);
const rowOf = (set: ShippedSet, name: string) => report(set).series.find((series) => series.name === name);

test("every manifest is there", () => {
  for (const set of SHIPPED_SETS) expect(existsSync(shippedManifest(set))).toBe(true);
});

describe("measured sets read without an error, and show the faults that are known of them", () => {
  test.each(here)("%s has no error", (set) => {
    expect(report(set).problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(report(set).name).toBe(set);
  });

  test.skipIf(!here.includes("pvod"))("pvod: the missing days of two stations", () => {
    expect(rowOf("pvod", "station01")).toMatchObject({
      from: "2018-07-01",
      to: "2019-06-13",
      slots: 33_408,
      missingSlots: 0,
    });
    expect(rowOf("pvod", "station02")).toMatchObject({ missingSlots: 576 });
    expect(rowOf("pvod", "station07")).toMatchObject({ missingSlots: 480 });
    expect(placesOf("pvod", "steps are missing")).toEqual([
      "station02.csv:19681",
      "station02.csv:26401",
      "station02.csv:30145",
      "station07.csv:24001",
    ]);
    expect(placesOf("pvod", "the same reading for 24.75 hours")).toEqual(["station01.csv:15418"]);
  });

  test.skipIf(!here.includes("pvod"))(
    "pvod: forecasts are issued at noon of the day before, and measured weather is not there",
    () => {
      const set = unwrap(
        loadDataSet(shippedManifest("pvod"), { root: join(shared, "pvod"), series: ["station07"], quality: false }),
      );
      const weather = set.data.weather.get("station07-weather");
      expect(Object.keys(weather?.vintages[0]?.values ?? {}).sort()).toEqual([
        "dni",
        "ghi",
        "humidity",
        "temperature",
        "windSpeed",
      ]);
      for (const { startMs, issuedAtMs, knownAtMs } of weather?.vintages ?? [])
        expect([startMs - issuedAtMs, knownAtMs - issuedAtMs]).toEqual([12 * 3_600_000, 0]);
      expect(set.series).toMatchObject([
        { capacityKw: 20_000, tiltDegrees: 31, azimuthDegrees: 180, site: { latitude: 36.64403 } },
      ]);
    },
  );

  test.skipIf(!here.includes("citylearn2022"))("citylearn2022: a plausible year of each home", () => {
    for (let home = 1; home <= 8; home++) {
      expect(rowOf("citylearn2022", `home-${home}-pv`)?.totalKwh).toBeGreaterThan(4 * 1_100);
      expect(rowOf("citylearn2022", `home-${home}-pv`)?.totalKwh).toBeLessThan(4 * 2_000);
      expect(rowOf("citylearn2022", `home-${home}-load`)?.totalKwh).toBeGreaterThan(5_000);
    }
    expect(placesOf("citylearn2022", "no production at all on 8 days")).toEqual(["Building_7.csv:3"]);
  });

  test.skipIf(!here.includes("emhass_home"))(
    "emhass_home: what stays missing after the nights is a few per cent",
    () => {
      expect(rowOf("emhass_home", "load")).toMatchObject({ missingSlots: 336, slots: 17_524 });
      // 2 to 4 % of the day's half-hours, and the hours in which nothing was recorded at all.
      expect(rowOf("emhass_home", "pv")?.missingSlots).toBeLessThan(0.03 * 17_524);
    },
  );

  test.skipIf(!here.includes("prices"))("prices: the clock changes of five years", () => {
    expect(placesOf("prices", "its clock goes forward").length).toBe(5);
    expect(placesOf("prices", "its clock goes back").length).toBe(5);
    expect(rowOf("prices", "day-ahead")?.missingSlots).toBe(5);
    const set = unwrap(loadDataSet(shippedManifest("prices"), { root: join(shared, "prices") }));
    expect(set.prices.get("day-ahead")?.prices[0]).toBe(34_970n);
    expect(new Date(set.prices.get("day-ahead")?.startMs ?? 0).toISOString()).toBe("2012-01-08T23:00:00.000Z");
  });

  test.skipIf(!here.includes("monash"))("monash: weeks of one reading, and prices stamped at the end", () => {
    expect(placesOf("monash", "the same reading for 280.25 hours").length).toBe(3);
    const set = unwrap(
      loadDataSet(shippedManifest("monash"), { root: join(shared, "monash"), series: ["price-2020-09"] }),
    );
    expect(new Date(set.prices.get("price-2020-09")?.startMs ?? 0).toISOString()).toBe("2020-08-31T14:00:00.000Z");
    expect(set.prices.get("price-2020-09")?.prices[0]).toBe(57_130n);
  });

  test.skipIf(!here.includes("openstef"))("openstef: generation is counted negative there and positive here", () => {
    const set = unwrap(
      loadDataSet(shippedManifest("openstef"), {
        root: join(shared, "openstef"),
        series: ["wind", "solar"],
        quality: false,
      }),
    );
    for (const { energyWh } of set.data.meters.values()) expect(Math.min(...energyWh)).toBe(0);
    expect(Object.keys(set.data.weather.get("wind-weather")?.vintages[0]?.values ?? {})).toEqual(["windSpeed"]);
    const ghi = Math.max(
      ...(set.data.weather.get("solar-weather")?.vintages ?? []).flatMap(({ values }) =>
        [...(values.ghi ?? [])].filter(Number.isFinite),
      ),
    );
    expect(ghi).toBeGreaterThan(600);
    expect(ghi).toBeLessThan(1_000);
  });
});
