/** Lineage and statements over a life of promises on real nodes: made, certified, sold in a pool, delivered in part, used. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClientCommand, Command, PoolTrade, State } from "#contracts";
import { compareText, hashOf, localDay, microsPerKwh, type PublicKey, wattHours, zone } from "#core";
import {
  AGENCY,
  CERTIFIED_SOLAR,
  CONTRADICTION,
  certificate,
  keyOf,
  LIFE_TARIFF,
  member,
  promise,
  SLOT,
  SLOT_END_MS,
  SmallNetwork,
  SOLAR,
} from "#testkit";
import { type HistoryStep, historyIn } from "./history.ts";
import { type SlotReading, settleWholeSlot } from "./slot-settlement.ts";
import { statementOf, unexplainedOf } from "./statement.ts";
import { memberNames, promiseIdsIn, traceOf } from "./trace.ts";

const { certifiedBy: _, ...CLAIMED } = SOLAR;
const BERLIN = zone("Europe/Berlin");
const folder = mkdtempSync(join(tmpdir(), "dream-trace-"));
let small: SmallNetwork;
let whole: readonly HistoryStep[];

function ordering(commandId: string, side: "bid" | "offer", energy: number, limit: number): ClientCommand {
  const order = { side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) };
  return { tag: "place-orders", commandId, marketplace: small.key("marketplace"), orders: [order] };
}

/** Alice's 2,000 Wh of certified sun and dave's 1,000 Wh of nothing in particular: bob buys 1,500 and 500 of them. */
beforeAll(async () => {
  small = await SmallNetwork.found({ folder });
  for (const name of ["alice", "dave"]) await small.join(name);
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.join("agency", { roles: AGENCY.roles, capacityPerSlot: wattHours(0) });
  for (const name of ["alice", "bob", "dave", "power-company"]) await small.fund(name, 9_000_000, 9_000_000);
  await small.run("power-company", LIFE_TARIFF);
  const promise = { slot: SLOT, energy: wattHours(2_000), claims: CLAIMED };
  await small.run("alice", { tag: "create-promises", commandId: "sun", promises: [promise] });
  await small.run("alice", { tag: "certify-claims", commandId: "c", agency: small.key("agency"), slots: [SLOT] });
  await small.run("dave", {
    tag: "create-promises",
    commandId: "any",
    promises: [{ slot: SLOT, energy: wattHours(1_000) }],
  });
  await small.run("alice", ordering("sun offer", "offer", 1_500, 100_000));
  await small.run("dave", ordering("any offer", "offer", 500, 100_000));
  await small.run("bob", ordering("bid", "bid", 2_000, 200_000));
  const trade = (offer: string, energy: number): PoolTrade => ({
    bid: "bid/0",
    offer,
    energy: wattHours(energy),
    price: microsPerKwh(150_000),
  });
  await small.run("marketplace", {
    tag: "clear-pool",
    commandId: "round",
    slot: SLOT,
    price: microsPerKwh(150_000),
    isFinal: true,
    trades: [trade("sun offer/0", 1_500), trade("any offer/0", 500)],
  });
  small.clock.moveTo(SLOT_END_MS);
  const reading = (name: string, produced: number, consumed: number): SlotReading => ({
    member: small.key(name),
    produced: wattHours(produced),
    consumed: wattHours(consumed),
  });
  const readings = [reading("alice", 1_700, 100), reading("dave", 1_000, 0), reading("bob", 0, 1_000)];
  const problems = await settleWholeSlot(small.node("grid-authority"), SLOT, readings);
  expect(problems).toEqual([]);
  small.close();
  const read = historyIn(folder);
  whole = read.ok ? read.value : [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function nameOf(key: PublicKey | null): string {
  return key === null ? "-" : (memberNames(whole).get(key) ?? "?");
}

const STEPS = [
  "null",
  "create-promises",
  "certify-claims",
  "place-orders",
  "clear-pool",
  "check-delivery",
  "settle-slot",
];

/** A lineage, one short line for each step; what was done at the same time in the order of its text. */
function lines(history: readonly HistoryStep[], promiseId: string): readonly string[] {
  const all = (traceOf(history, promiseId)?.rows ?? []).map((row) => {
    const { step, energyWh, from, to, claims, deliveredWh, usedWh } = row;
    const by = claims === null || claims.certifiedBy === null ? "" : ` by ${nameOf(claims.certifiedBy)}`;
    const ends = `${from.map(nameOf).join()}>${nameOf(to)}`;
    return `${step} ${energyWh} ${ends} ${claims?.source ?? "any"}${by} ${deliveredWh ?? "-"} ${usedWh ?? "-"}`;
  });
  const order = (line: string): number => STEPS.findIndex((step) => line.startsWith(step));
  return all.sort((left, right) => order(left) - order(right) || compareText(left, right));
}

describe("a trace", () => {
  test("follows a promise from its supplier to who used it", () => {
    expect(lines(whole, "sun/0")).toEqual([
      "create-promises 2000 >alice solar - -",
      "certify-claims 2000 alice>alice solar by agency - -",
      "place-orders 2000 alice>alice solar by agency - -",
      "clear-pool 1500 alice>bob solar by agency - -",
      // Alice put 1,600 of 2,000 Wh into the grid; the rest of the promise never moved.
      "check-delivery 1500 bob>bob solar by agency 1200 -",
      "check-delivery 500 alice>alice solar by agency 400 -",
      "settle-slot 1500 bob>- solar by agency 1200 750",
      "settle-slot 500 alice>- solar by agency 400 0",
    ]);
  });

  test("knows nothing of a promise that there is not, and lists those that there are", () => {
    expect(traceOf(whole, "moon/0")).toBeUndefined();
    expect(promiseIdsIn(whole)).toEqual(["sun/0", "any/0"]);
  });

  test("is as much as one node's store shows, where there is no other", () => {
    const alone = mkdtempSync(join(tmpdir(), "dream-trace-bob-"));
    copyFileSync(join(folder, "bob.sqlite"), join(alone, "bob.sqlite"));
    const own = historyIn(alone);
    rmSync(alone, { recursive: true, force: true });
    // The pool's command concerns others too: bob is shown what he got, and not by what.
    expect(lines(own.ok ? own.value : [], "sun/0")).toEqual([
      "null 1500 >bob solar by agency - -",
      "check-delivery 1500 bob>bob solar by agency 1200 -",
      "settle-slot 1500 bob>- solar by agency 1200 750",
    ]);
    expect(historyIn(join(folder, "nowhere"))).toMatchObject({ ok: false, error: { tag: "no_stores" } });
  });
});

describe("a statement", () => {
  test("says what was used of what was bought, by source, and adds up to the settlement", () => {
    const statement = statementOf(whole, keyFor("bob"), BERLIN);
    expect(statement).toMatchObject({ slots: 1, consumedWh: 1_000n, ownWh: 0n, lastResortWh: 0n });
    // Of a right to 1,500 and 500 Wh bob used 1,000.
    expect(statement.sources.map(({ claims, energyWh }) => [claims?.source ?? null, energyWh])).toEqual([
      ["solar", 750n],
      [null, 250n],
    ]);
    expect(statement.hours).toHaveLength(1);
    expect(new Date(statement.hours[0]?.startMs ?? 0).toISOString()).toBe("2031-06-01T10:00:00.000Z");
    expect(unexplainedOf(statement)).toBe(0n);
  });

  test("counts what a member made and used itself", () => {
    const statement = statementOf(whole, keyFor("alice"), BERLIN);
    expect(statement).toMatchObject({ consumedWh: 100n, ownWh: 100n, lastResortWh: 0n, sources: [] });
    expect(unexplainedOf(statement)).toBe(0n);
  });

  test("is of the days that are asked for", () => {
    const day = localDay("2031-06-01");
    expect(statementOf(whole, keyFor("bob"), BERLIN, { from: day, to: day }).slots).toBe(1);
    expect(statementOf(whole, keyFor("bob"), BERLIN, { from: localDay("2031-06-02") }).slots).toBe(0);
    expect(statementOf(whole, keyFor("bob"), BERLIN, { to: localDay("2031-05-31") })).toMatchObject({
      slots: 0,
      consumedWh: 0n,
      sources: [],
      hours: [],
    });
  });
});

function keyFor(name: string): PublicKey {
  for (const [key, each] of memberNames(whole)) if (each === name) return key;
  throw new Error(`${name} is a member`);
}

describe("lineage", () => {
  const step = (id: string, command: Command, consumed: readonly State[], made: readonly State[]): HistoryStep => ({
    txId: hashOf(id),
    atMs: null,
    command,
    consumed,
    made,
  });
  const members = ["alice", "bob", "dave"].map((name) => member(name));
  const founded = step("genesis", { tag: "genesis" }, [], members);
  const named = (key: PublicKey | null): string => members.find((each) => each.key === key)?.name ?? "-";
  const traced = (history: readonly HistoryStep[], promiseId: string): readonly string[] =>
    (traceOf(history, promiseId)?.rows ?? []).map(
      ({ step: tag, promiseId: id, energyWh, from, to }) =>
        `${tag} ${id} ${energyWh} ${from.map(named).join()}>${named(to)}`,
    );
  const slot = SLOT;

  test("goes through a merger, to both promises that it was made of", () => {
    const [one, other] = [promise("alice", 600, { promiseId: "one" }), promise("alice", 400, { promiseId: "other" })];
    const whole = promise("alice", 1_000, { promiseId: "whole" });
    const history = [
      founded,
      step("create", { tag: "create-promises", supplier: keyOf("alice") }, [], [one, other]),
      step("merge", { tag: "merge-promises", owner: keyOf("alice"), promiseId: "whole" }, [one, other], [whole]),
    ];
    for (const id of ["one", "whole"]) expect(traceOf(history, id)?.promiseIds, id).toEqual(["one", "other", "whole"]);
    expect(traced(history, "whole")).toEqual([
      "create-promises one 600 >alice",
      "create-promises other 400 >alice",
      "merge-promises whole 1000 alice>alice",
    ]);
  });

  test("shows that a part was covered with the energy of another", () => {
    const sold = promise("alice", 1_000, { promiseId: "sold", owner: keyOf("bob") });
    const held = promise("dave", 700, { promiseId: "held", owner: keyOf("alice") });
    const covers = [{ covered: 0, with: 1, energy: wattHours(700) }];
    const history = [
      founded,
      step(
        "cover",
        { tag: "substitute", supplier: keyOf("alice"), slot, covers },
        [sold, held],
        [
          { ...sold, energy: wattHours(300) },
          { ...held, owner: keyOf("bob") },
        ],
      ),
    ];
    expect(traced(history, "sold")).toEqual(["substitute sold 300 bob>bob", "substitute held 700 alice>bob"]);
  });

  test("shows who contradicted the certificate of a promise", () => {
    const sun = promise("alice", 500, { promiseId: "sun", claims: CERTIFIED_SOLAR });
    const contradict: Command = {
      tag: "contradict-certificate",
      by: CONTRADICTION.by,
      agency: AGENCY.key,
      supplier: keyOf("alice"),
      slot,
    };
    const wrong = certificate("alice", 900, { contradiction: CONTRADICTION });
    const elsewhere = { ...wrong, supplier: keyOf("dave") };
    const history = [
      step("certify", { tag: "certify-claims", supplier: keyOf("alice"), agency: AGENCY.key }, [], [sun]),
      step("contradict", contradict, [], [wrong, elsewhere]),
    ];
    expect(traceOf(history, "sun")?.rows.map((row) => [row.step, row.energyWh, row.contradictedBy])).toEqual([
      ["certify-claims", 500n, null],
      ["contradict-certificate", 900n, CONTRADICTION.by],
    ]);
  });

  test("names all who may have given a part, where several owners of one lineage sold in one round", () => {
    const lock = (id: string) => ({ kind: "order" as const, id });
    const ofAlice = promise("alice", 500, { promiseId: "one", lock: lock("a") });
    const ofDave = promise("alice", 500, { promiseId: "one", owner: keyOf("dave"), lock: lock("d") });
    const clear = { tag: "clear-pool", slot, price: null, isFinal: true, trades: [] } as const;
    const sold = { ...ofAlice, owner: keyOf("bob"), lock: null };
    expect(traced([founded, step("round", clear, [ofAlice, ofDave], [sold, { ...sold }])], "one")).toEqual([
      "clear-pool one 1000 alice,dave>bob",
    ]);
  });
});
