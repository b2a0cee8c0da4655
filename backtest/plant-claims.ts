/** What members claim of their energy, by the kind of their plant. */
import type { Claims } from "#contracts";
import type { Community, CommunityMember, DataStore } from "#data";

/** Median emissions over the life of such plants (IPCC, Fifth Assessment Report, Working Group III, Annex III): rooftop PV, wind onshore. */
const PLANTS = {
  pv: { source: "solar", gramsCo2PerKwh: 41 },
  wind: { source: "wind", gramsCo2PerKwh: 11 },
} as const;

/**
 * Undefined for who has no plant: a battery alone makes nothing. The origin is the community, whose plants can stand in for each
 * other: a name of the plant would leave none that covers it.
 */
export function plantClaims(
  member: Pick<CommunityMember, "production">,
  { name, data }: Pick<Community, "name"> & { readonly data: Pick<DataStore, "meters"> },
): Omit<Claims, "certifiedBy"> | undefined {
  const kind = member.production === undefined ? undefined : data.meters.get(member.production)?.kind;
  if (kind !== "pv" && kind !== "wind") return undefined;
  return { ...PLANTS[kind], renewable: true, origin: name };
}
