/** Clauses of covering sold promises with held ones: each fails alone. And what a supplier or a colluding holder would try. */
import { describe, test } from "vitest";
import { type Claims, type Cover, DELEGABLE_FLOWS } from "#contracts";
import { wattHours } from "#core";
import {
  type Draft,
  deposit,
  exposure,
  funds,
  GATE_MS,
  keyOf,
  mandate,
  member,
  NEXT_SLOT,
  promise,
  VALID,
  type Verdict,
  verifier,
} from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

const cover = VALID.substitute;
const SOLAR: Claims = {
  source: "solar",
  renewable: true,
  origin: "feeder 3",
  gramsCo2PerKwh: 40,
  certifiedBy: keyOf("agency"),
};

function covers(...all: readonly (readonly [number, number, number])[]): { readonly covers: readonly Cover[] } {
  return { covers: all.map(([covered, by, energy]) => ({ covered, with: by, energy: wattHours(energy) })) };
}

/** What is sold says `sold`, what is held says `held`; each keeps it. */
function claiming(sold: Claims | null, held: Claims | null): Draft {
  return cover()
    .change("sold", { claims: sold })
    .change("still sold", { claims: sold })
    .change("held", { claims: held })
    .change("cover", { claims: held })
    .change("still held", { claims: held });
}

/** Alice owes bob no more than 0.8 kWh, all of which is covered. */
function coveringAll(): Draft {
  return cover()
    .without("still sold", "deposit after")
    .replace("sold", promise("alice", 800, { owner: keyOf("bob") }))
    .replace("deposit", deposit("alice", 480_000))
    .replace("exposure of alice", exposure("alice", { promised: 800, bought: 1_000 }))
    .replace("exposure of alice after", exposure("alice", { bought: 200 }));
}

describe("what is covered", () => {
  rule("verifies, in part and in full", () => {
    coveringAll().verifies();
    return cover().verifies();
  });
  rule("is something", () =>
    cover()
      .without("sold", "held", "cover", "still sold", "still held")
      .without("deposit", "deposit after", "released", "exposure of alice", "exposure of alice after")
      .changeCommand(covers())
      .failsWith("substitute_some"),
  );
  rule("is consumed by the transaction", () =>
    cover()
      .changeCommand(covers([0, 1, 800], [0, 7, 1]))
      .failsWith("substitute_known_promises"),
  );
  rule("is some energy", () =>
    cover()
      .changeCommand(covers([0, 1, 800], [0, 1, 0]))
      .failsWith("substitute_some_energy"),
  );
  rule("is said once for each pair: nobody's promise is ground to dust", () =>
    cover()
      .changeCommand(covers([0, 1, 400], [0, 1, 400]))
      .failsWith("substitute_pairs_once"),
  );
  rule("is no more than was sold, and no more than is held", () => {
    cover()
      .changeCommand(covers([0, 1, 1_001]))
      .failsWith("substitute_within_promises");
    return cover()
      .replace("held", promise("dave", 2_000, { owner: keyOf("alice") }))
      .replace("still held", promise("dave", 1_200, { owner: keyOf("alice") }))
      .replace("exposure of alice", exposure("alice", { promised: 2_000, bought: 2_000 }))
      .replace("exposure of alice after", exposure("alice", { promised: 1_200, bought: 1_200 }))
      .changeCommand(covers([0, 1, 1_501]))
      .failsWith("substitute_within_promises");
  });
  rule("is all that is consumed", () =>
    cover()
      .consumes("another", promise("erin", 100, { owner: keyOf("alice") }))
      .makes("another after", promise("erin", 100, { owner: keyOf("alice") }))
      .failsWith("substitute_takes_nothing_else"),
  );
  rule("is of one slot, that of the command: energy of another hour is another thing", () =>
    cover()
      .change("held", { slot: NEXT_SLOT })
      .change("cover", { slot: NEXT_SLOT })
      .change("still held", { slot: NEXT_SLOT })
      .replace("exposure of alice", exposure("alice", { promised: 2_000 }, { slot: NEXT_SLOT, bought: 1_000 }))
      .replace("exposure of alice after", exposure("alice", { promised: 1_200 }, { slot: NEXT_SLOT, bought: 200 }))
      .consumes("exposure of bob", exposure("bob", { bought: 1_500 }))
      .makes("exposure of bob after", exposure("bob", { bought: 700 }, { slot: NEXT_SLOT, bought: 800 }))
      .cites("bob", member("bob"))
      .failsWith("substitute_of_the_slot"),
  );
  rule("was sold by the supplier, and is free", () => {
    const lock = { kind: "order", id: "offer" } as const;
    return cover().change("sold", { lock }).change("still sold", { lock }).failsWith("substitute_covers_sold_promises");
  });
  rule("is not another's promise", () =>
    cover()
      .change("sold", { supplier: keyOf("carol") })
      .change("still sold", { supplier: keyOf("carol") })
      .replace("exposure of alice after", exposure("alice", { promised: 2_000, bought: 200 }))
      .consumes("exposure of carol", exposure("carol", { promised: 1_500 }))
      .makes("exposure of carol after", exposure("carol", { promised: 700 }))
      .failsWith("substitute_covers_sold_promises"),
  );
  rule("is not an own promise that nobody bought: what is promised stays promised", () =>
    cover()
      .change("sold", { owner: keyOf("alice") })
      .change("still sold", { owner: keyOf("alice") })
      .change("cover", { owner: keyOf("alice") })
      .replace("exposure of alice after", exposure("alice", { promised: 1_200, bought: 1_000 }))
      .failsWith("substitute_covers_sold_promises"),
  );
});

describe("what it is covered with", () => {
  rule("is held free", () => {
    const lock = { kind: "auction", id: "auction" } as const;
    return cover()
      .change("held", { lock })
      .change("cover", { lock })
      .change("still held", { lock })
      .failsWith("substitute_with_held_promises");
  });
  rule("is not another's to give", () =>
    cover()
      .change("held", { owner: keyOf("carol") })
      .change("still held", { owner: keyOf("carol") })
      .replace("exposure of alice", exposure("alice", { promised: 2_000 }))
      .replace("exposure of alice after", exposure("alice", { promised: 1_200 }))
      .consumes("exposure of carol", exposure("carol", { bought: 1_000 }))
      .makes("exposure of carol after", exposure("carol", { bought: 200 }))
      .failsWith("substitute_with_held_promises"),
  );
  rule("is not owed by the supplier itself: no promise is taken back", () =>
    cover()
      .change("held", { supplier: keyOf("alice") })
      .change("cover", { supplier: keyOf("alice") })
      .change("still held", { supplier: keyOf("alice") })
      .replace("exposure of alice", exposure("alice", { promised: 2_000 }))
      .replace("exposure of alice after", exposure("alice", { promised: 1_200 }))
      .failsWith("substitute_with_held_promises"),
  );
  rule("is not owed by the holder, who may use of its own promises only what it delivers", () =>
    cover()
      .change("held", { supplier: keyOf("bob") })
      .change("cover", { supplier: keyOf("bob") })
      .change("still held", { supplier: keyOf("bob") })
      .consumes("exposure of bob", exposure("bob", { promised: 1_000, bought: 1_500 }))
      .makes("exposure of bob after", exposure("bob", { promised: 1_000, bought: 700 }))
      .failsWith("substitute_not_with_the_holders_own"),
  );
  rule("claims at least as much", () => {
    claiming(SOLAR, SOLAR).verifies();
    claiming(SOLAR, { ...SOLAR, gramsCo2PerKwh: 30 }).verifies();
    claiming(null, SOLAR).verifies();
    claiming({ ...SOLAR, certifiedBy: null, origin: null }, SOLAR).verifies();
    for (const weaker of [
      null,
      { ...SOLAR, certifiedBy: null },
      { ...SOLAR, certifiedBy: keyOf("another agency") },
      { ...SOLAR, renewable: false },
      { ...SOLAR, source: "wind" as const },
      { ...SOLAR, origin: "feeder 4" },
      { ...SOLAR, gramsCo2PerKwh: 41 },
      { ...SOLAR, gramsCo2PerKwh: null },
    ])
      claiming(SOLAR, weaker).failsWith("substitute_claims_no_less");
    return claiming(SOLAR, null).failsWith("substitute_claims_no_less");
  });
});

describe("the promises after it", () => {
  rule("are the holder's and the supplier's, cut no more than they must be", () => {
    cover().change("cover", { claims: SOLAR }).failsWith("substitute_promises_follow");
    cover().change("cover", { promiseId: "promise of alice" }).failsWith("substitute_promises_follow");
    cover()
      .change("still sold", { energy: wattHours(400) })
      .makes("dust", promise("alice", 300, { owner: keyOf("bob") }))
      .failsWith("substitute_promises_follow");
    return cover()
      .change("still sold", { lock: { kind: "order", id: "offer" } })
      .failsWith("substitute_promises_follow");
  });
  rule("leave nobody with less", () =>
    cover()
      .change("cover", { owner: keyOf("carol") })
      .consumes("exposure of bob", exposure("bob", { bought: 1_500 }))
      .makes("exposure of bob after", exposure("bob", { bought: 700 }))
      .consumes("exposure of carol", exposure("carol"))
      .makes("exposure of carol after", exposure("carol", { bought: 800 }))
      .cites("carol", member("carol"))
      .failsWith("substitute_promises_follow"),
  );
});

describe("the deposit", () => {
  rule("is the supplier's, for the slot", () => {
    cover()
      .consumes("another", deposit("alice", 100, NEXT_SLOT))
      .change("deposit after", { amount: 720_100n as never })
      .failsWith("substitute_deposits_of_the_supplier");
    return cover().verifies();
  });
  rule("is all of it: none is left behind", () =>
    cover()
      .replace("deposit", deposit("alice", 1_199_999))
      .replace("deposit after", deposit("alice", 719_999))
      .failsWith("substitute_takes_all_deposits"),
  );
  rule("may be in several parts, which become one", () =>
    cover()
      .replace("deposit", deposit("alice", 1_000_000))
      .consumes("second deposit", deposit("alice", 200_000))
      .verifies(),
  );
  rule("still covers what is owed, to the micro", () => {
    cover()
      .replace("deposit after", deposit("alice", 719_999))
      .replace("released", funds("alice", 480_001))
      .failsWith("substitute_keeps_the_deposit");
    cover()
      .without("deposit after")
      .replace("released", funds("alice", 1_200_000))
      .failsWith("substitute_keeps_the_deposit");
    return coveringAll()
      .makes("deposit after", deposit("alice", 1))
      .replace("released", funds("alice", 479_999))
      .failsWith("substitute_keeps_the_deposit");
  });
  rule("goes back to the supplier and to nobody else", () =>
    cover().replace("released", funds("mallory", 480_000)).failsWith("substitute_releases_to_the_supplier"),
  );
});

describe("when, and by whom", () => {
  rule("before the gate", () => {
    cover()
      .until(GATE_MS + 1)
      .failsWith("substitute_before_gate");
    return cover().until(null).failsWith("substitute_before_gate");
  });
  rule("by a supplier that may act", () => {
    cover().without("alice").failsWith("substitute_supplier_may_act");
    return cover().change("alice", { standing: "suspended" }).failsWith("substitute_supplier_may_act");
  });
  rule("signed by the supplier or its delegate, within the mandate", () => {
    const delegated = (flows: typeof DELEGABLE_FLOWS, energyPerSlotMax: number): Draft =>
      cover()
        .notSignedBy("alice")
        .signedBy("agent")
        .cites("mandate", mandate("alice", "agent", { flows, energyPerSlotMax: wattHours(energyPerSlotMax) }));
    delegated(DELEGABLE_FLOWS, 800).verifies();
    delegated(DELEGABLE_FLOWS, 799).failsWith("substitute_authorised");
    delegated(["bid"] as never, 800).failsWith("substitute_authorised");
    return cover().notSignedBy("alice").signedBy("bob").failsWith("substitute_authorised");
  });
  rule("signed by the grid authority, who keeps the deposit", () =>
    cover().notSignedBy("grid authority").failsWith("substitute_signed_by_grid_authority"),
  );
  rule("signed by enough verifiers", () => {
    cover().notSignedBy("second verifier").failsWith("substitute_verified");
    return cover()
      .replace("verifier", verifier("verifier", { standing: "suspended" }))
      .failsWith("substitute_verified");
  });
});
