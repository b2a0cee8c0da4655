/** Clauses of meter operators' reports and of readings: each fails alone. And how operators or the grid authority would forge one. */
import { describe, test } from "vitest";
import { compareText, wattHours } from "#core";
import {
  type Draft,
  keyOf,
  METERED_PARAMETERS,
  meterOperator,
  meterReport,
  NEXT_SLOT,
  reading,
  recordMetersOfReports,
  SLOT_END_MS,
  slotSettlement,
  VALID,
  type Verdict,
} from "#testkit";

const { settlementGraceMs, correctionMs } = METERED_PARAMETERS;
const OVERDUE_MS = SLOT_END_MS + settlementGraceMs;
const CORRECTABLE_MS = SLOT_END_MS + correctionMs;

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

const keysOf = (...names: readonly string[]) => names.map(keyOf).sort(compareText);

describe("a meter operator's report", () => {
  const report = VALID["report-meters"];
  const old = meterReport("first meter", "carol", 5, 5, { slot: NEXT_SLOT });
  rule("verifies", () => report().verifies());
  rule("says something", () => report().without("before", "alice", "bob").failsWith("reports_some"));
  rule("is of its operator", () =>
    report()
      .makes("carol", meterReport("second meter", "carol", 1, 1))
      .failsWith("reports_of_the_operator"),
  );
  rule("replaces no other operator's", () =>
    report()
      .change("before", { operator: keyOf("second meter") })
      .failsWith("reports_of_the_operator"),
  );
  rule("is of the slot that the command names", () =>
    report()
      .makes("carol", meterReport("first meter", "carol", 1, 1, { slot: NEXT_SLOT }))
      .failsWith("reports_of_the_slot"),
  );
  rule("says one thing of a member", () =>
    report()
      .makes("bob again", meterReport("first meter", "bob", 1, 1))
      .failsWith("reports_one_per_member"),
  );
  rule("is withdrawn only to be replaced, while it may still count", () => {
    report().consumes("another", old).failsWith("reports_replaced_or_over");
    return report()
      .consumes("of carol", meterReport("first meter", "carol", 5, 5))
      .from(CORRECTABLE_MS - 1)
      .failsWith("reports_replaced_or_over");
  });
  rule("may go when it can't count any more", () =>
    report()
      .consumes("of carol", meterReport("first meter", "carol", 5, 5))
      .from(CORRECTABLE_MS)
      .verifies(),
  );
  rule("counts how often it was replaced", () => {
    report().change("alice", { revision: 0 }).failsWith("reports_revision_follows");
    report().change("alice", { revision: 2 }).failsWith("reports_revision_follows");
    return report().change("bob", { revision: 1 }).failsWith("reports_revision_follows");
  });
  rule("is made after the slot", () =>
    report()
      .from(SLOT_END_MS - 1)
      .failsWith("reports_after_the_slot"),
  );
  rule("is an operator's of the network that may act", () => {
    report()
      .replace("parameters", { ...METERED_PARAMETERS, meterOperators: keysOf("second meter", "third meter") })
      .failsWith("reports_by_a_meter_operator");
    report().change("operator", { standing: "suspended" }).failsWith("reports_by_a_meter_operator");
    report()
      .change("operator", { roles: ["prosumer"] })
      .failsWith("reports_by_a_meter_operator");
    return report().without("operator").failsWith("reports_by_a_meter_operator");
  });
  rule("is signed by the operator", () =>
    report().notSignedBy("first meter").signedBy("grid authority").failsWith("reports_signed_by_the_operator"),
  );
});

describe("record meters alone", () => {
  const record = VALID["record-meters"];
  const correct = (): Draft =>
    record()
      .without("bob")
      .consumes("before", reading("alice", 1_700, 300))
      .change("alice", { revision: 1 })
      .until(SLOT_END_MS + 1);

  rule("verifies", () => record().verifies());
  rule("records some", () => record().without("alice", "bob").failsWith("meters_some"));
  rule("records the slot that the command names", () =>
    record()
      .replace("bob", reading("bob", 0, 1, NEXT_SLOT))
      .failsWith("meters_of_the_slot"),
  );
  rule("records each member once", () =>
    record()
      .makes("again", reading("alice", 9_000, 0))
      .failsWith("meters_one_per_member"),
  );
  rule("records a slot that has ended", () =>
    record()
      .from(SLOT_END_MS - 1)
      .failsWith("meters_after_the_slot"),
  );
  rule("is signed by the grid authority", () =>
    record().notSignedBy("grid authority").signedBy("alice").failsWith("meters_signed_by_grid_authority"),
  );
  rule("names nobody who agreed", () =>
    record()
      .change("alice", { agreed: [keyOf("first meter")] })
      .failsWith("meters_as_the_reports_agree"),
  );
  rule("replaces a reading that is not used yet", () => correct().verifies());
  rule("takes no other member's or slot's reading away", () => {
    correct()
      .consumes("of carol", reading("carol", 1, 1))
      .failsWith("meters_replace_what_was_read");
    return correct()
      .consumes("of the next slot", reading("alice", 1, 1, NEXT_SLOT))
      .failsWith("meters_replace_what_was_read");
  });
  rule("counts the readings of a member's slot", () => {
    correct().change("alice", { revision: 0 }).failsWith("meters_revision_follows");
    correct().change("alice", { revision: 2 }).failsWith("meters_revision_follows");
    record()
      .change("alice", { revision: 1 })
      .until(SLOT_END_MS + 1)
      .failsWith("meters_revision_follows");
    return correct().change("before", { revision: 4 }).change("alice", { revision: 5 }).verifies();
  });
  rule("counts on where the slot is settled", () => {
    const settled = (): Draft =>
      correct()
        .without("before")
        .cites("settled", slotSettlement("alice", { revision: 3 }));
    settled().failsWith("meters_revision_follows");
    return settled().change("alice", { revision: 4 }).verifies();
  });
  rule("corrects in time", () => {
    correct().until(CORRECTABLE_MS).verifies();
    correct()
      .until(CORRECTABLE_MS + 1)
      .failsWith("meters_corrected_in_time");
    return correct().until(null).failsWith("meters_corrected_in_time");
  });
});

describe("record meters of several operators", () => {
  const record = recordMetersOfReports;
  rule("verifies", () => record().verifies());
  rule("takes reports of the slot, and of members that it records", () => {
    record()
      .consumes("of carol", meterReport("first meter", "carol", 1, 1))
      .failsWith("meters_reports_of_the_slot");
    return record().change("of the third", { slot: NEXT_SLOT }).failsWith("meters_reports_of_the_slot");
  });
  rule("takes no report of who is no operator of the network, or may not act", () => {
    record()
      .change("of the third", { operator: keyOf("mallory") })
      .change("alice", { disagreed: keysOf("mallory") })
      .failsWith("meters_reports_of_operators");
    record().change("third meter", { standing: "suspended" }).failsWith("meters_reports_of_operators");
    record()
      .replace("third meter", meterOperator("third meter", { roles: [] }))
      .failsWith("meters_reports_of_operators");
    return record().without("third meter").failsWith("meters_reports_of_operators");
  });
  rule("takes one report of each operator", () =>
    record()
      .consumes("of the third again", meterReport("third meter", "alice", 3_600, 600, { revision: 1 }))
      .from(OVERDUE_MS)
      .change("of the first", { produced: wattHours(3_600), consumed: wattHours(600) })
      .change("alice", {
        produced: wattHours(3_600),
        consumed: wattHours(600),
        agreed: keysOf("first meter", "third meter", "third meter"),
        disagreed: keysOf("second meter"),
      })
      .failsWith("meters_one_report_per_operator"),
  );
  rule("waits for all operators until the grace period is over", () => {
    const two = (): Draft => record().without("of the third").change("alice", { disagreed: [] });
    two()
      .from(OVERDUE_MS - 1)
      .failsWith("meters_wait_for_operators");
    return two().from(OVERDUE_MS).verifies();
  });
  test.each([
    ["production", { produced: wattHours(1_803) }],
    ["consumption", { consumed: wattHours(301) }],
    ["those who agree", { agreed: keysOf("first meter", "third meter") }],
    ["those who disagree", { disagreed: [] }],
  ])("records what the reports agree on: not another %s", (_what, patch) => {
    record().change("alice", patch).failsWith("meters_as_the_reports_agree");
  });
  rule("records nothing that too few agree on", () =>
    record()
      .change("of the second", { produced: wattHours(900) })
      .change("alice", { agreed: keysOf("first meter"), disagreed: keysOf("second meter", "third meter") })
      .failsWith("meters_as_the_reports_agree"),
  );
  rule("records nothing without reports", () =>
    record()
      .without("of the first", "of the second", "of the third")
      .from(OVERDUE_MS)
      .change("alice", { agreed: [], disagreed: [] })
      .failsWith("meters_as_the_reports_agree"),
  );
});
