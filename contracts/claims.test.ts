import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agencyRecord, CERTIFIED_SOLAR, keyOf, RENEWABLE, SOLAR } from "#testkit";
import { areClaimsAtLeast, claimsText, commonClaims, commonClaimsOf, meetsRequirement } from "./claims.ts";
import { type AgencyRecord, type ClaimRequirement, type Claims, ENERGY_SOURCES } from "./states.ts";

const arbClaims: fc.Arbitrary<Claims | null> = fc.option(
  fc.record({
    source: fc.option(fc.constantFrom(...ENERGY_SOURCES.slice(0, 2)), { nil: null }),
    renewable: fc.boolean(),
    origin: fc.option(fc.constantFrom("north", "south"), { nil: null }),
    gramsCo2PerKwh: fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }),
    certifiedBy: fc.option(fc.constantFrom(keyOf("agency"), keyOf("second agency")), { nil: null }),
  }),
  { nil: null },
);

describe("the order of claims", () => {
  test("is reflexive, transitive, and ends at no claims", () => {
    fc.assert(
      fc.property(arbClaims, arbClaims, arbClaims, (a, b, c) => {
        expect(areClaimsAtLeast(a, a)).toBe(true);
        expect(areClaimsAtLeast(a, null)).toBe(true);
        if (areClaimsAtLeast(a, b) && areClaimsAtLeast(b, c)) expect(areClaimsAtLeast(a, c)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("what two have in common is the strongest that neither is stronger without", () => {
    fc.assert(
      fc.property(arbClaims, arbClaims, arbClaims, (a, b, c) => {
        const common = commonClaims(a, b);
        expect(areClaimsAtLeast(a, common) && areClaimsAtLeast(b, common)).toBe(true);
        if (areClaimsAtLeast(a, c) && areClaimsAtLeast(b, c)) expect(areClaimsAtLeast(common, c)).toBe(true);
        expect(claimsText(common)).toBe(claimsText(commonClaims(b, a)));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("what a buyer requires", () => {
  const record = agencyRecord(10_000, 0);
  const meets = (patch: Partial<Claims>, requires: Partial<ClaimRequirement>, records = [record]): boolean =>
    meetsRequirement({ ...CERTIFIED_SOLAR, ...patch }, { ...RENEWABLE, ...requires }, records);

  test("is met by certified claims that say it", () => {
    expect(meets({}, {})).toBe(true);
    expect(meets({}, { source: "solar", origin: "feeder 3", gramsCo2PerKwhMax: 40 })).toBe(true);
    expect(meets({}, { source: "wind" })).toBe(false);
    expect(meets({}, { origin: "feeder 4" })).toBe(false);
    expect(meets({}, { gramsCo2PerKwhMax: 39 })).toBe(false);
    expect(meets({ gramsCo2PerKwh: null }, { gramsCo2PerKwhMax: 10_000 })).toBe(false);
    expect(meets({ renewable: false }, {})).toBe(false);
    expect(meets({ renewable: false }, { renewable: false })).toBe(true);
  });

  test("is not met by what nobody, or nobody with a record, has certified", () => {
    expect(meetsRequirement(SOLAR, { ...RENEWABLE, renewable: false }, [record])).toBe(false);
    expect(meetsRequirement(null, { ...RENEWABLE, renewable: false }, [record])).toBe(false);
    expect(meets({}, {}, [])).toBe(false);
    expect(meets({ certifiedBy: keyOf("second agency") }, {})).toBe(false);
  });

  test("limits what may have been contradicted, in thousandths of what was certified", () => {
    const having = (certified: number, contradicted: number): AgencyRecord[] => [agencyRecord(certified, contradicted)];
    expect(meets({}, { contradictedPerMilleMax: 50 }, having(10_000, 500))).toBe(true);
    expect(meets({}, { contradictedPerMilleMax: 50 }, having(10_000, 501))).toBe(false);
    expect(meets({}, {}, having(0, 0))).toBe(true);
  });

  test("is never met by a mixture of which a part does not meet it", () => {
    fc.assert(
      fc.property(fc.array(arbClaims, { minLength: 1, maxLength: 3 }), fc.boolean(), (all, renewable) => {
        const requires = { ...RENEWABLE, renewable };
        if (meetsRequirement(commonClaimsOf(all), requires, [record]))
          expect(all.every((each) => meetsRequirement(each, requires, [record]))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(commonClaimsOf([])).toBeNull();
  });
});
