/** Members under an aggregator: the same trades by the same rules as with nodes of their own, and nothing of one shown by another. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import {
  type ClientCommand,
  decodeSignedTransaction,
  decodeTransaction,
  type PeerReply,
  type PeerRequest,
  participantsOf,
  refKey,
  STATE_KINDS,
  type State,
  signTransaction,
} from "#contracts";
import { canonicalJson, micros, microsPerKwh, type PublicKey, unwrap, wattHours } from "#core";
import { DAY, DEADLINE_MS, keyOf, SLOT, SLOT_END_MS, SmallNetwork, signerOf } from "#testkit";
import { auditFolder } from "../audit.ts";
import { isPublic } from "../relevance.ts";
import { settleWholeSlot } from "../slot-settlement.ts";
import { enrolmentOf } from "./index.ts";

const opened: SmallNetwork[] = [];
afterEach(() => {
  for (const small of opened.splice(0)) small.close();
});

async function found(
  hosts: Readonly<Record<string, readonly string[]>>,
  own: readonly string[] = [],
  options: Parameters<typeof SmallNetwork.found>[0] = {},
): Promise<SmallNetwork> {
  const small = await SmallNetwork.found(options);
  opened.push(small);
  for (const name of own) await small.join(name);
  for (const [host, names] of Object.entries(hosts)) await small.serve(host, ...names);
  const prices = (price: bigint) => Array.from({ length: 96 }, () => microsPerKwh(price));
  await small.run("power-company", {
    tag: "publish-tariff",
    commandId: "tariff",
    day: DAY,
    feedIn: prices(80_000n),
    retail: prices(300_000n),
  });
  for (const name of ["alice", "bob", "power-company"]) await small.fund(name, 5_000_000);
  return small;
}

const promise = (commandId: string, energy: number): ClientCommand => ({
  tag: "create-promises",
  commandId,
  promises: [{ slot: SLOT, energy: wattHours(energy) }],
});

const place = (commandId: string, side: "bid" | "offer", energy: number, limit: bigint) => ({
  tag: "place-orders" as const,
  commandId,
  orders: [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }],
});

/** The life of a promise, with what is refused on the way. Gives every answer. */
async function live(small: SmallNetwork): Promise<readonly unknown[]> {
  const marketplace = small.key("marketplace");
  const answers: unknown[] = [];
  const submit = async (name: string, command: ClientCommand): Promise<void> => {
    const answer = await small.submit(name, command);
    answers.push(answer.ok ? answer.value.status : withNames(small, answer.error));
  };
  const bid = (name: string, id: string, price: bigint): Promise<void> =>
    submit(name, { tag: "bid", commandId: id, auctionId: "auction", price: microsPerKwh(price) });
  await submit("alice", promise("promise", 2_000));
  await submit("alice", promise("too much", 18_500));
  await submit("alice", promise("promise", 2_000));
  await submit("alice", { ...place("offer", "offer", 1_000, 100_000n), marketplace });
  await submit("alice", { ...place("meets itself", "bid", 1, 900_000n), marketplace });
  await submit("bob", { ...place("bid", "bid", 1_500, 200_000n), marketplace });
  await submit("bob", { ...place("not covered", "bid", 15_000, 900_000n), marketplace });
  await submit("marketplace", {
    tag: "clear-pool",
    commandId: "clear",
    slot: SLOT,
    price: microsPerKwh(150_000n),
    isFinal: true,
    trades: [{ bid: "bid/0", offer: "offer/0", energy: wattHours(1_000), price: microsPerKwh(150_000n) }],
  });
  await submit("alice", {
    tag: "create-auction",
    commandId: "auction",
    marketplace,
    slot: SLOT,
    energy: wattHours(500),
    basePrice: microsPerKwh(100_000n),
    deadlineMs: DEADLINE_MS,
  });
  await bid("alice", "own", 200_000n);
  await bid("bob", "low", 100_000n);
  await bid("bob", "high", 200_000n);
  small.clock.moveTo(DEADLINE_MS);
  await submit("alice", { tag: "end-auction", commandId: "end", auctionId: "auction" });
  await submit("alice", { tag: "settle-auction", commandId: "not mine", auctionId: "auction" });
  await submit("bob", { tag: "settle-auction", commandId: "settle", auctionId: "auction" });
  small.clock.moveTo(SLOT_END_MS);
  const readings = [
    { member: small.key("alice"), produced: wattHours(2_200), consumed: wattHours(100) },
    { member: small.key("bob"), produced: wattHours(0), consumed: wattHours(1_800) },
  ];
  answers.push(withNames(small, await settleWholeSlot(small.node("grid-authority"), SLOT, readings)));
  return answers;
}

/** Keys as names, and a delegate's as that of its principal: so that answers and signers can be compared. */
function namesIn(small: SmallNetwork): ReadonlyMap<string, string> {
  const names = small.ledger.nodeNames.map((name) => [small.key(name) as string, name] as const);
  const delegates = small.node("grid-authority").unspent("mandate");
  const nameOf = new Map(names);
  return new Map([...names, ...delegates.map((each) => [each.delegate, nameOf.get(each.principal) ?? ""] as const)]);
}

function withNames(small: SmallNetwork, value: unknown): unknown {
  let text = canonicalJson(value);
  for (const [key, name] of namesIn(small)) text = text.replaceAll(key, name);
  return text;
}

/** What each transaction since the two were funded was for, and who signed it. */
function signersOf(small: SmallNetwork): readonly string[] {
  const names = namesIn(small);
  const lines = [...small.commitLog.scan()].map(({ bytes }) => {
    const { command, signers } = unwrap(decodeSignedTransaction(new Uint8Array(bytes))).transaction.content;
    return `${command.tag}: ${signers
      .map((key) => names.get(key))
      .sort()
      .join(", ")}`;
  });
  return lines.filter((line) => !/^(genesis|join|issue-funds|publish-tariff)/.test(line));
}

describe("buyer and seller", () => {
  test("under one aggregator, under two, or with nodes of their own: the same answers, signers and money", async () => {
    const own = await found({}, ["alice", "bob"]);
    const together = await found({ hub: ["alice", "bob"] });
    const apart = await found({ hub: ["alice"], rival: ["bob"] });
    const expected = await live(own);
    expect(expected.filter((answer) => answer === "created").length).toBe(8);
    for (const [small, hosts] of [
      [together, { alice: "hub", bob: "hub" }],
      [apart, { alice: "hub", bob: "rival" }],
    ] as const) {
      expect(await live(small)).toEqual(expected);
      for (const name of ["alice", "bob", "marketplace", "power-company", "grid-authority"])
        expect([name, small.balance(name)]).toEqual([name, own.balance(name)]);
      // Beside each member's delegate its aggregator signs, and nobody else.
      const withHosts = signersOf(own).map((line) => {
        const [tag = "", names = ""] = line.split(": ");
        const signers = names.split(", ").flatMap((name) => {
          const host = name === "alice" || name === "bob" ? hosts[name] : undefined;
          return host === undefined ? [name] : [name, host];
        });
        return `${tag}: ${[...new Set(signers)].sort().join(", ")}`;
      });
      expect(signersOf(small)).toEqual(withHosts);
    }
    expect(signersOf(own)).toHaveLength(12);
  });
});

/** Lets a member's own key sign what its node at the aggregator proposes. */
async function byPrincipal(small: SmallNetwork, name: string, command: ClientCommand): Promise<unknown> {
  const signer = small.signer(name);
  const proposal = unwrap(await small.node(name).propose(command, signer.publicKey));
  if (!("proposalId" in proposal)) return proposal;
  const transaction = unwrap(decodeTransaction(proposal.transaction));
  const { signature } = signTransaction(small.ledger.networkId, transaction, signer);
  return small.node(name).approve(proposal.proposalId, signature);
}

describe("a member's own key", () => {
  test("revokes the aggregator's mandate by its signature alone, and then nothing more is done for it", async () => {
    const small = await found({ hub: ["alice", "bob"] });
    expect(
      await small.submit("alice", { tag: "revoke-mandate", commandId: "not the hub's", mandateId: "aggregator" }),
    ).toEqual({
      ok: false,
      error: { tag: "mandate_missing" },
    });
    const revoke = { tag: "revoke-mandate", commandId: "revoke", mandateId: "aggregator" } as const;
    expect(await byPrincipal(small, "alice", revoke)).toMatchObject({ ok: true, value: { status: "created" } });
    expect(await small.submit("alice", promise("late", 1_000))).toEqual({
      ok: false,
      error: { tag: "mandate_missing" },
    });
    expect(await small.submit("bob", promise("goes on", 1_000))).toMatchObject({ ok: true });
  });

  test("signs only the joining that it agreed to, and only for the grid authority", async () => {
    const small = await SmallNetwork.found();
    opened.push(small);
    const host = await small.serve("hub");
    const [alice, delegate] = [signerOf("alice"), signerOf("hub's key for alice")];
    const usual = { name: "alice", roles: ["prosumer"], holdingCapPerSlot: null } as const;
    const limits = { energyPerSlotMax: wattHours(1), energyPerDayMax: wattHours(1), bidPriceMax: microsPerKwh(1) };
    const terms = { host: host.party, delegate: delegate.publicKey, expiresMs: SLOT_END_MS, ...limits };
    const agreed = enrolmentOf(alice.publicKey, { ...usual, capacityPerSlot: wattHours(1_000) }, terms);
    host.welcome({ ...agreed, sign: (each) => signTransaction(small.ledger.networkId, each, alice) }, delegate);
    const before = small.wire.transport;
    small.wire.intercept = (from, to, request, next) =>
      to === alice.publicKey ? host.handle(from, to, request) : next(request);
    const join = (commandId: string, capacity: number, from = "grid-authority") => {
      const { asked } = enrolmentOf(alice.publicKey, { ...usual, capacityPerSlot: wattHours(capacity) }, terms);
      return small.submit(from, { tag: "enrol", commandId, members: [asked] });
    };
    const refusal = { tag: "counterparty_refused", party: alice.publicKey, reason: "role_not_allowed", clauses: [] };
    expect(await join("more than agreed", 2_000)).toEqual({ ok: false, error: refusal });
    const stranger = await before.request(small.key("marketplace"), alice.publicKey, {
      tag: "sign",
      transaction: new Uint8Array(),
    });
    expect(stranger).toMatchObject({ tag: "refused" });
    expect(await join("as agreed", 1_000)).toMatchObject({ ok: true });
    expect(host.seat(alice.publicKey)?.unspent("mandate")).toEqual([agreed.mandate]);
  });
});

describe("one member's data", () => {
  test("shows in no state, event, receipt or proposal that another's seat gives, nor at the aggregator's own node", async () => {
    const small = await found({ hub: ["alice", "bob"] });
    const host = small.ledger.host("hub");
    const isPrivateOf = (key: PublicKey, state: State): boolean =>
      !isPublic(state) && participantsOf(state).includes(key);
    const told: State[] = [];
    for (const node of [small.node("bob"), host.node])
      node.listen(({ consumed, made }) => told.push(...consumed, ...made));
    const commands: unknown[] = [];
    small.node("bob").listen(({ command }) => commands.push(command));
    await small.run("alice", promise("promise", 2_000));
    await small.run("alice", { ...place("offer", "offer", 1_000, 100_000n), marketplace: small.key("marketplace") });
    const proposal = unwrap(
      await small
        .node("alice")
        .propose({ tag: "revoke-mandate", commandId: "r", mandateId: "aggregator" }, small.key("alice")),
    );
    if (!("proposalId" in proposal)) throw new Error("it is proposed");
    // What is Alice's is there, and only there.
    expect(small.node("alice").unspent("pool-order")).toHaveLength(1);
    for (const node of [small.node("bob"), host.node])
      for (const tag of STATE_KINDS)
        expect(node.unspent(tag).filter((state: State) => isPrivateOf(small.key("alice"), state))).toEqual([]);
    expect(told.filter((state) => isPrivateOf(small.key("alice"), state))).toEqual([]);
    expect(commands).toEqual([]);
    const { signature } = signTransaction(
      small.ledger.networkId,
      unwrap(decodeTransaction(proposal.transaction)),
      small.signer("alice"),
    );
    const unknown = { ok: false, error: { tag: "proposal_unknown" } };
    for (const node of [small.node("bob"), host.node])
      expect(await node.approve(proposal.proposalId, signature)).toEqual(unknown);
    await small.node("bob").withdraw(proposal.proposalId);
    // A command of the same id is another command: it has no answer yet.
    expect(await small.submit("bob", promise("promise", 3_000))).toMatchObject({
      ok: true,
      value: { status: "created" },
    });
    expect(await small.node("alice").approve(proposal.proposalId, signature)).toMatchObject({ ok: true });
  });

  test("is in no answer that another's seat or the aggregator's node gives to peers", async () => {
    const small = await found({ hub: ["alice", "bob"] });
    await small.run("alice", promise("promise", 2_000));
    const refs = [
      ...(await small.node("alice").states("power-promise")),
      ...(await small.node("alice").states("funds")),
    ].map(({ ref }) => ref);
    const [txId] = refs.map((ref) => ref.txId);
    if (txId === undefined) throw new Error("alice has promised");
    const forbidden = { tag: "refused", refusal: { tag: "role_not_allowed" } };
    for (const to of ["bob", "hub"]) {
      const ask = (from: string, request: PeerRequest): Promise<PeerReply> => small.send(from, to, request);
      for (const from of ["marketplace", "grid-authority", "verifier", "alice"]) {
        expect(await ask(from, { tag: "resolve", txId, refs })).toEqual({ tag: "resolved", dependencies: [] });
        expect(await ask(from, { tag: "position", member: small.key("alice"), day: DAY })).toEqual(forbidden);
        expect(await ask(from, { tag: "auctioned", auctionId: "promise" })).toEqual(forbidden);
        expect(await ask(from, { tag: "heads", notary: small.key("notary"), before: null, limit: 10 })).toEqual(
          forbidden,
        );
      }
      // Only its own funds are reserved.
      const fund = await ask("grid-authority", { tag: "fund", flowId: "f", amount: micros(1) });
      const funds = fund.tag === "proved" ? fund.dependencies.map(({ ref }) => refKey(ref)) : [];
      expect(funds.filter((key) => refs.map(refKey).includes(key))).toEqual([]);
    }
    // Nor does another take what is hers for its own.
    const [bytes] = [...small.ledger.store("grid-authority").scan()]
      .filter((each) => each.txId === txId)
      .map((each) => each.bytes);
    if (bytes === undefined) throw new Error("the grid authority signed it");
    const handed = await small.send("grid-authority", "bob", { tag: "final", transaction: new Uint8Array(bytes) });
    expect(handed).toEqual(forbidden);
    expect(small.node("bob").unspent("power-promise")).toEqual([]);
  });

  test("is not what the aggregator signs in another's name: a delegate's key serves its own principal alone", async () => {
    const small = await found({ hub: ["alice", "bob"] });
    const byBob = await small
      .node("alice")
      .propose(promise("p", 1_000), small.node("bob").unspent("mandate")[0]?.delegate ?? keyOf("none"));
    expect(byBob).toEqual({ ok: false, error: { tag: "mandate_missing" } });
  });
});

describe("an aggregator that is stopped in the middle", () => {
  const folder = mkdtempSync(join(tmpdir(), "dream-host-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("goes on with what each member had under way, and has lost nothing", async () => {
    const small = await found({ hub: ["alice", "bob"] }, [], { folder });
    await small.run("alice", promise("before", 1_000));
    // The notary makes both final, but its answer does not come.
    small.wire.intercept = async (_from, _to, request, next) => {
      const reply = await next(request);
      return request.tag === "notarise" ? { tag: "refused", refusal: { tag: "node_unreachable" } } : reply;
    };
    const unanswered = { ok: false, error: { tag: "node_unreachable" } };
    expect(await small.submit("alice", promise("cut off", 2_000))).toEqual(unanswered);
    expect(await small.submit("bob", promise("cut off", 3_000))).toEqual(unanswered);
    expect(small.ledger.host("hub").underWay.commands).toBe(2);
    small.wire.intercept = undefined;
    const before = await Promise.all(["grid-authority", "verifier"].map((name) => small.vaultOf(name)));
    const host = await small.ledger.restartHost("hub");
    expect(host.underWay).toEqual({ commands: 0, messages: 0 });
    expect(
      small
        .node("alice")
        .unspent("power-promise")
        .map(({ energy }) => energy),
    ).toEqual([1_000n, 2_000n]);
    expect(
      small
        .node("bob")
        .unspent("power-promise")
        .map(({ energy }) => energy),
    ).toEqual([3_000n]);
    expect(await small.submit("alice", promise("cut off", 2_000))).toMatchObject({
      ok: true,
      value: { status: "exists" },
    });
    expect(await Promise.all(["grid-authority", "verifier"].map((name) => small.vaultOf(name)))).not.toEqual(before);
    const vaults = await Promise.all(["alice", "bob", "hub"].map((name) => small.vaultOf(name)));
    await small.ledger.restartHost("hub");
    expect(await Promise.all(["alice", "bob", "hub"].map((name) => small.vaultOf(name)))).toEqual(vaults);
    // An auditor reads each party's store by itself, and finds nothing missing.
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "suspend",
      member: small.key("bob"),
      standing: "suspended",
    });
    const audit = auditFolder(folder);
    expect(audit).toMatchObject({ ok: true, value: { violations: [] } });
  });
});

describe("many members", () => {
  test("cost no more messages for what is public than one", async () => {
    const notices: number[] = [];
    for (const members of [
      ["alice", "bob"],
      ["alice", "bob", ...Array.from({ length: 20 }, (_, index) => `m${index}`)],
    ]) {
      const small = await found({ hub: members });
      let count = 0;
      small.wire.intercept = (_from, _to, request, next) => {
        if (request.tag === "notice") count += 1;
        return next(request);
      };
      await small.run("alice", promise("promise", 2_000));
      await small.run("alice", {
        tag: "create-auction",
        commandId: "auction",
        marketplace: small.key("marketplace"),
        slot: SLOT,
        energy: wattHours(500),
        basePrice: microsPerKwh(100_000n),
        deadlineMs: DEADLINE_MS,
      });
      notices.push(count);
      for (const name of members)
        expect(small.node(name).unspent("auction")).toEqual(small.node("hub").unspent("auction"));
    }
    expect(notices[0]).toBe(notices[1]);
  });
});
