/** Clients of members at an aggregator's address: each asks in the name of one member, and is shown nothing of another. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { STATE_KINDS } from "#contracts";
import { type PublicKey, type Signer, seededEntropy, wattHours } from "#core";
import type { NodeStatus } from "#ledger-api";
import { type HttpEndpoint, httpEndpoint, principalClient } from "#ledger-client";
import { SLOT, SmallNetwork, signerOf } from "#testkit";
import { createHttpApp } from "../http/app.ts";
import { EventHistory } from "../http/event-history.ts";
import { MemberLedgers } from "../http/member-ledgers.ts";
import { serveClients } from "../http/server.ts";

let small: SmallNetwork;
let url: string;
let faults: unknown[];
let clients: HttpEndpoint[];
let close: () => Promise<void>;

const operator = signerOf("operator of the hub");
const auditor = signerOf("auditor of the hub");

beforeEach(async () => {
  small = await SmallNetwork.found();
  const host = await small.serve("hub", "alice", "bob");
  await small.serve("rival", "carol");
  for (const name of ["alice", "bob", "carol"]) await small.fund(name, 5_000_000);
  [faults, clients] = [[], []];
  const onFault = (fault: unknown): void => void faults.push(fault);
  const app = createHttpApp({ onFault });
  const served = new MemberLedgers({ host, gridAuthority: small.key("grid-authority"), defer: setImmediate });
  const store = host.storeOf(host.party);
  const gridAuthority = small.key("grid-authority");
  const events = new EventHistory({ node: host.node, store, gridAuthority, defer: setImmediate });
  await serveClients(app, {
    networkId: small.ledger.networkId,
    party: host.party,
    clock: small.clock,
    nonces: store,
    owners: [operator.publicKey],
    auditors: [auditor.publicKey],
    status: () => statusOf(host.party, "hub"),
    members: (member) => {
      const ledger = served.of(member);
      return ledger && { ledger, status: () => statusOf(member, "a member") };
    },
    ledger: {
      node: host.node,
      events,
      transactions: (after, limit) => store.scanAfter(after, limit),
    },
    streams: { after },
    onFault,
  });
  const listening: Promise<string> = app.listen({ host: "127.0.0.1", port: 0 });
  url = await listening;
  close = async () => {
    for (const client of clients) client.close();
    served.close();
    events.close();
    app.server.closeAllConnections();
    await app.close();
    small.close();
  };
});
afterEach(async () => {
  await close();
  expect(faults).toEqual([]);
});

function statusOf(party: PublicKey, name: string): NodeStatus {
  const none = {
    pending: 0,
    outbox: 0,
    undelivered: [],
    peersReachable: 0,
    peersKnown: 0,
    uptimeMs: 0,
    residentBytes: 0,
  };
  const networkId = small.ledger.networkId;
  return { ...none, name, party, roles: [], networkId, epoch: 0, height: 0, membersServed: null };
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

/** A client that asks in the name of `party`, with a key that may be another's. */
function client(party: PublicKey, signer: Signer): HttpEndpoint {
  const { networkId } = small.ledger;
  const entropy = seededEntropy("clients", `${clients.length}`);
  const made = httpEndpoint({ url, party, networkId, signer, clock: small.clock, entropy, after, retryMs: 0 });
  clients.push(made);
  return made;
}

const own = (name: string): HttpEndpoint => client(small.key(name), small.signer(name));
const promise = {
  tag: "create-promises",
  commandId: "promise",
  promises: [{ slot: SLOT, energy: wattHours(2_000) }],
} as const;
const revoke = { tag: "revoke-mandate", commandId: "revoke", mandateId: "aggregator" } as const;

test("the aggregator's operator gives commands for a member, and the member's own key reads what came of them", async () => {
  const [alice, heard] = [own("alice"), [] as string[]];
  const stop = alice.listen(({ command, made }) => heard.push(`${command?.tag} ${made.map(({ tag }) => tag).sort()}`));
  await alice.states("funds");
  const submitted = await client(small.key("alice"), operator).submit(promise);
  expect(submitted).toMatchObject({ ok: true, value: { status: "created" } });
  const promises = await alice.states("power-promise");
  expect(promises.map(({ state }) => state.owner)).toEqual([small.key("alice")]);
  while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  stop();
  expect(heard).toEqual([expect.stringMatching(/^create-promises .*power-promise/)]);
  // What is public comes with it, though the aggregator keeps it.
  const known = (await small.node("hub").states("member")).map(({ ref, state }) => ({ ref, state }));
  expect(await alice.states("member")).toEqual(known);
});

test("one member's data is in no answer to another's key, or in another's name", async () => {
  await small.run("alice", promise);
  const bob = own("bob");
  const secrets = [
    ...(await small.node("alice").states("funds")),
    ...(await small.node("alice").states("power-promise")),
  ];
  const heard: unknown[] = [];
  bob.listen((event) => heard.push(event));
  for (const tag of STATE_KINDS) {
    const refs = (await bob.states(tag)).map(({ ref }) => `${ref.txId}:${ref.index}`);
    for (const { ref } of secrets) expect(refs).not.toContain(`${ref.txId}:${ref.index}`);
  }
  const page = await bob.transactions(0, 100);
  const shown = page.ok ? page.value.transactions.map(({ txId }) => txId) : [];
  expect(shown.length).toBeGreaterThan(0);
  for (const { ref } of secrets) expect(shown).not.toContain(ref.txId);
  await small.run("alice", { ...promise, commandId: "another" });
  expect(await bob.status()).toMatchObject({ ok: true, value: { party: small.key("bob"), undelivered: [] } });
  expect(heard).toEqual([]);
});

test("a member's key, an auditor of the aggregator and strangers may not ask in a member's name", async () => {
  const forbidden = { ok: false, error: { refusal: { code: "request_forbidden" } } };
  for (const signer of [small.signer("bob"), small.signer("carol"), auditor, signerOf("stranger")]) {
    const stolen = client(small.key("alice"), signer);
    await expect(stolen.states("funds")).rejects.toThrow("request_forbidden");
    expect(await stolen.submit(promise)).toEqual({ ok: false, error: { tag: "mandate_missing" } });
    expect(await stolen.propose(promise, signer.publicKey)).toEqual({ ok: false, error: { tag: "mandate_missing" } });
    expect(await stolen.transactions(0, 10)).toMatchObject(forbidden);
    expect(await stolen.status()).toMatchObject(forbidden);
    expect(await stolen.exported()).toMatchObject(forbidden);
  }
  // All data of a member goes to its own key alone, not to the operator either.
  expect(await client(small.key("alice"), operator).exported()).toMatchObject(forbidden);
  expect(await own("alice").exported()).toMatchObject({ ok: true });
  // Nor does a member's key read what is the aggregator's own, and who is served elsewhere is not served here.
  await expect(client(small.key("hub"), small.signer("alice")).states("funds")).rejects.toThrow("request_forbidden");
  await expect(own("carol").states("funds")).rejects.toThrow("request_foreign");
});

test("a member revokes by its own key at the aggregator's address; another's proposal is not there to be approved", async () => {
  const alice = own("alice");
  const proposal = await alice.propose(revoke, small.key("alice"));
  if (!proposal.ok || !("proposalId" in proposal.value)) throw new Error("it is proposed");
  const signature = small.signer("bob").sign(new Uint8Array(1));
  const approved = await own("bob").approve(proposal.value.proposalId, signature);
  expect(approved).toMatchObject({ ok: false });
  await alice.withdraw(proposal.value.proposalId);
  const signing = { signer: small.signer("alice"), networkId: small.ledger.networkId };
  expect(await principalClient(alice, signing).submit(revoke)).toMatchObject({ ok: true });
  const late = await client(small.key("alice"), operator).submit(promise);
  expect(late).toEqual({ ok: false, error: { tag: "mandate_missing" } });
});
