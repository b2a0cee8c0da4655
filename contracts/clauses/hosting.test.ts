/** Clauses of members that an aggregator serves: each fails alone. */
import { describe, test } from "vitest";
import { wattHours } from "#core";
import { joinServed, keyOf, mandate, member, moveMemberHome, VALID, type Verdict } from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

describe("join under an aggregator", () => {
  rule("verifies, beside a member with a node of its own", () => joinServed().verifies());
  rule("needs the aggregator's membership", () =>
    joinServed().without("aggregator").failsWith("join_hosts_are_aggregators"),
  );
  rule("needs an aggregator", () =>
    joinServed()
      .change("aggregator", { roles: ["producer"] })
      .failsWith("join_hosts_are_aggregators"),
  );
  rule("needs one that may act", () =>
    joinServed().change("aggregator", { standing: "suspended" }).failsWith("join_hosts_are_aggregators"),
  );
  rule("nobody serves itself as an aggregator", () =>
    joinServed()
      .cites("alice as aggregator", member("alice", { roles: ["aggregator"] }))
      .change("alice", { servedBy: keyOf("alice") })
      .failsWith("join_hosts_are_aggregators"),
  );
  rule("gives each that is served a mandate", () =>
    joinServed().without("mandate of bob").failsWith("join_one_mandate_for_each_served"),
  );
  rule("gives nobody two", () =>
    joinServed()
      .makes("second mandate", mandate("alice", "another delegate"))
      .failsWith("join_one_mandate_for_each_served"),
  );
  rule("gives no mandate of a member with a node of its own", () =>
    joinServed()
      .makes("mandate of carol", mandate("carol", "delegate of carol"))
      .failsWith("join_one_mandate_for_each_served"),
  );
  rule("gives no mandate of somebody who has not signed", () =>
    joinServed()
      .change("mandate of bob", { principal: keyOf("mallory") })
      .failsWith("join_one_mandate_for_each_served"),
  );
  rule("each delegate has a key of its own", () =>
    joinServed()
      .change("mandate of bob", { delegate: keyOf("delegate of alice") })
      .failsWith("join_delegates_are_others"),
  );
  rule("no delegate's key is a member's", () =>
    joinServed()
      .change("mandate of bob", { delegate: keyOf("carol") })
      .failsWith("join_delegates_are_others"),
  );
});

describe("move member", () => {
  const move = VALID["move-member"];
  rule("verifies", () => move().verifies());
  rule("verifies to a node of one's own", () => moveMemberHome().verifies());
  rule("moves a suspended member too: it stays suspended", () =>
    move().change("before", { standing: "suspended" }).change("after", { standing: "suspended" }).verifies(),
  );
  rule("is signed by the member: no aggregator moves it", () =>
    move().notSignedBy("alice").signedBy("old aggregator", "aggregator").failsWith("move_signed_by_the_member"),
  );
  rule("moves one member", () =>
    move()
      .consumes("bob", member("bob", { servedBy: keyOf("old aggregator") }))
      .failsWith("move_one_member"),
  );
  rule("is of the member that it names", () =>
    move()
      .changeCommand({ member: keyOf("bob") })
      .signedBy("bob")
      .without("old mandate", "mandate")
      .change("after", { servedBy: null })
      .failsWith("move_one_member"),
  );
  rule("changes no cap on the way", () =>
    move()
      .change("after", { capacityPerSlot: wattHours(30_000) })
      .failsWith("move_changes_the_host_alone"),
  );
  rule("lifts no suspension on the way", () =>
    move().change("before", { standing: "suspended" }).failsWith("move_changes_the_host_alone"),
  );
  rule("adds no role on the way", () =>
    move()
      .change("after", { roles: ["prosumer", "verifier"] })
      .failsWith("move_changes_the_host_alone"),
  );
  rule("goes to another aggregator than before", () =>
    move()
      .change("before", { servedBy: keyOf("aggregator") })
      .failsWith("move_changes_the_host_alone"),
  );
  rule("goes to an aggregator that may act", () =>
    move().change("aggregator", { standing: "suspended" }).failsWith("move_host_is_an_aggregator"),
  );
  rule("goes to nobody with another role", () =>
    move()
      .change("aggregator", { roles: ["marketplace"] })
      .failsWith("move_host_is_an_aggregator"),
  );
  rule("ends no mandate of others", () =>
    move().consumes("bob's", mandate("bob", "delegate of bob")).failsWith("move_takes_own_mandates"),
  );
  rule("gives the new aggregator a mandate", () =>
    move().without("mandate").failsWith("move_gives_one_mandate_to_the_host"),
  );
  rule("gives no mandate of others", () =>
    move()
      .change("mandate", { principal: keyOf("bob") })
      .failsWith("move_gives_one_mandate_to_the_host"),
  );
  rule("leaves no mandate to somebody without an aggregator", () =>
    moveMemberHome()
      .makes("mandate", mandate("alice", "delegate of alice"))
      .failsWith("move_gives_one_mandate_to_the_host"),
  );
  rule("the delegate of before gets none", () =>
    move()
      .change("mandate", { delegate: keyOf("old delegate") })
      .failsWith("move_to_a_new_delegate"),
  );
  rule("the delegate is another than the member", () =>
    move()
      .change("mandate", { delegate: keyOf("alice") })
      .failsWith("move_to_a_new_delegate"),
  );
});
