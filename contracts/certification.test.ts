/** What the certificates of a slot add to an agency's record. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wattHours } from "#core";
import { AGENCY, agencyRecord, CONTRADICTION, certificate, keyOf, member } from "#testkit";
import { closedRecord, type DeliveredPart, newAgencyRecords } from "./certification.ts";

const SUPPLIERS = ["alice", "bob"] as const;
const delivery = (supplier: string, promised: number | bigint, delivered: number | bigint): DeliveredPart => ({
  member: keyOf(supplier),
  promised: wattHours(promised),
  delivered: wattHours(delivered),
});

describe("a record", () => {
  test("is empty at first, and an agency's alone", () => {
    expect(newAgencyRecords([member("alice"), AGENCY])).toEqual([agencyRecord(0, 0)]);
  });

  test.each([
    ["all was delivered", delivery("alice", 3_000, 3_000), agencyRecord(2_000, 0)],
    ["a third is missing, rounded up", delivery("alice", 3_000, 2_000), agencyRecord(2_000, 667)],
    ["nothing was delivered", delivery("alice", 2_000, 0), agencyRecord(2_000, 2_000)],
    ["half was covered with the energy of others", delivery("alice", 1_000, 1_000), agencyRecord(1_000, 0)],
    ["all was covered", delivery("alice", 0, 0), agencyRecord(0, 0)],
  ])("counts 2,000 Wh of which %s", (_what, settled, after) => {
    expect(closedRecord(agencyRecord(0, 0), [certificate("alice", 2_000)], [settled])).toEqual(after);
  });

  test("counts what another agency contradicted in full, whatever was delivered", () => {
    const certificates = [certificate("alice", 500), certificate("alice", 1_500, { contradiction: CONTRADICTION })];
    const settled = [delivery("alice", 2_000, 2_000)];
    expect(closedRecord(agencyRecord(100, 10), certificates, settled)).toEqual(agencyRecord(2_100, 1_510));
  });

  test("never shrinks, never has more wrong than certified, and does not depend on the order of certificates", () => {
    const arbCertificate = fc
      .record({ supplier: fc.constantFrom(...SUPPLIERS), energy: fc.bigInt(1n, 5_000n), isWrong: fc.boolean() })
      .map(({ supplier, energy, isWrong }) =>
        certificate(supplier, energy, { contradiction: isWrong ? CONTRADICTION : null }),
      );
    const arbDelivery = (supplier: string): fc.Arbitrary<DeliveredPart> =>
      fc
        .tuple(fc.bigInt(0n, 5_000n), fc.bigInt(0n, 5_000n))
        .map(([one, other]) => delivery(supplier, one + other, one));
    fc.assert(
      fc.property(
        fc.array(arbCertificate, { maxLength: 5 }),
        fc.tuple(...SUPPLIERS.map(arbDelivery)),
        (certificates, deliveries) => {
          const before = agencyRecord(7_000, 3_000);
          const after = closedRecord(before, certificates, deliveries);
          const added = { certified: after.certified - 7_000n, contradicted: after.contradicted - 3_000n };
          const sum = certificates.reduce((total, { energy }) => total + energy, 0n);
          expect(added.contradicted >= 0n && added.contradicted <= added.certified && added.certified <= sum).toBe(
            true,
          );
          expect(closedRecord(before, [...certificates].reverse(), deliveries)).toEqual(after);
        },
      ),
    );
  });
});
