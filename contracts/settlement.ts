/**
 * What delivery and settlement of a slot come to, in exact integers. The flows build from these functions and the clauses
 * check against them, so that builder and checker can't drift apart.
 */
import {
  costCeil,
  costFloor,
  energyAbove,
  type Micros,
  type MicrosPerKwh,
  micros,
  minEnergy,
  splitInProportion,
  sumEnergy,
  type WattHours,
  wattHours,
} from "#core";
import type { MeterReading, NetworkParameters, PowerPromise } from "./states.ts";

/** Energy that a member put into the grid in a slot: production beyond its own consumption. */
export function injectedOf({ produced, consumed }: Pick<MeterReading, "produced" | "consumed">): WattHours {
  return energyAbove(produced, consumed);
}

/** Energy that a member drew from the grid in a slot. */
export function withdrawnOf({ produced, consumed }: Pick<MeterReading, "produced" | "consumed">): WattHours {
  return energyAbove(consumed, produced);
}

export type DeliveryOutcome = {
  readonly promised: WattHours;
  readonly delivered: WattHours;
  readonly shortfall: WattHours;
  /** Delivered energy per promise, in the order given. */
  readonly deliveredParts: readonly WattHours[];
  /** What the supplier loses for the shortfall. */
  readonly depositLost: Micros;
  /** What the supplier pays for the use of the grid. */
  readonly gridFee: Micros;
  readonly returned: Micros;
  readonly toPowerCompany: Micros;
  readonly toGridAuthority: Micros;
};

/**
 * Delivery of all of a supplier's promises for a slot (paper algorithm A2, partial delivery pro rata).
 *
 * The shortfall costs `shortfall × emergencyPrice`, rounded up, and goes to the power company less the grid fee on it;
 * the rest returns to the supplier less the grid fee on what was delivered. Fees are rounded down. Each is rounded once
 * per supplier and slot. Energy is shared among the promises by largest remainder, ties to the earlier promise.
 *
 * @param deposit - Sum of the deposits; at least `promised × emergencyPrice`.
 */
export function deliveryOutcome(
  parameters: Pick<NetworkParameters, "emergencyPrice" | "gridFee">,
  promises: readonly Pick<PowerPromise, "energy">[],
  deposit: Micros,
  injected: WattHours,
): DeliveryOutcome {
  const promised = sumEnergy(promises.map(({ energy }) => energy));
  const delivered = minEnergy(promised, injected);
  const shortfall = energyAbove(promised, delivered);
  const parts = splitInProportion(
    delivered,
    promises.map(({ energy }) => energy),
  ).map(wattHours);
  const depositLost = atMost(costCeil(shortfall, parameters.emergencyPrice), deposit);
  const rest = micros(deposit - depositLost);
  const gridFee = atMost(costFloor(delivered, parameters.gridFee), rest);
  const feeOnShortfall = atMost(costFloor(shortfall, parameters.gridFee), depositLost);
  return {
    promised,
    delivered,
    shortfall,
    deliveredParts: parts,
    depositLost,
    gridFee,
    returned: micros(rest - gridFee),
    toPowerCompany: micros(depositLost - feeOnShortfall),
    toGridAuthority: micros(gridFee + feeOnShortfall),
  };
}

export type SettlementOutcome = {
  readonly used: WattHours;
  readonly feedInEnergy: WattHours;
  readonly feedInAmount: Micros;
  readonly retailEnergy: WattHours;
  readonly retailAmount: Micros;
  /** What the member pays for bought energy that it did not use. */
  readonly surplusAmount: Micros;
};

type SettlementInput = {
  readonly reading: Pick<MeterReading, "produced" | "consumed">;
  /** Delivered by the member on all of its own promises. */
  readonly delivered: WattHours;
  readonly feedIn: MicrosPerKwh;
  readonly retail: MicrosPerKwh;
  readonly surplusPrice: MicrosPerKwh;
};

/**
 * Settlement of a member's slot with the supplier of last resort.
 *
 * A holder may use what it bought even if the supplier failed, but of its own promises only what it delivered itself.
 * What it does not use, and what it injected beyond its promises, is paid at the feed-in price (rounded down); what it
 * drew beyond its holdings is charged at the retail price (rounded up), and what it bought and did not use at the surplus
 * price (rounded up). Each is rounded once per member and slot.
 */
export function settlementOutcome(
  input: SettlementInput & {
    /** Promises that the member holds, after delivery was checked. */
    readonly held: readonly Pick<PowerPromise, "energy" | "supplier" | "owner" | "delivered">[];
  },
): SettlementOutcome {
  const isOwn = ({ supplier, owner }: Pick<PowerPromise, "supplier" | "owner">): boolean => supplier === owner;
  const [own, others] = [input.held.filter(isOwn), input.held.filter((promise) => !isOwn(promise))];
  return settlementOfRights({
    ...input,
    kept: sumEnergy(own.map(({ delivered }) => delivered ?? wattHours(0n))),
    bought: sumEnergy(others.map(({ energy }) => energy)),
  });
}

/**
 * The same from the sums of what is held. Who delivered on promises that it kept has injected and so withdrawn nothing:
 * it never matters whether kept or bought energy is used first.
 */
export function settlementOfRights(
  input: SettlementInput & {
    /** Delivered on own promises that nobody bought. */
    readonly kept: WattHours;
    readonly bought: WattHours;
  },
): SettlementOutcome {
  const { kept, bought } = input;
  const injected = injectedOf(input.reading);
  const withdrawn = withdrawnOf(input.reading);
  const right = wattHours(kept + bought);
  const used = minEnergy(right, withdrawn);
  const feedInEnergy = wattHours(energyAbove(injected, input.delivered) + energyAbove(right, used));
  const retailEnergy = energyAbove(withdrawn, used);
  return {
    used,
    feedInEnergy,
    feedInAmount: costFloor(feedInEnergy, input.feedIn),
    retailEnergy,
    retailAmount: costCeil(retailEnergy, input.retail),
    surplusAmount: costCeil(energyAbove(bought, used), input.surplusPrice),
  };
}

function atMost(amount: Micros, limit: Micros): Micros {
  return amount < limit ? amount : limit;
}
