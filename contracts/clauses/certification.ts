/** Clauses of certified claims: an agency's signature, another's objection, and what delivery says of both. */
import type { PublicKey } from "#core";
import { closedRecord } from "../certification.ts";
import { claimsText } from "../claims.ts";
import type { Facts } from "../resolved.ts";
import type { Certificate, PowerPromise } from "../states.ts";
import {
  type Changes,
  type Clause,
  citedMember,
  clause,
  isAuthorised,
  isBeforeGate,
  mayAct,
  promisesGoOn,
  sameChanges,
  Tally,
} from "./clause.ts";

/** Whether a verification agency that may act is cited with this key. */
function isAgency(facts: Facts, key: PublicKey): boolean {
  return mayAct(facts, key) && citedMember(facts, key)?.roles.includes("verification-agency") === true;
}

export function certifyClaimsClauses(facts: Facts): readonly Clause[] {
  const { supplier, agency } = facts.commandOf("certify-claims");
  const before = facts.consumed("power-promise");
  const after = facts.made("power-promise");
  const certificates = facts.made("certificate");
  return [
    clause("certify_some", () => before.length > 0),
    clause("certify_own_promises", () => before.every((each) => each.supplier === supplier && each.owner === supplier)),
    clause("certify_free_promises", () => before.every(({ lock, delivered }) => lock === null && delivered === null)),
    clause("certify_uncertified_claims", () =>
      before.every(({ claims }) => claims !== null && claims.certifiedBy === null),
    ),
    clause("certify_adds_the_agency_alone", () => addsAgencyAlone(before, after, agency)),
    clause("certify_certificate_for_each_slot_and_claims", () => areCertificatesOf(certificates, after)),
    clause("certify_certificates_of_the_parties", () =>
      certificates.every((each) => each.agency === agency && each.supplier === supplier && each.contradiction === null),
    ),
    clause("certify_before_gate", () =>
      isBeforeGate(
        facts,
        before.map(({ slot }) => slot),
      ),
    ),
    clause("certify_by_an_agency", () => isAgency(facts, agency)),
    clause("certify_not_by_the_supplier", () => agency !== supplier),
    clause("certify_supplier_may_act", () => mayAct(facts, supplier)),
    clause("certify_signed_by_the_agency", () => facts.isSigner(agency)),
    clause("certify_authorised", () => isAuthorised(facts, supplier, { flow: "certify-claims" })),
  ];
}

/** Every promise goes on as it was, in the order of the inputs, with claims that the agency has certified. */
function addsAgencyAlone(before: readonly PowerPromise[], after: readonly PowerPromise[], agency: PublicKey): boolean {
  return promisesGoOn(before, after, (promise) => ({
    ...promise,
    claims: promise.claims && { ...promise.claims, certifiedBy: agency },
  }));
}

function areCertificatesOf(certificates: readonly Certificate[], promises: readonly PowerPromise[]): boolean {
  const distinct = new Set(certificates.map(({ slot, claims }) => `${slot} ${claimsText(claims)}`));
  return (
    distinct.size === certificates.length &&
    sameChanges(energyBySlotAndClaims(certificates), energyBySlotAndClaims(promises))
  );
}

function energyBySlotAndClaims(items: readonly Pick<PowerPromise, "slot" | "claims" | "energy">[]): Changes {
  const tally = new Tally();
  for (const { slot, claims, energy } of items) tally.add(`${slot} ${claimsText(claims)}`, energy);
  return tally.changes;
}

export function contradictCertificateClauses(facts: Facts): readonly Clause[] {
  const { by, agency, supplier, slot } = facts.commandOf("contradict-certificate");
  const before = facts.consumed("certificate");
  const after = facts.made("certificate");
  return [
    clause("contradict_some", () => before.length > 0),
    clause("contradict_what_is_named", () =>
      before.every((each) => each.agency === agency && each.supplier === supplier && each.slot === slot),
    ),
    clause("contradict_once", () => before.every(({ contradiction }) => contradiction === null)),
    clause("contradict_changes_nothing_else", () => areContradicted(before, after, by)),
    clause("contradict_by_an_agency", () => isAgency(facts, by)),
    clause("contradict_by_another", () => by !== agency && by !== supplier),
    clause("contradict_signed_by_the_agency", () => facts.isSigner(by)),
  ];
}

function areContradicted(before: readonly Certificate[], after: readonly Certificate[], by: PublicKey): boolean {
  return (
    after.length === before.length &&
    before.every((certificate, index) => {
      const next = after[index];
      return (
        next !== undefined &&
        next.contradiction?.by === by &&
        next.agency === certificate.agency &&
        next.supplier === certificate.supplier &&
        next.slot === certificate.slot &&
        next.energy === certificate.energy &&
        claimsText(next.claims) === claimsText(certificate.claims)
      );
    })
  );
}

export function closeCertificatesClauses(facts: Facts): readonly Clause[] {
  const { agency, slot } = facts.commandOf("close-certificates");
  const certificates = facts.consumed("certificate");
  const settlements = facts.cited("slot-settlement");
  const [before] = facts.consumed("agency-record");
  const [after] = facts.made("agency-record");
  return [
    clause("close_some_certificates", () => certificates.length > 0),
    clause("close_certificates_of_agency_and_slot", () =>
      certificates.every((each) => each.agency === agency && each.slot === slot),
    ),
    clause(
      "close_one_record",
      () =>
        facts.consumed("agency-record").length === 1 &&
        facts.made("agency-record").length === 1 &&
        before?.agency === agency &&
        after?.agency === agency,
    ),
    clause("close_after_settlement", () => {
      const settled = settlements.flatMap((each) => (each.slot === slot ? [each.member] : []));
      return (
        new Set(settled).size === settlements.length && certificates.every(({ supplier }) => settled.includes(supplier))
      );
    }),
    clause("close_record_follows", () => {
      const expected = before && closedRecord(before, certificates, settlements);
      return after?.certified === expected?.certified && after?.contradicted === expected?.contradicted;
    }),
    clause("close_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
  ];
}
