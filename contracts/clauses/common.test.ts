/** Clauses of every transaction: each fails alone, whatever the flow. */
import { describe, test } from "vitest";
import { microsPerKwh } from "#core";
import { funds, GATE_MS, keyOf, mandate, PARAMETERS, promise, transaction, VALID, type Verdict } from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

describe("network parameters", () => {
  rule("are cited", () => VALID["record-meters"]().without("parameters").failsWith("parameters_cited_once"));
  rule("are cited once", () => VALID["record-meters"]().cites("again", PARAMETERS).failsWith("parameters_cited_once"));
  rule("are made by genesis alone, and cited by nobody's genesis", () =>
    VALID.genesis().cites("others", PARAMETERS).failsWith("parameters_cited_once"),
  );
  rule("are not replaced by a flow for other things", () =>
    transaction((tx) => {
      tx.consumes("parameters", PARAMETERS).cites("more", PARAMETERS);
      tx.makes("mine", { ...PARAMETERS, emergencyPrice: microsPerKwh(0) }).makes("funds", funds("alice", 1));
      tx.command({ tag: "issue-funds" }).signedBy("payment provider");
      tx.tweak((bad) => bad.without("mine").failsWith("consumes_only_kinds_of_the_flow"));
      return tx.without("parameters", "mine").verifies();
    }),
  );
});

describe("notary", () => {
  rule("is one of the network's", () =>
    VALID["redeem-funds"]().notarisedBy("stranger").failsWith("notary_is_of_the_network"),
  );
  rule("governs what is consumed", () =>
    VALID["redeem-funds"]().governedBy("funds", "other notary").failsWith("states_governed_by_the_notary"),
  );
  rule("governs what is cited", () =>
    VALID["redeem-funds"]().governedBy("parameters", "other notary").failsWith("states_governed_by_the_notary"),
  );
});

describe("kinds of states", () => {
  rule("what is consumed belongs to the flow", () =>
    VALID["record-meters"]()
      .consumes("mandate", mandate("alice", "agent"))
      .failsWith("consumes_only_kinds_of_the_flow"),
  );
  rule("what is cited belongs to the flow", () =>
    VALID["record-meters"]().cites("mandate", mandate("alice", "agent")).failsWith("cites_only_kinds_of_the_flow"),
  );
  rule("what is made belongs to the flow: nothing is smuggled in", () =>
    VALID["record-meters"]().makes("mandate", mandate("alice", "thief")).failsWith("makes_only_kinds_of_the_flow"),
  );
});

describe("window", () => {
  const WEEK_MS = 7 * 86_400_000;
  rule("lasts a week at most", () =>
    VALID["issue-funds"]()
      .from(GATE_MS)
      .until(GATE_MS + WEEK_MS)
      .verifies(),
  );
  rule("not a millisecond longer", () =>
    VALID["issue-funds"]()
      .from(GATE_MS)
      .until(GATE_MS + WEEK_MS + 1)
      .failsWith("window_not_too_long"),
  );
  rule("is not empty", () => VALID["issue-funds"]().from(GATE_MS).until(GATE_MS).failsWith("window_not_too_long"));
  rule("does not run backwards", () =>
    VALID["issue-funds"]()
      .from(GATE_MS)
      .until(GATE_MS - 1)
      .failsWith("window_not_too_long"),
  );
});

describe("money", () => {
  rule("does not appear", () =>
    VALID["create-promises"]().change("change", funds("alice", 3_800_001)).failsWith("money_conserved"),
  );
  rule("does not vanish", () =>
    VALID["create-promises"]().change("change", funds("alice", 3_799_999)).failsWith("money_conserved"),
  );
  rule("is positive where it is issued", () =>
    VALID["issue-funds"]().change("funds", funds("alice", 0)).failsWith("funds_positive"),
  );
  rule("is not negative: nobody is issued a debt", () =>
    VALID["issue-funds"]().makes("debt", funds("bob", -1_000)).failsWith("funds_positive"),
  );
  rule("is not negative: no payment out of nothing", () =>
    VALID["redeem-funds"]()
      .makes("debt", funds("alice", -10_000_000))
      .makes("more", funds("alice", 10_000_000))
      .failsWith("funds_positive"),
  );
});

describe("promises", () => {
  rule("without energy litter the ledger", () =>
    VALID["create-auction"]().makes("nothing", promise("alice", 0)).failsWith("promise_energy_positive"),
  );
  rule("without energy are nobody's gift", () =>
    VALID["clear-pool"]()
      .makes("nothing", promise("alice", 0, { owner: keyOf("mallory") }))
      .failsWith("promise_energy_positive"),
  );
});
