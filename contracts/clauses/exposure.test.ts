/** Clauses of exposure: positions are counted exactly, each day is opened once, nobody else's exposure is touched. */
import { describe, expect, test } from "vitest";
import { withOpenedDays } from "#contracts";
import { type LocalDay, micros, type SlotId, wattHours } from "#core";
import {
  type Draft,
  exposure,
  exposureIndex,
  funds,
  keyOf,
  member,
  NEXT_SLOT,
  order,
  VALID,
  type Verdict,
} from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

const create = VALID["create-promises"];

/** Alice's first promise of the day: her index opens it. */
function opening(): Draft {
  return create()
    .without("exposure of alice")
    .consumes("index", exposureIndex("alice", "2031-05-30", "2031-05-31"))
    .makes("index after", exposureIndex("alice", "2031-05-30", "2031-05-31", "2031-06-01"));
}

/** Sixteen days that end on the day given. */
function sixteenDaysUntil(last: number): readonly string[] {
  return Array.from({ length: 16 }, (_, index) => `2031-06-${String(last - 15 + index).padStart(2, "0")}`);
}

describe("exposure continues", () => {
  rule("verifies", () => create().verifies());
  rule("what is consumed is made again", () =>
    create().consumes("exposure of bob", exposure("bob")).failsWith("exposure_continues"),
  );
  rule("nothing is made that was not there", () =>
    create()
      .makes("exposure of bob", exposure("bob"))
      .failsWithAll("exposure_continues", "exposure_only_where_it_changes"),
  );
  rule("one exposure is not made into two", () =>
    create()
      .replace("exposure of alice after", exposure("alice", { promised: 1_500 }))
      .makes("second", exposure("alice", { promised: 500 }))
      .failsWith("exposure_continues"),
  );
  rule("it stays with its member", () =>
    create()
      .replace("exposure of alice", exposure("alice", { promised: 500 }))
      .replace("exposure of alice after", exposure("bob", { promised: 2_500 }))
      .failsWithAll("exposure_continues", "exposure_counts_the_change"),
  );
});

describe("a day is opened once", () => {
  rule("for the first promise of the day", () => opening().verifies());
  rule("on the member's very first day", () =>
    opening()
      .replace("index", exposureIndex("alice"))
      .replace("index after", exposureIndex("alice", "2031-06-01"))
      .verifies(),
  );
  rule("before a later day that is open already", () =>
    opening()
      .replace("index", exposureIndex("alice", "2031-05-31", "2031-06-02"))
      .replace("index after", exposureIndex("alice", "2031-05-31", "2031-06-01", "2031-06-02"))
      .verifies(),
  );
  rule("not twice: caps would count from zero again", () =>
    opening()
      .replace("index", exposureIndex("alice", "2031-06-01"))
      .replace("index after", exposureIndex("alice", "2031-06-01", "2031-06-01"))
      .failsWithAll("exposure_continues", "exposure_day_opened_once"),
  );
  rule("not without saying so in the index", () =>
    opening().without("index", "index after").failsWith("exposure_continues"),
  );
  rule("not with an index out of thin air", () =>
    opening().without("index").failsWithAll("exposure_continues", "exposure_day_opened_once"),
  );
  rule("not in another's index", () =>
    opening()
      .replace("index", exposureIndex("bob"))
      .replace("index after", exposureIndex("bob", "2031-06-01"))
      .failsWith("exposure_continues"),
  );
  rule("an index is not touched for nothing", () =>
    create()
      .consumes("index", exposureIndex("alice", "2031-06-01"))
      .makes("index after", exposureIndex("alice", "2031-06-01"))
      .failsWith("exposure_day_opened_once"),
  );
  rule("an index does not forget", () =>
    opening()
      .replace("index after", exposureIndex("alice", "2031-05-31", "2031-06-01"))
      .failsWith("exposure_day_opened_once"),
  );
  rule("the oldest of sixteen days is forgotten", () =>
    opening()
      .replace(
        "index",
        exposureIndex("alice", "2031-05-16", ...Array.from({ length: 15 }, (_, index) => `2031-05-${17 + index}`)),
      )
      .replace(
        "index after",
        exposureIndex("alice", ...Array.from({ length: 15 }, (_, index) => `2031-05-${17 + index}`), "2031-06-01"),
      )
      .verifies(),
  );
  rule("a day before the oldest of sixteen is not opened: it may have been forgotten", () =>
    opening()
      .replace("index", exposureIndex("alice", ...sixteenDaysUntil(17)))
      .replace("index after", exposureIndex("alice", ...sixteenDaysUntil(17)))
      .failsWithAll("exposure_continues", "exposure_day_opened_once"),
  );
  rule("no day is opened without an exposure for it: it could never be traded", () =>
    opening()
      .replace("index after", exposureIndex("alice", "2031-05-30", "2031-05-31", "2031-06-01", "2031-06-02"))
      .failsWith("exposure_continues"),
  );
  rule("no day is opened without a position in it", () =>
    opening()
      .replace("index after", exposureIndex("alice", "2031-05-30", "2031-05-31", "2031-06-01", "2031-06-02"))
      .makes("empty", { ...exposure("alice"), day: "2031-06-02" as LocalDay })
      .failsWith("exposure_only_where_it_changes"),
  );
});

describe("the index with more days", () => {
  const days = (...texts: readonly string[]): readonly LocalDay[] => texts as readonly LocalDay[];
  test("is in order and has the latest sixteen", () => {
    expect(withOpenedDays(days(), days("2031-06-01"))).toEqual(["2031-06-01"]);
    expect(withOpenedDays(days("2031-06-03"), days("2031-06-01", "2031-06-02"))).toEqual([
      "2031-06-01",
      "2031-06-02",
      "2031-06-03",
    ]);
    expect(withOpenedDays(days(...sixteenDaysUntil(16)), days("2031-06-20"))).toEqual([
      ...sixteenDaysUntil(16).slice(1),
      "2031-06-20",
    ]);
  });
});

describe("entries", () => {
  rule("are not empty", () =>
    create()
      .replace("exposure of alice after", exposure("alice", { promised: 2_000 }, { slot: NEXT_SLOT }))
      .failsWith("exposure_entries_tidy"),
  );
  rule("are in the order of their slots", () =>
    create()
      .replace("exposure of alice", exposure("alice", { slot: NEXT_SLOT, bought: 5 }))
      .replace("exposure of alice after", exposure("alice", { slot: NEXT_SLOT, bought: 5 }, { promised: 2_000 }))
      .failsWith("exposure_entries_tidy"),
  );
  rule("are one for each slot", () =>
    create()
      .replace("exposure of alice after", exposure("alice", { promised: 1_500 }, { promised: 500 }))
      .failsWith("exposure_entries_tidy"),
  );
  rule("are of the day", () => {
    const tomorrow = "2031-06-01T22:00Z/PT15M" as SlotId; // Midnight in Berlin.
    return create()
      .change("promise", { slot: tomorrow })
      .change("deposit", { slot: tomorrow })
      .replace("exposure of alice after", exposure("alice", { slot: tomorrow, promised: 2_000 }))
      .failsWith("exposure_entries_tidy");
  });
});

describe("exposure counts every change of position", () => {
  rule("of what is promised", () =>
    create()
      .replace("exposure of alice after", exposure("alice", { promised: 1_000 }))
      .failsWith("exposure_counts_the_change"),
  );
  rule("whichever measure it is written under", () =>
    create()
      .replace("exposure of alice after", exposure("alice", { promised: 1_000, bought: 1_000 }))
      .failsWith("exposure_counts_the_change"),
  );
  rule("of every member whose position changes", () =>
    VALID["clear-pool"]()
      .without("exposure of carol", "exposure of carol after")
      .failsWith("exposure_counts_the_change"),
  );
  rule("of what is bid for in an auction", () =>
    VALID.bid().without("exposure of bob", "exposure of bob after").failsWith("exposure_counts_the_change"),
  );
  rule("in the slot in which it changes", () =>
    create()
      .replace("exposure of alice after", exposure("alice", { slot: NEXT_SLOT, promised: 2_000 }))
      .failsWith("exposure_counts_the_change"),
  );
  rule("but owes nothing when a promise comes home to its supplier", () =>
    VALID["settle-auction"]()
      .change("auction", { seller: keyOf("bob"), highestBidder: keyOf("alice") })
      .change("bid", { bidder: keyOf("alice") })
      .change("promise", { owner: keyOf("bob") })
      .change("promise after", { owner: keyOf("alice") })
      .change("payment", { owner: keyOf("bob") })
      .without("exposure of carol", "exposure of carol after", "carol")
      .cites("alice", member("alice"))
      .signedBy("bob")
      .notSignedBy("carol")
      .consumes("exposure of alice", exposure("alice", { promised: 1_500, bidding: 1_500 }))
      .makes("exposure of alice after", exposure("alice", { promised: 1_500 }))
      .consumes("exposure of bob", exposure("bob", { bought: 1_500 }))
      .makes("exposure of bob after", exposure("bob"))
      .verifies(),
  );
});

describe("only exposures that change are touched", () => {
  rule("not another's: whoever consumes it stops that member's own trades", () =>
    create()
      .consumes("exposure of bob", exposure("bob", { bought: 5 }))
      .makes("exposure of bob after", exposure("bob", { bought: 5 }))
      .failsWith("exposure_only_where_it_changes"),
  );
  rule("not another day's", () =>
    create()
      .consumes("other day", { ...exposure("alice"), day: "2031-06-02" as LocalDay })
      .makes("other day after", { ...exposure("alice"), day: "2031-06-02" as LocalDay })
      .failsWith("exposure_only_where_it_changes"),
  );
});

describe("holding caps", () => {
  const capped = (energy: number): Draft =>
    VALID["place-orders"]()
      .without("offer", "offered", "rest", "promise")
      .replace("exposure of alice", exposure("alice", { slot: NEXT_SLOT, bought: 300, bidding: 200 }))
      .replace("exposure of alice after", exposure("alice", { slot: NEXT_SLOT, bought: 300, bidding: 200 + energy }))
      .replace("bid", order("bid", "alice", energy, 200_000, { slot: NEXT_SLOT, locked: micros(energy * 205 + 1_000) }))
      .replace("change", funds("alice", 500_000 - (energy * 205 + 1_000)))
      .change("alice", { holdingCapPerSlot: wattHours(1_000) });
  rule("count what is held and what is bid for", () => {
    capped(500).verifies();
    return capped(501).failsWith("holding_cap_kept");
  });
  rule("bind who outbids in an auction", () =>
    VALID.bid()
      .change("carol", { holdingCapPerSlot: wattHours(1_599) })
      .failsWith("holding_cap_kept"),
  );
  rule("do not stop a purchase that was bid for within the cap", () =>
    VALID["settle-auction"]()
      .change("carol", { holdingCapPerSlot: wattHours(0) })
      .verifies(),
  );
  rule("do not bind what a supplier promises", () =>
    create()
      .change("alice", { holdingCapPerSlot: wattHours(0) })
      .verifies(),
  );
});
