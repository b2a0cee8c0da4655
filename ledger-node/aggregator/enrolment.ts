/** What a member that joins under an aggregator is to be on the ledger, and what it allows the aggregator's key for it. */
import { DELEGABLE_FLOWS, type Mandate, type Member, type NewMandate, type NewMember, type Storage } from "#contracts";
import { microsPerKwh, type PublicKey } from "#core";

/** A member that is to join, without what only others know. */
export type MemberToServe = Pick<Member, "name" | "roles" | "capacityPerSlot" | "holdingCapPerSlot"> & {
  readonly storage?: Storage;
};
export type HostTerms = { readonly host: PublicKey; readonly delegate: PublicKey } & Pick<
  Mandate,
  "energyPerSlotMax" | "energyPerDayMax" | "bidPriceMax" | "expiresMs"
>;

/** Name of the mandate by which a member's aggregator acts for it. */
export const HOST_MANDATE_ID = "aggregator";

/** The member, its mandate for all flows that can be delegated, and the part of the command that makes both. */
export function enrolmentOf(
  key: PublicKey,
  member: MemberToServe,
  { host, delegate, ...limits }: HostTerms,
): { readonly member: Member; readonly mandate: Mandate; readonly asked: NewMember } {
  const terms = { mandateId: HOST_MANDATE_ID, delegate, flows: DELEGABLE_FLOWS, strategies: [], ...limits };
  const joining = { ...member, key, marketFee: microsPerKwh(0n) };
  const mandate: NewMandate = terms;
  return {
    member: { tag: "member", ...joining, standing: "good", storage: member.storage ?? null, servedBy: host },
    mandate: { tag: "mandate", principal: key, ...terms },
    asked: { ...joining, served: { by: host, mandate } },
  };
}
