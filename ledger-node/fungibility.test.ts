/**
 * Split, merge and substitute over real nodes: who signs, what each vault has afterwards, what the refusals say, and that delivery
 * and settlement go on from there. Every amount is worked by hand beside it.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Claims, type ClientCommand, decodeSignedTransaction, type LedgerRefusal } from "#contracts";
import { microsPerKwh, slotId, unwrap, wattHours } from "#core";
import { GATE_MS, LIFE_TARIFF, NEXT_SLOT, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

const SOLAR: Omit<Claims, "certifiedBy"> = { source: "solar", renewable: true, origin: null, gramsCo2PerKwh: 40 };
const PARTIES = ["alice", "bob", "carol", "dave", "grid-authority", "power-company", "marketplace", "verifier"];

let small: SmallNetwork;
let orders = 0;

beforeEach(async () => {
  small = await SmallNetwork.found();
  orders = 0;
  for (const name of ["alice", "bob", "carol", "dave"]) await small.join(name);
  for (const name of ["alice", "bob", "carol", "dave", "power-company"])
    await small.fund(name, ...Array.from({ length: 6 }, () => 5_000_000));
  await small.run("power-company", LIFE_TARIFF);
});
afterEach(() => small.close());

function nameOf(key: string): string {
  return PARTIES.find((name) => small.key(name) === key) ?? key;
}

/** Promises in a node's vault: energy, lineage, supplier and owner. */
function promises(name: string): readonly string[] {
  return small
    .node(name)
    .unspent("power-promise")
    .map(({ energy, promiseId, owner }) => `${energy} of ${promiseId} for ${nameOf(owner)}`)
    .sort();
}

/** A member's exposure in the slot: promised, bought, bidding. */
function exposure(name: string): string {
  const entry = small
    .node("grid-authority")
    .unspent("exposure")
    .filter(({ member }) => member === small.key(name))
    .flatMap(({ entries }) => entries.filter(({ slot }) => slot === SLOT))[0];
  return entry === undefined ? "none" : `${entry.promised} ${entry.bought} ${entry.bidding}`;
}

function deposits(name: string): readonly bigint[] {
  const own = small.node("grid-authority").unspent("deposit");
  return own.filter(({ supplier }) => supplier === small.key(name)).map(({ amount }) => amount);
}

/** Who signed the newest transaction, the notary aside. */
function signersOfLast(): readonly string[] {
  const last = [...small.commitLog.scan()].at(-1);
  const signed = unwrap(decodeSignedTransaction(new Uint8Array(last?.bytes ?? [])));
  return signed.signatures.map(({ by }) => nameOf(by)).sort();
}

function promising(commandId: string, energy: number, claims?: Omit<Claims, "certifiedBy">): ClientCommand {
  const promise = { slot: SLOT, energy: wattHours(energy), ...(claims === undefined ? {} : { claims }) };
  return { tag: "create-promises", commandId, promises: [promise] };
}

function ordering(commandId: string, side: "bid" | "offer", energy: number): ClientCommand {
  return {
    tag: "place-orders",
    commandId,
    marketplace: small.key("marketplace"),
    orders: [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(200_000) }],
  };
}

/** The seller sells free promises to the buyer in the pool, at 0.20 per kWh. */
async function sell(seller: string, buyer: string, energy: number): Promise<void> {
  orders += 1;
  await small.run(seller, ordering(`offer ${orders}`, "offer", energy));
  await small.run(buyer, ordering(`bid ${orders}`, "bid", energy));
  await small.run("marketplace", {
    tag: "clear-pool",
    commandId: `round ${orders}`,
    slot: SLOT,
    price: microsPerKwh(200_000),
    isFinal: false,
    trades: [
      {
        bid: `bid ${orders}/0`,
        offer: `offer ${orders}/0`,
        energy: wattHours(energy),
        price: microsPerKwh(200_000),
      },
    ],
  });
}

function covering(energy: number, commandId = "cover", slot = SLOT): ClientCommand {
  return { tag: "substitute", commandId, slot, energy: wattHours(energy) };
}

function splitting(energies: readonly number[], promiseId?: string, commandId = "split"): ClientCommand {
  const split = { tag: "split-promise", commandId, slot: SLOT, energies: energies.map(wattHours) } as const;
  return promiseId === undefined ? split : { ...split, promiseId };
}

function merging(supplier: string, promiseIds?: readonly string[], slot = SLOT): ClientCommand {
  const merge = { tag: "merge-promises", commandId: "merge", slot, supplier: small.key(supplier) } as const;
  return promiseIds === undefined ? merge : { ...merge, promiseIds };
}

async function refusal(name: string, command: ClientCommand): Promise<LedgerRefusal | undefined> {
  const before = await small.everything();
  const result = await small.submit(name, command);
  expect(await small.everything()).toEqual(before);
  return result.ok ? undefined : result.error;
}

describe("a split", () => {
  test("makes the parts that are asked for and one of what is left; supplier and grid authority learn of it", async () => {
    await small.run("alice", promising("p", 2_000, SOLAR));
    await sell("alice", "bob", 1_500);
    await small.run("bob", splitting([400, 600]));
    expect(signersOfLast()).toEqual(["bob"]);
    const expected = ["400 of p/0 for bob", "500 of p/0 for alice", "500 of p/0 for bob", "600 of p/0 for bob"];
    for (const name of ["alice", "grid-authority"]) expect(promises(name)).toEqual(expected);
    expect(promises("bob")).toEqual(expected.filter((line) => line.endsWith("bob")));
    expect([exposure("alice"), exposure("bob")]).toEqual(["2000 0 0", "0 1500 0"]);
  });

  test("keeps the claims, as sales in the pool and in auctions do", async () => {
    await small.run("alice", promising("p", 2_000, SOLAR));
    await sell("alice", "bob", 1_500);
    await small.run("bob", splitting([400]));
    await small.run("bob", {
      tag: "create-auction",
      commandId: "auction",
      marketplace: small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(700),
      basePrice: microsPerKwh(100_000),
      deadlineMs: GATE_MS - 60_000,
    });
    const all = small.node("grid-authority").unspent("power-promise");
    expect(all.length).toBeGreaterThan(3);
    for (const { claims } of all) expect(claims).toEqual({ ...SOLAR, certifiedBy: null });
  });

  test("takes the smallest promise that will do, or one of the lineage that is named", async () => {
    for (const [id, energy] of [
      ["small", 600],
      ["large", 3_000],
    ] as const)
      await small.run("alice", promising(id, energy));
    await small.run("alice", splitting([200]));
    expect(promises("alice")).toEqual([
      "200 of small/0 for alice",
      "3000 of large/0 for alice",
      "400 of small/0 for alice",
    ]);
    await small.run("alice", splitting([1_000], "large/0", "again"));
    expect(promises("alice")).toContain("2000 of large/0 for alice");
  });

  test.each([
    ["more than any promise has", [2_001], { tag: "promise_not_held", asked: 2_001n, held: 2_000n }],
    ["one part that is the whole", [2_000], { tag: "promise_not_held", asked: 2_000n, held: 2_000n }],
    ["what leaves an insignificant rest", [1_901], { tag: "promise_not_held", asked: 1_901n, held: 2_000n }],
    ["an insignificant part", [1_500, 99], { tag: "energy_out_of_range", asked: 99n, min: 100n }],
    ["nothing", [], { tag: "command_malformed" }],
  ] as const)("refuses %s", async (_what, energies, expected) => {
    await small.run("alice", promising("p", 2_000));
    expect(await refusal("alice", splitting(energies))).toMatchObject(expected);
  });

  test("is refused once the gate has closed: delivery can't be held up", async () => {
    await small.run("alice", promising("p", 2_000));
    small.clock.moveTo(GATE_MS);
    expect(await refusal("alice", splitting([1_000]))).toEqual({ tag: "gate_closed", slot: SLOT, gateMs: GATE_MS });
    expect(await refusal("alice", merging("alice"))).toEqual({ tag: "gate_closed", slot: SLOT, gateMs: GATE_MS });
  });
});

describe("a merge", () => {
  test("makes one promise of all free ones of a supplier, with a lineage of its own and what all of them say", async () => {
    await small.run("alice", promising("p", 2_000, SOLAR));
    await small.run("alice", promising("q", 1_000, { ...SOLAR, gramsCo2PerKwh: 60 }));
    await small.run("carol", promising("c", 700));
    await sell("alice", "bob", 2_500);
    await sell("carol", "bob", 700);
    await small.run("bob", merging("alice"));
    expect(signersOfLast()).toEqual(["bob"]);
    expect(promises("bob")).toEqual(["2500 of merge for bob", "700 of c/0 for bob"]);
    expect(promises("alice")).toEqual(promises("grid-authority").filter((line) => !line.includes(" c/0 ")));
    const [whole] = small
      .node("alice")
      .unspent("power-promise")
      .filter(({ promiseId }) => promiseId === "merge");
    expect(whole?.claims).toEqual({ ...SOLAR, gramsCo2PerKwh: 60, certifiedBy: null });
  });

  test("undoes a split, and parts of one lineage keep it", async () => {
    await small.run("alice", promising("p", 2_000));
    await small.run("alice", promising("q", 1_000));
    await small.run("alice", splitting([500, 500], "p/0"));
    await small.run("alice", merging("alice", ["p/0"]));
    expect(promises("alice")).toEqual(["1000 of q/0 for alice", "2000 of p/0 for alice"]);
  });

  test("is refused where there is nothing to merge", async () => {
    await small.run("alice", promising("p", 2_000));
    await small.run("carol", promising("c", 2_000));
    await sell("carol", "alice", 500);
    expect(await refusal("alice", merging("alice"))).toEqual({ tag: "nothing_to_merge" });
    expect(await refusal("alice", merging("carol", ["p/0"]))).toEqual({ tag: "nothing_to_merge" });
    expect(await refusal("alice", merging("alice", undefined, slotId("2031-06-01T10:00Z/PT60M")))).toEqual({
      tag: "slot_unknown",
    });
  });
});

describe("a substitution", () => {
  /** Alice promised 2 kWh, sold 1.5 to bob, and bought 1 of carol's. */
  async function short(): Promise<void> {
    await small.run("alice", promising("p", 2_000));
    await small.run("carol", promising("c", 3_000));
    await sell("alice", "bob", 1_500);
    await sell("carol", "alice", 1_000);
  }

  test("gives the holder what another owes, and the supplier its deposit back", async () => {
    await short();
    const before = { alice: small.balance("alice"), bob: small.balance("bob"), carol: small.balance("carol") };
    await small.run("alice", covering(800));
    expect(signersOfLast()).toEqual(["alice", "grid-authority", "verifier"]);
    // 0.8 kWh of carol's are bob's now; alice holds what is left of it, owes bob 0.7 kWh and has 0.5 unsold.
    const ofCarol = ["200 of c/0 for alice", "2000 of c/0 for carol", "800 of c/0 for bob"];
    const ofAlice = ["500 of p/0 for alice", "700 of p/0 for bob"];
    expect(promises("grid-authority")).toEqual([...ofCarol, ...ofAlice].sort());
    expect(promises("alice")).toEqual(["200 of c/0 for alice", ...ofAlice]);
    expect(promises("bob")).toEqual(["700 of p/0 for bob", "800 of c/0 for bob"]);
    expect(promises("carol")).toEqual(ofCarol);
    // 1.2 kWh at 0.60 stay locked of 2; the rest is free again.
    expect(deposits("alice")).toEqual([720_000n]);
    expect(small.balance("alice") - before.alice).toBe(480_000n);
    expect([small.balance("bob"), small.balance("carol")]).toEqual([before.bob, before.carol]);
    expect(["alice", "bob", "carol"].map(exposure)).toEqual(["1200 200 0", "0 1500 0", "3000 0 0"]);
  });

  test("then delivery and settlement: the holder uses what it bought, each supplier answers for what it owes", async () => {
    await short();
    await small.run("alice", covering(1_000));
    small.clock.moveTo(SLOT_END_MS);
    const produced: Readonly<Record<string, number>> = { alice: 1_000, carol: 3_000, bob: 0 };
    await small.run("grid-authority", {
      tag: "record-meters",
      commandId: "meters",
      slot: SLOT,
      readings: ["alice", "bob", "carol"].map((name) => ({
        member: small.key(name),
        produced: wattHours(produced[name] ?? 0),
        consumed: wattHours(name === "bob" ? 1_500 : 0),
      })),
    });
    for (const name of ["alice", "carol"])
      await small.run("grid-authority", {
        tag: "check-delivery",
        commandId: `check ${name}`,
        supplier: small.key(name),
        slot: SLOT,
      });
    const records = small.node("grid-authority").unspent("delivery-record");
    // Alice would have been 1 kWh short of her 2 and lost 0.60: she owes 1 and delivers it.
    expect(
      records
        .map(({ supplier, promised, delivered, depositLost }) => [nameOf(supplier), promised, delivered, depositLost])
        .sort(),
    ).toEqual([
      ["alice", 1_000n, 1_000n, 0n],
      ["carol", 3_000n, 3_000n, 0n],
    ]);
    for (const name of ["alice", "bob", "carol"])
      await small.run("grid-authority", {
        tag: "settle-slot",
        commandId: `settle ${name}`,
        member: small.key(name),
        slot: SLOT,
      });
    // Bob's right is what he bought: he draws 1.5 kWh and buys nothing at retail.
    const [settled] = small
      .node("bob")
      .unspent("slot-settlement")
      .filter(({ member }) => member === small.key("bob"));
    expect(settled).toMatchObject({ used: 1_500n, retailEnergy: 0n, feedInEnergy: 0n });
    expect(small.node("grid-authority").unspent("deposit")).toEqual([]);
    const { issuedMicros, heldMicros } = small.ledger.moneyHeld();
    expect(heldMicros).toBe(issuedMicros);
  });

  test("of all that is owed takes the deposit away, however many deposits there were", async () => {
    await small.run("alice", promising("p", 333));
    await small.run("alice", promising("q", 1_001));
    await small.run("carol", promising("c", 3_000));
    await sell("alice", "bob", 1_334);
    await sell("carol", "alice", 1_500);
    expect(deposits("alice")).toHaveLength(2);
    await small.run("alice", covering(1_334));
    expect(deposits("alice")).toEqual([]);
    expect(exposure("alice")).toBe("0 166 0");
    expect(promises("bob")).toEqual(["1001 of c/0 for bob", "333 of c/0 for bob"]);
    // She may promise again.
    await small.run("alice", promising("r", 500));
    expect(deposits("alice")).toEqual([300_000n]);
  });

  test("covers several holders with several suppliers, the lower lineage first", async () => {
    await small.run("alice", promising("p", 2_000));
    await small.run("carol", promising("c", 600));
    await small.run("dave", promising("d", 900));
    await sell("alice", "bob", 800);
    await sell("alice", "dave", 700);
    await sell("carol", "alice", 600);
    await sell("dave", "alice", 900);
    await small.run("alice", covering(1_400));
    // Dave's own promise can't be what covers him: he gets carol's.
    const holds = (name: string): bigint =>
      small
        .node(name)
        .unspent("power-promise")
        .reduce(
          (sum, { owner, supplier, energy }) => sum + (owner === small.key(name) && supplier !== owner ? energy : 0n),
          0n,
        );
    expect([holds("bob"), holds("dave")]).toEqual([800n, 700n]);
    expect(
      small
        .node("dave")
        .unspent("power-promise")
        .some(({ owner, supplier }) => owner === supplier),
    ).toBe(false);
  });

  test("says why it is refused", async () => {
    await small.run("alice", promising("p", 2_000, SOLAR));
    expect(await refusal("alice", covering(800))).toEqual({
      tag: "nothing_to_cover",
      slot: SLOT,
      asked: 800n,
      sold: 0n,
    });
    await sell("alice", "bob", 1_500);
    expect(await refusal("alice", covering(800))).toEqual({
      tag: "promise_not_held",
      slot: SLOT,
      asked: 800n,
      held: 0n,
    });
    await small.run("carol", promising("c", 1_000));
    await sell("carol", "alice", 900);
    // Carol's says nothing, what alice sold says solar.
    expect(await refusal("alice", covering(800))).toEqual({
      tag: "cover_unsuitable",
      slot: SLOT,
      asked: 800n,
      suitable: 0n,
    });
    expect(await refusal("alice", covering(0))).toMatchObject({ tag: "energy_out_of_range" });
    expect(await refusal("alice", covering(800, "next", NEXT_SLOT))).toMatchObject({ tag: "nothing_to_cover" });
    expect(await refusal("alice", covering(800, "longer", slotId("2031-06-01T10:00Z/PT60M")))).toEqual({
      tag: "slot_unknown",
    });
    small.clock.moveTo(GATE_MS);
    expect(await refusal("alice", covering(100))).toEqual({ tag: "gate_closed", slot: SLOT, gateMs: GATE_MS });
  });

  test("covers nobody with what it owes itself", async () => {
    await small.run("bob", promising("b", 1_000));
    await sell("bob", "alice", 1_000);
    // What alice holds of bob's is out of the way while she sells him her own.
    await small.run("alice", ordering("aside", "offer", 1_000));
    await small.run("alice", promising("p", 1_500));
    await sell("alice", "bob", 1_500);
    await small.run("alice", { tag: "cancel-orders", commandId: "back", orderIds: ["aside/0"] });
    expect(await refusal("alice", covering(800))).toEqual({
      tag: "cover_unsuitable",
      slot: SLOT,
      asked: 800n,
      suitable: 0n,
    });
  });

  test("leaves alone what its holder has on offer", async () => {
    await short();
    await small.run("bob", ordering("offered", "offer", 1_500));
    expect(await refusal("alice", covering(100))).toEqual({
      tag: "nothing_to_cover",
      slot: SLOT,
      asked: 100n,
      sold: 0n,
    });
  });

  test("is not for a suspended member", async () => {
    await short();
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "suspend",
      member: small.key("alice"),
      standing: "suspended",
    });
    expect(await refusal("alice", covering(100))).toEqual({ tag: "member_suspended" });
    expect(await refusal("alice", splitting([500]))).toEqual({ tag: "member_suspended" });
  });

  test("is signed by a delegate whose mandate names it, and split and merge are", async () => {
    await short();
    const client = await small.delegate("alice", ["substitute", "split-promise", "merge-promises"]);
    for (const command of [covering(700), splitting([200], "p/0"), merging("alice", ["p/0"])])
      expect(await client.submit(command)).toMatchObject({ ok: true });
    expect(promises("alice")).toContain("500 of p/0 for alice");
  });

  test("tells those whom it concerns of their own part: who else was covered is not theirs to know", async () => {
    await small.run("alice", promising("p", 2_000));
    await small.run("carol", promising("c", 2_000));
    await sell("alice", "bob", 800);
    await sell("alice", "dave", 700);
    await sell("carol", "alice", 1_500);
    const heard: { readonly name: string; readonly tag: string | undefined; readonly made: number }[] = [];
    for (const name of ["bob", "carol", "dave", "grid-authority"])
      small.node(name).listen(({ command, made }) => heard.push({ name, tag: command?.tag, made: made.length }));
    await small.run("alice", covering(1_500));
    expect(heard).toContainEqual({ name: "bob", tag: undefined, made: 1 });
    expect(heard).toContainEqual({ name: "dave", tag: undefined, made: 1 });
    expect(heard).toContainEqual({ name: "carol", tag: undefined, made: 2 });
    expect(heard.find(({ name }) => name === "grid-authority")?.tag).toBe("substitute");
  });
});
