/**
 * What was measured: several operators report, the grid authority takes what they agree on, and what was settled by an earlier
 * reading is corrected, by later reports or by a dispute that the verifiers decide.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand, Metered, MeterReading, SlotSettlement } from "#contracts";
import { hashOf, type Micros, microsPerKwh, slotsOfLocalDay, type TimerTask, wattHours, zone } from "#core";
import { DAY, PARAMETERS, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";
import { scheduleFlows } from "./scheduled-flows.ts";
import { settleWholeSlot } from "./slot-settlement.ts";

const METERS = ["first meter", "second meter", "third meter"] as const;
const MEMBERS = ["alice", "bob"] as const;
const OVERDUE_MS = SLOT_END_MS + PARAMETERS.settlementGraceMs;
const CORRECTABLE_MS = SLOT_END_MS + PARAMETERS.correctionMs;

let small: SmallNetwork;

/** Three meter operators, of which two must agree within 5 Wh. Alice has promised 5 kWh, which bob and nobody bought. */
beforeEach(async () => {
  small = await SmallNetwork.found({ rules: { correctionMs: PARAMETERS.correctionMs } });
  await small.ledger.appointMeterOperators(METERS, wattHours(5));
  for (const name of ["second", "third"])
    await small.join(name, { roles: ["verifier"], capacityPerSlot: wattHours(0) });
  for (const name of MEMBERS) {
    await small.join(name);
    await small.fund(name, 5_000_000, 5_000_000);
  }
  await small.fund("power-company", 5_000_000, 5_000_000);
  await small.fund("grid-authority", 1_000);
  const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
  await small.run("power-company", {
    tag: "publish-tariff",
    commandId: "tariff",
    day: DAY,
    feedIn: slots.map(() => microsPerKwh(80_000)),
    retail: slots.map(() => microsPerKwh(300_000)),
  });
  const verifiers = ["verifier", "second", "third"].map((name) => small.key(name));
  await small.run("grid-authority", { tag: "amend-parameters", commandId: "verifiers", changes: { verifiers } });
  await small.run("alice", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: SLOT, energy: wattHours(5_000) }],
  });
  small.clock.moveTo(SLOT_END_MS);
});
afterEach(() => small.close());

function measured(name: string, produced: number, consumed: number): Metered {
  return { member: small.key(name), produced: wattHours(produced), consumed: wattHours(consumed) };
}

/** Alice delivers 4 kWh of 5, bob draws 2. */
const USUAL = (): readonly Metered[] => [measured("alice", 4_300, 300), measured("bob", 0, 2_000)];

const settle = () => settleWholeSlot(small.node("grid-authority"), SLOT, []);

function readings(): readonly MeterReading[] {
  return small.node("grid-authority").unspent("meter-reading");
}

function settlementOf(name: string): SlotSettlement | undefined {
  return small
    .node(name)
    .unspent("slot-settlement")
    .find(({ member }) => member === small.key(name));
}

function balances(): Readonly<Record<string, Micros>> {
  const names = [...MEMBERS, "power-company", "grid-authority"];
  return Object.fromEntries(names.map((name) => [name, small.balance(name)]));
}

function report(commandId: string, ...reported: readonly Metered[]): ClientCommand {
  return { tag: "report-meters", commandId, slot: SLOT, readings: reported };
}

describe("several operators", () => {
  test("report, and the settlement goes by what they agree on; who does not is named", async () => {
    await small.ledger.reportMeters(SLOT, USUAL(), (operator, reading) =>
      operator === "third meter" ? { ...reading, produced: wattHours(reading.produced * 2n) } : reading,
    );
    expect(await settle()).toEqual([]);
    expect(settlementOf("alice")).toMatchObject({ produced: 4_300n, consumed: 300n, delivered: 4_000n, revision: 0 });
    expect(small.node("grid-authority").unspent("meter-report")).toEqual([]);
    for (const name of METERS) expect(small.node(name).unspent("meter-report"), name).toEqual([]);
    expect(small.node("alice").unspent("meter-report")).toEqual([]);
  });

  test("name in the reading those who agreed and those who did not", async () => {
    await small.ledger.reportMeters(SLOT, USUAL(), (operator, reading) =>
      operator === "third meter" ? { ...reading, consumed: wattHours(reading.consumed + 6n) } : reading,
    );
    await small.run("grid-authority", { tag: "record-meters", commandId: "record", slot: SLOT, readings: [] });
    for (const { agreed, disagreed } of readings()) {
      expect(new Set(agreed)).toEqual(new Set([small.key("first meter"), small.key("second meter")]));
      expect(disagreed).toEqual([small.key("third meter")]);
    }
    expect(readings()).toHaveLength(2);
  });

  test("are all waited for until the grace period is over, then a quorum is enough", async () => {
    const reported = await small.ledger.reportMeters(SLOT, USUAL(), (operator, reading) =>
      operator === "third meter" ? null : reading,
    );
    expect([...reported]).toEqual([]);
    const waiting = { step: "record-meters", refusal: { tag: "reports_missing", needed: 3, reported: 2 } };
    expect(await settle()).toMatchObject([waiting]);
    expect(readings()).toEqual([]);
    small.clock.moveTo(OVERDUE_MS);
    expect(await settle()).toEqual([]);
    expect(settlementOf("bob")).toMatchObject({ consumed: 2_000n, retailAmount: 600_000n });
  });

  test("of whom too few report, or agree, make no reading", async () => {
    small.clock.moveTo(OVERDUE_MS);
    await small.run("first meter", report("r", ...USUAL()));
    expect(await settle()).toMatchObject([{ refusal: { tag: "reports_missing", needed: 2, reported: 1 } }]);
    await small.run("second meter", report("r", measured("alice", 9_000, 0), measured("bob", 0, 900)));
    expect(await settle()).toMatchObject([{ refusal: { tag: "meters_disagree" } }]);
    await small.run("third meter", report("r", measured("alice", 4_301, 302)));
    expect(await settle()).toMatchObject([{ refusal: { tag: "meters_disagree" } }]);
    expect(settlementOf("alice")).toMatchObject({ produced: 4_300n, consumed: 300n });
    expect(settlementOf("bob")).toBeUndefined();
  });

  test("replace what they reported before it was used", async () => {
    await small.run("first meter", report("wrong", measured("alice", 9_000, 0)));
    await small.run("first meter", report("right", measured("alice", 4_300, 300)));
    expect(small.node("first meter").unspent("meter-report")).toMatchObject([{ produced: 4_300n, revision: 1 }]);
    expect(small.node("grid-authority").unspent("meter-report")).toHaveLength(1);
  });

  test("drop what no reading used in time with their next report", async () => {
    await small.run("first meter", report("late", measured("alice", 4_300, 300)));
    small.clock.moveTo(CORRECTABLE_MS);
    await small.run("first meter", report("later", measured("bob", 0, 1)));
    expect(small.node("first meter").unspent("meter-report")).toMatchObject([{ member: small.key("bob") }]);
  });

  test.each([
    ["who is none", "bob", [0], "role_not_allowed"],
    ["of a stranger", "first meter", [1], "member_unknown"],
  ] as const)("a report %s is refused", async (_what, by, [stranger], refusal) => {
    const reading = stranger === 1 ? { ...measured("bob", 0, 1), member: small.key("notary") } : measured("bob", 0, 1);
    expect(await small.submit(by, report("r", reading))).toEqual({ ok: false, error: { tag: refusal } });
  });

  test("that are suspended can't report, and what they reported counts no more", async () => {
    await small.ledger.reportMeters(SLOT, USUAL());
    const suspend = { tag: "amend-member", commandId: "s", member: small.key("third meter") } as const;
    await small.run("grid-authority", { ...suspend, standing: "suspended" });
    expect(await small.submit("third meter", report("r", measured("bob", 0, 1)))).toEqual({
      ok: false,
      error: { tag: "member_suspended" },
    });
    small.clock.moveTo(OVERDUE_MS);
    expect(await settle()).toMatchObject([{ refusal: { tag: "reports_missing" } }]);
    expect(settlementOf("alice")).toMatchObject({ produced: 4_300n });
  });

  test("leave nothing to read for the grid authority alone, and without them it reads", async () => {
    const alone = { tag: "record-meters", commandId: "alone", slot: SLOT, readings: USUAL() } as const;
    expect(await small.submit("grid-authority", alone)).toEqual({ ok: false, error: { tag: "command_malformed" } });
    await small.run("grid-authority", {
      tag: "amend-parameters",
      commandId: "no meters",
      changes: { meterOperators: [], meterQuorum: 0 },
    });
    expect(await small.submit("grid-authority", { ...alone, commandId: "none", readings: [] })).toEqual({
      ok: false,
      error: { tag: "command_malformed" },
    });
    await small.run("grid-authority", { ...alone, commandId: "again" });
    expect(readings()).toHaveLength(2);
  });
});

describe("a correction", () => {
  /** Alice put 200 Wh more into the grid, bob drew 100 less. */
  const REVISED = (): readonly Metered[] => [measured("alice", 4_500, 300), measured("bob", 0, 1_900)];

  test("of a reading that nothing was done by replaces it", async () => {
    await small.ledger.reportMeters(SLOT, USUAL());
    await small.run("grid-authority", { tag: "record-meters", commandId: "first", slot: SLOT, readings: [] });
    await small.ledger.reportMeters(SLOT, REVISED());
    await small.run("grid-authority", { tag: "record-meters", commandId: "second", slot: SLOT, readings: [] });
    expect(readings()).toHaveLength(2);
    for (const [name, reading] of [
      ["alice", { produced: 4_500n }],
      ["bob", { consumed: 1_900n }],
    ] as const)
      expect(readings().find(({ member }) => member === small.key(name))).toMatchObject({ ...reading, revision: 1 });
    expect(await settle()).toEqual([]);
    expect(settlementOf("alice")).toMatchObject({ delivered: 4_200n, revision: 1 });
  });

  test("waits until the slot is settled by the reading that the delivery was checked by", async () => {
    await small.ledger.reportMeters(SLOT, USUAL());
    await small.run("grid-authority", { tag: "record-meters", commandId: "first", slot: SLOT, readings: [] });
    await small.run("grid-authority", {
      tag: "check-delivery",
      commandId: "c",
      supplier: small.key("alice"),
      slot: SLOT,
    });
    await small.ledger.reportMeters(SLOT, [measured("alice", 4_500, 300)]);
    const second = { tag: "record-meters", commandId: "second", slot: SLOT, readings: [] } as const;
    expect(await small.submit("grid-authority", second)).toEqual({ ok: false, error: { tag: "reading_recorded" } });
    await small.run("grid-authority", { tag: "settle-slot", commandId: "s", member: small.key("alice"), slot: SLOT });
    await small.run("grid-authority", second);
    expect(await settle()).toEqual([]);
    expect(settlementOf("alice")).toMatchObject({ delivered: 4_200n, revision: 1 });
  });

  test("of a settlement moves the difference; corrected back, all have what they had", async () => {
    await small.ledger.reportMeters(SLOT, USUAL());
    expect(await settle()).toEqual([]);
    const before = balances();
    const settled = settlementOf("alice");
    await small.ledger.reportMeters(SLOT, REVISED());
    expect(await settle()).toEqual([]);
    const between = balances();
    // Alice: 0.2 kWh less lost at 0.60, more grid fee at 0.01, more feed-in at 0.08. Bob: 0.1 kWh less retail at 0.30.
    expect((between["alice"] ?? 0n) - (before["alice"] ?? 0n)).toBe(120_000n - 2_000n + 16_000n);
    expect((between["bob"] ?? 0n) - (before["bob"] ?? 0n)).toBe(30_000n);
    await small.ledger.reportMeters(SLOT, USUAL(), undefined, 1);
    expect(await settle()).toEqual([]);
    expect(balances()).toEqual(before);
    expect(settlementOf("alice")).toEqual({ ...settled, revision: 2 });
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 30_001_000n, heldMicros: 30_001_000n });
  });

  test("that a silent member gains by goes on without it; one that it pays for waits", async () => {
    await small.ledger.reportMeters(SLOT, USUAL());
    expect(await settle()).toEqual([]);
    small.clock.moveTo(OVERDUE_MS);
    const before = small.wire.intercept;
    const alice = small.key("alice");
    small.wire.intercept = (_from, to, request, next) =>
      to === alice ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } }) : next(request);
    await small.ledger.reportMeters(SLOT, [measured("alice", 4_500, 300)]);
    expect(await settle()).toEqual([]);
    await small.ledger.reportMeters(SLOT, [measured("alice", 4_100, 300)]);
    expect(await settle()).toMatchObject([{ step: "correct-settlement", refusal: { tag: "node_unreachable" } }]);
    small.wire.intercept = before;
    expect(await settle()).toEqual([]);
    const [kept] = small
      .node("grid-authority")
      .unspent("slot-settlement")
      .filter(({ member }) => member === alice);
    expect(kept).toMatchObject({ produced: 4_100n, revision: 2 });
  });

  test("comes too late when the time for corrections is over", async () => {
    await small.ledger.reportMeters(SLOT, USUAL());
    expect(await settle()).toEqual([]);
    await small.ledger.reportMeters(SLOT, REVISED());
    await small.run("grid-authority", { tag: "record-meters", commandId: "second", slot: SLOT, readings: [] });
    small.clock.moveTo(CORRECTABLE_MS);
    const late = { ok: false, error: { tag: "correction_closed" } };
    for (const name of MEMBERS) {
      const correct = { tag: "correct-settlement", commandId: "c", member: small.key(name), slot: SLOT } as const;
      expect(await small.submit("grid-authority", correct)).toEqual(late);
    }
    await small.ledger.reportMeters(SLOT, USUAL(), undefined, 1);
    const third = { tag: "record-meters", commandId: "third", slot: SLOT, readings: [] } as const;
    expect(await small.submit("grid-authority", third)).toEqual(late);
  });

  test("needs a settlement and a later reading, and a settled slot is not settled again", async () => {
    const alice = small.key("alice");
    const correct = { tag: "correct-settlement", commandId: "c", member: alice, slot: SLOT } as const;
    expect(await small.submit("grid-authority", correct)).toEqual({ ok: false, error: { tag: "settlement_unknown" } });
    expect(await small.submit("alice", correct)).toEqual({ ok: false, error: { tag: "role_not_allowed" } });
    await small.ledger.reportMeters(SLOT, USUAL());
    expect(await settle()).toEqual([]);
    expect(await small.submit("grid-authority", correct)).toEqual({ ok: false, error: { tag: "reading_unknown" } });
    await small.ledger.reportMeters(SLOT, REVISED());
    await small.run("grid-authority", { tag: "record-meters", commandId: "second", slot: SLOT, readings: [] });
    const again = { tag: "settle-slot", commandId: "again", member: alice, slot: SLOT } as const;
    expect(await small.submit("grid-authority", again)).toEqual({ ok: false, error: { tag: "slot_settled" } });
  });
});

describe("a dispute", () => {
  const RIGHT = { produced: wattHours(4_800), consumed: wattHours(300) };
  const raising = (name: string, commandId = "dispute"): ClientCommand => ({
    tag: "raise-dispute",
    commandId,
    member: small.key(name),
    slot: SLOT,
    evidence: hashOf("a photograph of the meter"),
    ...RIGHT,
  });
  const voting = (commandId: string, reading: Pick<Metered, "produced" | "consumed"> = RIGHT): ClientCommand => ({
    tag: "vote-dispute",
    commandId,
    disputeId: "dispute",
    ...reading,
  });
  const deciding = (commandId = "decide"): ClientCommand => ({
    tag: "decide-dispute",
    commandId,
    disputeId: "dispute",
  });

  test("is decided by most verifiers, and the settlement is corrected", async () => {
    await small.ledger.reportMeters(SLOT, USUAL());
    expect(await settle()).toEqual([]);
    await small.run("alice", raising("alice"));
    await small.run("verifier", voting("v"));
    expect(await small.submit("grid-authority", deciding())).toEqual({
      ok: false,
      error: { tag: "votes_missing", needed: 2, cast: 1 },
    });
    await small.run("second", voting("v"));
    await small.run("third", voting("v", { produced: wattHours(4_300), consumed: wattHours(300) }));
    await small.run("grid-authority", deciding());
    expect(readings()).toMatchObject([{ ...RIGHT, revision: 1, agreed: [], disagreed: [] }]);
    expect(await settle()).toEqual([]);
    expect(settlementOf("alice")).toMatchObject({ delivered: 4_500n, revision: 1 });
    for (const name of ["alice", "verifier", "grid-authority"]) {
      expect(small.node(name).unspent("dispute"), name).toEqual([]);
      expect(small.node(name).unspent("dispute-vote"), name).toEqual([]);
    }
  });

  test("in which the verifiers hold the meters to be right is closed, and nothing changes", async () => {
    await small.ledger.reportMeters(SLOT, USUAL());
    expect(await settle()).toEqual([]);
    const before = balances();
    await small.run("power-company", raising("alice"));
    const kept = { produced: wattHours(4_300), consumed: wattHours(300) };
    await small.run("verifier", voting("v"));
    await small.run("verifier", voting("changed", kept));
    await small.run("second", voting("v", kept));
    await small.run("grid-authority", deciding());
    expect(readings()).toEqual([]);
    expect(small.node("alice").unspent("dispute")).toEqual([]);
    expect(balances()).toEqual(before);
  });

  test("gives a slot its first reading where operators never agree", async () => {
    small.clock.moveTo(OVERDUE_MS);
    await small.run("alice", raising("alice"));
    for (const name of ["verifier", "third"]) await small.run(name, voting("v"));
    await small.run("grid-authority", deciding());
    expect(readings()).toMatchObject([{ ...RIGHT, revision: 0 }]);
    expect(await settle()).toMatchObject([]);
    expect(settlementOf("alice")).toMatchObject({ delivered: 4_500n });
  });

  test("is raised by the member or the power company, about a member, in time", async () => {
    expect(await small.submit("bob", raising("alice"))).toEqual({ ok: false, error: { tag: "role_not_allowed" } });
    expect(await small.submit("alice", raising("notary"))).toEqual({ ok: false, error: { tag: "member_unknown" } });
    small.clock.moveTo(CORRECTABLE_MS);
    expect(await small.submit("alice", raising("alice"))).toEqual({ ok: false, error: { tag: "correction_closed" } });
  });

  test("is voted on by verifiers while it is open, and decided by the grid authority", async () => {
    expect(await small.submit("verifier", voting("v"))).toEqual({ ok: false, error: { tag: "dispute_unknown" } });
    expect(await small.submit("grid-authority", deciding())).toEqual({ ok: false, error: { tag: "dispute_unknown" } });
    await small.run("alice", raising("alice"));
    expect(await small.submit("alice", voting("v"))).toEqual({ ok: false, error: { tag: "role_not_allowed" } });
    expect(await small.submit("verifier", deciding())).toEqual({ ok: false, error: { tag: "role_not_allowed" } });
  });

  test("is decided by the grid authority's node by itself, or closed when its time is over", async () => {
    const tasks: { atMs: number; task: TimerTask }[] = [];
    const timers = { at: (atMs: number, task: TimerTask) => void tasks.push({ atMs, task }) };
    const problems: string[] = [];
    const runDue = async (): Promise<void> => {
      for (const due of tasks.splice(0)) {
        if (due.atMs <= small.clock.nowMs()) await due.task.run();
        else tasks.push(due);
      }
    };
    await small.ledger.reportMeters(SLOT, USUAL());
    expect(await settle()).toEqual([]);
    await scheduleFlows(small.node("grid-authority"), timers, "grid", (problem) => problems.push(problem), small.clock);
    await small.run("alice", raising("alice"));
    await small.run("verifier", voting("v"));
    await runDue();
    expect(readings()).toEqual([]);
    await small.run("second", voting("v"));
    await runDue();
    expect(readings()).toMatchObject([RIGHT]);
    await small.run("bob", raising("bob", "another"));
    small.clock.moveTo(CORRECTABLE_MS);
    await runDue();
    expect(small.node("grid-authority").unspent("dispute")).toEqual([]);
    expect(problems).toEqual([]);
  });
});
