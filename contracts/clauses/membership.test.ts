/** Clauses of genesis, membership, funds, tariffs and mandates: each fails alone. */
import { describe, test } from "vitest";
import { microsPerKwh, type PublicKey, wattHours } from "#core";
import {
  DAY,
  exposureIndex,
  funds,
  keyOf,
  mandate,
  member,
  PARAMETERS,
  SLOT_START_MS,
  tariff,
  VALID,
  type Verdict,
} from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

describe("genesis", () => {
  const { genesis } = VALID;
  rule("verifies", () => genesis().verifies());
  rule("is signed by the grid authority", () =>
    genesis().notSignedBy("grid authority").failsWith("genesis_signed_by_grid_authority"),
  );
  rule("gives each member an index", () =>
    genesis().without("index of alice").failsWith("genesis_members_have_an_index"),
  );
  rule("gives nobody two indexes: a day could be opened twice", () =>
    genesis().makes("second", exposureIndex("alice")).failsWith("genesis_members_have_an_index"),
  );
  rule("gives an index in which no day is opened", () =>
    genesis()
      .replace("index of alice", exposureIndex("alice", "2031-06-01"))
      .failsWith("genesis_members_have_an_index"),
  );
  rule("names each member once", () =>
    genesis().change("alice", { name: "marketplace" }).failsWith("genesis_members_are_unique"),
  );
  rule("caps speculators", () =>
    genesis()
      .change("alice", { roles: ["speculator"] })
      .failsWith("genesis_speculators_have_a_cap"),
  );
  rule("has no negative fee: nobody could be paid it", () =>
    genesis()
      .change("marketplace", { marketFee: microsPerKwh(-1) })
      .failsWith("genesis_fees_not_negative"),
  );

  const twice: readonly PublicKey[] = [keyOf("verifier"), keyOf("verifier")];
  test.each([
    ["no least promise", { promiseMin: wattHours(0) }],
    ["a least promise above the greatest", { promiseMin: wattHours(2_000_000) }],
    ["a quorum that cannot be reached", { verifierQuorum: 4 }],
    ["a quorum of nobody", { verifierQuorum: 0 }],
    ["one verifier counted twice", { verifiers: twice }],
    ["one notary named twice", { notaries: [keyOf("notary"), keyOf("notary")] }],
    ["an empty price band", { priceMin: microsPerKwh(2), priceMax: microsPerKwh(1) }],
    ["a deposit that does not cover the grid fee", { emergencyPrice: microsPerKwh(9_999) }],
    ["a negative grid fee", { gridFee: microsPerKwh(-1) }],
    ["bids that need not rise", { bidRiseMin: microsPerKwh(0) }],
    ["a time zone that nobody knows", { timeZone: "Mars/Olympus" }],
    ["a gate after the slot's start", { gateLeadMs: -1 }],
  ])("parameters are sound: not %s", (_what, patch) => {
    genesis().change("parameters", patch).failsWith("genesis_parameters_sound");
  });
});

describe("join", () => {
  const { join } = VALID;
  rule("verifies", () => join().verifies());
  rule("is signed by the grid authority", () =>
    join().notSignedBy("grid authority").failsWith("join_signed_by_grid_authority"),
  );
  rule("is signed by each member", () => join().notSignedBy("carol").failsWith("join_signed_by_the_member"));
  rule("makes members", () =>
    join().without("alice", "index of alice", "carol", "index of carol").failsWith("join_makes_members"),
  );
  rule("gives each member an index", () => join().without("index of alice").failsWith("join_members_have_an_index"));
  rule("gives the index to the member", () =>
    join().replace("index of alice", exposureIndex("mallory")).failsWith("join_members_have_an_index"),
  );
  rule("names each member once", () => join().change("carol", { name: "alice" }).failsWith("join_members_are_unique"));
  rule("gives each key to one member", () =>
    join()
      .makes("alice again", member("alice", { name: "alice again" }))
      .makes("second index", exposureIndex("alice"))
      .failsWith("join_members_are_unique"),
  );
  rule("starts in good standing", () =>
    join().change("alice", { standing: "probation" }).failsWith("join_in_good_standing"),
  );
  rule("caps speculators", () =>
    join().change("carol", { holdingCapPerSlot: null }).failsWith("join_speculator_has_a_cap"),
  );
  rule("has no negative fee", () =>
    join()
      .change("alice", { marketFee: microsPerKwh(-1) })
      .failsWith("join_fees_not_negative"),
  );
});

describe("amend member", () => {
  const amend = VALID["amend-member"];
  rule("verifies", () => amend().verifies());
  rule("changes one member", () => amend().consumes("bob", member("bob")).failsWith("amend_one_member"));
  rule("makes one member", () => amend().makes("copy", member("alice")).failsWith("amend_one_member"));
  rule("keeps the key", () =>
    amend()
      .change("after", { key: keyOf("mallory") })
      .failsWith("amend_keeps_identity"),
  );
  rule("keeps the name", () => amend().change("after", { name: "mallory" }).failsWith("amend_keeps_identity"));
  rule("is signed by the grid authority: nobody lifts its own suspension", () =>
    amend()
      .change("before", { standing: "suspended" })
      .change("after", { standing: "good" })
      .notSignedBy("grid authority")
      .signedBy("alice")
      .failsWith("amend_signed_by_grid_authority"),
  );
  rule("caps speculators", () =>
    amend()
      .change("after", { roles: ["speculator"] })
      .failsWith("amend_speculator_has_a_cap"),
  );
  rule("has no negative fee", () =>
    amend()
      .change("after", { marketFee: microsPerKwh(-1) })
      .failsWith("amend_fee_not_negative"),
  );
});

describe("issue funds", () => {
  const issue = VALID["issue-funds"];
  rule("verifies", () => issue().verifies());
  rule("is signed by the payment provider", () =>
    issue().notSignedBy("payment provider").signedBy("alice").failsWith("issue_signed_by_payment_provider"),
  );
  rule("makes funds", () => issue().without("funds").failsWith("issue_makes_funds"));
});

describe("redeem funds", () => {
  const redeem = VALID["redeem-funds"];
  rule("verifies", () => redeem().verifies());
  rule("is signed by the payment provider", () =>
    redeem().notSignedBy("payment provider").failsWith("redeem_signed_by_payment_provider"),
  );
  rule("is signed by the owner", () =>
    redeem().notSignedBy("alice").signedBy("mallory").failsWith("redeem_signed_by_the_owner"),
  );
  rule("takes money out", () =>
    redeem().change("change", funds("alice", 5_000_000)).failsWith("redeem_takes_money_out"),
  );
  rule("gives change to the owner", () =>
    redeem().change("change", funds("mallory", 1_000_000)).failsWith("redeem_change_stays_with_the_owner"),
  );
  rule("redeems for one owner", () =>
    redeem().consumes("of bob", funds("bob", 1)).signedBy("bob").failsWith("redeem_change_stays_with_the_owner"),
  );
});

describe("publish tariff", () => {
  const publish = VALID["publish-tariff"];
  rule("verifies, for days of 23, 24 and 25 hours", () => {
    for (const day of ["2031-03-30", "2031-06-01", "2031-10-26"] as (typeof DAY)[])
      publish()
        .replace("before", tariff(day))
        .replace("after", tariff(day))
        .changeCommand({ day })
        .until(1_900_000_000_000)
        .verifies();
    return publish().without("before").verifies();
  });
  rule("makes one tariff", () => publish().makes("second", tariff()).failsWith("tariff_one"));
  rule("makes the tariff of the day that the command names", () =>
    publish()
      .without("before")
      .changeCommand({ day: "2031-06-02" as typeof DAY })
      .replace("after", tariff("2031-06-02" as typeof DAY, { day: DAY }))
      .failsWith("tariff_one"),
  );
  rule("replaces the same day", () =>
    publish()
      .replace("before", tariff("2031-06-02" as typeof DAY))
      .failsWith("tariff_replaces_the_same_day"),
  );
  rule("is signed by the power company", () =>
    publish().notSignedBy("power company").signedBy("alice").failsWith("tariff_signed_by_power_company"),
  );
  rule("covers the whole day", () => {
    const { slots, feedIn, retail } = tariff();
    const short = { slots: slots.slice(0, -1), feedIn: feedIn.slice(0, -1), retail: retail.slice(0, -1) };
    return publish().change("after", short).failsWith("tariff_covers_the_day");
  });
  rule("keeps feed-in below retail", () =>
    publish()
      .change("after", { feedIn: tariff().slots.map((_, index) => microsPerKwh(index === 95 ? 310_001 : 0)) })
      .failsWith("tariff_feed_in_below_retail"),
  );
  rule("is published ahead", () => publish().until(SLOT_START_MS).failsWith("tariff_published_ahead"));
});

describe("grant mandate", () => {
  const grant = VALID["grant-mandate"];
  rule("verifies, with and without one to replace", () => {
    grant().without("before").verifies();
    return grant().verifies();
  });
  rule("grants one", () => grant().makes("second", mandate("alice", "other agent")).failsWith("mandate_one"));
  rule("is signed by the principal, not by the delegate", () =>
    grant().notSignedBy("alice").signedBy("agent").failsWith("mandate_signed_by_the_principal"),
  );
  rule("replaces a mandate of the principal", () =>
    grant()
      .replace("before", mandate("bob", "agent", { mandateId: "mandate of alice" }))
      .failsWith("mandate_replaces_own_only"),
  );
  rule("replaces the mandate of the same id", () =>
    grant().change("before", { mandateId: "another" }).failsWith("mandate_replaces_own_only"),
  );
  rule("is granted by a member", () => grant().without("alice").failsWith("mandate_principal_is_member"));
  rule("is granted by a member who may act", () =>
    grant().change("alice", { standing: "suspended" }).failsWith("mandate_principal_is_member"),
  );
  rule("is granted to another", () =>
    grant()
      .change("mandate", { delegate: keyOf("alice") })
      .failsWith("mandate_delegate_is_another"),
  );
});

describe("revoke mandate", () => {
  const revoke = VALID["revoke-mandate"];
  rule("verifies", () => revoke().verifies());
  rule("revokes one", () =>
    revoke().consumes("second", mandate("alice", "other agent")).failsWith("revoke_one_mandate"),
  );
  rule("is signed by the principal: the delegate cannot stop it, nor do it", () =>
    revoke().notSignedBy("alice").signedBy("agent").failsWith("revoke_signed_by_the_principal"),
  );
});

test("the parameters of the tests are those of a sound network", () => {
  VALID.genesis().replace("parameters", PARAMETERS).verifies();
});
