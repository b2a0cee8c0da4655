/** Flows that nodes begin by themselves: auctions end, are settled, or give the bid back, at the instant at which that is due. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand } from "#contracts";
import { microsPerKwh, type Timers, type TimerTask, wattHours } from "#core";
import { DEADLINE_MS, GATE_MS, SLOT, SmallNetwork } from "#testkit";
import { scheduleFlows } from "./scheduled-flows.ts";

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
  return scheduleFlows(small.node(name), timers, name, (problem) => problems.push(problem));
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

test("the bid in an auction that its seller never ends is taken back at the gate, by who leads it", async () => {
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
  await bid("bob", "never ended", 150_000);
  await bid("carol", "never ended", 160_000);
  await timers.runUntil(GATE_MS);
  expect(problems).toEqual([]);
  expect([small.balance("bob"), small.balance("carol")]).toEqual([10_000_000n, 10_000_000n]);
  expect(small.node("carol").unspent("auction")).toEqual([]);
});

describe("when the seller can't be reached", () => {
  beforeEach(async () => {
    await auction("a");
    await bid("bob", "a", 150_000);
    small.wire.intercept = (_from, to, request, next) =>
      to === small.key("alice") && request.tag === "auctioned"
        ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
        : next(request);
    await timers.runUntil(DEADLINE_MS);
  });

  test("that is reported, and the bid stays locked until the gate, when the bidder takes it back", async () => {
    expect(problems).toHaveLength(1);
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
    expect(problems).toHaveLength(1);
  });

  test("nobody but the winner takes the bid back, and not before the gate", async () => {
    const lapse = (name: string) =>
      small.submit(name, { tag: "lapse-auction", commandId: `lapse ${name}`, auctionId: "a" });
    expect(await lapse("carol")).toEqual({ ok: false, error: { tag: "auction_unknown" } });
    expect(await lapse("bob")).toEqual({ ok: false, error: { tag: "time_window_invalid" } });
  });
});
