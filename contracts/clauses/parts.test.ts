/** Clauses of splitting and merging promises: each fails alone. Neither changes what is owed, nor says more than was said. */
import { describe, test } from "vitest";
import { wattHours } from "#core";
import {
  type Draft,
  GATE_MS,
  keyOf,
  mandate,
  member,
  NEXT_SLOT,
  promise,
  SLOT_START_MS,
  VALID,
  type Verdict,
} from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

const split = VALID["split-promise"];
const merge = VALID["merge-promises"];
const HELD = { owner: keyOf("alice") };

describe("a split", () => {
  rule("verifies, into two parts or more, of an own promise or a bought one", () => {
    split()
      .replace("rest", promise("bob", 300, HELD))
      .makes("third", promise("bob", 200, HELD))
      .verifies();
    split()
      .replace("whole", promise("alice", 2_000))
      .replace("part", promise("alice", 1_500))
      .replace("rest", promise("alice", 500))
      .verifies();
    return split().verifies();
  });
  rule("is of one promise", () =>
    split()
      .consumes("another", promise("bob", 400, HELD))
      .makes("another after", promise("bob", 400, HELD))
      .failsWith("split_one_promise"),
  );
  rule("is of a promise of the owner's", () =>
    split()
      .change("whole", { owner: keyOf("carol") })
      .failsWith("split_of_own_free_promise"),
  );
  rule("is of a free promise", () => {
    split()
      .change("whole", { lock: { kind: "order", id: "offer" } })
      .failsWith("split_of_own_free_promise");
    return split()
      .change("whole", { delivered: wattHours(1_000) })
      .change("part", { delivered: wattHours(1_000) })
      .change("rest", { delivered: wattHours(1_000) })
      .failsWith("split_of_own_free_promise");
  });
  rule("makes two parts at least", () =>
    split()
      .without("rest")
      .replace("part", promise("bob", 2_000, HELD))
      .failsWith("split_into_parts"),
  );
  rule("gives no part away", () =>
    split()
      .change("rest", { owner: keyOf("mallory") })
      .failsWith("split_keeps_owner"),
  );
  rule("locks no part", () =>
    split()
      .change("rest", { lock: { kind: "auction", id: "auction" } })
      .failsWith("split_locks_nothing"),
  );
  rule("conserves energy, lineage, supplier, slot and claims", () => {
    const claims = { source: "wind", renewable: true, origin: null, gramsCo2PerKwh: null, certifiedBy: null } as const;
    for (const patch of [
      { energy: wattHours(501) },
      { energy: wattHours(499) },
      { promiseId: "another" },
      { supplier: keyOf("dave") },
      { slot: NEXT_SLOT },
      { claims },
    ])
      split().change("rest", patch).failsWith("split_promises_conserved");
    return split()
      .change("whole", { claims })
      .change("part", { claims })
      .change("rest", { claims: { ...claims, certifiedBy: keyOf("agency") } })
      .failsWith("split_promises_conserved");
  });
  rule("makes no insignificant part: nobody grinds a promise to dust", () => {
    split()
      .replace("part", promise("bob", 1_900, HELD))
      .replace("rest", promise("bob", 100, HELD))
      .verifies();
    return split()
      .replace("part", promise("bob", 1_901, HELD))
      .replace("rest", promise("bob", 99, HELD))
      .failsWith("split_not_insignificant");
  });
  rule("is before the gate", () => {
    split().until(SLOT_START_MS).failsWith("split_before_gate");
    return split().until(null).failsWith("split_before_gate");
  });
  rule("is by a member that may act", () => {
    split().change("alice", { standing: "suspended" }).failsWith("split_owner_may_act");
    return split().without("alice").failsWith("split_owner_may_act");
  });
  rule("is signed by the owner, or by a delegate whose mandate names it", () => {
    split().notSignedBy("alice").signedBy("mallory").failsWith("split_authorised");
    delegated(split(), "split-promise").verifies();
    return delegated(split(), "merge-promises").failsWith("split_authorised");
  });
});

function delegated(tx: Draft, flow: "split-promise" | "merge-promises"): Draft {
  return tx
    .notSignedBy("alice")
    .signedBy("agent")
    .cites("mandate", mandate("alice", "agent", { flows: [flow] }));
}

describe("a merge", () => {
  rule("verifies, of promises of several lineages or of one", () => {
    merge()
      .change("second", { promiseId: "promise of bob" })
      .change("whole", { promiseId: "promise of bob" })
      .changeCommand({ promiseId: "promise of bob" })
      .verifies();
    return merge().verifies();
  });
  rule("is of two promises at least", () =>
    merge()
      .without("second")
      .replace("first", promise("bob", 2_000, HELD))
      .replace("whole", promise("bob", 2_000, HELD))
      .changeCommand({ promiseId: "promise of bob" })
      .failsWith("merge_some_promises"),
  );
  rule("is of the owner's promises", () =>
    merge()
      .change("second", { owner: keyOf("carol") })
      .failsWith("merge_of_own_free_promises"),
  );
  rule("is of free promises", () => {
    merge()
      .change("second", { delivered: wattHours(0) })
      .failsWith("merge_of_own_free_promises");
    return merge()
      .change("second", { lock: { kind: "order", id: "offer" } })
      .failsWith("merge_of_own_free_promises");
  });
  rule("is of promises of one supplier and slot", () => {
    merge().change("second", { slot: NEXT_SLOT }).failsWith("merge_of_one_supplier_and_slot");
    return merge()
      .change("second", { supplier: keyOf("dave") })
      .failsWith("merge_of_one_supplier_and_slot");
  });
  rule("makes one promise", () =>
    merge()
      .makes("another", promise("bob", 100, HELD))
      .failsWith("merge_into_one"),
  );
  rule("keeps owner, supplier and slot, and stays free", () => {
    for (const patch of [
      { owner: keyOf("mallory") },
      { supplier: keyOf("alice") },
      { slot: NEXT_SLOT },
      { lock: { kind: "order", id: "offer" } as const },
      { delivered: wattHours(2_000) },
    ])
      merge().change("whole", patch).failsWith("merge_keeps_the_parties");
    return merge().verifies();
  });
  rule("conserves energy", () => {
    merge()
      .change("whole", { energy: wattHours(2_001) })
      .failsWith("merge_conserves_energy");
    return merge()
      .change("whole", { energy: wattHours(1_999) })
      .failsWith("merge_conserves_energy");
  });
  rule("claims of the whole what is claimed of each, and no more", () => {
    const claims = { source: "solar", renewable: true, origin: null, gramsCo2PerKwh: 60, certifiedBy: null } as const;
    for (const more of [
      { ...claims, origin: "feeder 3" },
      { ...claims, gramsCo2PerKwh: 40 },
      { ...claims, certifiedBy: keyOf("agency") },
      null,
    ])
      merge().change("whole", { claims: more }).failsWith("merge_claims_no_more");
    return merge().verifies();
  });
  rule("grafts no certificate on what was not certified", () => {
    const certified = {
      source: "solar",
      renewable: true,
      origin: "feeder 3",
      gramsCo2PerKwh: 40,
      certifiedBy: keyOf("agency"),
    } as const;
    const graft = merge().change("first", { claims: certified });
    graft.copy().verifies();
    return graft
      .change("whole", {
        claims: { source: "solar", renewable: true, origin: null, gramsCo2PerKwh: 60, certifiedBy: keyOf("agency") },
      })
      .failsWith("merge_claims_no_more");
  });
  rule("gives a mixture a lineage of its own, and parts of one lineage keep it", () => {
    merge().change("whole", { promiseId: "other" }).failsWith("merge_keeps_lineage");
    merge()
      .change("whole", { promiseId: "promise of bob" })
      .changeCommand({ promiseId: "promise of bob" })
      .failsWith("merge_keeps_lineage");
    return merge().change("second", { promiseId: "promise of bob" }).failsWith("merge_keeps_lineage");
  });
  rule("is before the gate", () =>
    merge()
      .until(GATE_MS + 1)
      .failsWith("merge_before_gate"),
  );
  rule("is by a member that may act", () =>
    merge()
      .replace("alice", member("alice", { standing: "suspended" }))
      .failsWith("merge_owner_may_act"),
  );
  rule("is signed by the owner, or by a delegate whose mandate names it", () => {
    merge().notSignedBy("alice").signedBy("bob").failsWith("merge_authorised");
    delegated(merge(), "merge-promises").verifies();
    return delegated(merge(), "split-promise").failsWith("merge_authorised");
  });
});
