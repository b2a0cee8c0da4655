/** Verifiers: any k of n countersign, spread over all, suspended ones never; and a quorum of them suspends and reinstates members. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientCommand, decodeSignedTransaction, type Standing } from "#contracts";
import { microsPerKwh, signerFromSeed, slotsOfLocalDay, type TimerTask, unwrap, wattHours, zone } from "#core";
import { DAY, SLOT, SLOT_END_MS, SLOT_START_MS, SmallNetwork } from "#testkit";
import { scheduleFlows } from "./scheduled-flows.ts";

const OTHERS = ["second", "third", "fourth"] as const;
const VERIFIERS = ["verifier", ...OTHERS];

let small: SmallNetwork;

/** Four verifiers, two of which must sign. */
beforeEach(async () => {
  small = await SmallNetwork.found();
  for (const name of OTHERS) await small.join(name, { roles: ["verifier"], capacityPerSlot: wattHours(0) });
  await small.join("alice");
  await small.fund("alice", 5_000_000, 5_000_000);
  const verifiers = VERIFIERS.map((name) => small.key(name));
  await small.run("grid-authority", {
    tag: "amend-parameters",
    commandId: "verifiers",
    changes: { verifiers, verifierQuorum: 2 },
  });
});
afterEach(() => small.close());

function promising(commandId: string, energy = 100): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(energy) }] };
}

/** Which verifiers signed each transaction of a flow, in order. */
function verifiersOf(tag: string): readonly string[] {
  return [...small.commitLog.scan()].flatMap(({ bytes }) => {
    const { transaction, signatures } = unwrap(decodeSignedTransaction(new Uint8Array(bytes)));
    if (transaction.content.command.tag !== tag) return [];
    return VERIFIERS.filter((name) => signatures.some(({ by }) => by === small.key(name))).join(" ");
  });
}

function silence(...names: readonly string[]): void {
  const keys = names.map((name) => small.key(name));
  small.wire.intercept = (_from, to, request, next) =>
    keys.includes(to) ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } }) : next(request);
}

function vote(name: string, standing: Standing | null, commandId = `vote ${standing}`): ClientCommand {
  return { tag: "vote-standing", commandId, member: small.key(name), standing, expiresMs: SLOT_START_MS };
}

function amend(name: string, standing: Standing, commandId = `amend to ${standing}`): ClientCommand {
  return { tag: "amend-member", commandId, member: small.key(name), standing };
}

function standingOf(name: string, seenBy = "alice"): Standing | undefined {
  const key = small.key(name);
  return small
    .node(seenBy)
    .unspent("member")
    .find((member) => member.key === key)?.standing;
}

describe("two of four", () => {
  test("sign each promise, and the commands are spread over all", async () => {
    for (let index = 0; index < 24; index++) await small.run("alice", promising(`promise ${index}`));
    const pairs = verifiersOf("create-promises");
    expect(pairs.every((pair) => pair.split(" ").length === 2)).toBe(true);
    for (const name of VERIFIERS)
      expect(pairs.filter((pair) => pair.split(" ").includes(name)).length, name).toBeGreaterThan(4);
  });

  test("are others when some can't be reached", async () => {
    silence("second", "verifier");
    for (const id of ["a", "b", "c", "d"]) await small.run("alice", promising(id));
    expect(new Set(verifiersOf("create-promises"))).toEqual(new Set(["third fourth"]));
  });

  test("are too few when three can't be reached: nothing happens", async () => {
    silence("second", "third", "fourth");
    const before = await small.everything();
    expect(await small.submit("alice", promising("a"))).toMatchObject({
      ok: false,
      error: { tag: "counterparty_refused", reason: "node_unreachable" },
    });
    expect(await small.everything()).toEqual(before);
  });

  test("are never suspended ones, from the next transaction on", async () => {
    await small.run("grid-authority", amend("second", "suspended"));
    for (const id of ["a", "b", "c", "d", "e", "f"]) await small.run("alice", promising(id));
    expect(verifiersOf("create-promises").some((pair) => pair.includes("second"))).toBe(false);
    await small.run("grid-authority", amend("third", "suspended", "third"));
    await small.run("grid-authority", amend("fourth", "suspended", "fourth"));
    expect(await small.submit("alice", promising("g"))).toEqual({
      ok: false,
      error: { tag: "contract_violated", clauses: ["promise_verified"] },
    });
  });

  test("a transaction under way that a verifier signed is refused once it is suspended: the notary's order decides", async () => {
    let isFirst = true;
    small.wire.intercept = async (_from, _to, request, next) => {
      if (request.tag === "notarise" && isFirst) {
        isFirst = false;
        for (const name of OTHERS) await small.run("grid-authority", amend(name, "suspended", name));
      }
      return next(request);
    };
    expect(await small.submit("alice", promising("under way"))).toMatchObject({ ok: false });
    expect(small.node("alice").unspent("power-promise")).toEqual([]);
  });
});

describe("a verifier that trades", () => {
  test("asks the others first", async () => {
    await small.join("dave", { roles: ["prosumer", "verifier"] });
    await small.fund("dave", 5_000_000);
    const verifiers = [...VERIFIERS, "dave"].map((name) => small.key(name));
    await small.run("grid-authority", { tag: "amend-parameters", commandId: "dave too", changes: { verifiers } });
    for (const id of ["a", "b", "c", "d", "e"]) await small.run("dave", promising(id));
    expect(verifiersOf("create-promises").every((pair) => pair.split(" ").length === 2)).toBe(true);
  });

  test("lends its signature to no delegate: that would lift the mandate's limits", async () => {
    await small.join("dave", { roles: ["prosumer", "verifier"] });
    await small.fund("dave", 5_000_000);
    await small.run("grid-authority", {
      tag: "amend-parameters",
      commandId: "dave alone",
      changes: { verifiers: [small.key("dave")], verifierQuorum: 1 },
    });
    const { publicKey: delegate } = signerFromSeed(new Uint8Array(32).fill(7));
    await small.run("dave", {
      tag: "grant-mandate",
      commandId: "grant",
      mandateId: "agent",
      delegate,
      flows: ["create-promises"],
      energyPerSlotMax: wattHours(500),
      expiresMs: SLOT_START_MS,
    });
    expect(await small.node("dave").propose(promising("a", 5_000), delegate)).toEqual({
      ok: false,
      error: { tag: "role_not_allowed" },
    });
    expect((await small.submit("dave", promising("by its owner", 5_000))).ok).toBe(true);
  });
});

describe("suspension", () => {
  test("by a quorum of the verifiers takes effect at once, and so does reinstatement", async () => {
    await small.run("verifier", vote("alice", "suspended"));
    await small.run("second", vote("alice", "suspended"));
    expect(await small.submit("second", amend("alice", "suspended"))).toEqual({
      ok: false,
      error: { tag: "votes_missing", needed: 3, cast: 2 },
    });
    expect((await small.submit("alice", promising("still"))).ok).toBe(true);
    await small.run("third", vote("alice", "suspended"));
    // Whoever of them has the votes proposes: here one that did not vote.
    await small.run("fourth", amend("alice", "suspended"));
    expect(await small.submit("alice", promising("no more"))).toEqual({
      ok: false,
      error: { tag: "member_suspended" },
    });
    for (const name of VERIFIERS) expect(small.node(name).unspent("standing-vote"), name).toEqual([]);
    for (const name of ["verifier", "third", "fourth"]) await small.run(name, vote("alice", "good"));
    await small.run("verifier", amend("alice", "good"));
    expect((await small.submit("alice", promising("again"))).ok).toBe(true);
  });

  test("by votes follows by itself when the last of them is cast, also by a node that was away meanwhile", async () => {
    const tasks: TimerTask[] = [];
    const problems: string[] = [];
    const timers = { at: (_atMs: number, task: TimerTask) => tasks.push(task) };
    for (const name of VERIFIERS)
      await scheduleFlows(small.node(name), timers, name, (each) => problems.push(each), small.clock);
    for (const name of ["verifier", "second", "third"]) {
      await small.run(name, vote("alice", "suspended"));
      for (const task of tasks.splice(0)) await task.run();
      expect(standingOf("alice")).toBe(name === "third" ? "suspended" : "good");
    }
    expect(problems).toEqual([]);
  });

  test("votes that are taken back, over, contrary, or not of a verifier do not count", async () => {
    for (const name of ["verifier", "second", "third"]) await small.run(name, vote("alice", "suspended"));
    await small.run("second", vote("alice", null));
    await small.run("third", vote("alice", "probation"));
    expect(await small.submit("fourth", amend("alice", "suspended"))).toMatchObject({
      error: { tag: "votes_missing", needed: 3, cast: 1 },
    });
    expect(await small.submit("alice", vote("second", "suspended"))).toEqual({
      ok: false,
      error: { tag: "role_not_allowed" },
    });
    small.clock.moveTo(SLOT_START_MS);
    expect(await small.submit("fourth", amend("alice", "suspended", "later"))).toMatchObject({
      error: { tag: "votes_missing", needed: 3, cast: 0 },
    });
  });

  test("by votes changes nothing else, and nobody but verifiers and the grid authority sees who voted", async () => {
    for (const name of ["verifier", "second", "third"]) await small.run(name, vote("alice", "suspended"));
    const wider: ClientCommand = { ...amend("alice", "suspended"), capacityPerSlot: wattHours(1) } as ClientCommand;
    expect(await small.submit("fourth", wider)).toEqual({
      ok: false,
      error: { tag: "contract_violated", clauses: ["amend_by_votes_changes_standing_alone"] },
    });
    expect(small.node("alice").unspent("standing-vote")).toEqual([]);
    expect(small.node("grid-authority").unspent("standing-vote")).toHaveLength(3);
  });

  test("leaves the member its deposit and its settlement", async () => {
    const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
    await small.run("power-company", {
      tag: "publish-tariff",
      commandId: "tariff",
      day: DAY,
      feedIn: slots.map(() => microsPerKwh(80_000)),
      retail: slots.map(() => microsPerKwh(300_000)),
    });
    await small.fund("power-company", 1_000_000);
    await small.run("alice", promising("kept", 5_000));
    await small.run("grid-authority", amend("alice", "suspended"));
    small.clock.moveTo(SLOT_END_MS);
    const [member, produced, consumed] = [small.key("alice"), wattHours(5_000), wattHours(0)];
    await small.run("grid-authority", {
      tag: "record-meters",
      commandId: "meters",
      slot: SLOT,
      readings: [{ member, produced, consumed }],
    });
    await small.run("grid-authority", { tag: "check-delivery", commandId: "check", supplier: member, slot: SLOT });
    await small.run("grid-authority", { tag: "settle-slot", commandId: "settle", member, slot: SLOT });
    expect(small.balance("alice")).toBe(10_350_000n); // 10 − 5 × 0.01 grid fee + 5 × 0.08
  });
});
