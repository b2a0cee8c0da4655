/**
 * What a node answers to its peers: it proves and reserves only for whom it must, takes no word for what can be checked, and
 * never throws, whatever is sent.
 */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type ClientCommand,
  type Dependency,
  decodeNotice,
  decodeSignedTransaction,
  encodeNotice,
  type Notice,
  type PeerReply,
  type PeerRequest,
  type StateRef,
  type Transaction,
} from "#contracts";
import {
  decodeCbor,
  encodeCbor,
  type LocalDay,
  localDay,
  micros,
  microsPerKwh,
  signerFromSeed,
  unwrap,
  wattHours,
} from "#core";
import { arbTransaction, DEADLINE_MS, SLOT, SmallNetwork } from "#testkit";

let small: SmallNetwork;
const DAY: LocalDay = localDay("2031-06-01");

const PROMISE: ClientCommand = {
  tag: "create-promises",
  commandId: "promise",
  promises: [{ slot: SLOT, energy: wattHours(10_000) }],
};

async function found(): Promise<void> {
  small = await SmallNetwork.found();
  await small.join("alice");
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.fund("alice", 10_000_000, 1_000_000);
  await small.fund("bob", 5_000_000, 2_000_000);
}

function refusal(reply: PeerReply): string {
  return reply.tag === "refused" ? reply.refusal.tag : `answered ${reply.tag}`;
}

function reservedBy(name: string): Promise<unknown> {
  return small.submit(name, {
    tag: "place-orders",
    commandId: `all of ${name}`,
    marketplace: small.key("marketplace"),
    orders: [{ side: "bid", slot: SLOT, energy: wattHours(6_000), limit: microsPerKwh(1_000_000) }],
  });
}

describe("proofs and reservations", () => {
  beforeEach(found);
  afterEach(() => small.close());

  test("resolve proves states that an open transaction of the node's own names, to who is to sign it, and no others", async () => {
    const asked: {
      txId: string;
      refs: readonly StateRef[];
      named: Dependency[];
      funds: Dependency[];
      toOthers: Dependency[];
    }[] = [];
    const resolve = async (
      txId: Transaction["inputs"][number]["txId"],
      refs: readonly StateRef[],
      from = "verifier",
    ): Promise<Dependency[]> => {
      const reply = await small.send(from, "alice", { tag: "resolve", txId, refs });
      return reply.tag === "resolved" ? [...reply.dependencies] : [];
    };
    const own = await small.node("alice").states("funds");
    small.wire.intercept = async (_from, to, request, next) => {
      if (request.tag === "sign" && to === small.key("verifier")) {
        const { id, content } = unwrap(decodeSignedTransaction(request.transaction)).transaction;
        const refs = [...content.inputs, ...content.references];
        const unnamed = own
          .map(({ ref }) => ref)
          .filter((ref) => !refs.some(({ txId, index }) => txId === ref.txId && index === ref.index));
        expect(unnamed).toHaveLength(1);
        asked.push({
          txId: id,
          refs,
          named: await resolve(id, refs),
          funds: await resolve(id, unnamed),
          toOthers: [...(await resolve(id, refs, "bob")), ...(await resolve(id, refs, "marketplace"))],
        });
      }
      return next(request);
    };
    await small.run("alice", PROMISE);
    small.wire.intercept = undefined;
    expect(asked).toHaveLength(1);
    const [during] = asked;
    expect(during?.named.map(({ ref }) => ref)).toEqual(during?.refs);
    expect(during?.funds).toEqual([]);
    expect(during?.toOthers, "who is not to sign it").toEqual([]);
    const txId = during?.refs[0]?.txId;
    if (txId === undefined) throw new Error("a promise consumes funds");
    expect(await resolve(during?.txId as typeof txId, during?.refs ?? []), "closed").toEqual([]);
    expect(
      await resolve(
        txId,
        own.map(({ ref }) => ref),
      ),
      "another's transaction",
    ).toEqual([]);
  });

  test("fund reserves for the grid authority alone, and for a while", async () => {
    const fund: PeerRequest = { tag: "fund", flowId: "f", amount: micros(6_000_000) };
    for (const name of ["alice", "power-company", "marketplace", "bob"])
      expect(refusal(await small.send(name, "bob", fund))).toBe("role_not_allowed");
    const reserved = await small.send("grid-authority", "bob", fund);
    expect(await small.send("grid-authority", "bob", fund)).toEqual(reserved);
    expect(reserved.tag === "proved" && reserved.dependencies).toHaveLength(2);
    expect(await small.send("grid-authority", "bob", { ...fund, flowId: "g", amount: micros(1) })).toEqual({
      tag: "refused",
      refusal: { tag: "insufficient_funds", needed: 1n, margin: 0n, available: 0n },
    });
    expect(await reservedBy("bob")).toMatchObject({ error: { tag: "insufficient_funds", available: 0n } });
    small.clock.moveTo(small.clock.nowMs() + 5 * 60_000);
    expect(await reservedBy("bob"), "the settlement never came").toMatchObject({ ok: true });
  });

  test("fund refuses amounts that are none", async () => {
    for (const amount of [0n, -1n, 2n ** 70n]) {
      const reply = await small.send("grid-authority", "bob", { tag: "fund", flowId: "f", amount: amount as never });
      expect(refusal(reply)).toBe("command_malformed");
    }
    expect(await reservedBy("bob")).toMatchObject({ ok: true });
  });

  test("what an auction is of is shown to who leads it", async () => {
    await small.run("alice", PROMISE);
    await small.run("alice", {
      tag: "create-auction",
      commandId: "auction",
      marketplace: small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(2_000),
      basePrice: microsPerKwh(100_000),
      deadlineMs: DEADLINE_MS,
    });
    const ask = (from: string): Promise<PeerReply> =>
      small.send(from, "alice", { tag: "auctioned", auctionId: "auction" });
    expect(refusal(await ask("bob"))).toBe("role_not_allowed");
    await small.run("bob", { tag: "bid", commandId: "bid", auctionId: "auction", price: microsPerKwh(120_000) });
    const shown = await ask("bob");
    expect(shown.tag === "proved" && shown.dependencies).toHaveLength(1);
    expect(refusal(await ask("marketplace"))).toBe("role_not_allowed");
    const bid = await small.send("alice", "bob", { tag: "bid-of", auctionId: "auction" });
    expect(bid.tag === "proved" && bid.dependencies).toHaveLength(1);
    expect(await small.send("alice", "bob", { tag: "bid-of", auctionId: "none" })).toEqual({
      tag: "proved",
      dependencies: [],
    });
  });

  test("position proves the newest exposure of the day, or the index that says there is none", async () => {
    const ask = (): Promise<PeerReply> =>
      small.send("marketplace", "alice", { tag: "position", member: small.key("alice"), day: DAY });
    expect(await ask()).toMatchObject({ tag: "position", exposure: null, index: {} });
    await small.run("alice", PROMISE);
    const [newest] = await small.node("alice").states("exposure");
    const answer = await ask();
    expect(answer.tag === "position" && answer.exposure?.ref).toEqual(newest?.ref);
  });

  test("position is shown to who settles trades, and to members where its party auctions or leads: to nobody else", async () => {
    const ask = (from: string, to: string, member: string, day = DAY): Promise<PeerReply> =>
      small.send(from, to, { tag: "position", member: small.key(member), day });
    for (const name of ["grid-authority", "marketplace", "verifier"])
      expect((await ask(name, "alice", "alice")).tag, name).toBe("position");
    expect(refusal(await ask("bob", "alice", "alice"))).toBe("role_not_allowed");
    expect(refusal(await ask("bob", "grid-authority", "alice"))).toBe("role_not_allowed");
    expect(refusal(await ask("marketplace", "bob", "alice"))).toBe("role_not_allowed");
    expect((await ask("marketplace", "grid-authority", "alice")).tag).toBe("position");
    await small.run("alice", PROMISE);
    await small.run("alice", {
      tag: "create-auction",
      commandId: "auction",
      marketplace: small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(2_000),
      basePrice: microsPerKwh(100_000),
      deadlineMs: DEADLINE_MS,
    });
    expect((await ask("bob", "alice", "alice")).tag).toBe("position");
    expect(refusal(await ask("bob", "alice", "alice", localDay("2031-06-02")))).toBe("role_not_allowed");
    const stranger = signerFromSeed(new Uint8Array(32).fill(9)).publicKey;
    const position = { tag: "position", member: small.key("alice"), day: DAY } as const;
    expect(refusal(await small.node("alice").handle(stranger, position))).toBe("role_not_allowed");
    expect(refusal(await small.node("alice").handle(stranger, { tag: "bid-of", auctionId: "auction" }))).toBe(
      "member_unknown",
    );
    expect(refusal(await small.node("marketplace").handle(stranger, { tag: "sequence", count: 1 }))).toBe(
      "member_unknown",
    );
  });

  test("the grid authority shows what an auction is of to its winner and its marketplace alone", async () => {
    await small.run("alice", PROMISE);
    await small.run("alice", {
      tag: "create-auction",
      commandId: "auction",
      marketplace: small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(2_000),
      basePrice: microsPerKwh(100_000),
      deadlineMs: DEADLINE_MS,
    });
    await small.run("bob", { tag: "bid", commandId: "bid", auctionId: "auction", price: microsPerKwh(120_000) });
    const ask = (from: string): Promise<PeerReply> =>
      small.send(from, "grid-authority", { tag: "auctioned", auctionId: "auction" });
    for (const name of ["bob", "marketplace"]) {
      const shown = await ask(name);
      expect(shown.tag === "proved" && shown.dependencies, name).toHaveLength(1);
    }
    for (const name of ["alice", "verifier"]) expect(refusal(await ask(name)), name).toBe("role_not_allowed");
  });

  test("sequence gives each number once, and only whole counts", async () => {
    const ask = (count: number): Promise<PeerReply> => small.send("alice", "marketplace", { tag: "sequence", count });
    const [first, second] = [await ask(3), await ask(1)];
    expect(first.tag === "sequence" && second.tag === "sequence" && second.first - first.first).toBe(3);
    for (const count of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 10_001])
      expect(refusal(await ask(count))).toBe("command_malformed");
    expect(refusal(await small.send("alice", "bob", { tag: "notarise", transaction: new Uint8Array() }))).toBe(
      "role_not_allowed",
    );
  });
});

describe("introduce", () => {
  beforeEach(found);
  afterEach(() => small.close());

  async function proofsOf(name: string, tag: "member" | "funds" | "power-promise"): Promise<readonly Dependency[]> {
    const states = await small.node(name).states(tag);
    return (await Promise.all(states.map(({ ref }) => small.proofOf(ref)))).flatMap((proof) => proof ?? []);
  }

  test("plants nothing that is not public, not proved, or spent", async () => {
    await small.run("alice", PROMISE);
    const old = await proofsOf("bob", "member");
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "probation",
      member: small.key("alice"),
      standing: "probation",
    });
    const secret = [...(await proofsOf("alice", "funds")), ...(await proofsOf("alice", "power-promise"))];
    const [real] = await proofsOf("bob", "member");
    if (real === undefined) throw new Error("bob knows members");
    const forged: Dependency = { ...real, notarySignature: { ...real.notarySignature, signature: new Uint8Array(64) } };
    const elsewhere: Dependency = { ...real, ref: { ...real.ref, index: 99 } };
    await small.join("carol");
    for (const name of ["bob", "carol"]) {
      const before = await small.vaultOf(name);
      const dependencies = [...secret, forged, elsewhere, ...old];
      expect(await small.send("grid-authority", name, { tag: "introduce", dependencies })).toEqual({ tag: "stored" });
      expect(await small.vaultOf(name)).toEqual(before);
      await small.ledger.restart(name);
      expect(await small.vaultOf(name), "after a restart").toEqual(before);
    }
  });

  test("shows a newcomer the network, whatever else was slipped in", async () => {
    await small.run("alice", PROMISE);
    const secret = [...(await proofsOf("alice", "funds")), ...(await proofsOf("alice", "power-promise"))];
    small.wire.intercept = async (_from, _to, request, next) => {
      if (request.tag !== "introduce") return next(request);
      const forged = request.dependencies.map((each) => ({ ...each, ref: { ...each.ref, index: each.ref.index + 1 } }));
      return next({ ...request, dependencies: [...forged, ...secret, ...request.dependencies] });
    };
    await small.join("carol");
    small.wire.intercept = undefined;
    const indexes = await small.resolved("carol", "exposure-index");
    const expected = (await small.vaultOf("verifier")).filter((line) => !line.startsWith("exposure-index"));
    const own = indexes.length;
    const vault = await small.vaultOf("carol");
    expect(vault.filter((line) => !line.startsWith("exposure-index"))).toEqual(expected);
    expect([own, vault.length]).toEqual([1, expected.length + 1]);
    expect(secret.length).toBeGreaterThan(1);
  });

  test("is for the grid authority alone", async () => {
    const dependencies = await proofsOf("bob", "member");
    for (const name of ["alice", "marketplace", "power-company"])
      expect(refusal(await small.send(name, "bob", { tag: "introduce", dependencies }))).toBe("role_not_allowed");
  });
});

describe("notices", () => {
  let notice: Notice;
  /** The notice as sent, and all of the transaction, which its one other signer, the verifier, was to be sent. */
  let outsider: Uint8Array;
  let withheld: PeerRequest | undefined;

  beforeEach(async () => {
    await found();
    await small.run("alice", PROMISE);
    // The round of a pool in which bob buys: he does not sign it, and is shown what is his.
    const orders = (side: "bid" | "offer", limit: number): ClientCommand => ({
      tag: "place-orders",
      commandId: side,
      marketplace: small.key("marketplace"),
      orders: [{ side, slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(limit) }],
    });
    await small.run("alice", orders("offer", 100_000));
    await small.run("bob", orders("bid", 250_000));
    const bob = small.key("bob");
    let bytes: Uint8Array | undefined;
    small.wire.intercept = (_from, to, request, next) => {
      if (request.tag === "final") withheld = request;
      else if (request.tag === "notice" && to === bob) bytes = request.notice;
      else return next(request);
      return Promise.resolve({ tag: "stored" });
    };
    await small.run("marketplace", {
      tag: "clear-pool",
      commandId: "round",
      slot: SLOT,
      price: microsPerKwh(200_000),
      isFinal: true,
      trades: [{ bid: "bid/0", offer: "offer/0", energy: wattHours(1_000), price: microsPerKwh(200_000) }],
    });
    small.wire.intercept = undefined;
    outsider = bytes ?? new Uint8Array();
    notice = unwrap(decodeNotice(outsider));
  });
  afterEach(() => small.close());

  function send(altered: Notice | Uint8Array): Promise<PeerReply> {
    const bytes = altered instanceof Uint8Array ? altered : encodeNotice(altered);
    return small.send("marketplace", "bob", { tag: "notice", notice: bytes });
  }

  test("as sent, shows its receiver what is its own; again, it is stored once", async () => {
    expect(small.node("bob").unspent("power-promise")).toEqual([]);
    expect(await send(outsider)).toEqual({ tag: "stored" });
    const vault = await small.vaultOf("bob");
    expect(small.node("bob").unspent("power-promise")).toMatchObject([{ owner: small.key("bob"), energy: 1_000n }]);
    expect(small.node("bob").unspent("pool-order")).toEqual([]);
    expect(await send(outsider)).toEqual({ tag: "stored" });
    expect(await small.vaultOf("bob")).toEqual(vault);
  });

  test("with an altered, swapped or invented component is refused", async () => {
    const { tearOff } = notice;
    const before = await small.vaultOf("bob");
    for (const [index, revealed] of tearOff.revealed.entries()) {
      const component = revealed.component.map((byte, at) => (at === revealed.component.length - 1 ? byte ^ 1 : byte));
      const changes = [
        { ...revealed, component },
        { ...revealed, nonce: revealed.nonce.map((byte) => byte ^ 1) },
        { ...revealed, position: revealed.position + 1 },
        { ...revealed, position: 0 },
      ];
      for (const change of changes) {
        if (
          change.position === revealed.position &&
          change.component === revealed.component &&
          change.nonce === revealed.nonce
        )
          continue;
        const altered = tearOff.revealed.map((each, at) => (at === index ? change : each));
        expect(refusal(await send({ ...notice, tearOff: { ...tearOff, revealed: altered } }))).toBe(
          "transaction_malformed",
        );
      }
    }
    const counts = { ...tearOff.counts, outputs: tearOff.counts.outputs - 1, inputs: tearOff.counts.inputs + 1 };
    expect(refusal(await send({ ...notice, tearOff: { ...tearOff, counts } }))).toBe("transaction_malformed");
    const hashes = tearOff.hashes.slice(1);
    expect(refusal(await send({ ...notice, tearOff: { ...tearOff, hashes } }))).toBe("transaction_malformed");
    expect(await small.vaultOf("bob")).toEqual(before);
  });

  test("without its signers shown, or with one of their signatures missing or wrong, is refused", async () => {
    const { tearOff, signatures } = notice;
    const hidden = tearOff.revealed.slice(0, -3);
    expect(refusal(await send({ ...notice, tearOff: { ...tearOff, revealed: hidden } }))).toBe("transaction_malformed");
    expect(signatures).toHaveLength(2);
    for (const [index, signature] of signatures.entries()) {
      const others = signatures.filter((_, at) => at !== index);
      expect(refusal(await send({ ...notice, signatures: others }))).toBe("signature_missing");
      const wrong = { ...signature, signature: new Uint8Array(64) };
      expect(refusal(await send({ ...notice, signatures: [...others, wrong] }))).toBe("signature_invalid");
    }
  });

  test("without the notary's signature on it is refused", async () => {
    const { notarySignature } = notice;
    const [other] = [...small.commitLog.scan()];
    const proof = await small.proofOf({ txId: other?.txId ?? notice.txId, index: 0 });
    const wrong = [
      { ...notarySignature, signature: new Uint8Array(64) },
      { ...notarySignature, by: small.key("marketplace") },
      { ...notarySignature, batchSize: notarySignature.batchSize + 1 },
      proof?.notarySignature ?? notarySignature,
    ];
    for (const each of wrong)
      expect(refusal(await send({ ...notice, notarySignature: each }))).toBe("signature_invalid");
    expect(refusal(await send({ ...notice, txId: other?.txId ?? notice.txId }))).toBe("transaction_malformed");
  });

  test("in place of a transaction that its receiver signed is refused: a part must not stand for the whole", async () => {
    const part = (): Promise<PeerReply> => small.send("marketplace", "verifier", { tag: "notice", notice: outsider });
    expect(refusal(await part())).toBe("role_not_allowed");
    if (withheld === undefined) throw new Error("the verifier signs the round");
    expect(await small.send("marketplace", "verifier", withheld)).toEqual({ tag: "stored" });
    expect(await part(), "it has all of it already").toEqual({ tag: "stored" });
  });
});

describe("whatever is sent", () => {
  /** All messages of the life of a promise, to be sent again, altered. */
  const heard: { readonly to: string; readonly request: PeerRequest }[] = [];
  const NAMES = ["alice", "bob", "grid-authority", "power-company", "marketplace", "verifier", "payment-provider"];

  beforeAll(async () => {
    await found();
    small.wire.intercept = (_from, to, request, next) => {
      const name = [...NAMES, "notary"].find((each) => small.key(each) === to);
      if (name !== undefined) heard.push({ to: name, request });
      return next(request);
    };
    await small.run("alice", PROMISE);
    await small.run("bob", {
      tag: "place-orders",
      commandId: "bid",
      marketplace: small.key("marketplace"),
      orders: [{ side: "bid", slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(250_000) }],
    });
    await small.run("bob", { tag: "cancel-orders", commandId: "cancel", orderIds: ["bid/0"] });
    small.wire.intercept = undefined;
  });
  afterAll(() => small.close());

  async function unchanged(run: () => Promise<void>): Promise<void> {
    const before = await small.everything();
    await run();
    expect(await small.everything()).toEqual(before);
  }

  const arbName = fc.constantFrom(...NAMES);
  const arbReceiver = fc.constantFrom(...NAMES, "notary");

  function withBytes(request: PeerRequest, alter: (bytes: Uint8Array) => Uint8Array): PeerRequest | undefined {
    if (request.tag === "notice") return { ...request, notice: alter(request.notice) };
    if (request.tag === "sign" || request.tag === "final" || request.tag === "notarise")
      return { ...request, transaction: alter(request.transaction) };
    return undefined;
  }

  test("bytes at random are refused by everybody", async () => {
    const arbTag = fc.constantFrom("sign", "final", "notarise", "notice");
    await unchanged(() =>
      fc.assert(
        fc.asyncProperty(
          arbName,
          arbReceiver,
          arbTag,
          fc.uint8Array({ maxLength: 300 }),
          async (from, to, tag, bytes) => {
            const request = (tag === "notice" ? { tag, notice: bytes } : { tag, transaction: bytes }) as PeerRequest;
            expect((await small.send(from, to, request)).tag).toBe("refused");
          },
        ),
        { numRuns: 300 },
      ),
    );
  });

  test("true messages that are cut, extended, spliced or have bits flipped change nothing", async () => {
    const carrying = heard.filter(({ request }) => withBytes(request, (bytes) => bytes) !== undefined);
    expect(carrying.length).toBeGreaterThan(10);
    const arbAlter = fc.oneof(
      fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(
        ([at, mask]) =>
          (bytes: Uint8Array) =>
            bytes.map((byte, index) => (index === at % bytes.length ? byte ^ mask : byte)),
      ),
      fc.nat().map((at) => (bytes: Uint8Array) => bytes.slice(0, at % bytes.length)),
      fc
        .uint8Array({ minLength: 1, maxLength: 40 })
        .map((more) => (bytes: Uint8Array) => Uint8Array.from([...bytes, ...more])),
      fc.tuple(fc.nat(), fc.nat()).map(
        ([at, length]) =>
          (bytes: Uint8Array) =>
            Uint8Array.from([
              ...bytes.slice(0, at % bytes.length),
              ...bytes.slice((at % bytes.length) + (length % 64)),
            ]),
      ),
    );
    await unchanged(() =>
      fc.assert(
        fc.asyncProperty(arbName, fc.constantFrom(...carrying), arbAlter, async (from, { to, request }, alter) => {
          const altered = withBytes(request, alter);
          if (altered === undefined) return;
          const reply = await small.send(from, to, altered);
          // What a node has stored already it need not look at again; the notary repeats what it has made final.
          expect(["refused", "stored", "notarised", "signed"]).toContain(reply.tag);
        }),
        { numRuns: 500 },
      ),
    );
  });

  test("true messages to the wrong receiver, in any order, change nothing", async () => {
    await unchanged(() =>
      fc.assert(
        fc.asyncProperty(arbName, arbReceiver, fc.constantFrom(...heard), async (from, to, { request }) => {
          if (request.tag === "sequence") return;
          expect(await small.send(from, to, request)).toHaveProperty("tag");
        }),
        { numRuns: 200 },
      ),
    );
  });

  test("encodings that are not the one canonical form, or too large, are refused", async () => {
    const sign = heard.find(({ to, request }) => to === "verifier" && request.tag === "sign")?.request;
    const bytes = sign?.tag === "sign" ? sign.transaction : new Uint8Array();
    const [body, signatures] = unwrap(decodeCbor(bytes)) as [Uint8Array, unknown];
    const [version, salt, counts, components] = unwrap(decodeCbor(body)) as [
      number,
      Uint8Array,
      number[],
      Uint8Array[],
    ];
    const rebuilt = (parts: readonly Uint8Array[]): Uint8Array =>
      encodeCbor([encodeCbor([version, salt, counts, parts]), signatures as never, null]);
    expect(rebuilt(components)).toEqual(bytes);
    const at = components.length - 3;
    const signers = unwrap(decodeCbor(components[at] ?? new Uint8Array())) as Uint8Array[];
    const reversed = components.map((each, index) => (index === at ? encodeCbor([...signers].reverse()) : each));
    const twice = components.map((each, index) =>
      index === at ? encodeCbor([...signers, ...signers.slice(-1)]) : each,
    );
    const long = components.map((each, index) =>
      index === at ? Uint8Array.from([0x98, signers.length, ...each.slice(1)]) : each,
    );
    const trailing = components.map((each, index) => (index === at ? Uint8Array.from([...each, 0]) : each));
    const input = components.map((each, index) => (index === 1 ? (components[0] ?? each) : each));
    const oversized = Uint8Array.from({ length: 2 ** 20 + 1 });
    const attempts = [reversed, twice, long, trailing, input, components.slice(1)].map(rebuilt);
    await unchanged(async () => {
      for (const attempt of [...attempts, oversized, bytes.slice(1), Uint8Array.from([...bytes, 0])])
        for (const [to, tag] of [
          ["verifier", "sign"],
          ["verifier", "final"],
          ["notary", "notarise"],
        ] as const)
          expect(refusal(await small.send("alice", to, { tag, transaction: attempt }))).toBe("transaction_malformed");
    });
  });

  test("transactions of the right form that say nonsense, over real states, are refused by all who are to sign", async () => {
    const states = (
      await Promise.all(
        NAMES.map(async (name) =>
          (
            await Promise.all(
              (["member", "funds", "exposure", "exposure-index", "power-promise", "deposit"] as const).map((tag) =>
                small.resolved(name, tag),
              ),
            )
          ).flat(),
        ),
      )
    ).flat();
    const refs = [...new Map(states.map(({ ref }) => [`${ref.txId}:${ref.index}`, ref])).values()];
    const [parameters] = await small.resolved("alice", "network-parameters");
    const arbRefs = fc.subarray(refs, { maxLength: 6 });
    small.actAs("alice");
    await unchanged(() =>
      fc.assert(
        fc.asyncProperty(arbTransaction, arbRefs, fc.nat({ max: 6 }), arbReceiver, async (content, real, cited, to) => {
          const target = small.key(to);
          const attempt: Transaction = {
            ...content,
            inputs: real.slice(cited),
            references: [...(parameters === undefined ? [] : [parameters.ref]), ...real.slice(0, cited)],
            signers: to === "notary" ? [small.key("alice")] : [small.key("alice"), target],
            notary: small.key("notary"),
          };
          const reply = await small.ask(
            "alice",
            to,
            to === "notary" ? "notarise" : "sign",
            small.craft(attempt, "alice"),
          );
          expect(reply.tag).toBe("refused");
        }),
        { numRuns: 400 },
      ),
    );
    small.wire.intercept = undefined;
  });

  test("requests with values out of every range are answered", async () => {
    const arbNumber = fc.oneof(fc.double(), fc.integer(), fc.constant(Number.NaN));
    const arbRefs = fc.array(fc.record({ txId: fc.string(), index: arbNumber }), { maxLength: 3 });
    const arbRequest = fc.oneof(
      fc.record({ tag: fc.constant("resolve"), txId: fc.string(), refs: arbRefs }),
      fc.record({ tag: fc.constant("position"), day: fc.string() }),
      fc.record({ tag: fc.constant("bid-of"), auctionId: fc.string() }),
      fc.record({ tag: fc.constant("auctioned"), auctionId: fc.string() }),
      fc.record({ tag: fc.constant("fund"), flowId: fc.string(), amount: fc.bigInt({ max: 0n }) }),
      fc.record({ tag: fc.constant("sequence"), count: fc.oneof(fc.double({ max: 0.9 }), fc.constant(Number.NaN)) }),
      fc.record({ tag: fc.string() }),
    );
    await unchanged(() =>
      fc.assert(
        fc.asyncProperty(arbName, arbName, arbRequest, async (from, to, request) => {
          expect(await small.send(from, to, request as unknown as PeerRequest)).toHaveProperty("tag");
        }),
        { numRuns: 300 },
      ),
    );
  });

  test("and after all that the network goes on", async () => {
    expect(
      await small.run("alice", {
        ...PROMISE,
        commandId: "after",
        promises: [{ slot: SLOT, energy: wattHours(1_000) }],
      }),
    ).toMatchObject({ status: "created" });
  });
});
