/** What several meter operators' reports of one member's slot come to. The flows build from it and the clauses check against it. */
import { compareText, NO_ENERGY, type PublicKey, type WattHours } from "#core";
import type { MeterReading, MeterReport, NetworkParameters } from "./states.ts";

type Report = Pick<MeterReport, "operator" | "produced" | "consumed">;
export type MeterAgreement = Pick<MeterReading, "produced" | "consumed" | "agreed" | "disagreed">;

/**
 * The reading that enough reports agree on; undefined where too few do.
 *
 * Reports agree that are within the tolerance of the median of all, in production and in consumption. The reading is the
 * median of those. A quorum is more than half of the operators, so at least one honest report is among those that agree,
 * as long as fewer than half of the operators collude.
 *
 * @param reports - At most one of each operator.
 */
export function meterAgreement(
  { meterQuorum, meterTolerance }: Pick<NetworkParameters, "meterQuorum" | "meterTolerance">,
  reports: readonly Report[],
): MeterAgreement | undefined {
  if (reports.length < meterQuorum || reports.length === 0) return undefined;
  const middle = medianOf(reports);
  const isNear = (value: WattHours, median: WattHours): boolean =>
    (value < median ? median - value : value - median) <= meterTolerance;
  const agrees = ({ produced, consumed }: Report): boolean =>
    isNear(produced, middle.produced) && isNear(consumed, middle.consumed);
  const agreeing = reports.filter(agrees);
  if (agreeing.length < meterQuorum || agreeing.length === 0) return undefined;
  return {
    ...medianOf(agreeing),
    agreed: operatorsOf(agreeing),
    disagreed: operatorsOf(reports.filter((report) => !agrees(report))),
  };
}

function medianOf(reports: readonly Report[]): { readonly produced: WattHours; readonly consumed: WattHours } {
  return {
    produced: lowerMedian(reports.map(({ produced }) => produced)),
    consumed: lowerMedian(reports.map(({ consumed }) => consumed)),
  };
}

/** Of an even number the lower of the two in the middle: a value that a meter did measure, without a rounding. */
function lowerMedian(values: readonly WattHours[]): WattHours {
  const sorted = [...values].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  return sorted[(sorted.length - 1) >> 1] ?? NO_ENERGY;
}

function operatorsOf(reports: readonly Report[]): readonly PublicKey[] {
  return reports.map(({ operator }) => operator).sort(compareText);
}
