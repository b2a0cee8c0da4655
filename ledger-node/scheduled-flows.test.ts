/** Flows that nodes begin by themselves: auctions end, are settled, or give the bid back, at the instant at which that is due. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand } from "#contracts";
import { microsPerKwh, type Timers, type TimerTask, wattHours } from "#core";
import { DEADLINE_MS, GATE_MS, PARAMETERS, SLOT, SmallNetwork } from "#testkit";
import { scheduleFlows, scheduleHostFlows } from "./scheduled-flows.ts";

/** Runs tasks when the test's clock gets to them. */
class ManualTimers implements Timers {
  #tasks: { readonly atMs: number; readonly task: TimerTask }[] = [];

  at(atMs: number, task: TimerTask): void {
    this.#tasks.push({ atMs, task });
  }

  /** Moves the clock from one due task to the next, up to `untilMs`. */
  async runUntil(untilMs: number): Promise<void> {
    for (;;) {
      const due = this.#tasks.filter(({ atMs }) => atMs <= untilMs).sort((left, right) => left.atMs - right.atMs)[0];
      if (due === undefined) break;
      this.#tasks = this.#tasks.filter((each) => each !== due);
      small.clock.moveTo(Math.max(small.clock.nowMs(), due.atMs));
      await due.task.run();
    }
    small.clock.moveTo(untilMs);
  }
}

let small: SmallNetwork;
let timers: ManualTimers;
let problems: string[];

beforeEach(async () => {
  small = await SmallNetwork.found();
  timers = new ManualTimers();
  problems = [];
  for (const name of ["alice", "bob", "carol"]) {
    await small.join(name);
    await small.fund(name, 5_000_000, 5_000_000);
    await schedule(name);
  }
  await small.run("alice", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: SLOT, energy: wattHours(10_000) }],
  });
});
afterEach(() => small.close());

function schedule(name: string): Promise<void> {
  return scheduleFlows(small.node(name), timers, name, (problem) => problems.push(problem), small.clock);
}

async function auction(commandId: string, deadlineMs: number = DEADLINE_MS): Promise<void> {
  const command: ClientCommand = {
    tag: "create-auction",
    commandId,
    marketplace: small.key("marketplace"),
    slot: SLOT,
    energy: wattHours(2_000),
    basePrice: microsPerKwh(100_000),
    deadlineMs,
  };
  await small.run("alice", command);
}

async function bid(name: string, auctionId: string, price: number): Promise<void> {
  await small.run(name, { tag: "bid", commandId: `${name} ${auctionId}`, auctionId, price: microsPerKwh(price) });
}

function owned(name: string): readonly string[] {
  return small
    .node(name)
    .unspent("power-promise")
    .filter(({ owner }) => owner === small.key(name))
    .map(({ energy, lock }) => `${energy}${lock === null ? "" : " locked"}`)
    .sort();
}

describe("at the deadline", () => {
  test("the seller ends its auction and the winner settles it", async () => {
    await auction("a");
    await bid("bob", "a", 150_000);
    await timers.runUntil(DEADLINE_MS - 1);
    expect(small.node("alice").unspent("auction")).toMatchObject([{ status: "active" }]);
    await timers.runUntil(DEADLINE_MS);
    expect(problems).toEqual([]);
    expect(small.node("alice").unspent("auction")).toEqual([]);
    expect([owned("alice"), owned("bob")]).toEqual([["8000"], ["2000"]]);
    expect(small.balance("bob")).toBe(9_690_000n); // 10 − 2 × 0.155
  });

  test("an auction without a bid frees its promises", async () => {
    await auction("a");
    await timers.runUntil(DEADLINE_MS);
    expect(problems).toEqual([]);
    expect(owned("alice")).toEqual(["2000", "8000"]);
  });

  test("a node that starts long after it tries again soon, when others were not there yet", async () => {
    await auction("a");
    await small.ledger.restart("alice");
    const hoursLaterMs = DEADLINE_MS + 3 * 3_600_000;
    timers = new ManualTimers();
    await schedule("alice");
    small.clock.moveTo(hoursLaterMs);
    let asked = 0;
    small.wire.intercept = async (_from, _to, request, next) => {
      if (request.tag !== "notarise") return next(request);
      asked += 1;
      return asked <= 2 ? { tag: "refused", refusal: { tag: "node_unreachable" } } : next(request);
    };
    await timers.runUntil(hoursLaterMs);
    expect(asked).toBe(1);
    await timers.runUntil(hoursLaterMs + 60_000);
    expect(asked).toBe(3);
    expect(owned("alice")).toEqual(["2000", "8000"]);
  });

  test("one winner settles all that it has won at one instant", async () => {
    for (const id of ["a", "b", "c"]) {
      await auction(id);
      await bid("bob", id, 150_000);
    }
    await timers.runUntil(DEADLINE_MS);
    expect(problems).toEqual([]);
    expect(owned("bob")).toEqual(["2000", "2000", "2000"]);
  });

  test("what was scheduled before a restart is scheduled after it, once", async () => {
    await auction("a");
    await bid("bob", "a", 150_000);
    for (const name of ["alice", "bob"]) {
      await small.ledger.restart(name);
      await schedule(name);
    }
    await timers.runUntil(DEADLINE_MS);
    expect(owned("bob")).toEqual(["2000"]);
    expect(problems.filter((problem) => !problem.includes("exists"))).toEqual([]);
  });
});

/** A silent party neither answers nor asks; what it is sent is lost. */
function silence(...names: readonly string[]): void {
  const keys = names.map((name) => small.key(name));
  small.wire.intercept = (from, to, request, next) =>
    keys.includes(to) || keys.includes(from)
      ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
      : next(request);
}

const OVERDUE_MS = DEADLINE_MS + PARAMETERS.settlementGraceMs;

describe("when the seller never ends its auction", () => {
  beforeEach(async () => {
    await small.join("dave");
    await small.fund("dave", 5_000_000);
    await small.run("dave", {
      tag: "create-promises",
      commandId: "promise",
      promises: [{ slot: SLOT, energy: wattHours(5_000) }],
    });
    await small.run("dave", {
      tag: "create-auction",
      commandId: "never ended",
      marketplace: small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(2_000),
      basePrice: microsPerKwh(100_000),
      deadlineMs: DEADLINE_MS,
    });
  });

  test("the winner settles it after the grace period, with the seller's signature if it answers", async () => {
    await bid("bob", "never ended", 150_000);
    await bid("carol", "never ended", 160_000);
    await timers.runUntil(OVERDUE_MS - 1);
    expect(owned("carol")).toEqual([]);
    await timers.runUntil(OVERDUE_MS);
    expect(problems).toEqual([]);
    expect(owned("carol")).toEqual(["2000"]);
    expect(small.balance("dave")).toBe(2_320_000n); // 5 − 5 × 0.60 deposit + 2 × 0.16
  });

  test("the marketplace ends it after the grace period if nobody bid: the grid authority knows the promises", async () => {
    await schedule("marketplace");
    silence("dave");
    await timers.runUntil(OVERDUE_MS);
    expect(problems).toEqual([]);
    expect(small.node("carol").unspent("auction")).toEqual([]);
    expect(
      small
        .node("grid-authority")
        .unspent("power-promise")
        .filter(({ supplier }) => supplier === small.key("dave"))
        .map(({ energy, lock }) => [energy, lock]),
    ).toEqual([
      [3_000n, null],
      [2_000n, null],
    ]);
  });
});

describe("when the seller is silent", () => {
  beforeEach(async () => {
    await auction("a");
    await bid("bob", "a", 150_000);
  });

  test("its auction is its consent: after the grace period the marketplace signs, and the winner owns", async () => {
    await timers.runUntil(DEADLINE_MS - 1);
    silence("alice");
    await timers.runUntil(OVERDUE_MS - 1);
    expect(owned("bob")).toEqual([]);
    await timers.runUntil(OVERDUE_MS);
    expect(owned("bob")).toEqual(["2000"]);
    expect(small.balance("marketplace")).toBe(10_000n); // 2 × 0.005
    // Alice learns of it when she is back.
    small.wire.intercept = undefined;
    await small.node("bob").resume();
    expect([owned("alice"), small.balance("alice")]).toEqual([["8000"], 4_300_000n]); // 10 − 10 × 0.60 + 2 × 0.15
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 30_000_000n, heldMicros: 30_000_000n });
  });

  test("the same after the winner was restarted in between", async () => {
    await timers.runUntil(DEADLINE_MS);
    await small.ledger.restart("bob");
    silence("alice");
    await schedule("bob");
    await timers.runUntil(OVERDUE_MS);
    expect(owned("bob")).toEqual(["2000"]);
  });

  test("the same when it answers and refuses to sign", async () => {
    const alice = small.key("alice");
    small.wire.intercept = (_from, to, request, next) =>
      to === alice && request.tag === "sign"
        ? Promise.resolve({ tag: "refused", refusal: { tag: "role_not_allowed" } })
        : next(request);
    await timers.runUntil(OVERDUE_MS);
    expect(owned("bob")).toEqual(["2000"]);
  });

  test("it can't hold its lead by proving an old position: the grid authority is asked instead", async () => {
    const old = await small.node("bob").states("exposure");
    await small.run("bob", {
      tag: "place-orders",
      commandId: "later",
      marketplace: small.key("marketplace"),
      orders: [{ side: "bid", slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(100_000) }],
    });
    expect(small.node("bob").unspent("exposure")).not.toEqual(old.map(({ state }) => state));
    const proof = old[0] && (await small.proofOf(old[0].ref));
    small.wire.intercept = async (_from, to, request, next) => {
      const reply = await next(request);
      const isStale = to === small.key("bob") && reply.tag === "position" && proof !== undefined;
      return isStale ? { ...reply, exposure: proof } : reply;
    };
    await bid("carol", "a", 200_000);
    expect(small.node("carol").unspent("auction")).toMatchObject([{ highestBidder: small.key("carol") }]);
  });

  test("nobody settles without it before the grace period is over", async () => {
    small.clock.moveTo(DEADLINE_MS);
    await small.run("alice", { tag: "end-auction", commandId: "end", auctionId: "a" });
    silence("alice");
    const settle = () => small.submit("bob", { tag: "settle-auction", commandId: "early", auctionId: "a" });
    expect(await settle()).toEqual({ ok: false, error: { tag: "node_unreachable" } });
    small.clock.moveTo(OVERDUE_MS - 1);
    expect(await settle()).toEqual({ ok: false, error: { tag: "node_unreachable" } });
    small.clock.moveTo(OVERDUE_MS);
    expect(await settle()).toMatchObject({ ok: true });
  });

  test("it is outbid all the same when it leads: the grid authority proves its bid and exposure", async () => {
    silence("bob");
    await bid("carol", "a", 200_000);
    expect(small.node("carol").unspent("auction")).toMatchObject([{ highestBidder: small.key("carol") }]);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 30_000_000n, heldMicros: 30_000_000n });
  });
});

test("when nobody can be reached a flow is tried again with growing pauses, and reported once", async () => {
  await auction("a");
  await bid("bob", "a", 150_000);
  const asked: number[] = [];
  small.wire.intercept = (_from, to, request, next) => {
    if (to !== small.key("notary") || request.tag !== "notarise") return next(request);
    asked.push(small.clock.nowMs() - DEADLINE_MS);
    return Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } });
  };
  await timers.runUntil(DEADLINE_MS + 100_000);
  expect([...new Set(asked)]).toEqual([0, 5_000, 15_000, 35_000, 75_000]);
  expect(problems).toEqual(["alice: end-auction of a was refused: node_unreachable"]);
  small.wire.intercept = undefined;
  await timers.runUntil(DEADLINE_MS + 200_000);
  expect(owned("bob")).toEqual(["2000"]);
});

test("orders that no round released are taken back by their owner after the gate, without the marketplace", async () => {
  await small.run("bob", {
    tag: "place-orders",
    commandId: "orders",
    marketplace: small.key("marketplace"),
    orders: [
      { side: "bid", slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(100_000) },
      { side: "bid", slot: SLOT, energy: wattHours(2_000), limit: microsPerKwh(90_000) },
    ],
  });
  silence("marketplace");
  await timers.runUntil(GATE_MS + PARAMETERS.settlementGraceMs - 1);
  expect(small.balance("bob")).toBeLessThan(10_000_000n);
  await timers.runUntil(GATE_MS + PARAMETERS.settlementGraceMs);
  expect(problems).toEqual([]);
  expect(small.balance("bob")).toBe(10_000_000n);
  expect(small.node("bob").unspent("pool-order")).toEqual([]);
});

describe("when neither the seller nor the marketplace can be reached", () => {
  beforeEach(async () => {
    await auction("a");
    await bid("bob", "a", 150_000);
    const keys = [small.key("alice"), small.key("marketplace")];
    small.wire.intercept = (_from, to, request, next) =>
      keys.includes(to) && (request.tag === "auctioned" || request.tag === "sign")
        ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
        : next(request);
    await timers.runUntil(DEADLINE_MS);
  });

  test("that is reported, and the bid stays locked until the gate, when the bidder takes it back", async () => {
    expect(problems).toEqual(["bob: settle-auction of a was refused: node_unreachable"]);
    expect(small.balance("bob")).toBe(9_690_000n);
    await timers.runUntil(GATE_MS - 1);
    expect(small.balance("bob")).toBe(9_690_000n);
    await timers.runUntil(GATE_MS);
    expect(small.balance("bob")).toBe(10_000_000n);
    for (const name of ["alice", "bob", "carol"]) expect(small.node(name).unspent("auction")).toEqual([]);
    expect(
      small
        .node("bob")
        .unspent("exposure")
        .flatMap(({ entries }) => entries),
    ).toEqual([]);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 30_000_000n, heldMicros: 30_000_000n });
  });

  test("it may be settled by hand until then", async () => {
    small.wire.intercept = undefined;
    await small.run("bob", { tag: "settle-auction", commandId: "by hand", auctionId: "a" });
    await timers.runUntil(GATE_MS);
    expect(owned("bob")).toEqual(["2000"]);
    expect(problems).toEqual(["bob: settle-auction of a was refused: node_unreachable"]);
  });

  test("nobody but the winner takes the bid back, and not before the gate", async () => {
    const lapse = (name: string) =>
      small.submit(name, { tag: "lapse-auction", commandId: `lapse ${name}`, auctionId: "a" });
    expect(await lapse("carol")).toEqual({ ok: false, error: { tag: "auction_unknown" } });
    expect(await lapse("bob")).toEqual({ ok: false, error: { tag: "time_window_invalid" } });
  });
});

describe("members that an aggregator serves", () => {
  test("have their auctions ended and settled, and their orders taken back, as others have", async () => {
    const host = await small.serve("hub", "dora", "emil");
    for (const name of ["dora", "emil"]) await small.fund(name, 5_000_000);
    await scheduleHostFlows(host, timers, (problem) => problems.push(problem), small.clock);
    await small.serve("hub", "late");
    await small.fund("late", 5_000_000);
    const promises = [{ slot: SLOT, energy: wattHours(4_000) }];
    await small.run("dora", { tag: "create-promises", commandId: "promise of dora", promises });
    const marketplace = small.key("marketplace");
    await small.run("dora", {
      tag: "create-auction",
      commandId: "served",
      marketplace,
      slot: SLOT,
      energy: wattHours(2_000),
      basePrice: microsPerKwh(100_000),
      deadlineMs: DEADLINE_MS,
    });
    await bid("emil", "served", 200_000);
    await bid("late", "served", 300_000);
    const orders = [{ side: "offer" as const, slot: SLOT, energy: wattHours(500), limit: microsPerKwh(100_000) }];
    await small.run("dora", { tag: "place-orders", commandId: "offer", marketplace, orders });
    await timers.runUntil(GATE_MS + PARAMETERS.settlementGraceMs);
    expect(problems).toEqual([]);
    expect([owned("late"), small.node("dora").unspent("pool-order"), host.node.unspent("auction")]).toEqual([
      [expect.stringContaining("2000")],
      [],
      [],
    ]);
  });
});
