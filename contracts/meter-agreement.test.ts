/** What several operators' reports come to: the median, who agrees, and how little a minority can do. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareText, type WattHours, wattHours } from "#core";
import { keyOf } from "#testkit";
import { meterAgreement } from "./meter-agreement.ts";

const report = (name: string, produced: number | bigint, consumed: number | bigint = 0) => ({
  operator: keyOf(name),
  produced: wattHours(produced),
  consumed: wattHours(consumed),
});
const keysOf = (...names: readonly string[]) => names.map(keyOf).sort(compareText);
const rules = (meterQuorum: number, meterTolerance: number) => ({
  meterQuorum,
  meterTolerance: wattHours(meterTolerance),
});

describe("the reading that operators agree on", () => {
  test("is the median of those near the median of all", () => {
    expect(meterAgreement(rules(2, 5), [report("a", 1_000), report("b", 1_004), report("c", 1_200)])).toEqual({
      produced: 1_000n,
      consumed: 0n,
      agreed: keysOf("a", "b"),
      disagreed: keysOf("c"),
    });
  });
  test("is of two the lower: no rounding, and a value that was measured", () => {
    expect(meterAgreement(rules(2, 5), [report("a", 1_003, 7), report("b", 1_000, 9)])).toMatchObject({
      produced: 1_000n,
      consumed: 7n,
    });
  });
  test("takes those who agree in production and in consumption", () => {
    const reports = [report("a", 100, 50), report("b", 100, 50), report("c", 100, 90)];
    expect(meterAgreement(rules(2, 5), reports)).toMatchObject({ disagreed: keysOf("c") });
  });
  test("agrees at the tolerance, and not above it", () => {
    const reports = (third: number) => [report("a", 1_000), report("b", 1_000), report("c", third)];
    expect(meterAgreement(rules(3, 5), reports(1_005))).toMatchObject({ produced: 1_000n, disagreed: [] });
    expect(meterAgreement(rules(3, 5), reports(1_006))).toBeUndefined();
  });
  test("is none where too few report, or too few agree", () => {
    expect(meterAgreement(rules(2, 5), [report("a", 1_000)])).toBeUndefined();
    expect(meterAgreement(rules(2, 5), [report("a", 1_000), report("b", 2_000)])).toBeUndefined();
    expect(meterAgreement(rules(0, 5), [])).toBeUndefined();
  });
});

const arbMeasured = fc.record({ produced: fc.bigInt(0n, 10_000n), consumed: fc.bigInt(0n, 10_000n) });
/** Operators, more than half of whose reports are honest, up to a small error of measurement; some are missing. */
const arbReported = fc
  .record({
    truth: arbMeasured,
    operators: fc.integer({ min: 1, max: 9 }),
    tolerance: fc.integer({ min: 0, max: 40 }),
    errors: fc.array(fc.tuple(fc.bigInt(0n, 20n), fc.bigInt(0n, 20n)), { minLength: 9, maxLength: 9 }),
    lies: fc.array(arbMeasured, { minLength: 9, maxLength: 9 }),
    missing: fc.subarray([0, 1, 2, 3, 4, 5, 6, 7, 8]),
  })
  .map(({ truth, operators, tolerance, errors, lies, missing }) => {
    const colluding = Math.ceil(operators / 2) - 1;
    const all = Array.from({ length: operators }, (_, index) => {
      const isHonest = index >= colluding;
      const [more, other] = errors[index] ?? [0n, 0n];
      const said = isHonest
        ? { produced: truth.produced + more, consumed: truth.consumed + other }
        : (lies[index] ?? truth);
      return { isHonest, report: report(`${index}`, said.produced, said.consumed) };
    });
    return {
      rules: rules(Math.floor(operators / 2) + 1, tolerance),
      sent: all.filter((_, index) => !missing.includes(index)),
    };
  });

function isWithin(value: WattHours, around: WattHours, distance: bigint): boolean {
  return value - around <= distance && around - value <= distance;
}

describe("whoever reports what", () => {
  test("a minority that colludes does not move the reading further than twice the tolerance from an honest report", () => {
    let agreed = 0;
    fc.assert(
      fc.property(arbReported, ({ rules: given, sent }) => {
        const agreement = meterAgreement(
          given,
          sent.map((each) => each.report),
        );
        if (agreement === undefined) return;
        agreed++;
        const reach = 2n * given.meterTolerance;
        const isNear = sent.some(
          ({ isHonest, report: said }) =>
            isHonest &&
            isWithin(agreement.produced, said.produced, reach) &&
            isWithin(agreement.consumed, said.consumed, reach),
        );
        expect(isNear).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(agreed).toBeGreaterThan(200);
  });

  test("with all reports there it lies between honest reports, give or take the tolerance", () => {
    fc.assert(
      fc.property(arbReported, ({ rules: given, sent }) => {
        const agreement = meterAgreement(
          given,
          sent.map((each) => each.report),
        );
        const honest = sent.flatMap((each) => (each.isHonest ? [each.report.produced] : []));
        if (agreement === undefined || 2 * honest.length <= sent.length) return;
        const sorted = [...honest].sort((left, right) => (left < right ? -1 : 1));
        expect(agreement.produced >= (sorted[0] ?? 0n) - given.meterTolerance).toBe(true);
        expect(agreement.produced <= (sorted.at(-1) ?? 0n) + given.meterTolerance).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("each operator is named once, as one who agreed or one who did not, in order", () => {
    fc.assert(
      fc.property(arbReported, fc.nat(), ({ rules: given, sent }, seed) => {
        const reports = sent.map((each) => each.report);
        const agreement = meterAgreement(given, reports);
        const turned = [...reports.slice(seed % Math.max(1, reports.length)), ...reports].slice(0, reports.length);
        expect(new Set(turned).size === reports.length ? meterAgreement(given, turned) : agreement).toEqual(agreement);
        if (agreement === undefined) return;
        const { agreed, disagreed } = agreement;
        expect([...agreed, ...disagreed].sort(compareText)).toEqual(
          reports.map(({ operator }) => operator).sort(compareText),
        );
        expect(agreed.length).toBeGreaterThanOrEqual(given.meterQuorum);
        for (const keys of [agreed, disagreed]) expect(keys).toEqual([...keys].sort(compareText));
      }),
    );
  });
});
