/** What is said of energy, how strong it is, and whether it meets what a buyer requires. Pure. */
import type { AgencyRecord, ClaimRequirement, Claims } from "./states.ts";

/** One text for one content, whatever order its fields were written in. */
export function claimsText(claims: Claims | ClaimRequirement | null): string {
  if (claims === null) return "none";
  return JSON.stringify(Object.entries(claims).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/**
 * Whether `claims` say at least what `other` says: the same source and origin where it names one, renewable where it is, no
 * more carbon than it admits, and certified by the same agency where it is certified. No claims are the weakest.
 */
export function areClaimsAtLeast(claims: Claims | null, other: Claims | null): boolean {
  if (other === null) return true;
  if (claims === null) return saysNothing(other);
  return (
    (other.source === null || claims.source === other.source) &&
    (!other.renewable || claims.renewable) &&
    (other.origin === null || claims.origin === other.origin) &&
    (other.gramsCo2PerKwh === null ||
      (claims.gramsCo2PerKwh !== null && claims.gramsCo2PerKwh <= other.gramsCo2PerKwh)) &&
    (other.certifiedBy === null || claims.certifiedBy === other.certifiedBy)
  );
}

function saysNothing(claims: Claims): boolean {
  return (
    claims.source === null &&
    !claims.renewable &&
    claims.origin === null &&
    claims.gramsCo2PerKwh === null &&
    claims.certifiedBy === null
  );
}

/** The strongest claims that both sides hold: what can be said of a mixture. Null where nothing is left to say. */
export function commonClaims(left: Claims | null, right: Claims | null): Claims | null {
  if (left === null || right === null) return null;
  const common: Claims = {
    source: left.source === right.source ? left.source : null,
    renewable: left.renewable && right.renewable,
    origin: left.origin === right.origin ? left.origin : null,
    gramsCo2PerKwh:
      left.gramsCo2PerKwh === null || right.gramsCo2PerKwh === null
        ? null
        : Math.max(left.gramsCo2PerKwh, right.gramsCo2PerKwh),
    certifiedBy: left.certifiedBy === right.certifiedBy ? left.certifiedBy : null,
  };
  return saysNothing(common) ? null : common;
}

/** What can be said of all of them together; null where there are none. */
export function commonClaimsOf(all: readonly (Claims | null)[]): Claims | null {
  const [first = null, ...rest] = all;
  return rest.reduce(commonClaims, first);
}

/**
 * Whether claims give a buyer what it requires: they are certified, say it, and what the agency certified so far was
 * contradicted in no more than the share that the buyer accepts. An agency without a record is trusted by nobody.
 */
export function meetsRequirement(
  claims: Claims | null,
  requirement: ClaimRequirement,
  records: readonly AgencyRecord[],
): boolean {
  if (claims === null || claims.certifiedBy === null) return false;
  const { source, renewable, origin, gramsCo2PerKwhMax, contradictedPerMilleMax } = requirement;
  const record = records.find(({ agency }) => agency === claims.certifiedBy);
  return (
    record !== undefined &&
    record.contradicted * 1_000n <= record.certified * BigInt(contradictedPerMilleMax) &&
    (source === null || claims.source === source) &&
    (!renewable || claims.renewable) &&
    (origin === null || claims.origin === origin) &&
    (gramsCo2PerKwhMax === null || (claims.gramsCo2PerKwh !== null && claims.gramsCo2PerKwh <= gramsCo2PerKwhMax))
  );
}
