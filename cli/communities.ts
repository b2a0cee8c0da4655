/** The default community: measured data where they are at hand, else a generated one; and why. */
import { type Community, composeMeasuredCommunity, findMeasuredData, generateCommunity } from "#data";
import { CommandFailure, EXIT } from "./exit.ts";

export type CommunitySource = { readonly env: { readonly DREAM_DATA?: string | undefined }; readonly cacheDir: string };

/** Days of history that the generated demo has before its first day, and days that it can run for. */
const GENERATED_DAYS = 120;

/** ISO 4217 currency of the measured homes' tariff; the generated community keeps to it. */
export const DEFAULT_CURRENCY = "USD";

/** The measured community, or undefined where its data are not at hand. */
export function measuredCommunity({ env, cacheDir }: CommunitySource): Community | undefined {
  const found = findMeasuredData(env, cacheDir);
  if (found === undefined) return undefined;
  const composed = composeMeasuredCommunity(found.root);
  if (composed.ok) return composed.value;
  const problem =
    composed.error.tag === "no_complete_period"
      ? "no two weeks in them are complete"
      : `the set ${composed.error.set} can't be read: ${composed.error.problems[0]?.problem ?? "unknown"}`;
  throw new CommandFailure(
    EXIT.badInput,
    `measured data in ${found.root} can't be used: ${problem}; check them with 'dream data check', or unset DREAM_DATA to run on a generated community`,
  );
}

export function defaultCommunity(source: CommunitySource, seed: number): Community {
  return measuredCommunity(source) ?? generateCommunity({ seed, days: GENERATED_DAYS });
}
