/**
 * Covers that are none: with energy of another slot, with weaker claims, with what the holder owes itself, with one promise twice,
 * for a deposit that is still due; and claims that grow by merging. The attacker's node drafts an honest transaction, which is
 * altered; nobody signs it, and the notary takes none though all signers collude.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Claims, ClientCommand, Command, PowerPromise, State, Transaction } from "#contracts";
import { micros, microsPerKwh, type SlotId, wattHours } from "#core";
import { NEXT_SLOT, SLOT, type SmallNetwork } from "#testkit";
import { altered, clausesIn, Stage } from "./stage.ts";

type Claimed = Omit<Claims, "certifiedBy">;
const SOLAR: Claimed = { source: "solar", renewable: true, origin: "feeder 3", gramsCo2PerKwh: 40 };
const PLAIN: Claimed = { source: null, renewable: false, origin: null, gramsCo2PerKwh: 400 };
const COSIGNERS = ["grid-authority", "verifier"];

let stage: Stage;
let small: SmallNetwork;
let trades: number;

/** Alice has sold 1.5 kWh of solar energy to bob, and holds energy of carol's: solar, plain, and of the next slot. */
beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  trades = 0;
  for (const name of ["alice", "bob", "carol"]) {
    await small.join(name);
    await small.fund(name, ...Array.from({ length: 6 }, () => 5_000_000));
  }
  await small.run("alice", promising("a", 2_000, SOLAR));
  await sell("alice", "bob", 1_500);
  await small.run("carol", promising("solar", 1_000, SOLAR));
  await sell("carol", "alice", 1_000);
});
afterEach(() => stage.close());

function promising(commandId: string, energy: number, claims: Claimed, slot: SlotId = SLOT): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot, energy: wattHours(energy), claims }] };
}

async function sell(seller: string, buyer: string, energy: number, slot: SlotId = SLOT): Promise<void> {
  trades += 1;
  const price = microsPerKwh(200_000);
  for (const [name, side] of [
    [seller, "offer"],
    [buyer, "bid"],
  ] as const)
    await small.run(name, {
      tag: "place-orders",
      commandId: `${side} ${trades}`,
      marketplace: small.key("marketplace"),
      orders: [{ side, slot, energy: wattHours(energy), limit: price }],
    });
  await small.run("marketplace", {
    tag: "clear-pool",
    commandId: `round ${trades}`,
    slot,
    price,
    isFinal: false,
    trades: [{ bid: `bid ${trades}/0`, offer: `offer ${trades}/0`, energy: wattHours(energy), price }],
  });
}

const COVER: ClientCommand = { tag: "substitute", commandId: "cover", slot: SLOT, energy: wattHours(800) };

/** The honest cover of 0.8 kWh with carol's solar promise. */
async function honest(): Promise<Transaction> {
  return (await stage.taken("alice", COVER)).transaction.content;
}

/** The same with another promise in the place of carol's solar one. */
async function coveredWith(content: Transaction, isWanted: (promise: PowerPromise) => boolean): Promise<Transaction> {
  const held = (await small.resolved("alice", "power-promise")).flatMap(({ ref, state }) =>
    state.tag === "power-promise" ? [{ ref, state }] : [],
  );
  const solar = held.find(({ state }) => state.promiseId === "solar/0");
  const other = held.find(({ state }) => isWanted(state));
  if (solar === undefined || other === undefined) throw new Error("alice holds both promises");
  const inputs = content.inputs.map((ref) =>
    ref.txId === solar.ref.txId && ref.index === solar.ref.index ? other.ref : ref,
  );
  const { promiseId, slot, supplier, claims } = other.state;
  return altered({ ...content, inputs }, "power-promise", (promise) =>
    promise.promiseId === "solar/0" ? [{ ...promise, promiseId, slot, supplier, claims }] : [promise],
  );
}

/** Refused with the clause by every other signer, and by the notary though all of them have signed; nothing changes. */
async function expectRefused(
  by: string,
  others: readonly string[],
  attempt: Transaction,
  clause: string,
): Promise<void> {
  stage.proving(by);
  const before = await small.everything();
  for (const name of others)
    expect(clausesIn(await stage.ask(by, name, "sign", small.craft(attempt, by)))).toContain(clause);
  const colluding = small.craft(attempt, by, ...others);
  expect(clausesIn(await stage.ask(by, "notary", "notarise", colluding))).toContain(clause);
  expect(await small.everything()).toEqual(before);
}

function lineages(name: string): readonly string[] {
  return small
    .node(name)
    .unspent("power-promise")
    .filter(({ owner }) => owner === small.key(name))
    .map(({ promiseId, energy }) => `${energy} of ${promiseId}`)
    .sort();
}

describe("who sold too much", () => {
  test("covers with energy of the same slot, whatever it is told: as an honest cover shows", async () => {
    await small.run("alice", COVER);
    expect(lineages("bob")).toEqual(["700 of a/0", "800 of solar/0"]);
  });

  test("can't cover with a promise of another slot", async () => {
    await small.run("carol", promising("later", 1_000, SOLAR, NEXT_SLOT));
    await sell("carol", "alice", 1_000, NEXT_SLOT);
    const attempt = await coveredWith(await honest(), ({ promiseId }) => promiseId === "later/0");
    await expectRefused("alice", COSIGNERS, attempt, "substitute_of_the_slot");
  });

  test("can't cover with a weaker claim", async () => {
    await small.run("carol", promising("plain", 1_000, PLAIN));
    await sell("carol", "alice", 1_000);
    const attempt = await coveredWith(await honest(), ({ promiseId }) => promiseId === "plain/0");
    await expectRefused("alice", COSIGNERS, attempt, "substitute_claims_no_less");
    // Nor by writing the stronger claim on it.
    const painted = altered(attempt, "power-promise", (promise) =>
      promise.promiseId === "plain/0" ? [{ ...promise, claims: { ...SOLAR, certifiedBy: null } }] : [promise],
    );
    await expectRefused("alice", COSIGNERS, painted, "substitute_claims_no_less");
  });

  test("can't cover with what the holder owes itself", async () => {
    // What bob bought is out of the way while he sells alice his own.
    await small.run("bob", {
      tag: "place-orders",
      commandId: "aside",
      marketplace: small.key("marketplace"),
      orders: [{ side: "offer", slot: SLOT, energy: wattHours(1_500), limit: microsPerKwh(900_000) }],
    });
    await small.run("bob", promising("own", 1_000, SOLAR));
    await sell("bob", "alice", 1_000);
    await small.run("bob", { tag: "cancel-orders", commandId: "back", orderIds: ["aside/0"] });
    const attempt = await coveredWith(await honest(), ({ promiseId }) => promiseId === "own/0");
    await expectRefused("alice", COSIGNERS, attempt, "substitute_not_with_the_holders_own");
  });

  test("can't cover two sales with one promise, neither in one transaction nor by two nodes at once", async () => {
    const content = await honest();
    const command = { ...content.command, covers: [{ covered: 0, with: 1, energy: wattHours(1_001) }] } as Command;
    await expectRefused("alice", COSIGNERS, { ...content, command }, "substitute_within_promises");
    const twin = await stage.twinOf("alice");
    const answers = await Promise.all([
      small.submit("alice", COVER),
      twin.submit({ ...COVER, commandId: "cover again" }),
    ]);
    const outcomes = answers.map((answer) => (answer.ok ? answer.value.status : answer.error.tag));
    expect([...outcomes].sort()).toEqual(["created", "state_conflict"]);
    expect(lineages("bob")).toEqual(["700 of a/0", "800 of solar/0"]);
  });

  test("gets no more of its deposit back than it is owed, and gives it to nobody else", async () => {
    const content = await honest();
    const funds = (amount: bigint, name = "alice"): readonly State[] => [
      { tag: "funds", owner: small.key(name), amount: micros(amount) },
    ];
    const keeping = (amount: bigint, tx: Transaction): Transaction =>
      altered(tx, "deposit", (deposit) => [{ ...deposit, amount: micros(amount) }]);
    // 2 kWh at 0.60 were locked; 0.8 are covered.
    const greedy = keeping(
      719_999n,
      altered(content, "funds", () => funds(480_001n)),
    );
    await expectRefused("alice", COSIGNERS, greedy, "substitute_keeps_the_deposit");
    const all = altered(
      altered(content, "funds", () => funds(1_200_000n)),
      "deposit",
      () => [],
    );
    await expectRefused("alice", COSIGNERS, all, "substitute_keeps_the_deposit");
    const toCarol = altered(content, "funds", () => funds(480_000n, "carol"));
    await expectRefused("alice", COSIGNERS, toCarol, "substitute_releases_to_the_supplier");
  });

  test("takes nothing from the holder: neither energy nor its place", async () => {
    const content = await honest();
    const carol = small.key("carol");
    const isCover = ({ promiseId, owner }: PowerPromise): boolean =>
      promiseId === "solar/0" && owner === small.key("bob");
    for (const alter of [
      (promise: PowerPromise) => (isCover(promise) ? [{ ...promise, owner: carol }] : [promise]),
      (promise: PowerPromise) => (isCover(promise) ? [{ ...promise, energy: wattHours(799) }] : [promise]),
      (promise: PowerPromise) => (isCover(promise) ? [] : [promise]),
      (promise: PowerPromise) =>
        isCover(promise) ? [{ ...promise, lock: { kind: "order", id: "none" } as const }] : [promise],
    ])
      await expectRefused("alice", COSIGNERS, altered(content, "power-promise", alter), "substitute_promises_follow");
  });
});

describe("who merges", () => {
  /** Bob holds alice's solar energy, and plain energy of hers. */
  async function merging(): Promise<Transaction> {
    await small.run("alice", promising("dull", 1_000, PLAIN));
    await small.run("alice", {
      tag: "create-auction",
      commandId: "aside",
      marketplace: small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(100),
      basePrice: microsPerKwh(100_000),
      deadlineMs: small.clock.nowMs() + 3_600_000,
    });
    await sell("alice", "bob", 1_400);
    const command: ClientCommand = {
      tag: "merge-promises",
      commandId: "merge",
      slot: SLOT,
      supplier: small.key("alice"),
    };
    return (await stage.taken("bob", command)).transaction.content;
  }

  test("grafts no claim of one promise on another, nor a certificate that nobody gave", async () => {
    const content = await merging();
    const claims: readonly Claims[] = [
      { ...SOLAR, certifiedBy: null },
      { ...PLAIN, certifiedBy: small.key("verifier") },
      { ...PLAIN, gramsCo2PerKwh: 40, certifiedBy: null },
    ];
    for (const stronger of claims) {
      const graft = altered(content, "power-promise", (promise) => [{ ...promise, claims: stronger }]);
      await expectRefused("bob", [], graft, "merge_claims_no_more");
    }
  });

  test("passes a mixture off as none of its parts, and makes no energy of nothing", async () => {
    const content = await merging();
    const command: Command = { tag: "merge-promises", owner: small.key("bob"), promiseId: "a/0" };
    const named = altered({ ...content, command }, "power-promise", (promise) => [{ ...promise, promiseId: "a/0" }]);
    await expectRefused("bob", [], named, "merge_keeps_lineage");
    const more = altered(content, "power-promise", (promise) => [
      { ...promise, energy: wattHours(promise.energy + 1n) },
    ]);
    await expectRefused("bob", [], more, "merge_conserves_energy");
  });

  test("of another's promises makes none of its own", async () => {
    const content = await merging();
    const command: Command = { tag: "merge-promises", owner: small.key("carol"), promiseId: "merge" };
    const theft: Transaction = {
      ...altered({ ...content, command }, "power-promise", (promise) => [{ ...promise, owner: small.key("carol") }]),
      signers: [small.key("carol")],
    };
    await expectRefused("carol", [], theft, "merge_of_own_free_promises");
  });
});
