/** Every watt-hour of a slot, from what the meters say to what the supplier of last resort gives and takes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { deliveryOutcome, injectedOf, type PowerPromise, settlementOutcome, withdrawnOf } from "#contracts";
import { costCeil, microsPerKwh, type WattHours, wattHours } from "#core";
import { keyOf, PARAMETERS, promise } from "#testkit";

const NAMES = ["alice", "bob", "carol", "dave", "erin"] as const;
type Name = (typeof NAMES)[number];

const arbReadings = fc.tuple(
  ...NAMES.map(() => fc.record({ produced: fc.nat({ max: 9_000 }), consumed: fc.nat({ max: 9_000 }) })),
);
const arbPromises = fc.array(
  fc.record({
    supplier: fc.constantFrom(...NAMES),
    owner: fc.constantFrom(...NAMES),
    energy: fc.integer({ min: 1, max: 4_000 }),
  }),
  { maxLength: 12 },
);

const sum = (parts: readonly bigint[]): bigint => parts.reduce((total, part) => total + part, 0n);

/** A supplier's promises after the check of its delivery. */
function checked(supplier: Name, promises: readonly PowerPromise[], injected: WattHours): readonly PowerPromise[] {
  const own = promises.filter((each) => each.supplier === keyOf(supplier));
  const promised = wattHours(sum(own.map(({ energy }) => energy)));
  const deposit = costCeil(promised, PARAMETERS.emergencyPrice);
  const { deliveredParts } = deliveryOutcome(PARAMETERS, own, deposit, injected);
  return own.map((each, index) => ({ ...each, delivered: deliveredParts[index] ?? wattHours(0) }));
}

test("every watt-hour of a slot is accounted for", () => {
  fc.assert(
    fc.property(arbReadings, arbPromises, (given, made) => {
      const readings = NAMES.map((name, index) => ({
        name,
        produced: wattHours(given[index]?.produced ?? 0),
        consumed: wattHours(given[index]?.consumed ?? 0),
      }));
      const promises = made.map(({ supplier, owner, energy }) => promise(supplier, energy, { owner: keyOf(owner) }));
      const after = readings.flatMap(({ name, ...reading }) => checked(name, promises, injectedOf(reading)));
      const isUnsold = ({ supplier, owner }: PowerPromise): boolean => supplier === owner;
      const deliveredOf = (parts: readonly PowerPromise[]): bigint =>
        sum(parts.map(({ delivered }) => delivered ?? 0n));
      const energyOf = (parts: readonly PowerPromise[]): bigint => sum(parts.map(({ energy }) => energy));
      const bought = after.filter((each) => !isUnsold(each));
      const unsold = after.filter(isUnsold);
      const accounts = readings.map(({ name, ...reading }) => {
        const delivered = wattHours(deliveredOf(after.filter(({ supplier }) => supplier === keyOf(name))));
        const held = after.filter(({ owner }) => owner === keyOf(name));
        const outcome = settlementOutcome({
          reading,
          delivered,
          held,
          feedIn: microsPerKwh(1_000),
          retail: microsPerKwh(1_000),
          surplusPrice: microsPerKwh(1_000), // One micro for each watt-hour.
        });
        const own = wattHours(energyOf(held.filter((each) => !isUnsold(each))));
        return { outcome, delivered, bought: own, injected: injectedOf(reading), withdrawn: withdrawnOf(reading) };
      });
      const total = (pick: (account: (typeof accounts)[number]) => bigint): bigint => sum(accounts.map(pick));
      const used = total(({ outcome }) => outcome.used);
      const feedIn = total(({ outcome }) => outcome.feedInEnergy);
      const retail = total(({ outcome }) => outcome.retailEnergy);
      const surplus = total(({ outcome }) => outcome.surplusAmount);
      const undelivered = energyOf(bought) - deliveredOf(bought);
      // Promised is delivered or not; delivered is bought or unsold.
      expect(energyOf(promises)).toBe(energyOf(bought) + energyOf(unsold));
      expect(total(({ delivered }) => delivered)).toBe(deliveredOf(bought) + deliveredOf(unsold));
      // Injected is delivered, or fed in beyond it.
      const beyond = total(({ injected, delivered }) => injected - delivered);
      // What the members have a right to is used or fed in; what they draw beyond it is bought at retail.
      expect(feedIn).toBe(beyond + energyOf(bought) + deliveredOf(unsold) - used);
      expect(retail).toBe(total(({ withdrawn }) => withdrawn) - used);
      // Bought and not used is what the surplus price is for.
      expect(surplus).toBe(total((each) => (each.bought > each.outcome.used ? each.bought - each.outcome.used : 0n)));
      // The supplier of last resort gives what was not delivered to who bought it and what is sold at retail, and takes the rest.
      const [injected, withdrawn] = [total((each) => each.injected), total((each) => each.withdrawn)];
      expect(injected + undelivered + retail).toBe(withdrawn + feedIn);
    }),
    { numRuns: 1_000 },
  );
});
