/**
 * Meters that lie: operators that are none, or report twice, a minority that colludes, a grid authority that records what was not
 * reported, reads a settled slot anew, or decides a dispute with too few votes.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand, Metered, State, Transaction } from "#contracts";
import { hashOf, type Micros, microsPerKwh, slotsOfLocalDay, wattHours, zone } from "#core";
import { settleWholeSlot } from "#ledger-node";
import { DAY, PARAMETERS, SLOT, SLOT_END_MS, type SmallNetwork } from "#testkit";
import { altered, clausesIn, promising, Stage } from "./stage.ts";

const METERS = ["first meter", "second meter", "third meter"] as const;
const VERIFIERS = ["verifier", "second verifier", "third verifier"] as const;
const OVERDUE_MS = SLOT_END_MS + PARAMETERS.settlementGraceMs;

let stage: Stage;
let small: SmallNetwork;

beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.join("alice");
  await small.join("mallory", { roles: ["prosumer", "meter-operator"] });
  for (const name of METERS) await small.join(name, { roles: ["meter-operator"], capacityPerSlot: wattHours(0) });
  for (const name of VERIFIERS.slice(1)) await small.join(name, { roles: ["verifier"], capacityPerSlot: wattHours(0) });
  for (const name of ["alice", "mallory", "power-company"]) await small.fund(name, 10_000_000);
  await small.fund("grid-authority", 1_000);
  const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
  await small.run("power-company", {
    tag: "publish-tariff",
    commandId: "tariff",
    day: DAY,
    feedIn: slots.map(() => microsPerKwh(80_000)),
    retail: slots.map(() => microsPerKwh(300_000)),
  });
  await small.run("grid-authority", {
    tag: "amend-parameters",
    commandId: "meters",
    changes: {
      meterOperators: METERS.map((name) => small.key(name)),
      meterQuorum: 2,
      meterTolerance: wattHours(5),
      verifiers: VERIFIERS.map((name) => small.key(name)),
    },
  });
  await small.run("alice", promising("p", 5_000));
  small.clock.moveTo(SLOT_END_MS);
});
afterEach(() => stage.close());

function measured(name: string, produced: number): Metered {
  return { member: small.key(name), produced: wattHours(produced), consumed: wattHours(0) };
}

function reporting(commandId: string, ...readings: readonly Metered[]): ClientCommand {
  return { tag: "report-meters", commandId, slot: SLOT, readings };
}

const recording = (commandId: string): ClientCommand => ({
  tag: "record-meters",
  commandId,
  slot: SLOT,
  readings: [],
});
const settle = () => settleWholeSlot(small.node("grid-authority"), SLOT, []);

/** The notary refuses the attempt with the clause, though all who are named sign it; nothing changes. */
async function expectRefused(attempt: Transaction, clause: string, ...signing: readonly string[]): Promise<void> {
  const [by = ""] = signing;
  stage.proving(by);
  const before = await small.everything();
  const signed = small.craft({ ...attempt, signers: signing.map((name) => small.key(name)).sort() }, ...signing);
  expect(clausesIn(await stage.ask(by, "notary", "notarise", signed))).toContain(clause);
  expect(await small.everything()).toEqual(before);
}

/** What a node would propose, before anybody has seen it. */
async function takenFrom(name: string, command: ClientCommand): Promise<Transaction> {
  return (await stage.taken(name, command)).transaction.content;
}

function settledBy(): readonly [produced: bigint | undefined, alice: Micros] {
  const [settlement] = small.node("alice").unspent("slot-settlement");
  return [settlement?.produced, small.balance("alice")];
}

describe("a forged report", () => {
  test("of who is no operator of the network, though it has the role, is made by no node and made final by no notary", async () => {
    expect(await small.submit("mallory", reporting("r", measured("alice", 0)))).toEqual({
      ok: false,
      error: { tag: "role_not_allowed" },
    });
    const honest = await takenFrom("first meter", reporting("r", measured("alice", 4_000)));
    const operator = small.key("mallory");
    const [member] = (await small.resolved("mallory", "member")).filter(
      ({ state }) => state.tag === "member" && state.key === operator,
    );
    const parameters = await small.resolved("mallory", "network-parameters");
    const forged: Transaction = {
      ...altered(honest, "meter-report", (report) => [{ ...report, operator, produced: wattHours(0) }]),
      references: [...parameters, member].flatMap((each) => (each === undefined ? [] : [each.ref])),
      command: { tag: "report-meters", operator, slot: SLOT },
    };
    await expectRefused(forged, "reports_by_a_meter_operator", "mallory");
  });

  test("in an operator's name is worth nothing without its signature, whoever else signs", async () => {
    const honest = await takenFrom("first meter", reporting("r", measured("alice", 4_000)));
    const forged = altered(honest, "meter-report", (report) => [{ ...report, produced: wattHours(0) }]);
    await expectRefused(forged, "reports_signed_by_the_operator", "grid-authority", "power-company", "mallory");
  });

  test("of an operator that is suspended is refused, with its old membership and its new one", async () => {
    const before = await takenFrom("third meter", reporting("r", measured("alice", 0)));
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "suspend",
      member: small.key("third meter"),
      standing: "suspended",
    });
    await expectRefused(before, "state_conflict", "third meter");
    const [now] = (await small.resolved("third meter", "member")).filter(
      ({ state }) => state.tag === "member" && state.key === small.key("third meter"),
    );
    const parameters = await small.resolved("third meter", "network-parameters");
    const refs = [...parameters, now].flatMap((each) => (each === undefined ? [] : [each.ref]));
    await expectRefused({ ...before, references: refs }, "reports_by_a_meter_operator", "third meter");
  });
});

describe("a minority of the operators", () => {
  test("that colludes moves nothing: the median stands, and it is named", async () => {
    await small.ledger.reportMeters(SLOT, [measured("alice", 4_000)], (operator, reading) =>
      operator === "third meter" ? { ...reading, produced: wattHours(0) } : reading,
    );
    await small.run("grid-authority", recording("m"));
    expect(small.node("grid-authority").unspent("meter-reading")).toMatchObject([
      { produced: 4_000n, disagreed: [small.key("third meter")] },
    ]);
    expect(await settle()).toEqual([]);
    expect(settledBy()[0]).toBe(4_000n);
  });

  test("that reports twice, from two nodes, counts once, whoever records it", async () => {
    const twin = await stage.twinOf("third meter");
    await small.run("third meter", reporting("r", measured("alice", 0)));
    expect((await twin.submit(reporting("again", measured("alice", 0)))).ok).toBe(true);
    await small.run("first meter", reporting("r", measured("alice", 4_000)));
    small.clock.moveTo(OVERDUE_MS);
    expect(await small.submit("grid-authority", recording("m"))).toEqual({
      ok: false,
      error: { tag: "meters_disagree" },
    });
    const twice = (await small.resolved("grid-authority", "meter-report")).filter(
      ({ state }) => state.tag === "meter-report" && state.operator === small.key("third meter"),
    );
    expect(twice).toHaveLength(2);
    await small.run("second meter", reporting("r", measured("alice", 4_000)));
    const honest = await takenFrom("grid-authority", recording("m"));
    const third = small.key("third meter");
    const forged: Transaction = {
      ...altered(honest, "meter-reading", (reading) => [
        { ...reading, produced: wattHours(0), agreed: [third, third], disagreed: [small.key("first meter")] },
      ]),
      inputs: [
        ...twice.map(({ ref }) => ref),
        ...(await small.resolved("grid-authority", "meter-report")).flatMap(({ ref, state }) =>
          state.tag === "meter-report" && state.operator === small.key("first meter") ? [ref] : [],
        ),
      ],
    };
    await expectRefused(forged, "meters_one_report_per_operator", "grid-authority");
    await small.run("grid-authority", recording("m"));
    expect(small.node("grid-authority").unspent("meter-reading")).toMatchObject([{ produced: 4_000n }]);
  });
});

describe("a grid authority", () => {
  /** All operators agree on 4 kWh. */
  async function recordable(): Promise<Transaction> {
    await small.ledger.reportMeters(SLOT, [measured("alice", 4_000)]);
    return takenFrom("grid-authority", recording("m"));
  }

  test("records nothing but what the reports give, with those who gave it", async () => {
    const honest = await recordable();
    const reading = (patch: Partial<Extract<State, { tag: "meter-reading" }>>) =>
      altered(honest, "meter-reading", (each) => [{ ...each, ...patch }]);
    const refused = (attempt: Transaction, clause: string) => expectRefused(attempt, clause, "grid-authority");
    await refused(reading({ produced: wattHours(3_999) }), "meters_as_the_reports_agree");
    await refused(reading({ agreed: [] }), "meters_as_the_reports_agree");
    await refused({ ...honest, inputs: [] }, "meters_as_the_reports_agree");
    await refused({ ...honest, inputs: honest.inputs.slice(1) }, "meters_wait_for_operators");
    await refused(reading({ member: small.key("mallory") }), "meters_reports_of_the_slot");
    await refused(reading({ revision: 1 }), "meters_revision_follows");
    await small.run("grid-authority", recording("m"));
    // Each report has served for one reading: it serves for no second.
    await refused(honest, "state_conflict");
  });

  test("settles a slot once: with fresh reports, other readings and all signatures it can only correct", async () => {
    await small.ledger.reportMeters(SLOT, [measured("alice", 4_000)]);
    await small.run("grid-authority", recording("m"));
    await small.run("grid-authority", {
      tag: "check-delivery",
      commandId: "check",
      supplier: small.key("alice"),
      slot: SLOT,
    });
    const settling: ClientCommand = { tag: "settle-slot", commandId: "s", member: small.key("alice"), slot: SLOT };
    const first = await takenFrom("grid-authority", settling);
    await small.run("grid-authority", settling);
    const after = settledBy();
    await small.ledger.reportMeters(SLOT, [measured("alice", 4_000)], undefined, 1);
    const fresh = (await small.resolved("grid-authority", "meter-report")).map(({ ref }) => ref);
    expect(fresh).toHaveLength(3);
    // Without a word of the settlement the reading is a first one again: the ledger can't know. It serves for nothing.
    const members = (await small.resolved("grid-authority", "member")).filter(
      ({ state }) => state.tag === "member" && state.roles.includes("meter-operator"),
    );
    const [parameters] = await small.resolved("grid-authority", "network-parameters");
    const again: Transaction = {
      ...first,
      inputs: fresh,
      references: [parameters, ...members].flatMap((each) => (each === undefined ? [] : [each.ref])),
      outputs: [
        {
          tag: "meter-reading",
          ...measured("alice", 4_000),
          slot: SLOT,
          revision: 0,
          agreed: METERS.map((name) => small.key(name)).sort(),
          disagreed: [],
        },
      ],
      command: { tag: "record-meters", slot: SLOT },
      signers: [small.key("grid-authority")],
      window: { fromMs: SLOT_END_MS, untilMs: null },
    };
    const made = small.craft(again, "grid-authority");
    expect((await stage.ask("grid-authority", "notary", "notarise", made)).tag).toBe("notarised");
    const [exposure] = (await small.resolved("grid-authority", "exposure")).filter(
      ({ state }) => state.tag === "exposure" && state.member === small.key("alice"),
    );
    const second: Transaction = {
      ...first,
      inputs: [{ txId: made.transaction.id, index: 0 }, ...(exposure === undefined ? [] : [exposure.ref])],
      outputs: first.outputs.filter(({ tag }) => tag !== "funds"),
    };
    const signed = small.craft(second, "grid-authority", "alice", "power-company");
    expect(clausesIn(await stage.ask("grid-authority", "notary", "notarise", signed))).toContain(
      "settlement_once_per_slot",
    );
    expect(settledBy()).toEqual(after);
  });

  test("decides no dispute with a minority of the verifiers, or with votes of who may not vote", async () => {
    await small.ledger.reportMeters(SLOT, [measured("alice", 4_000)]);
    expect(await settle()).toEqual([]);
    await small.run("mallory", {
      tag: "raise-dispute",
      commandId: "own",
      ...measured("mallory", 9_000),
      slot: SLOT,
      evidence: hashOf("nothing"),
    });
    await small.run("alice", {
      tag: "raise-dispute",
      commandId: "dispute",
      ...measured("alice", 9_000),
      slot: SLOT,
      evidence: hashOf("a drawing of a meter"),
    });
    const { produced, consumed } = measured("alice", 9_000);
    const voting = { tag: "vote-dispute", commandId: "v", disputeId: "dispute", produced, consumed } as const;
    await small.run("third verifier", voting);
    const deciding: ClientCommand = { tag: "decide-dispute", commandId: "d", disputeId: "dispute" };
    expect(await small.submit("grid-authority", deciding)).toEqual({
      ok: false,
      error: { tag: "votes_missing", needed: 2, cast: 1 },
    });
    await small.run("second verifier", voting);
    const honest = await takenFrom("grid-authority", deciding);
    const [dispute, ...votes] = honest.inputs;
    expect(votes).toHaveLength(2);
    const minority = { ...honest, inputs: [dispute, votes[0]].flatMap((ref) => ref ?? []) };
    await expectRefused(minority, "decide_by_most_verifiers", "grid-authority", "alice");
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "suspend",
      member: small.key("second verifier"),
      standing: "suspended",
    });
    await expectRefused(honest, "state_conflict", "grid-authority");
    expect(await small.submit("grid-authority", deciding)).toEqual({
      ok: false,
      error: { tag: "votes_missing", needed: 2, cast: 1 },
    });
  });
});
