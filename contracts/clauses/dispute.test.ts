/** Clauses of disputes, votes on them and their decision: each fails alone. */
import { describe, test } from "vitest";
import { hashOf, wattHours } from "#core";
import {
  type Draft,
  dispute,
  disputeVote,
  keyOf,
  NEXT_SLOT,
  PARAMETERS,
  reading,
  SLOT_END_MS,
  slotSettlement,
  VALID,
  type Verdict,
} from "#testkit";

const CORRECTABLE_MS = SLOT_END_MS + PARAMETERS.correctionMs;
const DISPUTE = dispute("alice", 1_900, 300);

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

describe("raise a dispute", () => {
  const raise = VALID["raise-dispute"];
  rule("verifies", () => raise().verifies());
  rule("is one", () => {
    raise().makes("second", DISPUTE).failsWith("raise_one");
    return raise().changeCommand({ disputeId: "another" }).failsWith("raise_one");
  });
  rule("is on a member's slot", () => raise().without("alice").failsWith("raise_on_a_member"));
  rule("is by the member or the power company", () => {
    raise()
      .change("dispute", { raisedBy: keyOf("power company") })
      .notSignedBy("alice")
      .signedBy("power company")
      .verifies();
    return raise()
      .change("dispute", { raisedBy: keyOf("bob") })
      .signedBy("bob")
      .failsWith("raise_by_a_party");
  });
  rule("is after the slot", () =>
    raise()
      .from(SLOT_END_MS - 1)
      .failsWith("raise_after_the_slot"),
  );
  rule("is in time", () => {
    raise().until(CORRECTABLE_MS).verifies();
    return raise()
      .until(CORRECTABLE_MS + 1)
      .failsWith("raise_in_time");
  });
  rule("is signed by who raises it", () =>
    raise().notSignedBy("alice").signedBy("power company").failsWith("raise_signed_by_the_party"),
  );
});

describe("vote on a dispute", () => {
  const vote = VALID["vote-dispute"];
  rule("verifies, the first time and again", () => {
    vote().without("before").verifies();
    return vote().verifies();
  });
  rule("is one", () =>
    vote()
      .makes("second", disputeVote("verifier", DISPUTE, 1_800, 300))
      .failsWith("dispute_vote_one"),
  );
  rule("is the voter's, on this dispute", () => {
    vote()
      .change("before", { voter: keyOf("second verifier") })
      .failsWith("dispute_vote_of_the_voter");
    return vote().change("vote", { disputeId: "another" }).failsWith("dispute_vote_of_the_voter");
  });
  rule("is on a dispute that is open", () => {
    vote().without("dispute").failsWith("dispute_vote_on_an_open_dispute");
    return vote()
      .replace("dispute", dispute("bob", 1, 1))
      .failsWith("dispute_vote_on_an_open_dispute");
  });
  rule("is a verifier's that may act", () => {
    vote().change("verifier", { standing: "suspended" }).failsWith("dispute_vote_by_a_verifier");
    vote().without("verifier").failsWith("dispute_vote_by_a_verifier");
    return vote()
      .replace("parameters", { ...PARAMETERS, verifiers: [keyOf("second verifier"), keyOf("third verifier")] })
      .failsWith("dispute_vote_by_a_verifier");
  });
  rule("is signed by the voter", () =>
    vote().notSignedBy("verifier").signedBy("alice").failsWith("dispute_vote_signed_by_the_voter"),
  );
});

describe("decide a dispute", () => {
  const decide = VALID["decide-dispute"];
  /** Most verifiers hold the meter to be right. */
  const keep = (): Draft =>
    decide()
      .change("second vote", { produced: wattHours(1_800) })
      .without("before", "after")
      .cites("before", reading("alice", 1_800, 300));
  /** The slot was settled by the reading that is disputed. */
  const settled = (): Draft =>
    decide()
      .without("before")
      .cites("before", slotSettlement("alice", { produced: 1_800, consumed: 300 }));

  rule("verifies: for another reading, before and after the settlement, and for the one that was made", () => {
    decide().verifies();
    settled().verifies();
    settled()
      .change("second vote", { produced: wattHours(1_800) })
      .without("after")
      .verifies();
    return keep().verifies();
  });
  rule("makes the first reading where operators never agreed", () =>
    decide().without("before").change("after", { revision: 0 }).verifies(),
  );
  rule("decides the dispute that it names", () => {
    decide().changeCommand({ disputeId: "another" }).failsWithAll("decide_one_dispute", "decide_votes_of_the_dispute");
    return decide()
      .consumes("second", dispute("bob", 1, 1))
      .failsWith("decide_one_dispute");
  });
  rule("counts votes on this dispute", () =>
    decide().change("third vote", { disputeId: "another" }).failsWith("decide_votes_of_the_dispute"),
  );
  rule("counts each verifier once", () =>
    decide()
      .change("third vote", { voter: keyOf("verifier") })
      .failsWith("decide_one_vote_per_verifier"),
  );
  rule("is by more than half of the verifiers", () => {
    const minority = (): Draft => decide().change("second vote", { produced: wattHours(1_901) });
    minority().failsWithAll("decide_by_most_verifiers", "decide_makes_the_reading");
    return minority().without("before", "after").failsWith("decide_by_most_verifiers");
  });
  rule("counts no vote of who is no verifier, is not cited, or is suspended", () => {
    const lacks = (draft: Draft): Verdict => draft.without("before", "after").failsWith("decide_by_most_verifiers");
    lacks(decide().change("second vote", { voter: keyOf("mallory") }));
    lacks(decide().without("second verifier"));
    return lacks(decide().change("second verifier", { standing: "suspended" }));
  });
  rule("is in time", () => {
    decide().until(CORRECTABLE_MS).verifies();
    return decide()
      .until(CORRECTABLE_MS + 1)
      .failsWith("decide_in_time");
  });
  rule("closes without a reading what was not decided in time, whatever the votes say", () => {
    const late = (): Draft =>
      decide()
        .from(CORRECTABLE_MS)
        .until(CORRECTABLE_MS + 60_000);
    late().failsWith("decide_makes_the_reading");
    return late().without("before", "after", "third vote").verifies();
  });
  rule("replaces the reading of the dispute", () => {
    decide()
      .consumes("of bob", reading("bob", 1, 1))
      .failsWith("decide_replaces_what_was_read");
    return decide()
      .consumes("of the next slot", reading("alice", 1, 1, NEXT_SLOT))
      .failsWith("decide_replaces_what_was_read");
  });
  test.each([
    ["another value", { produced: wattHours(1_800) }],
    ["another consumption", { consumed: wattHours(0) }],
    ["another member", { member: keyOf("bob") }],
    ["another slot", { slot: NEXT_SLOT }],
    ["the same revision", { revision: 0 }],
    ["operators that agreed", { agreed: [keyOf("first meter")] }],
    ["operators that did not", { disagreed: [keyOf("first meter")] }],
  ])("makes the reading that was voted for: not %s", (_what, patch) => {
    decide().change("after", patch).failsWith("decide_makes_the_reading");
  });
  rule("makes no reading beside one that it leaves", () => {
    decide()
      .without("before")
      .cites("before", reading("alice", 1_800, 300))
      .failsWith("decide_makes_the_reading");
    keep()
      .makes("after", reading("alice", 1_800, 300))
      .failsWith("decide_makes_the_reading");
    return decide().without("after").failsWith("decide_makes_the_reading");
  });
  rule("is signed by the grid authority", () =>
    decide().notSignedBy("grid authority").signedBy("verifier").failsWith("decide_signed_by_grid_authority"),
  );
});

test("evidence is a hash: the page itself stays off the ledger", () => {
  VALID["raise-dispute"]()
    .change("dispute", { evidence: hashOf("another photograph of the meter") })
    .verifies();
});
