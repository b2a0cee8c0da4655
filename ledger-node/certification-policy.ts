/** A verification agency's own rule for what it signs: claims of plants that it knows, for no more than they can make. */
import { type Certificate, type Claims, claimsText, type ResolvedTransaction } from "#contracts";
import type { PublicKey, WattHours } from "#core";
import type { SigningPolicy } from "./signing-policy.ts";

/** What an agency knows of a supplier's plant. */
export type RegisteredPlant = Omit<Claims, "certifiedBy"> & { readonly capacityPerSlot: WattHours };

/**
 * Signs claims that are word for word those of the supplier's registered plant. All certificates of a slot together stay within
 * what the plant can make.
 * @param openCertificates - Those that the agency's node knows.
 */
export function certificationPolicy(
  plants: ReadonlyMap<PublicKey, RegisteredPlant>,
  openCertificates: () => readonly Certificate[],
): SigningPolicy {
  return ({ content }: ResolvedTransaction) => {
    const { command } = content;
    if (command.tag !== "certify-claims") return undefined;
    const plant = plants.get(command.supplier);
    if (plant === undefined) return "claims_unregistered";
    const { capacityPerSlot, ...claims } = plant;
    const expected = claimsText({ ...claims, certifiedBy: command.agency });
    const asked = content.outputs.flatMap((state) => (state.tag === "certificate" ? [state] : []));
    const known = openCertificates().filter(
      ({ agency, supplier }) => agency === command.agency && supplier === command.supplier,
    );
    const isWithin = (slot: Certificate["slot"]): boolean =>
      energyOf(asked, slot) + energyOf(known, slot) <= capacityPerSlot;
    const isRegistered = asked.every((each) => claimsText(each.claims) === expected && isWithin(each.slot));
    return isRegistered ? undefined : "claims_unregistered";
  };
}

function energyOf(certificates: readonly Certificate[], slot: Certificate["slot"]): bigint {
  return certificates.reduce((sum, each) => (each.slot === slot ? sum + each.energy : sum), 0n);
}
