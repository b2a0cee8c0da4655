/** Where the measured sets of the default community are, if they are anywhere. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Homes and plants of the measured community. */
export const HOME_NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8] as const;
export const STATION_NUMBERS = ["01", "02", "07"] as const;

/** The files that the measured community is made of, relative to the folder of the sets. */
export const MEASURED_FILES: readonly string[] = [
  ...HOME_NUMBERS.map((home) => `citylearn2022/Building_${home}.csv`),
  "citylearn2022/pricing.csv",
  "citylearn2022/schema.json",
  ...STATION_NUMBERS.map((station) => `pvod/station${station}.csv`),
];

export type MeasuredData = {
  /** Folder with one folder per set. */
  readonly root: string;
  readonly from: "DREAM_DATA" | "cache";
};

/** Folder of the sets that `dream data get` fills. */
export function cacheRoot(cacheDir: string): string {
  return join(cacheDir, "data");
}

/** Files of the measured community that the folder lacks. */
export function missingMeasuredFiles(root: string): readonly string[] {
  return MEASURED_FILES.filter((file) => !existsSync(join(root, file)));
}

/**
 * The folder that has all that the measured community needs: `DREAM_DATA` first, then the cache.
 * Undefined when neither has; the caller then uses the generated community and says so.
 */
export function findMeasuredData(
  env: { readonly DREAM_DATA?: string | undefined },
  cacheDir: string,
): MeasuredData | undefined {
  const named = env.DREAM_DATA;
  if (named !== undefined && named !== "" && missingMeasuredFiles(named).length === 0)
    return { root: named, from: "DREAM_DATA" };
  const cached = cacheRoot(cacheDir);
  return missingMeasuredFiles(cached).length === 0 ? { root: cached, from: "cache" } : undefined;
}
