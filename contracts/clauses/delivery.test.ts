/** Clauses of meters, delivery and settlement: each fails alone. And how one of the parties would cheat the others. */
import { describe, test } from "vitest";
import { type LocalDay, micros, wattHours } from "#core";
import {
  type Draft,
  deliveryRecord,
  deposit,
  exposure,
  exposureIndex,
  funds,
  keyOf,
  mandate,
  member,
  NEXT_SLOT,
  PARAMETERS,
  promise,
  reading,
  SLOT,
  SLOT_END_MS,
  settledExposure,
  settleSlotOfSupplier,
  settleSlotWithoutTrades,
  slotSettlement,
  tariff,
  VALID,
  type Verdict,
} from "#testkit";

const OVERDUE_MS = SLOT_END_MS + PARAMETERS.settlementGraceMs;

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

describe("check delivery", () => {
  const check = VALID["check-delivery"];
  /** All was delivered. */
  const kept = (): Draft =>
    check()
      .replace("reading", reading("alice", 2_300, 300))
      .change("of bob after", { delivered: wattHours(1_000) })
      .change("of carol after", { delivered: wattHours(300) })
      .change("of alice after", { delivered: wattHours(700) })
      .replace(
        "record",
        deliveryRecord("alice", { promised: 2_000, delivered: 2_000, unsold: 700, depositLost: 0, gridFee: 20_000 }),
      )
      .replace("returned", funds("alice", 1_180_000))
      .without("to power company")
      .signedBy("alice");
  /** Nothing was delivered. */
  const broken = (): Draft =>
    check()
      .replace("reading", reading("alice", 300, 300))
      .change("of bob after", { delivered: wattHours(0) })
      .change("of carol after", { delivered: wattHours(0) })
      .change("of alice after", { delivered: wattHours(0) })
      .replace(
        "record",
        deliveryRecord("alice", { promised: 2_000, delivered: 0, unsold: 700, depositLost: 1_200_000, gridFee: 0 }),
      )
      .without("returned")
      .replace("to power company", funds("power company", 1_180_000));

  rule("verifies: in part, in full and not at all", () => {
    kept().notSignedBy("power company").verifies();
    broken().verifies();
    return check().verifies();
  });
  rule("waits for the end of the slot", () =>
    check()
      .from(SLOT_END_MS - 1)
      .failsWith("delivery_after_the_slot"),
  );
  rule("cites one reading", () =>
    check()
      .cites("second", reading("alice", 9_000, 0))
      .failsWith("delivery_cites_the_reading"),
  );
  rule("cites the reading of the supplier", () =>
    check()
      .cites("of bob's meter", reading("bob", 9_000, 0))
      .failsWith("delivery_cites_the_reading"),
  );
  rule("checks promises of the supplier", () =>
    check()
      .replace("of carol", promise("dave", 300, { promiseId: "promise of alice", owner: keyOf("carol") }))
      .change("of carol after", { supplier: keyOf("dave") })
      .failsWith("delivery_of_open_promises"),
  );
  rule("checks promises of the slot", () =>
    check()
      .change("of carol", { slot: NEXT_SLOT })
      .change("of carol after", { slot: NEXT_SLOT })
      .failsWith("delivery_of_open_promises"),
  );
  rule("checks promises once", () =>
    check()
      .change("of carol", { delivered: wattHours(225) })
      .failsWith("delivery_of_open_promises"),
  );
  rule("checks promises that are still locked, and frees them: nobody can hold up a delivery", () =>
    check()
      .change("of carol", { lock: { kind: "auction", id: "never settled" } })
      .change("of bob", { lock: { kind: "order", id: "never cancelled" } })
      .verifies(),
  );
  rule("checks all promises of the supplier: none can wait for better readings", () =>
    check()
      .replace("exposure", exposure("alice", { promised: 2_100 }))
      .failsWith("delivery_of_all_promises"),
  );
  rule("checks all promises of this supplier and slot", () => {
    check()
      .replace("exposure", exposure("bob", { promised: 2_000 }))
      .failsWith("delivery_of_all_promises");
    return check()
      .replace("exposure", exposure("alice", { slot: NEXT_SLOT, promised: 2_000 }))
      .failsWith("delivery_of_all_promises");
  });
  rule("takes deposits of the supplier", () =>
    check()
      .consumes("of dave", deposit("dave", 1_000))
      .replace("returned", funds("alice", 886_000))
      .failsWithAll("delivery_of_all_deposits", "delivery_money_follows"),
  );
  rule("takes deposits of the slot", () =>
    check()
      .consumes("of the next slot", deposit("alice", 1_000, NEXT_SLOT))
      .replace("returned", funds("alice", 886_000))
      .failsWith("delivery_of_all_deposits"),
  );
  rule("takes all deposits: they must cover what was promised", () =>
    check()
      .replace("deposit", deposit("alice", 1_199_999))
      .replace("returned", funds("alice", 884_999))
      .failsWith("delivery_deposit_covers"),
  );
  rule("shares a partial delivery pro rata", () =>
    check()
      .change("of bob after", { delivered: wattHours(1_000) })
      .change("of carol after", { delivered: wattHours(300) })
      .change("of alice after", { delivered: wattHours(200) })
      .failsWith("delivery_pro_rata"),
  );
  test.each([
    ["owner", { owner: keyOf("mallory") }],
    ["supplier", { supplier: keyOf("mallory") }],
    ["energy", { energy: wattHours(1_001) }],
    ["slot", { slot: NEXT_SLOT }],
    ["id", { promiseId: "other" }],
    ["lock", { lock: { kind: "order" as const, id: "o" } }],
  ])("changes no promise's %s", (_what, patch) => {
    check().change("of bob after", patch).failsWith("delivery_pro_rata");
  });
  rule("does not swap promises of one size", () =>
    check()
      .change("of carol", { energy: wattHours(1_000) })
      .change("of carol after", { energy: wattHours(1_000), owner: keyOf("bob"), delivered: wattHours(750) })
      .change("of bob after", { owner: keyOf("carol") })
      .without("of alice", "of alice after")
      .change("record", { unsold: wattHours(0) })
      .failsWith("delivery_pro_rata"),
  );
  rule("loses no promise", () => check().without("of carol after").failsWith("delivery_pro_rata"));
  rule("records what became of it", () =>
    check()
      .replace(
        "record",
        deliveryRecord("alice", {
          promised: 2_000,
          delivered: 1_501,
          unsold: 700,
          depositLost: 300_000,
          gridFee: 15_000,
        }),
      )
      .failsWith("delivery_recorded"),
  );
  rule("records how much of it was sold to nobody", () =>
    check()
      .change("record", { unsold: wattHours(699) })
      .failsWith("delivery_recorded"),
  );
  rule("records it once", () =>
    check()
      .makes(
        "second",
        deliveryRecord("alice", {
          promised: 2_000,
          delivered: 1_500,
          unsold: 700,
          depositLost: 300_000,
          gridFee: 15_000,
        }),
      )
      .failsWith("delivery_recorded"),
  );
  rule("returns no more than the rest of the deposit", () =>
    check()
      .replace("returned", funds("alice", 1_180_000))
      .without("to power company")
      .failsWith("delivery_money_follows"),
  );
  rule("pays nobody else", () =>
    check()
      .replace("to grid authority", funds("grid authority", 10_000))
      .makes("tip", funds("mallory", 10_000))
      .failsWith("delivery_money_follows"),
  );
  rule("is signed by the grid authority", () =>
    check().notSignedBy("grid authority").failsWith("delivery_signed_by_grid_authority"),
  );
  rule("is signed by the supplier whose promise is kept (algorithm A2)", () =>
    kept().notSignedBy("alice").failsWith("delivery_signed_by_supplier_if_kept"),
  );
  rule("needs no signature of a supplier that fell short, which could hold up everyone else", () => {
    check().signedBy("alice").verifies();
    return check().verifies();
  });
  rule("waits for the supplier no longer than the grace period", () => {
    kept().notSignedBy("alice").from(OVERDUE_MS).verifies();
    return kept()
      .notSignedBy("alice")
      .from(OVERDUE_MS - 1)
      .failsWith("delivery_signed_by_supplier_if_kept");
  });
  rule("waits for the power company no longer than the grace period", () => {
    check().notSignedBy("power company").from(OVERDUE_MS).verifies();
    return check()
      .notSignedBy("power company")
      .from(OVERDUE_MS - 1)
      .failsWith("delivery_signed_by_power_company_if_short");
  });
  rule("is signed by the delegate of a supplier that an aggregator serves, and by the aggregator", () => {
    const served = (): Draft =>
      kept()
        .notSignedBy("alice")
        .signedBy("hub's key")
        .until(SLOT_END_MS + 60_000)
        .cites("alice", member("alice", { servedBy: keyOf("hub") }))
        .cites("hub", member("hub", { roles: ["aggregator"] }))
        .cites("mandate", mandate("alice", "hub's key", { flows: ["check-delivery"], expiresMs: OVERDUE_MS }));
    served().signedBy("hub").verifies();
    served()
      .signedBy("hub")
      .change("mandate", { flows: ["settle-slot"] })
      .failsWith("delivery_signed_by_supplier_if_kept");
    return served().failsWith("delivery_signed_by_supplier_if_kept");
  });
  rule("is signed by the power company that covered the shortfall (algorithm A2)", () =>
    check().notSignedBy("power company").failsWith("delivery_signed_by_power_company_if_short"),
  );
  rule("counts what was put into the grid, not what was produced", () =>
    kept()
      .replace("reading", reading("alice", 2_300, 301))
      .failsWithAll("delivery_pro_rata", "delivery_recorded", "delivery_money_follows"),
  );
});

describe("settle slot", () => {
  const settle = VALID["settle-slot"];
  rule("verifies: a buyer, a supplier, one who never traded", () => {
    settleSlotOfSupplier().verifies();
    settleSlotWithoutTrades().verifies();
    return settle().verifies();
  });
  rule("waits for the end of the slot", () =>
    settle()
      .from(SLOT_END_MS - 1)
      .failsWith("settlement_after_the_slot"),
  );
  rule("consumes one reading", () =>
    settle()
      .consumes("second", reading("bob", 9_000, 0))
      .failsWith("settlement_consumes_the_reading"),
  );
  rule("cites one tariff", () => settle().cites("second", tariff()).failsWith("settlement_cites_the_tariff"));
  rule("takes checked promises alone", () =>
    settle().change("held", { delivered: null }).failsWith("settlement_of_checked_promises"),
  );
  rule("takes promises of the member", () =>
    settle()
      .consumes("of carol", promise("bob", 300, { owner: keyOf("carol"), delivered: wattHours(0) }))
      .replace(
        "settlement",
        slotSettlement("bob", { consumed: 1_400, used: 1_300, bought: 1_300, retailEnergy: 100, retailAmount: 30_000 }),
      )
      .replace("payment", funds("power company", 30_000))
      .replace("change", funds("bob", 470_000))
      .failsWith("settlement_of_checked_promises"),
  );
  rule("takes promises of the slot", () =>
    settle().change("held", { slot: NEXT_SLOT }).failsWith("settlement_of_checked_promises"),
  );
  rule("knows the member's position: nobody hides what it holds behind an older index", () => {
    settleSlotWithoutTrades().without("index").failsWith("settlement_knows_the_position");
    settleSlotWithoutTrades()
      .replace("index", exposureIndex("dave", "2031-06-01"))
      .failsWith("settlement_knows_the_position");
    settleSlotWithoutTrades().replace("index", exposureIndex("alice")).failsWith("settlement_knows_the_position");
    const full = Array.from({ length: 16 }, (_, index) => `2031-06-${String(index + 2).padStart(2, "0")}`);
    return settleSlotWithoutTrades()
      .replace("index", exposureIndex("dave", ...full))
      .failsWith("settlement_knows_the_position");
  });
  rule("takes the exposure of the member and the day", () => {
    const other = { ...exposure("bob", { slot: NEXT_SLOT, bought: 50 }), day: "2031-06-02" as LocalDay };
    return settleSlotWithoutTrades()
      .without("index", "index after")
      .consumes("exposure", other)
      .replace("exposure after", settledExposure("dave", { slot: NEXT_SLOT, bought: 50 }))
      .failsWith("settlement_knows_the_position");
  });
  rule("takes all that the member bought", () =>
    settle()
      .replace("exposure of bob", exposure("bob", { bought: 1_100 }, { slot: NEXT_SLOT, bought: 50 }))
      .failsWith("settlement_of_all_bought"),
  );
  rule("waits for the delivery check of what the member promised", () => {
    settleSlotOfSupplier()
      .change("record", { supplier: keyOf("bob") })
      .change("settlement", { feedInEnergy: wattHours(2_025), feedInAmount: micros(162_000) })
      .replace("payment", funds("alice", 162_000))
      .replace("change", funds("power company", 338_000))
      .failsWith("settlement_after_delivery_check");
    return settleSlotOfSupplier()
      .change("record", { promised: wattHours(1_900) })
      .change("settlement", { promised: wattHours(1_900) })
      .failsWith("settlement_after_delivery_check");
  });
  rule("takes no delivery record without a promise", () =>
    settle()
      .consumes("record", deliveryRecord("bob", { promised: 0, delivered: 0, depositLost: 0, gridFee: 0 }))
      .failsWith("settlement_after_delivery_check"),
  );
  rule("closes the slot and nothing else", () => {
    settle().replace("exposure of bob after", settledExposure("bob")).failsWith("settlement_closes_the_slot");
    settle()
      .replace("exposure of bob after", settledExposure("bob", { bought: 1_000 }, { slot: NEXT_SLOT, bought: 50 }))
      .failsWith("settlement_closes_the_slot");
    settle()
      .replace("exposure of bob after", settledExposure("bob", { slot: NEXT_SLOT, bought: 49 }))
      .failsWith("settlement_closes_the_slot");
    return settle().without("exposure of bob after").failsWith("settlement_closes_the_slot");
  });
  rule("settles a slot once, whatever readings there are of it, and forgets no slot that is settled", () => {
    const again = { ...exposure("bob", { bought: 1_000 }, { slot: NEXT_SLOT, bought: 50 }), settled: [SLOT] };
    settle().replace("exposure of bob", again).failsWith("settlement_once_per_slot");
    const forgotten = { ...again, settled: [NEXT_SLOT] };
    settle().replace("exposure of bob", forgotten).failsWith("settlement_once_per_slot");
    settle()
      .replace("exposure of bob after", exposure("bob", { slot: NEXT_SLOT, bought: 50 }))
      .failsWith("settlement_once_per_slot");
    return settle()
      .replace("exposure of bob", forgotten)
      .change("exposure of bob after", { settled: [SLOT, NEXT_SLOT] })
      .verifies();
  });
  rule("settles by the reading that the delivery was checked by", () =>
    settleSlotOfSupplier()
      .change("reading", { produced: wattHours(1_799) })
      .change("settlement", { produced: wattHours(1_799) })
      .failsWith("settlement_by_the_reading_of_the_delivery"),
  );
  rule("takes all own promises that nobody bought: what was delivered on them is paid", () =>
    settleSlotOfSupplier()
      .without("held", "payment", "change", "funds")
      .change("settlement", {
        feedInEnergy: wattHours(0),
        feedInAmount: micros(0),
        unsold: wattHours(0),
        keptFirst: wattHours(0),
      })
      .failsWith("settlement_of_all_unsold"),
  );
  test.each([
    "used",
    "surplusAmount",
    "revision",
    "promised",
    "delivered",
    "unsold",
    "bought",
    "depositLost",
    "gridFee",
  ] as const)("records %s as it was", (field) => {
    const patch = { [field]: field === "revision" ? 1 : 1n };
    settle().change("settlement", patch).failsWith("settlement_recorded");
  });
  rule("closes no slot with bids that still lock money", () =>
    settle()
      .replace("exposure of bob", exposure("bob", { bought: 1_000, bidding: 1 }, { slot: NEXT_SLOT, bought: 50 }))
      .failsWith("settlement_closes_the_slot"),
  );
  rule("opens the day of a member that never traded once", () =>
    settleSlotWithoutTrades().makes("exposure", settledExposure("dave")).failsWith("settlement_closes_the_slot"),
  );
  rule("touches nobody else's funds", () =>
    settle()
      .consumes("of carol", funds("carol", 5))
      .makes("of carol again", funds("carol", 5))
      .failsWith("settlement_pays_the_two_parties"),
  );
  rule("records what was settled", () =>
    settle()
      .change("settlement", { retailEnergy: wattHours(399) })
      .failsWith("settlement_recorded"),
  );
  rule("records it for the member", () =>
    settle()
      .change("settlement", { member: keyOf("carol") })
      .failsWith("settlement_recorded"),
  );
  rule("charges the retail price", () =>
    settle()
      .replace("payment", funds("power company", 119_999))
      .replace("change", funds("bob", 380_001))
      .failsWith("settlement_money_follows"),
  );
  rule("charges no more", () =>
    settle()
      .replace("payment", funds("power company", 120_001))
      .replace("change", funds("bob", 379_999))
      .failsWith("settlement_money_follows"),
  );
  rule("pays the feed-in price", () =>
    settleSlotOfSupplier()
      .replace("payment", funds("alice", 41_999))
      .replace("change", funds("power company", 458_001))
      .failsWith("settlement_money_follows"),
  );
  rule("is signed by the grid authority", () =>
    settle().notSignedBy("grid authority").failsWith("settlement_signed_by_grid_authority"),
  );
  rule("is signed by the member", () => settle().notSignedBy("bob").failsWith("settlement_signed_by_the_member"));
  rule("is signed by the delegate of a member that an aggregator serves, and by the aggregator", () => {
    const served = (): Draft =>
      settle()
        .notSignedBy("bob")
        .signedBy("hub's key")
        .until(SLOT_END_MS + 60_000)
        .cites("bob", member("bob", { servedBy: keyOf("hub") }))
        .cites("hub", member("hub", { roles: ["aggregator"] }))
        .cites("mandate", mandate("bob", "hub's key", { flows: ["settle-slot"], expiresMs: OVERDUE_MS }));
    served().signedBy("hub").verifies();
    served()
      .signedBy("hub")
      .change("mandate", { flows: ["check-delivery"] })
      .failsWith("settlement_signed_by_the_member");
    return served().failsWith("settlement_signed_by_the_member");
  });
  rule("is signed by the member that pays, however late it is", () =>
    settle().notSignedBy("bob").from(OVERDUE_MS).failsWith("settlement_signed_by_the_member"),
  );
  rule("waits for a member that is paid no longer than the grace period", () => {
    settleSlotOfSupplier().notSignedBy("alice").from(OVERDUE_MS).verifies();
    return settleSlotOfSupplier()
      .notSignedBy("alice")
      .from(OVERDUE_MS - 1)
      .failsWith("settlement_signed_by_the_member");
  });
  rule("takes no funds of who does not sign, not even to give them back", () =>
    settleSlotOfSupplier()
      .notSignedBy("alice")
      .from(OVERDUE_MS)
      .consumes("of alice", funds("alice", 7))
      .makes("of alice again", funds("alice", 7))
      .failsWith("settlement_signed_by_the_member"),
  );
  rule("waits for the power company that is paid no longer than the grace period", () => {
    settle().notSignedBy("power company").from(OVERDUE_MS).verifies();
    return settle()
      .notSignedBy("power company")
      .from(OVERDUE_MS - 1)
      .failsWith("settlement_signed_by_power_company");
  });
  rule("is signed by the power company that pays, however late it is", () =>
    settleSlotOfSupplier()
      .notSignedBy("power company")
      .from(OVERDUE_MS)
      .failsWith("settlement_signed_by_power_company"),
  );
  rule("is signed by the power company", () =>
    settle().notSignedBy("power company").failsWith("settlement_signed_by_power_company"),
  );
});

test("a settlement that pays nobody moves no money", () => {
  settleSlotWithoutTrades()
    .replace("reading", reading("dave", 600, 600))
    .replace("settlement", slotSettlement("dave", { produced: 600, consumed: 600 }))
    .without("payment", "funds")
    .verifies();
});
