/** Clauses of genesis, membership, funds, tariffs and mandates: each fails alone. */
import { describe, test } from "vitest";
import type { ObserverGrant } from "#contracts";
import { microsPerKwh, type PublicKey, wattHours } from "#core";
import {
  AGENCY,
  agencyRecord,
  amendMemberByVotes,
  DAY,
  type Draft,
  exposureIndex,
  funds,
  keyOf,
  mandate,
  member,
  PARAMETERS,
  redemption,
  SLOT_START_MS,
  standingVote,
  tariff,
  VALID,
  type Verdict,
  verifier,
} from "#testkit";

const STORAGE = { capacity: wattHours(10_000), powerPerSlot: wattHours(1_000), efficiencyPerMille: 900 };

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
  rule("gives a storage provider its storage, and no storage that gives back more than it took", () => {
    const storage = { capacity: wattHours(9_000), powerPerSlot: wattHours(20_000), efficiencyPerMille: 1_000 };
    genesis()
      .change("alice", { roles: ["storage-provider"], storage })
      .verifies();
    genesis()
      .change("alice", { roles: ["prosumer", "storage-provider"] })
      .failsWith("genesis_storage_sound");
    genesis()
      .change("alice", { storage: { ...storage, efficiencyPerMille: 1_001 } })
      .failsWith("genesis_storage_sound");
    return genesis()
      .change("alice", { storage: { ...storage, powerPerSlot: wattHours(20_001) } })
      .failsWith("genesis_storage_sound");
  });
  rule("gives an agency an empty record", () => {
    const founded = (): Draft => genesis().makes("agency", AGENCY).makes("index of agency", exposureIndex("agency"));
    founded().makes("record", agencyRecord(0, 0)).verifies();
    founded().makes("record", agencyRecord(1_000, 0)).failsWith("genesis_agencies_have_a_record");
    return founded().failsWith("genesis_agencies_have_a_record");
  });

  const METER = keyOf("first meter");
  const REGULATOR: ObserverGrant = { key: keyOf("regulator"), sees: ["deposit"] };
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
    ["a grace period that has gone before", { settlementGraceMs: -1 }],
    ["one observer granted twice", { observers: [REGULATOR, REGULATOR] }],
    ["one meter operator named twice", { meterOperators: [METER, METER], meterQuorum: 2 }],
    ["half of the meter operators as a quorum", { meterOperators: [METER, keyOf("second meter")], meterQuorum: 1 }],
    ["more meter operators needed than there are", { meterOperators: [METER], meterQuorum: 2 }],
    ["a quorum of no meter operators", { meterQuorum: 1 }],
    ["meter operators without a quorum", { meterOperators: [METER] }],
    ["a time for corrections that has gone before", { correctionMs: -1 }],
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
  rule("gives a storage provider its storage, and no storage that gives back more than it took", () => {
    const storage = { capacity: wattHours(9_000), powerPerSlot: wattHours(20_000), efficiencyPerMille: 1_000 };
    join()
      .change("alice", { roles: ["storage-provider"], storage })
      .verifies();
    join()
      .change("alice", { roles: ["prosumer", "storage-provider"] })
      .failsWith("join_storage_sound");
    join()
      .change("alice", { storage: { ...storage, efficiencyPerMille: 1_001 } })
      .failsWith("join_storage_sound");
    return join()
      .change("alice", { storage: { ...storage, powerPerSlot: wattHours(20_001) } })
      .failsWith("join_storage_sound");
  });
  rule("gives an agency one record, and nobody else", () => {
    const joining = (): Draft =>
      join().makes("agency", AGENCY).makes("index of agency", exposureIndex("agency")).signedBy("agency");
    joining().makes("record", agencyRecord(0, 0)).verifies();
    joining().failsWith("join_agencies_have_a_record");
    joining()
      .makes("record", agencyRecord(0, 0))
      .makes("second", agencyRecord(0, 0))
      .failsWith("join_agencies_have_a_record");
    joining()
      .makes("record", agencyRecord(0, 0, keyOf("alice")))
      .failsWith("join_agencies_have_a_record");
    return joining().makes("record", agencyRecord(9, 0)).failsWith("join_agencies_have_a_record");
  });
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
  rule("keeps the aggregator: the member alone chooses it", () =>
    amend()
      .change("after", { servedBy: keyOf("aggregator") })
      .failsWith("amend_keeps_the_host"),
  );
  rule("is signed by the grid authority: nobody lifts its own suspension", () =>
    amend()
      .change("before", { standing: "suspended" })
      .change("after", { standing: "good" })
      .notSignedBy("grid authority")
      .signedBy("alice")
      .failsWith("amend_by_grid_authority_or_quorum"),
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
  rule("gives a storage provider its storage, and no storage that gives back more than it took", () => {
    const storage = { capacity: wattHours(9_000), powerPerSlot: wattHours(20_000), efficiencyPerMille: 1_000 };
    amend()
      .change("after", { roles: ["storage-provider"], storage })
      .verifies();
    amend()
      .change("after", { roles: ["prosumer", "storage-provider"] })
      .failsWith("amend_storage_sound");
    amend()
      .change("after", { storage: { ...storage, efficiencyPerMille: 1_001 } })
      .failsWith("amend_storage_sound");
    return amend()
      .change("after", { storage: { ...storage, powerPerSlot: wattHours(20_001) } })
      .failsWith("amend_storage_sound");
  });
});

describe("amend member by votes", () => {
  rule("verifies", () => amendMemberByVotes().verifies());
  rule("needs more than half of all verifiers, whatever the quorum of a trade", () =>
    amendMemberByVotes()
      .change("parameters", { verifierQuorum: 1 })
      .without("second vote", "second verifier")
      .failsWith("amend_by_grid_authority_or_quorum"),
  );
  rule("needs half and one of an even number", () => {
    const four = [...PARAMETERS.verifiers, keyOf("fourth verifier")];
    return amendMemberByVotes()
      .change("parameters", { verifiers: four })
      .tweak((tx) =>
        tx
          .consumes("third vote", standingVote("fourth verifier", "alice"))
          .cites("fourth verifier", verifier("fourth verifier"))
          .verifies(),
      )
      .failsWith("amend_by_grid_authority_or_quorum");
  });
  rule("needs as many as verify a trade", () =>
    amendMemberByVotes().change("parameters", { verifierQuorum: 3 }).failsWith("amend_by_grid_authority_or_quorum"),
  );
  rule("reinstates too", () =>
    amendMemberByVotes()
      .change("before", { standing: "suspended" })
      .change("vote", { standing: "good" })
      .change("second vote", { standing: "good" })
      .change("after", { standing: "good" })
      .verifies(),
  );
  rule("counts each verifier once", () =>
    amendMemberByVotes()
      .change("second vote", { voter: keyOf("verifier") })
      .failsWith("amend_votes_are_for_it"),
  );
  rule("counts votes on the member alone", () =>
    amendMemberByVotes()
      .change("vote", { member: keyOf("bob") })
      .failsWith("amend_votes_are_for_it"),
  );
  rule("counts votes for that standing alone", () =>
    amendMemberByVotes().change("vote", { standing: "probation" }).failsWith("amend_votes_are_for_it"),
  );
  rule("counts no vote that is over", () =>
    amendMemberByVotes()
      .change("vote", { expiresMs: SLOT_START_MS - 1 })
      .failsWith("amend_votes_are_for_it"),
  );
  rule("counts no vote of a verifier that is suspended", () =>
    amendMemberByVotes().change("verifier", { standing: "suspended" }).failsWith("amend_votes_are_for_it"),
  );
  rule("counts no vote of who is no verifier", () =>
    amendMemberByVotes()
      .change("vote", { voter: keyOf("mallory") })
      .cites("mallory", verifier("mallory"))
      .failsWith("amend_votes_are_for_it"),
  );
  rule("lets the grid authority burn no vote for something else", () =>
    VALID["amend-member"]()
      .consumes("vote", standingVote("verifier", "bob"))
      .cites("verifier", verifier("verifier"))
      .until(SLOT_START_MS)
      .failsWith("amend_votes_are_for_it"),
  );
  rule("does not add a store", () =>
    amendMemberByVotes()
      .change("before", { storage: STORAGE })
      .change("after", { storage: { ...STORAGE, capacity: wattHours(20_000) } })
      .failsWith("amend_by_votes_changes_standing_alone"),
  );
  rule("changes nothing but standing", () =>
    amendMemberByVotes()
      .change("after", { capacityPerSlot: wattHours(1) })
      .failsWith("amend_by_votes_changes_standing_alone"),
  );
});

describe("vote standing", () => {
  const vote = VALID["vote-standing"];
  rule("verifies", () => vote().verifies());
  rule("needs no vote before", () => vote().without("before").verifies());
  rule("is taken back", () => vote().without("vote").verifies());
  rule("is one", () => vote().makes("second", standingVote("verifier", "alice")).failsWith("vote_one"));
  rule("is not nothing", () => vote().without("before", "vote").failsWith("vote_one"));
  rule("is the voter's, as the command says", () =>
    vote()
      .change("vote", { voter: keyOf("second verifier") })
      .failsWith("vote_of_the_voter"),
  );
  rule("takes back no other's vote", () =>
    vote()
      .change("before", { voter: keyOf("second verifier") })
      .failsWith("vote_of_the_voter"),
  );
  rule("takes back no vote on another", () =>
    vote()
      .change("before", { member: keyOf("bob") })
      .failsWith("vote_of_the_voter"),
  );
  rule("is a verifier's", () =>
    vote()
      .change("parameters", { verifiers: [keyOf("second verifier"), keyOf("third verifier")] })
      .failsWith("vote_by_a_verifier"),
  );
  rule("is of a verifier that may act", () =>
    vote().change("verifier", { standing: "suspended" }).failsWith("vote_by_a_verifier"),
  );
  rule("is on a member", () => vote().without("alice").failsWith("vote_on_a_member"));
  rule("is signed by the voter", () =>
    vote().notSignedBy("verifier").signedBy("second verifier").failsWith("vote_signed_by_the_voter"),
  );
});

describe("amend parameters", () => {
  const amend = VALID["amend-parameters"];
  rule("verifies", () => amend().verifies());
  rule("replaces what there was", () =>
    amend()
      .without("before")
      .failsWithAll("parameters_cited_once", "parameters_epoch_rises_by_one", "parameters_keep_what_others_rest_on"),
  );
  rule("counts up", () =>
    amend()
      .change("after", { epoch: PARAMETERS.epoch + 2 })
      .failsWith("parameters_epoch_rises_by_one"),
  );
  test.each([
    ["network", { networkId: "other" }],
    ["grid authority", { gridAuthority: keyOf("mallory") }],
    ["power company", { powerCompany: keyOf("mallory") }],
    ["payment provider", { paymentProvider: keyOf("mallory") }],
    ["price that deposits were made at", { emergencyPrice: microsPerKwh(700_000) }],
    ["grid fee", { gridFee: microsPerKwh(20_000) }],
    ["gate", { gateLeadMs: 0 }],
    ["clock", { timeZone: "UTC" }],
    ["slot", { slotMinutes: 30 }],
  ] as const)("keeps the %s", (_what, patch) => {
    amend().change("after", patch).failsWith("parameters_keep_what_others_rest_on");
  });
  rule("stays sound", () => amend().change("after", { verifierQuorum: 5 }).failsWith("parameters_stay_sound"));
  rule("is signed by the grid authority", () =>
    amend().notSignedBy("grid authority").signedBy("verifier").failsWith("parameters_signed_by_grid_authority"),
  );
  rule("is judged by the old parameters: who would become grid authority has no say", () =>
    amend()
      .change("after", { gridAuthority: keyOf("mallory") })
      .notSignedBy("grid authority")
      .signedBy("mallory")
      .failsWithAll("parameters_keep_what_others_rest_on", "parameters_signed_by_grid_authority"),
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
  rule("makes one debt of the payment provider", () =>
    redeem()
      .change("change", funds("alice", 1))
      .makes("second", redemption("alice", 1_000_000))
      .failsWith("redeem_one"),
  );
  rule("redeems whole cents", () =>
    redeem()
      .change("redemption", redemption("alice", 4_000_001))
      .change("change", funds("alice", 1_000_000))
      .failsWith("redeem_whole_cents"),
  );
  rule("redeems something", () =>
    redeem()
      .change("redemption", redemption("alice", 0))
      .change("change", funds("alice", 5_000_001))
      .failsWith("redeem_whole_cents"),
  );
  rule("is owed to whose money it was", () =>
    redeem().change("redemption", redemption("mallory", 4_000_000)).failsWith("redeem_owed_to_the_owner"),
  );
  rule("redeems for one owner", () =>
    redeem()
      .consumes("of bob", funds("bob", 1_000_000))
      .signedBy("bob")
      .change("redemption", redemption("alice", 5_000_000))
      .failsWith("redeem_owed_to_the_owner"),
  );
  rule("is owed by the payment provider", () =>
    redeem()
      .change("redemption", redemption("alice", 4_000_000, { provider: keyOf("mallory") }))
      .failsWith("redeem_owed_by_payment_provider"),
  );
  rule("names the account that is paid", () =>
    redeem()
      .change("redemption", redemption("alice", 4_000_000, { account: "" }))
      .failsWith("redeem_names_an_account"),
  );
  rule("names itself", () =>
    redeem()
      .change("redemption", redemption("alice", 4_000_000, { redemptionId: "" }))
      .failsWith("redeem_names_an_account"),
  );
  rule("gives change to the owner", () =>
    redeem().change("change", funds("mallory", 1_000_001)).failsWith("redeem_change_stays_with_the_owner"),
  );
  rule("moves all of the money, and no more", () =>
    redeem().change("change", funds("alice", 1_000_000)).failsWith("money_conserved"),
  );
});

describe("confirm payout", () => {
  const confirm = VALID["confirm-payout"];
  rule("verifies", () => confirm().verifies());
  rule("is of one redemption", () =>
    confirm().consumes("second", redemption("bob", 1_000_000)).failsWith("payout_one_redemption"),
  );
  rule("is of the redemption that it names", () =>
    confirm().changeCommand({ redemptionId: "other" }).failsWith("payout_of_the_redemption"),
  );
  rule("is signed by the payment provider, not by who waits for the money", () =>
    confirm().notSignedBy("payment provider").signedBy("alice").failsWith("payout_signed_by_payment_provider"),
  );
  rule("names the message to the bank", () =>
    confirm().changeCommand({ messageId: "" }).failsWith("payout_names_its_payment"),
  );
  rule("names the payment in it", () =>
    confirm().changeCommand({ endToEndId: "" }).failsWith("payout_names_its_payment"),
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
