/** Clauses of pools: each fails alone. And how a marketplace, or an order's owner, would rob the others. */
import { describe, test } from "vitest";
import type { Claims } from "#contracts";
import { micros, microsPerKwh, type SlotId, wattHours } from "#core";
import {
  agencyRecord,
  CERTIFIED_SOLAR,
  type Draft,
  exposure,
  funds,
  GATE_MS,
  keyOf,
  MARKETPLACE,
  mandate,
  member,
  NEXT_SLOT,
  order,
  promise,
  RENEWABLE,
  SOLAR,
  TRADES,
  VALID,
  type Verdict,
} from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

const OFFERED = { lock: { kind: "order", id: "offer of alice" } } as const;
const [BOBS_TRADE, CAROLS_TRADE] = TRADES as readonly [(typeof TRADES)[number], (typeof TRADES)[number]];

describe("place orders", () => {
  const place = VALID["place-orders"];
  /** The bid for `energy` at `limit`, with its lock and exposure. */
  const bidding = (energy: number, limit: number, slot: SlotId = NEXT_SLOT): Draft => {
    const locked = Math.ceil((energy * limit) / 1_000) + Math.ceil((energy * 5_000) / 1_000) + 1_000;
    return place()
      .replace("bid", order("bid", "alice", energy, limit, { slot, locked: micros(locked) }))
      .replace("change", funds("alice", 500_000 - locked))
      .replace(
        "exposure of alice after",
        exposure("alice", { promised: 2_000 }, ...(energy === 0 ? [] : [{ slot, bidding: energy }])),
      );
  };
  rule("verifies", () => place().verifies());
  rule("places some", () =>
    place()
      .without("offer", "offered", "rest", "promise", "bid", "exposure of alice", "exposure of alice after")
      .replace("change", funds("alice", 500_000))
      .failsWith("orders_some"),
  );
  rule("places orders of one owner", () =>
    place()
      .change("offer", { owner: keyOf("bob") })
      .failsWith("orders_of_one_owner"),
  );
  rule("gives each order an id of its own", () =>
    place()
      .makes("second bid", order("bid", "alice", 500, 200_000, { slot: NEXT_SLOT, locked: micros(103_500) }))
      .change("change", { amount: micros(293_000) })
      .replace("exposure of alice after", exposure("alice", { promised: 2_000 }, { slot: NEXT_SLOT, bidding: 1_000 }))
      .failsWith("order_ids_unique"),
  );
  rule("does not take one promise for two offers", () =>
    place()
      .makes("second offer", order("offer", "alice", 1_500, 100_000))
      .failsWith("order_ids_unique"),
  );
  rule("has some energy in each", () =>
    bidding(0, 200_000).without("exposure of alice", "exposure of alice after").failsWith("order_energy_positive"),
  );
  rule("keeps to the slots of the network", () =>
    bidding(500, 200_000, "2031-06-01T10:30Z/PT30M" as SlotId).failsWith("order_slot_of_the_network"),
  );
  rule("keeps limits in the band", () => {
    place()
      .change("offer", { limit: microsPerKwh(1_000_000) })
      .verifies();
    place()
      .change("offer", { limit: microsPerKwh(1_000_001) })
      .failsWith("order_price_in_band");
    return bidding(100, 1_000_001).failsWith("order_price_in_band");
  });
  rule("requires nothing of its own energy", () => {
    place().change("bid", { requires: RENEWABLE }).verifies();
    return place().change("offer", { requires: RENEWABLE }).failsWith("order_offers_require_nothing");
  });
  rule("is before the gate of every slot", () =>
    place()
      .until(GATE_MS + 1)
      .failsWith("order_before_gate"),
  );
  rule("locks what a bid may cost", () =>
    place()
      .change("bid", { locked: micros(103_499) })
      .change("change", { amount: micros(396_501) })
      .failsWith("order_locks_its_worst_case"),
  );
  rule("locks what an offer below zero may cost", () => {
    // 1500 Wh at -0.10: alice may have to pay 150,000 micros to be rid of them.
    const cheap = (locked: number): Draft =>
      place()
        .change("offer", { limit: microsPerKwh(-100_000), locked: micros(locked) })
        .replace("change", funds("alice", 396_500 - locked));
    cheap(151_000).verifies();
    return cheap(0).failsWith("order_locks_its_worst_case");
  });
  rule("offers own promises", () =>
    place()
      .change("promise", { owner: keyOf("bob") })
      .consumes("exposure of bob", exposure("bob", { bought: 2_000 }))
      .makes("exposure of bob after", exposure("bob"))
      .failsWith("order_offers_own_free_promises"),
  );
  rule("offers free promises", () =>
    place()
      .change("promise", { lock: { kind: "auction", id: "auction" } })
      .failsWith("order_offers_own_free_promises"),
  );
  rule("offers promises that are open", () =>
    place()
      .change("promise", { delivered: wattHours(0) })
      .change("offered", { delivered: wattHours(0) })
      .change("rest", { delivered: wattHours(0) })
      .failsWith("order_offers_own_free_promises"),
  );
  rule("gives no promise away", () =>
    place()
      .change("rest", { owner: keyOf("bob") })
      .cites("bob", member("bob"))
      .consumes("exposure of bob", exposure("bob"))
      .makes("exposure of bob after", exposure("bob", { bought: 500 }))
      .failsWith("order_promises_keep_owner"),
  );
  rule("keeps what was promised", () =>
    place().change("rest", { promiseId: "other" }).failsWith("order_promises_conserved"),
  );
  rule("locks the energy that it offers", () =>
    place()
      .change("offer", { energy: wattHours(1_501) })
      .failsWith("order_offers_lock_their_energy"),
  );
  rule("locks energy of the slot that it offers", () =>
    place().change("offer", { slot: NEXT_SLOT }).failsWith("order_offers_lock_their_energy"),
  );
  rule("locks nothing for something else", () =>
    place()
      .change("rest", { lock: { kind: "order", id: "elsewhere" } })
      .failsWith("order_locks_nothing_else"),
  );
  rule("costs the owner nothing", () =>
    place()
      .change("change", { amount: micros(396_499) })
      .makes("tip", funds("mallory", 1))
      .failsWith("order_money_stays_with_owner"),
  );
  rule("touches nobody else's funds", () =>
    place()
      .consumes("of bob", funds("bob", 9))
      .makes("of bob again", funds("bob", 9))
      .failsWith("order_funds_of_the_owner"),
  );
  rule("goes to one marketplace", () =>
    place()
      .change("bid", { marketplace: keyOf("other marketplace") })
      .cites("other", member("other marketplace", { roles: ["marketplace"], marketFee: MARKETPLACE.marketFee }))
      .signedBy("other marketplace")
      .failsWith("order_on_one_marketplace"),
  );
  rule("goes to a marketplace", () =>
    place()
      .change("marketplace", { roles: ["prosumer"] })
      .failsWith("order_on_one_marketplace"),
  );
  rule("has the fee that the marketplace declares", () =>
    place()
      .change("offer", { marketFee: microsPerKwh(4_999) })
      .failsWith("order_fee_as_declared"),
  );
  rule("is not by the grid authority", () =>
    bidding(500, 200_000)
      .without("promise", "offer", "offered", "rest")
      .changeCommand({ owner: keyOf("grid authority") })
      .change("bid", { owner: keyOf("grid authority") })
      .change("funds", { owner: keyOf("grid authority") })
      .change("change", { owner: keyOf("grid authority") })
      .replace("alice", member("grid authority"))
      .replace("exposure of alice", exposure("grid authority"))
      .replace("exposure of alice after", exposure("grid authority", { slot: NEXT_SLOT, bidding: 500 }))
      .signedBy("grid authority")
      .failsWith("order_not_by_grid_authority"),
  );
  rule("is of a member who is not suspended", () =>
    place().change("alice", { standing: "suspended" }).failsWith("order_owner_may_act"),
  );
  rule("is authorised by the owner", () => place().notSignedBy("alice").failsWith("order_authorised"));
  rule("is signed by the marketplace, which gives the arrival numbers", () =>
    place().notSignedBy("marketplace").failsWith("order_signed_by_marketplace"),
  );
  rule("is signed by the verifiers", () => place().notSignedBy("verifier").failsWith("order_verified"));
});

describe("place orders under a mandate", () => {
  const delegated = (energyPerSlotMax: number): Draft =>
    VALID["place-orders"]()
      .notSignedBy("alice")
      .signedBy("agent")
      .cites("mandate", mandate("alice", "agent", { energyPerSlotMax: wattHours(energyPerSlotMax) }));
  rule("within its limit", () => delegated(1_500).verifies());
  rule("not an offer beyond its limit", () => delegated(1_499).failsWith("order_authorised"));
  rule("not bids beyond its limit, one after the other", () =>
    delegated(1_500)
      .replace(
        "exposure of alice",
        exposure("alice", { promised: 2_000 }, { slot: NEXT_SLOT, bought: 600, bidding: 401 }),
      )
      .replace(
        "exposure of alice after",
        exposure("alice", { promised: 2_000 }, { slot: NEXT_SLOT, bought: 600, bidding: 901 }),
      )
      .failsWith("order_authorised"),
  );
  rule("an offer of what the owner itself bought beyond the limit is no purchase", () =>
    delegated(1_500)
      .replace("exposure of alice", exposure("alice", { promised: 2_000, bought: 9_000 }))
      .replace(
        "exposure of alice after",
        exposure("alice", { promised: 2_000, bought: 9_000 }, { slot: NEXT_SLOT, bidding: 500 }),
      )
      .verifies(),
  );
});

describe("cancel orders", () => {
  const cancel = VALID["cancel-orders"];
  rule("verifies", () => cancel().verifies());
  rule("cancels some", () =>
    cancel()
      .without("offer", "bid", "offered", "promise", "money back", "exposure of alice", "exposure of alice after")
      .failsWith("cancel_some"),
  );
  rule("cancels orders of one owner", () =>
    cancel()
      .consumes("of bob", order("offer", "bob", 0, 0))
      .failsWith("cancel_orders_of_one_owner"),
  );
  rule("frees all promises of the orders", () =>
    cancel().without("offered", "promise").failsWith("cancel_frees_all_promises"),
  );
  rule("frees no promise of another order", () =>
    cancel()
      .consumes("elsewhere", promise("alice", 5, { lock: { kind: "order", id: "elsewhere" } }))
      .makes("elsewhere after", promise("alice", 5))
      .failsWith("cancel_takes_promises_of_the_orders"),
  );
  rule("frees them", () => cancel().change("promise", OFFERED).failsWith("cancel_promises_unlocked"));
  rule("gives them back to the owner", () =>
    cancel()
      .change("promise", { owner: keyOf("mallory") })
      .cites("mallory", member("mallory"))
      .consumes("exposure of mallory", exposure("mallory"))
      .makes("exposure of mallory after", exposure("mallory", { bought: 1_500 }))
      .failsWith("cancel_promises_unlocked"),
  );
  rule("keeps what was promised", () =>
    cancel().change("promise", { promiseId: "other" }).failsWith("cancel_promises_conserved"),
  );
  rule("gives the money back", () =>
    cancel()
      .change("money back", { owner: keyOf("mallory") })
      .failsWith("cancel_returns_money"),
  );
  rule("is authorised by the owner", () => cancel().notSignedBy("alice").failsWith("cancel_authorised"));
  rule("may be done under a mandate, and by a suspended member", () =>
    cancel()
      .notSignedBy("alice")
      .signedBy("agent")
      .cites("mandate", mandate("alice", "agent"))
      .cites("alice", member("alice", { standing: "suspended" }))
      .until(GATE_MS)
      .verifies(),
  );
  rule("is signed by the marketplace, which may be clearing them", () =>
    cancel().notSignedBy("marketplace").failsWith("cancel_signed_by_marketplace"),
  );
  rule("does not take two orders of one id for one: promises would stay locked for ever", () =>
    cancel()
      .consumes("offer again", order("offer", "alice", 1_500, 100_000, { sequence: 7 }))
      .failsWith("cancel_order_ids_unique"),
  );
});

describe("cancel orders after the gate", () => {
  /** One offer, whose slot's gate has closed. */
  const late = (): Draft =>
    VALID["cancel-orders"]()
      .without("bid", "money back", "exposure of alice", "exposure of alice after")
      .from(GATE_MS)
      .notSignedBy("alice", "marketplace");
  rule("needs no marketplace: orders cannot be held for ever", () => late().signedBy("alice").verifies());
  rule("needs no owner: the marketplace may return what is left", () => late().signedBy("marketplace").verifies());
  rule("the grid authority may return what is left, or a supplier could never be checked", () =>
    late().signedBy("grid authority").verifies(),
  );
  rule("nobody else", () => late().signedBy("mallory").failsWith("cancel_authorised"));
  rule("not a moment before", () =>
    late()
      .from(GATE_MS - 1)
      .signedBy("grid authority")
      .failsWithAll("cancel_authorised", "cancel_signed_by_marketplace"),
  );
  rule("not for orders whose gate is open", () =>
    VALID["cancel-orders"]()
      .from(GATE_MS)
      .notSignedBy("alice", "marketplace")
      .signedBy("grid authority")
      .failsWithAll("cancel_authorised", "cancel_signed_by_marketplace"),
  );
  rule("needs no promises: the delivery check may have freed them already", () =>
    late().without("offered", "promise").signedBy("grid authority").verifies(),
  );
});

describe("clear pool", () => {
  const clear = VALID["clear-pool"];
  /** Nothing traded and all given back: whatever the command says of trades is wrong, and nothing else is. */
  const released = (): Draft =>
    clear()
      .without(
        "offer after",
        "promise of bob",
        "promise of carol",
        "still offered",
        "payment",
        "change of bob",
        "change of carol",
        "fee",
      )
      .makes("promise back", promise("alice", 1_500))
      .makes("back to bob", funds("bob", 206_000))
      .makes("back to carol", funds("carol", 50_500))
      .replace("exposure of bob after", exposure("bob"))
      .replace("exposure of carol after", exposure("carol"))
      .changeCommand({ isFinal: true });
  const claiming = (patch: Partial<typeof BOBS_TRADE>): Draft =>
    released().changeCommand({ trades: [{ ...BOBS_TRADE, ...patch }] });

  rule("verifies", () => clear().verifies());
  rule("verifies when nothing trades and all is given back, even after the gate", () =>
    released().changeCommand({ trades: [], price: null }).until(null).verifies(),
  );
  rule("clears some orders", () =>
    clear()
      .without(
        "offer",
        "bid of bob",
        "bid of carol",
        "offered",
        "offer after",
        "promise of bob",
        "promise of carol",
        "still offered",
      )
      .without("payment", "change of bob", "change of carol", "fee", "exposure of bob", "exposure of carol")
      .without("exposure of bob after", "exposure of carol after")
      .changeCommand({ trades: [] })
      .failsWith("clear_some_orders"),
  );
  rule("clears orders of one slot", () =>
    clear()
      .consumes("elsewhere", order("offer", "alice", 7, 100_000, { orderId: "elsewhere", slot: NEXT_SLOT }))
      .consumes("elsewhere offered", promise("alice", 7, { slot: NEXT_SLOT, lock: { kind: "order", id: "elsewhere" } }))
      .makes("elsewhere after", order("offer", "alice", 7, 100_000, { orderId: "elsewhere", slot: NEXT_SLOT }))
      .makes(
        "elsewhere still offered",
        promise("alice", 7, { slot: NEXT_SLOT, lock: { kind: "order", id: "elsewhere" } }),
      )
      .failsWith("clear_orders_of_the_slot"),
  );
  rule("clears orders of one marketplace", () => {
    const elsewhere = order("bid", "dave", 7, 100_000, {
      marketplace: keyOf("other marketplace"),
      locked: micros(1_735),
    });
    return clear()
      .consumes("elsewhere", elsewhere)
      .makes("elsewhere after", elsewhere)
      .signedBy("other marketplace")
      .failsWith("clear_orders_of_one_marketplace");
  });
  rule("clears each id once", () =>
    clear()
      .consumes("again", order("bid", "bob", 1_000, 200_000, { locked: micros(206_000), sequence: 9 }))
      .makes("back", funds("bob", 206_000))
      .replace("exposure of bob", exposure("bob", { bidding: 2_000 }))
      .failsWith("clear_order_ids_unique"),
  );

  rule("trades orders that it clears", () => claiming({ bid: "bid of nobody" }).failsWith("clear_trades_known_orders"));
  rule("trades a bid with an offer", () =>
    claiming({ bid: "offer of alice", offer: "bid of bob" }).failsWith("clear_trades_known_orders"),
  );
  rule("trades some energy", () => claiming({ energy: wattHours(0) }).failsWith("clear_trades_some_energy"));
  rule("trades between two", () => {
    const own = order("bid", "alice", 100, 200_000, { locked: micros(21_500) });
    return claiming({ bid: "bid of alice" })
      .consumes("own", own)
      .makes("back to alice", funds("alice", 21_500))
      .consumes("exposure of alice", exposure("alice", { promised: 2_000, bidding: 100 }))
      .makes("exposure of alice after", exposure("alice", { promised: 2_000 }))
      .failsWith("clear_no_trade_with_oneself");
  });
  rule("trades no more than a bid asks for", () =>
    claiming({ energy: wattHours(1_001) }).failsWith("clear_within_orders"),
  );
  rule("trades no more than is offered, in all trades together", () =>
    released()
      .changeCommand({ trades: [BOBS_TRADE, CAROLS_TRADE, { ...CAROLS_TRADE, energy: wattHours(1) }] })
      .failsWith("clear_within_orders"),
  );
  rule("trades at no more than the bid's limit", () =>
    claiming({ price: microsPerKwh(200_001) })
      .changeCommand({ price: null })
      .failsWith("clear_within_limits"),
  );
  rule("trades at no less than the offer's limit", () =>
    claiming({ price: microsPerKwh(99_999) })
      .changeCommand({ price: null })
      .failsWith("clear_within_limits"),
  );
  rule("gives a bid what it requires, of every promise of the offer", () => {
    const requiring = (claims: Claims | null, contradicted = 0): Draft =>
      clear()
        .change("bid of bob", { requires: RENEWABLE })
        .change("offered", { claims })
        .change("promise of bob", { claims })
        .change("promise of carol", { claims })
        .change("still offered", { claims })
        .cites("record", agencyRecord(10_000, contradicted));
    requiring(CERTIFIED_SOLAR).verifies();
    requiring(SOLAR).failsWith("clear_requirements_met");
    requiring(null).failsWith("clear_requirements_met");
    requiring(CERTIFIED_SOLAR).without("record").failsWith("clear_requirements_met");
    requiring(CERTIFIED_SOLAR, 1).failsWith("clear_requirements_met");
    return requiring(CERTIFIED_SOLAR)
      .change("offered", { energy: wattHours(1_400) })
      .consumes("grey", promise("alice", 100, { promiseId: "grey", ...OFFERED }))
      .change("still offered", { energy: wattHours(100) })
      .makes("grey after", promise("alice", 100, { promiseId: "grey", ...OFFERED }))
      .failsWith("clear_requirements_met");
  });
  rule("trades what is paid for", () =>
    claiming({})
      .change("bid of bob", { locked: micros(154_999) })
      .change("back to bob", { amount: micros(154_999) })
      .failsWith("clear_payments_covered"),
  );
  rule("trades at the price that it announces", () =>
    clear()
      .changeCommand({ price: microsPerKwh(150_001) })
      .failsWith("clear_at_one_price"),
  );
  rule("may announce no price: pay-as-bid", () => clear().changeCommand({ price: null }).verifies());

  rule("takes all promises of the offers", () =>
    clear()
      .change("offered", { energy: wattHours(1_400) })
      .change("still offered", { energy: wattHours(100) })
      .failsWith("clear_takes_all_offered_promises"),
  );
  rule("takes no other promises", () =>
    clear()
      .consumes("free", promise("alice", 9, { promiseId: "free" }))
      .makes("free after", promise("alice", 9, { promiseId: "free" }))
      .failsWith("clear_takes_promises_of_the_orders"),
  );
  rule("lets orders go on with what is left of them", () =>
    clear()
      .change("offer after", { energy: wattHours(300) })
      .failsWith("clear_orders_go_on"),
  );
  rule("does not change a limit on the way", () =>
    clear()
      .change("offer after", { limit: microsPerKwh(0) })
      .failsWith("clear_orders_go_on"),
  );
  rule("lets go of no order before the final round", () =>
    clear().without("offer after").failsWith("clear_orders_go_on"),
  );
  rule("ends all orders in the final round", () =>
    clear().changeCommand({ isFinal: true }).change("still offered", { lock: null }).failsWith("clear_orders_go_on"),
  );
  rule("pays the seller", () =>
    clear()
      .change("payment", { amount: micros(194_999) })
      .makes("tip", funds("mallory", 1))
      .failsWith("clear_money_follows_trades"),
  );
  rule("charges no more than the fee", () =>
    clear()
      .change("fee", { amount: micros(7_500) })
      .change("change of bob", { amount: micros(50_000) })
      .failsWith("clear_money_follows_trades"),
  );
  rule("gives back what a bid locked and did not need", () =>
    clear()
      .change("change of bob", { amount: micros(50_000) })
      .change("change of carol", { amount: micros(5_000) })
      .failsWith("clear_money_follows_trades"),
  );
  rule("hands the energy to its buyers", () =>
    clear()
      .change("promise of bob", { owner: keyOf("mallory") })
      .replace("exposure of bob after", exposure("bob"))
      .cites("mallory", member("mallory"))
      .consumes("exposure of mallory", exposure("mallory"))
      .makes("exposure of mallory after", exposure("mallory", { bought: 1_000 }))
      .failsWith("clear_promises_follow_trades"),
  );
  rule("hands each buyer what it bought", () =>
    clear()
      .change("promise of bob", { energy: wattHours(999) })
      .change("promise of carol", { energy: wattHours(301) })
      .replace("exposure of bob after", exposure("bob", { bought: 999 }))
      .replace("exposure of carol after", exposure("carol", { bought: 301 }))
      .failsWith("clear_promises_follow_trades"),
  );
  rule("hands it over free", () => clear().change("promise of bob", OFFERED).failsWith("clear_promises_follow_trades"));
  rule("keeps what was promised", () =>
    clear().change("promise of bob", { promiseId: "other" }).failsWith("clear_promises_follow_trades"),
  );
  rule("takes no energy from what goes on", () =>
    clear()
      .change("still offered", { owner: keyOf("mallory") })
      .cites("mallory", member("mallory"))
      .consumes("exposure of mallory", exposure("mallory"))
      .makes("exposure of mallory after", exposure("mallory", { bought: 200 }))
      .failsWith("clear_promises_follow_trades"),
  );
  rule("keeps what goes on locked", () =>
    clear().change("still offered", { lock: null }).failsWith("clear_promises_follow_trades"),
  );
  rule("keeps it locked whatever the order is called", () => {
    const named = { lock: { kind: "order", id: "free" } } as const;
    return clear()
      .change("offer", { orderId: "free" })
      .change("offer after", { orderId: "free" })
      .change("offered", named)
      .change("still offered", { lock: null })
      .changeCommand({ trades: TRADES.map((trade) => ({ ...trade, offer: "free" })) })
      .failsWith("clear_promises_follow_trades");
  });
  rule("trades before the gate", () =>
    clear()
      .until(GATE_MS + 1)
      .failsWith("clear_trades_before_gate"),
  );
  rule("trades for members who may act", () => {
    clear().change("alice", { standing: "suspended" }).failsWith("clear_traders_may_act");
    return clear().without("bob").failsWith("clear_traders_may_act");
  });
  rule("is signed by the marketplace", () =>
    clear().notSignedBy("marketplace").failsWith("clear_signed_by_marketplace"),
  );
  rule("is signed by the verifiers", () => clear().notSignedBy("verifier").failsWith("clear_verified"));
});

describe("promises of several suppliers in one pool", () => {
  const DAVES = { owner: keyOf("dave"), promiseId: "resold" } as const;
  /**
   * Dave resells a promise of bob's, alice offers her own. Bob buys alice's 1000 Wh, carol buys dave's 300 Wh.
   * Bob's own promise would be worth nothing to bob if he fails: only what he delivers himself counts of it.
   */
  const resale = (): Draft => {
    const daves = { lock: { kind: "order", id: "offer of dave" } } as const;
    return VALID["clear-pool"]()
      .consumes("second offer", order("offer", "dave", 300, 100_000, { sequence: 5 }))
      .consumes("resold", promise("bob", 300, { ...DAVES, ...daves }))
      .cites("dave", member("dave"))
      .change("offer after", { energy: wattHours(500) })
      .change("still offered", { energy: wattHours(500) })
      .replace("promise of carol", promise("bob", 300, { ...DAVES, owner: keyOf("carol") }))
      .change("payment", { amount: micros(150_000) })
      .makes("payment of dave", funds("dave", 45_000))
      .consumes("exposure of dave", exposure("dave", { bought: 300 }))
      .makes("exposure of dave after", exposure("dave"))
      .changeCommand({ trades: [BOBS_TRADE, { ...CAROLS_TRADE, offer: "offer of dave" }] });
  };
  rule("verifies", () => resale().verifies());
  rule("each buyer gets promises of the offer that it traded with, not what is left of another", () =>
    resale()
      .replace("promise of bob", promise("alice", 700, { owner: keyOf("bob") }))
      .makes("own promise of bob", promise("bob", 300, { promiseId: "resold" }))
      .replace("promise of carol", promise("alice", 300, { owner: keyOf("carol") }))
      .replace("exposure of bob after", exposure("bob", { bought: 700 }))
      .failsWith("clear_promises_follow_trades"),
  );
});

describe("orders of one id", () => {
  rule("a bid of another's id cannot eat the first one's energy", () => {
    // Mallory's bid is called as bob's: it would take bob's place in the trades.
    const copy = order("bid", "mallory", 1_000, 200_000, {
      orderId: "bid of bob",
      locked: micros(206_000),
      sequence: 9,
    });
    return VALID["clear-pool"]()
      .consumes("copy", copy)
      .cites("mallory", member("mallory"))
      .change("promise of bob", { owner: keyOf("mallory") })
      .makes("change of mallory", funds("mallory", 51_000))
      .change("change of bob", { amount: micros(206_000) })
      .replace("exposure of bob after", exposure("bob"))
      .consumes("exposure of mallory", exposure("mallory", { bidding: 1_000 }))
      .makes("exposure of mallory after", exposure("mallory", { bought: 1_000 }))
      .failsWith("clear_order_ids_unique");
  });
});
