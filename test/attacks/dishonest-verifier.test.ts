/** A verifier sees whole transactions before others do. It can't be counted where it does not count, and can't use what it sees. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  decodeNotice,
  decodeSignedTransaction,
  encodeNotice,
  type PeerRequest,
  refKey,
  type SignedTransaction,
  type Transaction,
  tearOffOf,
} from "#contracts";
import { microsPerKwh, unwrap, wattHours } from "#core";
import { SLOT, type SmallNetwork } from "#testkit";
import { auctioning, clausesIn, ordering, promising, refusalIn, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;

beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.join("alice");
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  for (const name of ["alice", "bob"]) await small.fund(name, 5_000_000, 5_000_000);
});
afterEach(() => stage.close());

describe("who verifies", () => {
  const NAMES = ["verifier", "second", "third"];
  /** The memberships of the verifiers as they were at first. */
  let cited: ReadonlySet<string>;

  beforeEach(async () => {
    for (const name of ["second", "third", "stranger"])
      await small.join(name, { roles: ["verifier"], capacityPerSlot: wattHours(0) });
    await small.run("grid-authority", {
      tag: "amend-parameters",
      commandId: "verifiers",
      changes: { verifiers: NAMES.map((name) => small.key(name)), verifierQuorum: 2 },
    });
    const members = await small.resolved("alice", "member");
    const verifiers = members.filter(({ state }) => state.tag === "member" && state.roles.includes("verifier"));
    cited = new Set(verifiers.map(({ ref }) => refKey(ref)));
  });

  /** A promise that names these as its verifiers, whoever they are, with the membership of each. */
  async function verifiedBy(content: Transaction, ...names: readonly string[]): Promise<SignedTransaction> {
    const members = await small.resolved("alice", "member");
    const refOf = (name: string) =>
      members.find(({ state }) => state.tag === "member" && state.key === small.key(name))?.ref;
    const verifiers = NAMES.map((name) => small.key(name));
    // The parameters and alice's membership; then those of the verifiers.
    const others = content.references.filter((ref) => !cited.has(refKey(ref)));
    const attempt = {
      ...content,
      references: [...others, ...names.flatMap((name) => refOf(name) ?? [])],
      signers: [...content.signers.filter((key) => !verifiers.includes(key)), ...names.map((name) => small.key(name))],
    };
    return small.craft(attempt, "alice", "grid-authority", ...names);
  }

  test("counts if it is of the network's, in good standing, and once", async () => {
    const { content } = (await stage.taken("alice", promising("p", 1_000))).transaction;
    const before = await small.everything();
    for (const names of [["verifier"], ["verifier", "stranger"], ["stranger"], ["third"]]) {
      const attempt = await verifiedBy(content, ...names);
      expect(clausesIn(await stage.ask("alice", "notary", "notarise", attempt)), `${names}`).toEqual([
        "promise_verified",
      ]);
    }
    const once = await verifiedBy(content, "verifier");
    const twice = { ...once, signatures: [...once.signatures, ...once.signatures] };
    expect(refusalIn(await stage.ask("alice", "notary", "notarise", twice))).toEqual({ tag: "transaction_malformed" });
    expect(await small.everything()).toEqual(before);
    const honest = await verifiedBy(content, "verifier", "third");
    expect((await stage.ask("alice", "notary", "notarise", honest)).tag).toBe("notarised");
  });

  test("counts no more once it is suspended, with its new membership or its old one", async () => {
    const { content } = (await stage.taken("alice", promising("p", 1_000))).transaction;
    const old = await verifiedBy(content, "verifier", "third");
    const member = small.key("third");
    await small.run("grid-authority", { tag: "amend-member", commandId: "third", member, standing: "suspended" });
    const before = await small.everything();
    const suspended = await verifiedBy(content, "verifier", "third");
    expect(clausesIn(await stage.ask("alice", "notary", "notarise", suspended))).toEqual(["promise_verified"]);
    expect(refusalIn(await stage.ask("alice", "notary", "notarise", old))).toMatchObject({ tag: "state_conflict" });
    expect(await small.everything()).toEqual(before);
    const honest = await verifiedBy(content, "verifier", "second");
    expect((await stage.ask("alice", "notary", "notarise", honest)).tag).toBe("notarised");
  });
});

describe("what it sees first", () => {
  /** Lets the verifier make alice's transaction final behind her back, and use the result before she has it. */
  function overtaking(use: (final: SignedTransaction) => Promise<void>): void {
    let isFirst = true;
    stage.between(async (from, _to, request, next) => {
      if (request.tag === "notarise" && from !== small.key("verifier") && isFirst) {
        isFirst = false;
        const signed = unwrap(decodeSignedTransaction(request.transaction));
        const reply = await stage.ask("verifier", "notary", "notarise", signed);
        if (reply.tag !== "notarised") throw new Error("the verifier makes it final");
        await use({ ...signed, notarySignature: reply.signature });
      }
      return next(request);
    });
  }

  test("made final and sent to its initiator before the notary's answer, does not make it forget its command", async () => {
    await small.run("alice", promising("p", 5_000));
    overtaking(async (final) => {
      expect(await stage.ask("verifier", "alice", "final", final)).toEqual({ tag: "stored" });
    });
    const created = await small.run("alice", auctioning(small, "auction", 1_000));
    stage.between(undefined);
    const vault = await small.everything();
    for (let restart = 0; restart < 2; restart++) {
      expect(await small.run("alice", auctioning(small, "auction", 1_000))).toEqual({ ...created, status: "exists" });
      await small.ledger.restart("alice");
    }
    expect(await small.everything()).toEqual(vault);
    expect(small.node("alice").unspent("auction")).toHaveLength(1);
  });

  test("shown with an output hidden, to whom it belongs, does not stand for what is shown later", async () => {
    await small.run("alice", promising("p", 5_000));
    await small.run("alice", ordering(small, "offer", "offer", 2_000, 100_000));
    await small.run("bob", ordering(small, "bid", "bid", 2_000, 250_000));
    const clearing = (commandId: string) =>
      ({
        tag: "clear-pool",
        commandId,
        slot: SLOT,
        price: microsPerKwh(200_000),
        isFinal: true,
        trades: [{ bid: "bid/0", offer: "offer/0", energy: wattHours(2_000), price: microsPerKwh(200_000) }],
      }) as const;
    const hidden: string[] = [];
    overtaking(async ({ transaction, signatures, notarySignature }) => {
      if (notarySignature === null) throw new Error("it is final");
      const show = (outputs: readonly number[]): PeerRequest => {
        const part = tearOffOf(transaction, { inputs: [], outputs, head: "signers" });
        const notice = encodeNotice({ txId: transaction.id, tearOff: part, signatures, notarySignature });
        return { tag: "notice", notice };
      };
      const funds = transaction.content.outputs.flatMap((state, index) => (state.tag === "funds" ? [index] : []));
      for (const outputs of [[], funds]) hidden.push((await stage.send("verifier", "bob", show(outputs))).tag);
    });
    const told: string[] = [];
    const stopListening = small.node("bob").listen(({ made, consumed }) => {
      told.push(...consumed.map(({ tag }) => `consumed ${tag}`), ...made.map(({ tag }) => `made ${tag}`));
    });
    await small.run("marketplace", clearing("round"));
    stage.between(undefined);
    stopListening();
    expect(hidden).toEqual(["stored", "stored"]);
    // Each fact is told once, in whatever parts it came.
    expect([...told].sort()).toEqual([
      "consumed exposure",
      "consumed pool-order",
      "made exposure",
      "made funds",
      "made power-promise",
    ]);
    const own = { owner: small.key("bob"), energy: 2_000n };
    for (let restart = 0; restart < 2; restart++) {
      expect(small.node("bob").unspent("power-promise")).toMatchObject([own]);
      expect(small.node("bob").unspent("pool-order")).toEqual([]);
      // 5 + 5 − 2 × (0.200 + 0.005) per kWh
      expect(small.balance("bob")).toBe(9_590_000n);
      await small.ledger.restart("bob");
    }
    const vault = await small.vaultOf("bob");
    const fresh = await twinVault();
    expect(vault).toEqual(fresh);
  });

  /** The vault of bob in a network in which nobody hid anything. */
  async function twinVault(): Promise<readonly string[]> {
    const honest = await Stage.found();
    try {
      const other = honest.small;
      await other.join("alice");
      await other.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
      for (const name of ["alice", "bob"]) await other.fund(name, 5_000_000, 5_000_000);
      await other.run("alice", promising("p", 5_000));
      await other.run("alice", ordering(other, "offer", "offer", 2_000, 100_000));
      await other.run("bob", ordering(other, "bid", "bid", 2_000, 250_000));
      const price = microsPerKwh(200_000);
      await other.run("marketplace", {
        tag: "clear-pool",
        commandId: "round",
        slot: SLOT,
        price,
        isFinal: true,
        trades: [{ bid: "bid/0", offer: "offer/0", energy: wattHours(2_000), price }],
      });
      return await other.vaultOf("bob");
    } finally {
      await honest.close();
    }
  }

  test("shown in part to who proposed it and did not sign it, does not stand for the whole", async () => {
    const { delegate } = await delegated();
    overtaking(async ({ transaction, signatures, notarySignature }) => {
      if (notarySignature === null) throw new Error("it is final");
      const part = tearOffOf(transaction, { inputs: [], outputs: [], head: "signers" });
      const notice = encodeNotice({ txId: transaction.id, tearOff: part, signatures, notarySignature });
      expect(unwrap(decodeNotice(notice)).tearOff.revealed).toHaveLength(3);
      await stage.send("verifier", "alice", { tag: "notice", notice });
    });
    const created = unwrap(await delegate.submit(promising("by the delegate", 1_000)));
    stage.between(undefined);
    for (let restart = 0; restart < 2; restart++) {
      expect(small.node("alice").unspent("power-promise")).toMatchObject([{ energy: 1_000n }]);
      expect(small.node("alice").unspent("deposit")).toHaveLength(1);
      expect(await delegate.submit(promising("by the delegate", 1_000))).toEqual({
        ok: true,
        value: { ...created, status: "exists" },
      });
      await small.ledger.restart("alice");
    }
  });

  async function delegated() {
    return { delegate: await small.delegate("alice", ["create-promises"]) };
  }
});
