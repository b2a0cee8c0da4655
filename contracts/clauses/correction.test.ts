/** Clauses of corrections: each fails alone. And how one of the parties would cheat the others by one. */
import { describe, test } from "vitest";
import { micros, wattHours } from "#core";
import {
  type Draft,
  funds,
  keyOf,
  mandate,
  member,
  NEXT_SLOT,
  PARAMETERS,
  reading,
  SLOT_END_MS,
  slotSettlement,
  tariff,
  VALID,
  type Verdict,
} from "#testkit";

const OVERDUE_MS = SLOT_END_MS + PARAMETERS.settlementGraceMs;
const CORRECTABLE_MS = SLOT_END_MS + PARAMETERS.correctionMs;

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

describe("correct a settlement", () => {
  const correct = VALID["correct-settlement"];
  /** Alice put 100 Wh less into the grid than was settled: she pays. */
  const less = (): Draft =>
    correct()
      .replace("reading", { ...reading("alice", 1_700, 300), revision: 1 })
      .without("funds", "to alice", "change")
      .change("after", {
        produced: wattHours(1_700),
        feedInEnergy: wattHours(490),
        feedInAmount: micros(39_200),
        delivered: wattHours(1_400),
        depositLost: micros(360_000),
        gridFee: micros(14_000),
      })
      .consumes("funds", funds("alice", 61_800))
      .makes("to power company", funds("power company", 61_800));

  rule("verifies: for more and for less", () => {
    less().verifies();
    return correct().verifies();
  });
  rule("waits for the end of the slot", () =>
    correct()
      .from(SLOT_END_MS - 1)
      .failsWith("correction_after_the_slot"),
  );
  rule("is in time", () => {
    correct().until(CORRECTABLE_MS).verifies();
    return correct()
      .until(CORRECTABLE_MS + 1)
      .failsWith("correction_in_time");
  });
  rule("corrects one settlement, of the member and the slot", () => {
    correct().consumes("second", slotSettlement("alice", {})).failsWith("correction_of_the_settlement");
    correct()
      .change("before", { member: keyOf("bob") })
      .change("after", { member: keyOf("bob") })
      .failsWith("correction_of_the_settlement");
    return correct()
      .change("before", { slot: NEXT_SLOT })
      .change("after", { slot: NEXT_SLOT })
      .failsWith("correction_of_the_settlement");
  });
  rule("takes one reading, of the member and the slot", () => {
    correct()
      .consumes("second", reading("alice", 1_900, 300))
      .failsWith("correction_by_a_reading");
    correct()
      .change("reading", { member: keyOf("bob") })
      .failsWith("correction_by_a_reading");
    return correct().change("reading", { slot: NEXT_SLOT }).failsWith("correction_by_a_reading");
  });
  rule("takes a later reading than the settlement", () =>
    correct().change("before", { revision: 1 }).failsWith("correction_by_a_later_reading"),
  );
  rule("cites one tariff", () => {
    correct().cites("second", tariff()).failsWith("correction_cites_the_tariff");
    return correct()
      .replace("tariff", tariff("2031-06-02" as never))
      .failsWith("correction_cites_the_tariff");
  });
  rule("touches nobody else's funds", () =>
    correct()
      .consumes("of carol", funds("carol", 5))
      .makes("of carol again", funds("carol", 5))
      .failsWith("correction_pays_the_three_parties"),
  );
  test.each([
    ["reading", { produced: wattHours(1_800) }],
    ["delivery", { delivered: wattHours(1_500) }],
    ["loss", { depositLost: micros(300_000) }],
    ["fee", { gridFee: micros(15_000) }],
    ["feed-in", { feedInAmount: micros(42_000) }],
    ["revision", { revision: 0 }],
    ["promises", { promised: wattHours(1_999) }],
    ["first delivery", { deliveredFirst: wattHours(1_600) }],
    ["share of unsold promises at first", { keptFirst: wattHours(560) }],
  ])("records the corrected %s", (_what, patch) => {
    correct().change("after", patch).failsWith("correction_recorded");
  });
  rule("moves the difference, and no more", () => {
    correct()
      .replace("to alice", funds("alice", 61_801))
      .replace("change", funds("power company", 38_199))
      .failsWith("correction_money_follows");
    return correct()
      .replace("to alice", funds("alice", 61_799))
      .replace("change", funds("power company", 38_201))
      .failsWith("correction_money_follows");
  });
  rule("is signed by the grid authority", () =>
    correct().notSignedBy("grid authority").failsWith("correction_signed_by_grid_authority"),
  );
  rule("is signed by a member that gains, or the grace period is over", () => {
    correct().notSignedBy("alice").from(OVERDUE_MS).verifies();
    return correct()
      .notSignedBy("alice")
      .from(OVERDUE_MS - 1)
      .failsWith("correction_signed_by_the_member");
  });
  rule("is signed by a member that pays, however late it is", () =>
    less().notSignedBy("alice").from(OVERDUE_MS).failsWith("correction_signed_by_the_member"),
  );
  rule("is signed for a member by who may settle its slots", () =>
    less()
      .notSignedBy("alice")
      .signedBy("agent")
      .cites("alice", member("alice"))
      .cites("mandate", mandate("alice", "agent", { flows: ["settle-slot"], expiresMs: CORRECTABLE_MS }))
      .verifies(),
  );
  rule("is signed by the power company, that pays or whose funds it touches", () => {
    correct().notSignedBy("power company").from(OVERDUE_MS).failsWith("correction_signed_by_power_company");
    less().notSignedBy("power company").failsWith("correction_signed_by_power_company");
    return less().notSignedBy("power company").from(OVERDUE_MS).verifies();
  });
});
