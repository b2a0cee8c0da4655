/** Clauses of creating power promises: each fails alone. And what an attacker would try. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { microsPerKwh, type SlotId, wattHours } from "#core";
import {
  CERTIFIED_SOLAR,
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
  SOLAR,
  VALID,
  type Verdict,
  verifier,
} from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

const create = VALID["create-promises"];

/** Alice promises `energy` with the right deposit and exposure. */
function promising(energy: number): Draft {
  return create()
    .change("promise", { energy: wattHours(energy) })
    .replace("deposit", deposit("alice", energy * 600))
    .replace("change", funds("alice", 5_000_000 - energy * 600))
    .replace("exposure of alice after", exposure("alice", { promised: energy }));
}

/** Two promises, one for each slot, each with its deposit. */
function promisingTwoSlots(): Draft {
  return create()
    .makes("next promise", promise("alice", 1_000, { promiseId: "next", slot: NEXT_SLOT }))
    .makes("next deposit", deposit("alice", 600_000, NEXT_SLOT))
    .replace("change", funds("alice", 3_200_000))
    .replace("exposure of alice after", exposure("alice", { promised: 2_000 }, { slot: NEXT_SLOT, promised: 1_000 }));
}

describe("create promises", () => {
  rule("verifies, for one slot and for two", () => {
    promisingTwoSlots().verifies();
    return create().verifies();
  });
  rule("makes some", () =>
    create()
      .without("promise", "deposit", "exposure of alice", "exposure of alice after")
      .replace("change", funds("alice", 5_000_000))
      .failsWith("promises_some"),
  );
  rule("makes the supplier its owner", () =>
    create()
      .change("promise", { owner: keyOf("bob") })
      .cites("bob", member("bob"))
      .consumes("exposure of bob", exposure("bob"))
      .makes("exposure of bob after", exposure("bob", { bought: 2_000 }))
      .failsWith("promises_of_the_supplier"),
  );
  rule("makes nobody else the supplier", () =>
    create()
      .change("promise", { supplier: keyOf("bob"), owner: keyOf("bob") })
      .cites("bob", member("bob"))
      .without("exposure of alice", "exposure of alice after")
      .consumes("exposure of bob", exposure("bob"))
      .makes("exposure of bob after", exposure("bob", { promised: 2_000 }))
      .failsWith("promises_of_the_supplier"),
  );
  rule("makes them free", () =>
    create()
      .change("promise", { lock: { kind: "order", id: "o" } })
      .failsWith("promises_new_and_free"),
  );
  rule("makes them unchecked: none is delivered before its slot", () =>
    create()
      .change("promise", { delivered: wattHours(2_000) })
      .failsWith("promises_new_and_free"),
  );
  rule("claims what it will, but certifies nothing", () => {
    create().change("promise", { claims: SOLAR }).verifies();
    return create().change("promise", { claims: CERTIFIED_SOLAR }).failsWith("promise_claims_uncertified");
  });
  rule("gives each an id of its own", () =>
    promisingTwoSlots().change("next promise", { promiseId: "promise of alice" }).failsWith("promise_ids_unique"),
  );
  rule("keeps to the slots of the network", () => {
    const slot = "2031-06-01T10:30Z/PT30M" as SlotId;
    return create()
      .change("promise", { slot })
      .change("deposit", { slot })
      .replace("exposure of alice after", exposure("alice", { slot, promised: 2_000 }))
      .failsWith("promise_slot_of_the_network");
  });
  rule("is neither insignificant", () => {
    promising(100).verifies();
    return promising(99).failsWith("promise_not_insignificant");
  });
  rule("nor unrealistic", () => {
    const great = { capacityPerSlot: wattHours(2_000_000) };
    const rich = funds("alice", 1_000_000_000);
    promising(1_000_000)
      .change("alice", great)
      .replace("funds", rich)
      .replace("change", funds("alice", 400_000_000))
      .verifies();
    return promising(1_000_001)
      .change("alice", great)
      .replace("funds", rich)
      .replace("change", funds("alice", 399_999_400))
      .failsWith("promise_not_unrealistic");
  });
  rule("is of a member who may supply", () =>
    create()
      .change("alice", { roles: ["consumer", "speculator"] })
      .failsWith("promise_by_supplying_role"),
  );
  rule("stays within the capacity of the member, with all that it promised before", () => {
    const before = exposure("alice", { promised: 18_000 });
    create()
      .replace("exposure of alice", before)
      .replace("exposure of alice after", exposure("alice", { promised: 20_000 }))
      .verifies();
    return create()
      .replace("exposure of alice", exposure("alice", { promised: 18_001 }))
      .replace("exposure of alice after", exposure("alice", { promised: 20_001 }))
      .failsWith("promise_within_capacity");
  });
  rule("stays within what the member can have stored, with all that it promised of the day", () => {
    const storage = { capacity: wattHours(1_500), powerPerSlot: wattHours(1_000), efficiencyPerMille: 900 };
    const stored = (): Draft => create().change("alice", { capacityPerSlot: wattHours(2_000), storage });
    stored().verifies();
    const withEarlier = (promised: number): Draft =>
      stored()
        .replace("exposure of alice", exposure("alice", { slot: NEXT_SLOT, promised }))
        .replace("exposure of alice after", exposure("alice", { promised: 2_000 }, { slot: NEXT_SLOT, promised }));
    withEarlier(1_500).verifies();
    return withEarlier(1_501).failsWith("promise_within_storage");
  });
  rule("is of a member who is not suspended", () =>
    create().change("alice", { standing: "suspended" }).failsWith("promise_supplier_may_act"),
  );
  rule("is made before the gate", () =>
    create()
      .until(GATE_MS + 1)
      .failsWith("promise_before_gate"),
  );
  rule("is made by a time that the notary can check", () => create().until(null).failsWith("promise_before_gate"));
  rule("has a deposit that covers emergency supply", () =>
    create()
      .replace("deposit", deposit("alice", 1_199_999))
      .replace("change", funds("alice", 3_800_001))
      .failsWith("promise_deposit_covers_emergency"),
  );
  rule("rounds the deposit up", () => {
    const odd = create().change("parameters", { emergencyPrice: microsPerKwh(600_001) });
    odd.copy().replace("deposit", deposit("alice", 1_200_002)).replace("change", funds("alice", 3_799_998)).verifies();
    return odd
      .change("promise", { energy: wattHours(2_001) })
      .replace("exposure of alice after", exposure("alice", { promised: 2_001 }))
      .replace("deposit", deposit("alice", 1_200_602)) // 2001 × 600.001 = 1,200,602.001
      .replace("change", funds("alice", 3_799_398))
      .failsWith("promise_deposit_covers_emergency");
  });
  rule("takes no money from the supplier", () =>
    create()
      .replace("change", funds("alice", 3_700_000))
      .makes("tip", funds("mallory", 100_000))
      .failsWith("promise_money_stays_with_supplier"),
  );
  rule("touches nobody else's funds, not even to give them back", () =>
    create()
      .consumes("of bob", funds("bob", 7))
      .makes("of bob again", funds("bob", 7))
      .failsWith("promise_funds_of_the_supplier"),
  );
  rule("is authorised by the supplier", () => create().notSignedBy("alice").failsWith("promise_authorised"));
  rule("is signed by the grid authority (algorithm A1)", () =>
    create().notSignedBy("grid authority").failsWith("promise_signed_by_grid_authority"),
  );
  rule("is signed by a quorum of the verifiers", () =>
    create().notSignedBy("second verifier").failsWith("promise_verified"),
  );
  rule("counts any verifiers of the network towards the quorum, and no others", () => {
    create()
      .notSignedBy("verifier")
      .signedBy("third verifier")
      .cites("third verifier", verifier("third verifier"))
      .verifies();
    return create()
      .notSignedBy("verifier")
      .signedBy("fourth verifier")
      .cites("fourth verifier", verifier("fourth verifier"))
      .failsWith("promise_verified");
  });
  rule("counts no verifier that is suspended", () =>
    create().change("verifier", { standing: "suspended" }).failsWith("promise_verified"),
  );
  rule("counts no verifier that lost the role", () =>
    create()
      .change("verifier", { roles: ["observer"] })
      .failsWith("promise_verified"),
  );
  rule("counts no verifier whose standing is not shown", () =>
    create().without("verifier").failsWith("promise_verified"),
  );

  test("law: any k of n verifiers in good standing do, and no fewer", () => {
    const names = ["a", "b", "c", "d", "e"].map((name) => `verifier ${name}`);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }).chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n }))),
        fc.subarray(names),
        fc.subarray(names),
        ([n, quorum], signing, suspended) => {
          const all = names.slice(0, n);
          const tx = create()
            .without("verifier", "second verifier")
            .notSignedBy("verifier", "second verifier")
            .change("parameters", { verifiers: all.map(keyOf), verifierQuorum: quorum })
            .signedBy(...signing);
          for (const name of names)
            tx.cites(name, verifier(name, { standing: suspended.includes(name) ? "suspended" : "good" }));
          const counted = signing.filter((name) => all.includes(name) && !suspended.includes(name));
          expect(tx.violations()).toEqual(counted.length >= quorum ? [] : ["promise_verified"]);
        },
      ),
    );
  });

  rule("is fine where one member is grid authority, verifier, payment provider and marketplace", () =>
    create()
      .without("verifier", "second verifier")
      .notSignedBy("verifier", "second verifier")
      .change("parameters", {
        verifiers: [keyOf("grid authority")],
        verifierQuorum: 1,
        paymentProvider: keyOf("grid authority"),
      })
      .cites("grid authority", member("grid authority", { roles: ["grid-authority", "verifier", "marketplace"] }))
      .verifies(),
  );
});

describe("promises without a deposit", () => {
  rule("no deposit at all", () =>
    create()
      .without("deposit")
      .replace("change", funds("alice", 5_000_000))
      .failsWith("promise_deposit_covers_emergency"),
  );
  rule("one deposit twice as high does not serve for two slots", () =>
    promisingTwoSlots()
      .without("next deposit")
      .replace("deposit", deposit("alice", 1_800_000))
      .failsWith("promise_deposit_covers_emergency"),
  );
  rule("two small deposits for one slot do not", () =>
    create()
      .replace("deposit", deposit("alice", 600_000))
      .makes("second", deposit("alice", 600_000))
      .failsWith("promise_deposit_covers_emergency"),
  );
  rule("an empty deposit for some other slot does not", () => {
    const elsewhere = "2031-06-01T11:00Z/PT15M" as SlotId;
    return promisingTwoSlots()
      .replace("next deposit", deposit("alice", 0, elsewhere))
      .replace("change", funds("alice", 3_800_000))
      .failsWith("promise_deposit_covers_emergency");
  });
  rule("a deposit in another's name does not", () =>
    create()
      .consumes("of bob", funds("bob", 1_200_000))
      .change("deposit", { supplier: keyOf("bob") })
      .replace("change", funds("alice", 5_000_000))
      .signedBy("bob")
      .failsWithAll("promise_deposit_covers_emergency", "promise_funds_of_the_supplier"),
  );
});

describe("under a mandate", () => {
  const delegated = (): Draft =>
    create().notSignedBy("alice").signedBy("agent").cites("mandate", mandate("alice", "agent"));
  rule("verifies", () => delegated().verifies());
  rule("not by another delegate", () =>
    delegated().notSignedBy("agent").signedBy("other agent").failsWith("promise_authorised"),
  );
  rule("not for another principal", () =>
    delegated().replace("mandate", mandate("bob", "agent")).failsWith("promise_authorised"),
  );
  rule("not for a flow that is not named", () =>
    delegated()
      .change("mandate", { flows: ["bid", "place-orders"] })
      .failsWith("promise_authorised"),
  );
  rule("not after it expires", () => {
    delegated().change("mandate", { expiresMs: GATE_MS }).verifies();
    return delegated()
      .change("mandate", { expiresMs: GATE_MS - 1 })
      .failsWith("promise_authorised");
  });
  rule("not beyond its limit", () => {
    delegated()
      .change("mandate", { energyPerSlotMax: wattHours(2_000) })
      .verifies();
    return delegated()
      .change("mandate", { energyPerSlotMax: wattHours(1_999) })
      .failsWith("promise_authorised");
  });
  rule("not beyond its limit by many small promises, one after the other", () =>
    delegated()
      .change("mandate", { energyPerSlotMax: wattHours(3_000) })
      .replace("exposure of alice", exposure("alice", { promised: 2_000 }))
      .replace("exposure of alice after", exposure("alice", { promised: 4_000 }))
      .failsWith("promise_authorised"),
  );
  rule("not for a suspended principal", () =>
    delegated().change("alice", { standing: "suspended" }).failsWith("promise_supplier_may_act"),
  );
});
