/**
 * What the correction of a settled slot comes to. The flow builds from it and the clauses check against it. Only differences
 * move, so that a slot that is corrected several times costs each party what the last reading costs it.
 */
import { costCeil, type MicrosPerKwh, minEnergy, type WattHours, wattHours } from "#core";
import { deliveryOutcome, injectedOf, settlementOfRights } from "./settlement.ts";
import type { MeterReading, NetworkParameters, SlotSettlement } from "./states.ts";

type Prices = Pick<NetworkParameters, "emergencyPrice" | "gridFee" | "surplusPrice">;

export type Correction = {
  readonly settlement: SlotSettlement;
  /** What each party gets more, or less, than it got before. They sum to zero. */
  readonly toMember: bigint;
  readonly toPowerCompany: bigint;
  readonly toGridAuthority: bigint;
};

/**
 * Delivery and settlement of the slot by another reading, beside what was settled. Deposits were released at delivery, so the
 * member pays what it lost too little out of its funds, and is paid back what it lost too much.
 */
export function correctionOutcome(
  parameters: Prices,
  before: SlotSettlement,
  reading: Pick<MeterReading, "produced" | "consumed" | "revision">,
  tariff: { readonly feedIn: MicrosPerKwh; readonly retail: MicrosPerKwh },
): Correction {
  const { produced, consumed, revision } = reading;
  const delivered = minEnergy(before.promised, injectedOf(reading));
  const outcome = settlementOfRights({
    reading,
    delivered,
    kept: keptOf(before, delivered),
    bought: before.bought,
    ...tariff,
    surplusPrice: parameters.surplusPrice,
  });
  const [lost, losing] = [
    deliveryMoney(parameters, before.promised, before.delivered),
    deliveryMoney(parameters, before.promised, delivered),
  ];
  const { depositLost, gridFee } = losing;
  const settlement: SlotSettlement = {
    ...before,
    ...outcome,
    produced,
    consumed,
    revision,
    delivered,
    depositLost,
    gridFee,
  };
  const more = netOf(settlement) - netOf(before);
  return {
    settlement,
    toMember: more + lost.depositLost + lost.gridFee - depositLost - gridFee,
    toPowerCompany: losing.toPowerCompany - lost.toPowerCompany - more,
    toGridAuthority: losing.toGridAuthority - lost.toGridAuthority,
  };
}

/** What the settlement with the power company brings the member. */
function netOf({ feedInAmount, retailAmount, surplusAmount }: SlotSettlement): bigint {
  return feedInAmount - retailAmount - surplusAmount;
}

/**
 * What was delivered on own promises that nobody bought: as the delivery check shared it out, and for another delivery in
 * proportion, rounded down. So a slot that is corrected back is settled as it was.
 */
function keptOf({ promised, unsold, deliveredFirst, keptFirst }: SlotSettlement, delivered: WattHours): WattHours {
  if (delivered === deliveredFirst) return keptFirst;
  return wattHours(promised === 0n ? 0n : (delivered * unsold) / promised);
}

/** Losses and fees by the rules of the delivery check: deposits covered what was promised, so they don't depend on more. */
function deliveryMoney(
  parameters: Prices,
  promised: WattHours,
  delivered: WattHours,
): Pick<ReturnType<typeof deliveryOutcome>, "depositLost" | "gridFee" | "toPowerCompany" | "toGridAuthority"> {
  const deposit = costCeil(promised, parameters.emergencyPrice);
  return deliveryOutcome(parameters, [{ energy: promised }], deposit, delivered);
}
