/** Claims in a few words, for tables. */
import type { Claims } from "#contracts";
import type { PublicKey } from "#core";

/** @example "solar, renewable, roof 3, 40 g/kWh, certified by inspector" */
export function claimsInWords(claims: Claims | null, nameOf: (key: PublicKey) => string): string {
  if (claims === null) return "-";
  const { source, renewable, origin, gramsCo2PerKwh, certifiedBy } = claims;
  return [
    source ?? "",
    renewable ? "renewable" : "",
    origin ?? "",
    gramsCo2PerKwh === null ? "" : `${gramsCo2PerKwh} g/kWh`,
    certifiedBy === null ? "not certified" : `certified by ${nameOf(certifiedBy)}`,
  ]
    .filter((word) => word !== "")
    .join(", ");
}
