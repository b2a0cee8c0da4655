/**
 * The public record of verification agencies: what it starts with, and what the certificates of a slot add to it once it is
 * known what was delivered. The flow builds from these functions and the clauses check against them. Pure.
 */
import { minEnergy, NO_ENERGY, type PublicKey, sumEnergy, type WattHours, wattHours } from "#core";
import type { AgencyRecord, Certificate, Member, SlotSettlement } from "./states.ts";

/** What is known of a supplier's slot when its certificates are closed. */
export type DeliveredPart = Pick<SlotSettlement, "member" | "promised" | "delivered">;

/** An empty record for each new member that is an agency. */
export function newAgencyRecords(members: readonly Pick<Member, "key" | "roles">[]): readonly AgencyRecord[] {
  return members
    .filter(({ roles }) => roles.includes("verification-agency"))
    .map(({ key }) => ({ tag: "agency-record", agency: key, certified: NO_ENERGY, contradicted: NO_ENERGY }));
}

/**
 * The record after certificates of one slot. What another agency contradicted is wrong in full. Of the rest the meters
 * contradict the share of the supplier's promises that was not delivered, rounded up once per supplier. A supplier counts for
 * no more than it still promised: what it covered with the energy of others is certified there.
 */
export function closedRecord(
  record: AgencyRecord,
  certificates: readonly Pick<Certificate, "supplier" | "energy" | "contradiction">[],
  deliveries: readonly DeliveredPart[],
): AgencyRecord {
  const wrong = energyOf(certificates.filter(({ contradiction }) => contradiction !== null));
  let certified: bigint = record.certified + wrong;
  let contradicted: bigint = record.contradicted + wrong;
  for (const supplier of new Set(certificates.map((each) => each.supplier))) {
    const own = certificates.filter((each) => each.supplier === supplier && each.contradiction === null);
    const counted = countedOf(supplier, energyOf(own), deliveries);
    certified += counted.certified;
    contradicted += counted.contradicted;
  }
  return { ...record, certified: wattHours(certified), contradicted: wattHours(contradicted) };
}

function energyOf(certificates: readonly Pick<Certificate, "energy">[]): WattHours {
  return sumEnergy(certificates.map(({ energy }) => energy));
}

function countedOf(
  supplier: PublicKey,
  energy: WattHours,
  deliveries: readonly DeliveredPart[],
): { readonly certified: bigint; readonly contradicted: bigint } {
  const { promised = NO_ENERGY, delivered = NO_ENERGY } = deliveries.find(({ member }) => member === supplier) ?? {};
  const certified = minEnergy(energy, promised);
  if (certified === 0n || delivered >= promised) return { certified, contradicted: 0n };
  const missing = certified * (promised - delivered);
  return { certified, contradicted: (missing + promised - 1n) / promised };
}
