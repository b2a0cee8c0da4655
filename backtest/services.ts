/** Services that a community hires: an aggregator for its homes, operators of meters, an agency that certifies claims. */
import { type Prng, type SlotId, seededPrng, wattHours } from "#core";
import type { CommunityMember } from "#data";
import type { LocalNetwork, SlotReading } from "#ledger-node";

/** Names of the services' members; each may be missing. */
export type CommunityServices = {
  /** Name of a verification agency that joins and certifies what suppliers claim of their plants; nobody claims anything without. */
  readonly agency?: string;
  /** Serves the homes: they have no nodes of their own. */
  readonly aggregator?: string;
  /** Report what the meters say, beside the grid authority; two of all reports must agree. */
  readonly meterOperators?: readonly string[];
};

/** Meters count whole pulses; readings that are less than two apart agree. */
const PULSE_WH = 10n;
const METER_TOLERANCE = wattHours(2n * PULSE_WH);
/** Of a hundred readings of a slot: how many an operator has not in time, and how many are wrong. */
const MISSING_OF_100 = 2;
const WRONG_OF_100 = 1;

/** Lets aggregator and meter operators join, and makes the operators' reports count. */
export async function hireServices(network: LocalNetwork, services: CommunityServices): Promise<void> {
  if (services.aggregator !== undefined) await network.aggregator(services.aggregator);
  const operators = services.meterOperators ?? [];
  if (operators.length > 0) await network.appointMeterOperators(operators, METER_TOLERANCE, ["grid-authority"]);
}

/** Whether the aggregator serves the member: homes, which neither trade for a living nor run a plant for it. */
export function isHome({ roles }: Pick<CommunityMember, "roles">): boolean {
  return roles.some((role) => role === "prosumer" || role === "consumer");
}

/** What the operators read of what was measured: the first as it is, others in pulses, and now and then not at all or wrong. */
export class OperatorMeters {
  readonly #operators: readonly string[];
  readonly #prngs: ReadonlyMap<string, Prng>;

  constructor(operators: readonly string[], seed: number) {
    this.#operators = operators;
    this.#prngs = new Map(operators.slice(1).map((name) => [name, seededPrng(seed, `meters of ${name}`)]));
  }

  /** Reports of all operators on a slot. Each call draws anew, so it is called once for a slot. */
  async report(network: LocalNetwork, slot: SlotId, readings: readonly SlotReading[]): Promise<void> {
    if (this.#operators.length === 0) return;
    await network.reportMeters(slot, readings, (operator, reading) => this.#read(operator, reading));
  }

  #read(operator: string, reading: SlotReading): SlotReading | null {
    const prng = this.#prngs.get(operator);
    if (prng === undefined) return reading;
    const drawn = prng.nextUint32() % 100;
    if (drawn < MISSING_OF_100) return null;
    const { member, produced, consumed } = reading;
    if (drawn < MISSING_OF_100 + WRONG_OF_100)
      return { member, produced: wattHours(consumed), consumed: wattHours(produced) };
    const inPulses = (energy: bigint): SlotReading["produced"] => wattHours(energy - (energy % PULSE_WH));
    return { member, produced: inPulses(produced), consumed: inPulses(consumed) };
  }
}
