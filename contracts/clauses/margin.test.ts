/** Clauses of margins and of the surplus cost: each fails alone. And how a speculator would get around its margin. */
import { describe, test } from "vitest";
import { localDay, micros, microsPerKwh, wattHours } from "#core";
import {
  DAY,
  type Draft,
  exposure,
  funds,
  margin,
  member,
  NEXT_SLOT,
  order,
  PARAMETERS,
  SLOT_END_MS,
  settleSlotOfSpeculator,
  VALID,
  type Verdict,
} from "#testkit";

const OTHER_DAY = localDay("2031-06-02");
const OVERDUE_MS = SLOT_END_MS + PARAMETERS.settlementGraceMs;

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

/** Carol holds 100 Wh and bids for 1.5 kWh: at 0.02 per kWh she must have locked 0.032. */
function bidWithMargin(locked = 32_000): Draft {
  return VALID.bid()
    .change("parameters", { surplusPrice: microsPerKwh(20_000) })
    .makes("margin", margin("carol", locked))
    .change("change", { amount: micros(692_500 - locked) });
}

describe("the margin of a speculator", () => {
  rule("is locked when it bids", () => bidWithMargin().verifies());
  rule("is not asked for where surplus costs nothing", () => VALID.bid().verifies());
  rule("is not asked of others", () =>
    VALID.bid()
      .change("parameters", { surplusPrice: microsPerKwh(20_000) })
      .change("carol", { roles: ["consumer"] })
      .verifies(),
  );
  rule("must answer for all that it holds and bids for", () => {
    VALID.bid()
      .change("parameters", { surplusPrice: microsPerKwh(20_000) })
      .failsWith("exposure_margin_locked");
    return bidWithMargin(31_999).failsWith("exposure_margin_locked");
  });
  rule("must be its own, in a flow where others could not lock one for it", () =>
    bidWithMargin()
      .without("margin")
      .change("change", { amount: micros(692_500) })
      .cites("margin of bob", margin("bob", 32_000))
      .failsWith("exposure_margin_locked"),
  );
  rule("must be of the day", () =>
    bidWithMargin().change("margin", { day: OTHER_DAY }).failsWith("exposure_margin_locked"),
  );
  rule("may be an older one that is cited", () =>
    bidWithMargin()
      .without("margin")
      .change("change", { amount: micros(692_500) })
      .cites("margin", margin("carol", 32_000))
      .verifies(),
  );
  rule("is one margin, not several that together are enough", () =>
    bidWithMargin(2_000).cites("older margin", margin("carol", 30_000)).failsWith("exposure_margin_locked"),
  );
  rule("grows out of the older one", () =>
    bidWithMargin()
      .consumes("older margin", margin("carol", 30_000))
      .change("change", { amount: micros(690_500) })
      .verifies(),
  );
  rule("does not shrink while it buys", () =>
    bidWithMargin()
      .consumes("of another day", margin("carol", 5_000, OTHER_DAY))
      .makes("released", funds("carol", 5_000))
      .failsWith("bid_margin_only_grows"),
  );
  rule("is made once for a day", () =>
    bidWithMargin()
      .makes("second", margin("carol", 1))
      .change("change", { amount: micros(660_499) })
      .failsWith("bid_margin_only_grows"),
  );
  rule("is the bidder's: nobody moves the margin of another", () =>
    VALID.bid()
      .consumes("of bob", margin("bob", 5_000))
      .makes("of bob again", margin("bob", 5_000))
      .failsWith("bid_margin_is_own"),
  );
  rule("is the owner's where orders are placed", () =>
    VALID["place-orders"]()
      .consumes("of bob", margin("bob", 5_000))
      .makes("of bob again", margin("bob", 5_000))
      .failsWith("order_margin_is_own"),
  );
  rule("does not shrink while orders are placed", () =>
    VALID["place-orders"]()
      .consumes("older", margin("alice", 5_000))
      .makes("newer", margin("alice", 4_999))
      .change("change", { amount: micros(396_501) })
      .failsWith("order_margin_only_grows"),
  );
  rule("is locked when it orders, each slot rounded up", () => {
    const ordering = VALID["place-orders"]()
      .change("parameters", { surplusPrice: microsPerKwh(20_001) })
      .change("alice", { roles: ["prosumer", "speculator"], holdingCapPerSlot: wattHours(20_000) })
      .makes("margin", margin("alice", 10_001))
      .change("change", { amount: micros(386_499) });
    ordering.tweak((less) =>
      less
        .change("margin", { amount: micros(10_000) })
        .change("change", { amount: micros(386_500) })
        .failsWith("exposure_margin_locked"),
    );
    return ordering.verifies();
  });
  rule("counts two slots as they will be charged", () => {
    const two = VALID["place-orders"]()
      .change("parameters", { surplusPrice: microsPerKwh(20_001) })
      .change("alice", { roles: ["prosumer", "speculator"], holdingCapPerSlot: wattHours(20_000) })
      .makes("second bid", order("bid", "alice", 500, 0, { orderId: "second", locked: micros(3_500), sequence: 3 }))
      .replace(
        "exposure of alice after",
        exposure("alice", { promised: 2_000, bidding: 500 }, { slot: NEXT_SLOT, bidding: 500 }),
      )
      .makes("margin", margin("alice", 20_002))
      .change("change", { amount: micros(372_998) });
    two.tweak((less) =>
      less
        .change("margin", { amount: micros(20_001) })
        .change("change", { amount: micros(372_999) })
        .failsWith("exposure_margin_locked"),
    );
    return two.verifies();
  });
  rule("is positive", () => VALID.bid().makes("margin", margin("carol", 0)).failsWith("funds_positive"));
});

describe("release margin", () => {
  const release = VALID["release-margin"];
  rule("verifies: in part, and in whole", () => {
    release()
      .replace("exposure", exposure("carol"))
      .without("margin after")
      .change("returned", { amount: micros(50_000) })
      .verifies();
    return release().verifies();
  });
  rule("releases some", () =>
    release()
      .without("margin", "margin after", "returned")
      .change("exposure", { entries: [] })
      .failsWith("release_some"),
  );
  rule("releases margins of one owner and day", () =>
    release()
      .consumes("of another day", margin("carol", 5_000, OTHER_DAY))
      .change("returned", { amount: micros(15_000) })
      .failsWith("release_of_one_owner_and_day"),
  );
  rule("cites the owner's exposure of the day", () => {
    release()
      .replace("exposure", exposure("bob", { bought: 1_500 }, { slot: NEXT_SLOT, bidding: 500 }))
      .failsWith("release_cites_the_exposure");
    release().change("exposure", { day: OTHER_DAY }).failsWith("release_cites_the_exposure");
    release()
      .cites("another day's", { ...exposure("carol"), day: OTHER_DAY })
      .failsWith("release_cites_the_exposure");
    return release().without("exposure").failsWith("release_cites_the_exposure");
  });
  rule("keeps what the day's holdings and bids need", () =>
    release()
      .change("margin after", { amount: micros(39_999) })
      .change("returned", { amount: micros(10_001) })
      .failsWith("release_keeps_what_is_needed"),
  );
  rule("keeps it in one piece", () =>
    release()
      .makes("second", margin("carol", 1))
      .change("returned", { amount: micros(9_999) })
      .failsWith("release_in_one_margin"),
  );
  rule("gives it to its owner", () =>
    release().replace("returned", funds("mallory", 10_000)).failsWith("release_money_stays"),
  );
  rule("is signed by the owner", () =>
    release().notSignedBy("carol").signedBy("mallory").failsWith("release_signed_by_the_owner"),
  );
});

describe("the surplus cost", () => {
  /** Nothing is paid for what is fed in: carol owes 0.03, which her margin pays. */
  const owing = (): Draft =>
    settleSlotOfSpeculator()
      .change("tariff", { feedIn: unpaid })
      .change("settlement", { feedInAmount: micros(0) })
      .without("payment", "change", "funds")
      .makes("surplus cost", funds("power company", 30_000));
  const unpaid = Array.from({ length: 96 }, () => microsPerKwh(0));

  rule("is paid by who holds energy at delivery and does not use it", () => settleSlotOfSpeculator().verifies());
  rule("is charged", () =>
    settleSlotOfSpeculator()
      .change("payment", { amount: micros(120_001) })
      .change("change", { amount: micros(9_999) })
      .failsWith("settlement_money_follows"),
  );
  rule("comes out of the margin without the owner, once it has been waited for", () => {
    owing().verifies();
    owing().notSignedBy("carol").from(OVERDUE_MS).verifies();
    return owing()
      .notSignedBy("carol")
      .from(OVERDUE_MS - 1)
      .failsWith("settlement_signed_by_the_member");
  });
  rule("takes nothing else without the owner", () => {
    owing()
      .without("margin", "margin after")
      .consumes("funds of carol", funds("carol", 40_000))
      .makes("change of carol", funds("carol", 10_000))
      .notSignedBy("carol")
      .from(OVERDUE_MS)
      .failsWith("settlement_signed_by_the_member");
    return owing()
      .change("reading", { consumed: wattHours(1_600) })
      .change("settlement", {
        consumed: wattHours(1_600),
        used: wattHours(1_500),
        feedInEnergy: wattHours(0),
        retailEnergy: wattHours(100),
        retailAmount: micros(30_000),
        surplusAmount: micros(0),
      })
      .notSignedBy("carol")
      .from(OVERDUE_MS)
      .failsWith("settlement_signed_by_the_member");
  });
  rule("leaves locked what the rest of the day needs, and no more", () => {
    settleSlotOfSpeculator()
      .change("margin after", { amount: micros(9_999) })
      .change("payment", { amount: micros(120_001) })
      .failsWith("settlement_margin_follows");
    settleSlotOfSpeculator()
      .change("margin after", { amount: micros(10_001) })
      .change("payment", { amount: micros(119_999) })
      .failsWith("settlement_margin_follows");
    return settleSlotOfSpeculator().change("margin after", { day: OTHER_DAY }).failsWith("settlement_margin_follows");
  });
  rule("is no one else's to answer for", () =>
    settleSlotOfSpeculator()
      .consumes("of bob", margin("bob", 5_000, DAY))
      .makes("of bob again", margin("bob", 5_000, DAY))
      .failsWith("settlement_margin_follows"),
  );
  rule("is not asked for what nobody bought", () =>
    VALID["settle-slot"]()
      .change("parameters", { surplusPrice: microsPerKwh(20_000) })
      .verifies(),
  );
  rule("may not be negative", () => {
    VALID.genesis()
      .change("parameters", { surplusPrice: microsPerKwh(-1) })
      .failsWith("genesis_parameters_sound");
    return VALID.genesis().replace("alice", member("alice")).verifies();
  });
});
