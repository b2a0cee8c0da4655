/** The manifests that come with DREAM, one per measured set: `data/sets/<name>.yaml`. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Names of the sets that have a manifest here. */
export const SHIPPED_SETS = ["citylearn2022", "emhass_home", "monash", "openstef", "prices", "pvod"] as const;
export type ShippedSet = (typeof SHIPPED_SETS)[number];

export function isShippedSet(name: string): name is ShippedSet {
  return SHIPPED_SETS.some((set) => set === name);
}

/** Path of the set's manifest; its files are looked for where the caller says, not beside it. */
export function shippedManifest(name: ShippedSet): string {
  // The compiled code lies one folder deeper than the source, and the manifests are not copied there.
  const places = [`../sets/${name}.yaml`, `../../../data/sets/${name}.yaml`];
  const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return paths.find((path) => existsSync(path)) ?? (paths[0] as string);
}
