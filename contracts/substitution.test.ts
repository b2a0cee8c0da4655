/** Covering sold promises with held ones: an example worked by hand, and the laws that hold for all amounts and choices. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  areClaimsAtLeast,
  type Claims,
  type Cover,
  chooseCovers,
  isCoverable,
  isCoveredBy,
  isCovering,
  type PowerPromise,
  substitutionOutcome,
} from "#contracts";
import { costCeil, type MicrosPerKwh, micros, microsPerKwh, unwrap, wattHours } from "#core";
import { keyOf, NEXT_SLOT, PARAMETERS, promise, SLOT } from "#testkit";

const ALICE = keyOf("alice");
const sold = (to: string, energy: number, patch: Partial<PowerPromise> = {}): PowerPromise =>
  promise("alice", energy, { owner: keyOf(to), ...patch });
const held = (from: string, energy: number, patch: Partial<PowerPromise> = {}): PowerPromise =>
  promise(from, energy, { owner: ALICE, ...patch });
const cover = (covered: number, by: number, energy: number): Cover => ({
  covered,
  with: by,
  energy: wattHours(energy),
});
const sumOf = (promises: readonly PowerPromise[], of: (promise: PowerPromise) => boolean = () => true): bigint =>
  promises.filter(of).reduce((sum, { energy }) => sum + energy, 0n);

describe("an outcome, worked by hand", () => {
  // Emergency supply at 0.600001: 2,001 Wh are backed by 1,200,602.001, rounded up.
  const price = { emergencyPrice: microsPerKwh(600_001) };
  const promises = [sold("bob", 1_200), held("carol", 700), held("dave", 900), sold("erin", 801)];
  const covers = [cover(0, 1, 700), cover(0, 2, 500), cover(3, 2, 100)];
  const outcome = unwrap(substitutionOutcome(price, promises, covers, micros(1_200_603), wattHours(2_001)));

  test("each holder has what covers it, and what is left of each promise stays", () => {
    expect(outcome.promises).toEqual([
      promise("carol", 700, { owner: keyOf("bob") }),
      promise("dave", 500, { owner: keyOf("bob") }),
      promise("dave", 100, { owner: keyOf("erin") }),
      held("dave", 300),
      sold("erin", 701),
    ]);
  });

  test("the deposit of 1,300 Wh comes back, rounded down; what stays covers 701 Wh", () => {
    expect(outcome).toMatchObject({ covered: 1_300n, released: 780_001n, kept: 420_602n });
    // 701 Wh cost 420,600.701.
    expect(outcome.kept).toBeGreaterThanOrEqual(costCeil(wattHours(701), price.emergencyPrice));
  });

  test("where all is covered, all of the deposit comes back, and none stays", () => {
    const all = unwrap(
      substitutionOutcome(price, [sold("bob", 1), held("carol", 1)], [cover(0, 1, 1)], micros(601), wattHours(1)),
    );
    expect(all).toMatchObject({ released: 601n, kept: null });
  });

  test.each([
    ["cover_of_unknown_promise", [cover(0, 9, 1)]],
    ["cover_of_unknown_promise", [cover(9, 1, 1)]],
    ["cover_energy_not_positive", [cover(0, 1, 0)]],
    ["cover_pair_twice", [cover(0, 1, 1), cover(3, 1, 1), cover(0, 1, 1)]],
    ["cover_beyond_promise", [cover(0, 1, 701)]],
    ["cover_beyond_promise", [cover(0, 2, 900), cover(0, 1, 301)]],
  ] as const)("%s", (refusal, wrong) => {
    expect(substitutionOutcome(price, promises, wrong, micros(1_200_603), wattHours(2_001))).toEqual({
      ok: false,
      error: refusal,
    });
  });
});

const arbClaims: fc.Arbitrary<Claims | null> = fc.option(
  fc.record({
    source: fc.constantFrom(null, "solar" as const, "wind" as const),
    renewable: fc.boolean(),
    origin: fc.constantFrom(null, "feeder 3", "feeder 4"),
    gramsCo2PerKwh: fc.constantFrom(null, 10, 40),
    certifiedBy: fc.constantFrom(null, keyOf("agency"), keyOf("other agency")),
  }),
  { nil: null },
);
const NAMES = ["alice", "bob", "carol", "dave"] as const;
const arbPromise: fc.Arbitrary<PowerPromise> = fc
  .record({
    supplier: fc.constantFrom(...NAMES),
    owner: fc.constantFrom(...NAMES),
    energy: fc.integer({ min: 1, max: 5_000 }),
    slot: fc.constantFrom(SLOT, SLOT, SLOT, NEXT_SLOT),
    isLocked: fc.constantFrom(false, false, false, true),
    lineage: fc.integer({ min: 0, max: 6 }),
    claims: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: arbClaims }),
  })
  .map(({ supplier, owner, energy, slot, isLocked, lineage, claims }) =>
    promise(supplier, energy, {
      owner: keyOf(owner),
      slot,
      lock: isLocked ? { kind: "order", id: "offer" } : null,
      promiseId: `${supplier}/${lineage}`,
      claims,
    }),
  );
type World = { readonly promises: readonly PowerPromise[]; readonly wanted: number; readonly price: MicrosPerKwh };
const arbWorld: fc.Arbitrary<World> = fc.record({
  promises: fc.array(arbPromise, { maxLength: 14 }),
  wanted: fc.integer({ min: 1, max: 12_000 }),
  price: fc.integer({ min: 0, max: 2_000_000 }).map(microsPerKwh),
});

function chosenIn({ promises, wanted }: World): ReturnType<typeof chooseCovers<{ readonly state: PowerPromise }>> {
  const listed = promises.map((state) => ({ state }));
  return chooseCovers(ALICE, SLOT, wattHours(wanted), listed);
}

/** What is chosen, carried out with the deposits that alice must have. */
function covered(world: World): {
  readonly before: readonly PowerPromise[];
  readonly promised: bigint;
  readonly deposit: bigint;
  readonly outcome: Outcome;
} {
  const chosen = chosenIn(world);
  const before = chosen.promises.map(({ state }) => state);
  const own = world.promises.filter(({ supplier, slot }) => supplier === ALICE && slot === SLOT);
  const deposit = own.reduce((sum, { energy }) => sum + costCeil(energy, world.price), 0n);
  const promised = sumOf(own);
  const result = substitutionOutcome(
    { emergencyPrice: world.price },
    before,
    chosen.covers,
    micros(deposit),
    wattHours(promised),
  );
  return { before, promised, deposit, outcome: unwrap(result) };
}
type Outcome = Extract<ReturnType<typeof substitutionOutcome>, { readonly ok: true }>["value"];

describe("laws of an outcome", () => {
  test("every holder has as much as before, and what others owe is what they owed", () => {
    fc.assert(
      fc.property(arbWorld, (world) => {
        const { before, outcome } = covered(world);
        for (const name of NAMES) {
          const key = keyOf(name);
          const [was, is] = [before, outcome.promises].map((all) => sumOf(all, ({ owner }) => owner === key));
          expect((is ?? 0n) - (was ?? 0n)).toBe(key === ALICE ? -outcome.covered : 0n);
          const [owed, owes] = [before, outcome.promises].map((all) => sumOf(all, ({ supplier }) => supplier === key));
          expect((owes ?? 0n) - (owed ?? 0n)).toBe(key === ALICE ? -outcome.covered : 0n);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("every lineage of others has its energy, and no promise has none", () => {
    fc.assert(
      fc.property(arbWorld, (world) => {
        const { before, outcome } = covered(world);
        for (const { promiseId, supplier } of before) {
          if (supplier === ALICE) continue;
          const isOf = (each: PowerPromise): boolean => each.promiseId === promiseId;
          expect(sumOf(outcome.promises, isOf)).toBe(sumOf(before, isOf));
        }
        expect(outcome.promises.every(({ energy }) => energy > 0n)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("the deposit is conserved, still covers what is owed, and is gone with the debt", () => {
    fc.assert(
      fc.property(arbWorld, (world) => {
        const { promised, deposit, outcome } = covered(world);
        expect(outcome.released + (outcome.kept ?? 0n)).toBe(deposit);
        const left = promised - outcome.covered;
        expect(outcome.kept === null).toBe(left === 0n);
        expect((outcome.kept ?? 0n) * 1_000n).toBeGreaterThanOrEqual(left * world.price);
        // Rounded down: never more than the emergency cost of what is covered, unless nothing is owed any more.
        if (left > 0n) expect(outcome.released * 1_000n).toBeLessThanOrEqual(outcome.covered * world.price);
      }),
      { numRuns: 500 },
    );
  });

  test("cutting a substitution in two releases no more", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 2_000_000 }),
        (first, second, price) => {
          const parameters = { emergencyPrice: microsPerKwh(price) };
          const total = first + second + 1;
          const deposit = costCeil(wattHours(total), parameters.emergencyPrice);
          const once = (energy: number, locked: bigint, promised: number): Outcome =>
            unwrap(
              substitutionOutcome(
                parameters,
                [sold("bob", energy), held("carol", energy)],
                [cover(0, 1, energy)],
                micros(locked),
                wattHours(promised),
              ),
            );
          const whole = once(first + second, deposit, total);
          const part = once(first, deposit, total);
          const rest = once(second, part.kept ?? 0n, total - first);
          expect(part.released + rest.released).toBeLessThanOrEqual(whole.released);
        },
      ),
    );
  });
});

describe("which promises are paired", () => {
  test("only what may be: sold with held, same slot, no weaker claims, not the holder's own", () => {
    fc.assert(
      fc.property(arbWorld, (world) => {
        const { promises, covers, energy } = chosenIn(world);
        expect(covers.reduce((sum, each) => sum + each.energy, 0n)).toBe(energy);
        expect(energy).toBeLessThanOrEqual(BigInt(world.wanted));
        expect(new Set(covers.flatMap((each) => [each.covered, each.with])).size).toBe(promises.length);
        for (const { covered: at, with: by } of covers) {
          const [one, other] = [promises[at]?.state, promises[by]?.state];
          if (one === undefined || other === undefined) expect.unreachable();
          else {
            expect(isCoverable(one, ALICE) && isCovering(other, ALICE) && isCoveredBy(one, other)).toBe(true);
            expect([one.slot, other.slot]).toEqual([SLOT, SLOT]);
            expect(areClaimsAtLeast(other.claims, one.claims)).toBe(true);
            expect(other.supplier).not.toBe(one.owner);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("as long as something can be paired, all that is wanted", () => {
    fc.assert(
      fc.property(arbWorld, (world) => {
        const { promises: chosen, covers, energy } = chosenIn(world);
        if (energy === BigInt(world.wanted)) return;
        const used = new Map<PowerPromise, bigint>();
        for (const { covered: at, with: by, energy: part } of covers)
          for (const index of [at, by]) {
            const state = chosen[index]?.state;
            if (state !== undefined) used.set(state, (used.get(state) ?? 0n) + part);
          }
        const open = world.promises.filter((each) => each.slot === SLOT && each.energy > (used.get(each) ?? 0n));
        const pairs = open
          .filter((each) => isCoverable(each, ALICE))
          .flatMap((one) => open.filter((other) => isCovering(other, ALICE) && isCoveredBy(one, other)));
        expect(pairs).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("the order in which promises are listed changes nothing, where lineages differ", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(arbPromise, { maxLength: 10, selector: ({ promiseId }) => promiseId }),
        fc.integer({ min: 1, max: 12_000 }),
        fc.integer({ min: 0, max: 9 }),
        (promises, wanted, turn) => {
          const textOf = (list: readonly PowerPromise[]): string => {
            const chosen = chosenIn({ promises: list, wanted, price: PARAMETERS.emergencyPrice });
            const ids = chosen.promises.map(({ state }) => state.promiseId);
            return chosen.covers.map((each) => `${ids[each.covered]} ${ids[each.with]} ${each.energy}`).join();
          };
          expect(textOf([...promises.slice(turn), ...promises.slice(0, turn)])).toBe(textOf(promises));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("what says most is covered first, with what says least of what suffices", () => {
    const claims: Claims = {
      source: "solar",
      renewable: true,
      origin: null,
      gramsCo2PerKwh: null,
      certifiedBy: null,
    };
    const promises = [
      sold("bob", 100, { promiseId: "plain" }),
      sold("bob", 100, { promiseId: "solar", claims }),
      held("carol", 100, { promiseId: "a solar", claims }),
      held("dave", 100, { promiseId: "b plain" }),
    ];
    const { promises: chosen, covers, energy } = chosenIn({ promises, wanted: 200, price: microsPerKwh(0) });
    const ids = chosen.map(({ state }) => state.promiseId);
    expect(covers.map((each) => [ids[each.covered], ids[each.with]])).toEqual([
      ["solar", "a solar"],
      ["plain", "b plain"],
    ]);
    expect(energy).toBe(200n);
  });
});
