/** Clauses of certified claims: each fails alone. And what an attacker would try. */
import { describe, test } from "vitest";
import { slotId, wattHours } from "#core";
import {
  AGENCY,
  agencyRecord,
  CERTIFIED_SOLAR,
  CONTRADICTION,
  certificate,
  type Draft,
  keyOf,
  mandate,
  member,
  NEXT_SLOT,
  promise,
  SLOT,
  SOLAR,
  slotSettlement,
  VALID,
  type Verdict,
} from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

describe("certify claims", () => {
  const certify = VALID["certify-claims"];
  const AS_FIRST = {
    ...AGENCY,
    name: "alice",
    key: keyOf("alice"),
    roles: ["prosumer", "verification-agency"],
  } as const;

  rule("verifies", () => certify().verifies());
  rule("takes some promises", () =>
    certify()
      .without("promise", "other promise", "certified", "other certified", "certificate")
      .failsWith("certify_some"),
  );
  rule("of the supplier itself", () =>
    certify()
      .change("promise", { supplier: keyOf("bob"), owner: keyOf("bob") })
      .change("certified", { supplier: keyOf("bob"), owner: keyOf("bob") })
      .failsWith("certify_own_promises"),
  );
  rule("that it has not sold", () =>
    certify()
      .change("promise", { owner: keyOf("bob") })
      .change("certified", { owner: keyOf("bob") })
      .failsWith("certify_own_promises"),
  );
  rule("that are not offered: certification comes before selling", () => {
    const lock = { kind: "order", id: "o" } as const;
    return certify().change("promise", { lock }).change("certified", { lock }).failsWith("certify_free_promises");
  });
  rule("that are not delivered yet", () => {
    const delivered = wattHours(1_500);
    return certify()
      .change("promise", { delivered })
      .change("certified", { delivered })
      .failsWith("certify_free_promises");
  });
  rule("that nobody has certified", () =>
    certify()
      .change("promise", { claims: { ...SOLAR, certifiedBy: keyOf("second agency") } })
      .failsWith("certify_uncertified_claims"),
  );
  rule("that claim something", () =>
    certify()
      .change("promise", { claims: null })
      .change("certified", { claims: null })
      .change("certificate", { energy: wattHours(500) })
      .failsWithAll("certify_uncertified_claims", "certify_certificate_for_each_slot_and_claims"),
  );
  test.each([
    ["more energy", { energy: wattHours(1_600) }],
    ["another lineage", { promiseId: "another" }],
    ["another slot", { slot: NEXT_SLOT }],
    ["another owner", { owner: keyOf("bob") }],
    ["stronger claims", { claims: { ...CERTIFIED_SOLAR, gramsCo2PerKwh: 0 } }],
    ["another agency", { claims: { ...SOLAR, certifiedBy: keyOf("second agency") } }],
  ])("adds the agency's name to what is claimed, and not %s", (_what, patch) => {
    const certified = { ...promise("alice", 1_500, { claims: CERTIFIED_SOLAR }), ...patch };
    const rest = promise("alice", 500, { promiseId: "second", claims: CERTIFIED_SOLAR });
    const groups = new Map<string, ReturnType<typeof certificate>>();
    for (const { slot, energy, claims } of [certified, rest]) {
      const key = `${slot} ${JSON.stringify(claims)}`;
      const sum = (groups.get(key)?.energy ?? 0n) + energy;
      groups.set(key, certificate("alice", sum, { slot, claims: claims ?? CERTIFIED_SOLAR }));
    }
    const tx = certify().without("certificate").replace("certified", certified);
    [...groups.values()].forEach((each, index) => void tx.makes(`certificate ${index}`, each));
    tx.failsWith("certify_adds_the_agency_alone");
  });
  rule("leaves no promise out", () =>
    certify()
      .without("other certified")
      .change("certificate", { energy: wattHours(1_500) })
      .failsWith("certify_adds_the_agency_alone"),
  );
  rule("makes a certificate for all of it", () =>
    certify()
      .change("certificate", { energy: wattHours(1_999) })
      .failsWith("certify_certificate_for_each_slot_and_claims"),
  );
  rule("and for nothing else", () =>
    certify()
      .makes("another", certificate("alice", 100, { slot: NEXT_SLOT }))
      .failsWith("certify_certificate_for_each_slot_and_claims"),
  );
  rule("in one piece", () =>
    certify()
      .change("certificate", { energy: wattHours(1_500) })
      .makes("rest", certificate("alice", 500))
      .failsWith("certify_certificate_for_each_slot_and_claims"),
  );
  rule("of the agency that signs", () =>
    certify()
      .change("certificate", { agency: keyOf("second agency") })
      .failsWith("certify_certificates_of_the_parties"),
  );
  rule("which nobody contradicts yet", () =>
    certify().change("certificate", { contradiction: CONTRADICTION }).failsWith("certify_certificates_of_the_parties"),
  );
  rule("before the gate", () => certify().until(null).failsWith("certify_before_gate"));
  rule("by an agency", () =>
    certify()
      .change("agency", { roles: ["prosumer"] })
      .failsWith("certify_by_an_agency"),
  );
  rule("that may act", () => certify().change("agency", { standing: "suspended" }).failsWith("certify_by_an_agency"));
  rule("that is another than the supplier", () =>
    certify()
      .replace("alice", AS_FIRST)
      .without("agency")
      .change("certified", { claims: { ...SOLAR, certifiedBy: keyOf("alice") } })
      .change("other certified", { claims: { ...SOLAR, certifiedBy: keyOf("alice") } })
      .change("certificate", { agency: keyOf("alice"), claims: { ...SOLAR, certifiedBy: keyOf("alice") } })
      .command({ tag: "certify-claims", supplier: keyOf("alice"), agency: keyOf("alice") })
      .notSignedBy("agency")
      .failsWith("certify_not_by_the_supplier"),
  );
  rule("for a supplier that may act", () =>
    certify().change("alice", { standing: "suspended" }).failsWith("certify_supplier_may_act"),
  );
  rule("signed by the agency", () => certify().notSignedBy("agency").failsWith("certify_signed_by_the_agency"));
  rule("and by the supplier", () => certify().notSignedBy("alice").failsWith("certify_authorised"));
  rule("or by its delegate", () => {
    const delegated = (flows: readonly ["certify-claims"] | readonly ["bid"]): Draft =>
      certify()
        .notSignedBy("alice")
        .cites("mandate", mandate("alice", "agent", { flows }))
        .signedBy("agent");
    delegated(["certify-claims"]).verifies();
    return delegated(["bid"]).failsWith("certify_authorised");
  });
});

describe("contradict a certificate", () => {
  const contradict = VALID["contradict-certificate"];

  rule("verifies", () => contradict().verifies());
  rule("takes some", () => contradict().without("certificate", "contradicted").failsWith("contradict_some"));
  test.each([
    ["agency", { agency: keyOf("third agency") }],
    ["supplier", { supplier: keyOf("bob") }],
    ["slot", { slot: NEXT_SLOT }],
  ])("takes those of the %s that is named", (_what, patch) => {
    contradict().change("certificate", patch).change("contradicted", patch).failsWith("contradict_what_is_named");
  });
  rule("does not take the place of another contradiction", () =>
    contradict()
      .change("certificate", { contradiction: { ...CONTRADICTION, by: keyOf("third agency") } })
      .failsWith("contradict_once"),
  );
  test.each([
    ["energy", { energy: wattHours(1) }],
    ["claims", { claims: SOLAR }],
    ["slot", { slot: slotId("2031-06-01T12:00Z/PT15M") }],
    ["supplier", { supplier: keyOf("bob") }],
    ["agency", { agency: keyOf("second agency") }],
    ["name of who contradicts", { contradiction: { ...CONTRADICTION, by: keyOf("third agency") } }],
    ["silence", { contradiction: null }],
  ])("changes nothing else: not the %s", (_what, patch) => {
    contradict().change("contradicted", patch).failsWith("contradict_changes_nothing_else");
  });
  rule("is an agency's", () =>
    contradict()
      .change("second agency", { roles: ["producer"] })
      .failsWith("contradict_by_an_agency"),
  );
  rule("of which nobody has found anything that suspends it", () =>
    contradict().change("second agency", { standing: "suspended" }).failsWith("contradict_by_an_agency"),
  );
  rule("and another's: nobody takes its own word back", () =>
    contradict()
      .replace("second agency", AGENCY)
      .change("contradicted", { contradiction: { ...CONTRADICTION, by: AGENCY.key } })
      .command({
        tag: "contradict-certificate",
        by: AGENCY.key,
        agency: AGENCY.key,
        supplier: keyOf("alice"),
        slot: SLOT,
      })
      .notSignedBy("second agency")
      .signedBy("agency")
      .failsWith("contradict_by_another"),
  );
  rule("is signed by it", () =>
    contradict().notSignedBy("second agency").signedBy("alice").failsWith("contradict_signed_by_the_agency"),
  );
});

describe("close certificates", () => {
  const close = VALID["close-certificates"];

  rule("verifies", () => close().verifies());
  rule("counts what another agency contradicted in full", () =>
    close()
      .change("certificate", { contradiction: CONTRADICTION })
      .replace("record after", agencyRecord(12_000, 2_100))
      .verifies(),
  );
  rule("takes some", () =>
    close()
      .without("certificate", "settlement")
      .replace("record after", agencyRecord(10_000, 100))
      .failsWith("close_some_certificates"),
  );
  rule("of the slot", () =>
    close().change("certificate", { slot: NEXT_SLOT }).failsWith("close_certificates_of_agency_and_slot"),
  );
  rule("and of the agency", () =>
    close()
      .change("certificate", { agency: keyOf("second agency") })
      .failsWith("close_certificates_of_agency_and_slot"),
  );
  rule("for the agency's own record", () => {
    const agency = keyOf("second agency");
    return close().change("record", { agency }).change("record after", { agency }).failsWith("close_one_record");
  });
  rule("of which there is one", () =>
    close().makes("second record", agencyRecord(12_000, 600)).failsWith("close_one_record"),
  );
  rule("once the supplier's slot is settled", () => {
    close()
      .without("settlement")
      .replace("record after", agencyRecord(10_000, 100))
      .failsWith("close_after_settlement");
    return close()
      .change("settlement", { member: keyOf("bob") })
      .replace("record after", agencyRecord(10_000, 100))
      .failsWith("close_after_settlement");
  });
  rule("by the settlement of that slot", () =>
    close().change("settlement", { slot: NEXT_SLOT }).failsWith("close_after_settlement"),
  );
  rule("by one settlement, and not the better of two", () =>
    close()
      .cites("kinder", slotSettlement("alice", { promised: 2_000, delivered: 2_000 }))
      .failsWith("close_after_settlement"),
  );
  test.each([
    ["less contradicted", agencyRecord(12_000, 599)],
    ["more certified", agencyRecord(12_001, 600)],
    ["nothing at all", agencyRecord(10_000, 100)],
  ])("adds what delivery says, and not %s", (_what, after) => {
    close().replace("record after", after).failsWith("close_record_follows");
  });
  rule("is signed by the grid authority", () =>
    close().notSignedBy("grid authority").signedBy("agency").failsWith("close_signed_by_grid_authority"),
  );
  rule("leaves other members out of it", () =>
    close().cites("alice", member("alice")).failsWith("cites_only_kinds_of_the_flow"),
  );
});
