/** A member moves from one aggregator to another: with its data, by one transaction that it signs alone, and against the old one's will. */
import { afterEach, describe, expect, test } from "vitest";
import {
  type ClientCommand,
  type ClientCommandOf,
  DELEGABLE_FLOWS,
  ENROLLED_MAX,
  type MemberExport,
  type NewMandate,
  type NewMember,
  type NodeEndpoint,
  readExport,
  type ServedBy,
  type StateTag,
} from "#contracts";
import { canonicalJson, microsPerKwh, type PublicKey, seededEntropy, unwrap, wattHours } from "#core";
import { carryBy, principalClient, signElsewhere } from "#ledger-client";
import { openSqliteNodeStore } from "#ledger-node";
import { keyOf, ServedNode, SLOT, SLOT_START_MS, SmallNetwork } from "#testkit";
import { importMember } from "./member-export.ts";
import { LedgerNode } from "./node.ts";
import { SignatureCheck } from "./signature-check.ts";

const DAY_MS = 86_400_000;
let small: SmallNetwork;
afterEach(() => small.close());

async function found(): Promise<void> {
  small = await SmallNetwork.found();
  await small.serve("hub", "alice", "bob");
  await small.serve("rival");
  await small.fund("alice", 5_000_000, 3_000_000);
  await small.fund("bob", 5_000_000);
  await small.run("alice", promising("before", 1_500));
}

function promising(commandId: string, energy: number): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(energy) }] };
}

function mandateTo(delegate: PublicKey, mandateId = "rival"): NewMandate {
  return {
    mandateId,
    delegate,
    flows: DELEGABLE_FLOWS,
    energyPerSlotMax: wattHours(1_000_000),
    expiresMs: SLOT_START_MS + DAY_MS,
  };
}

function moving(commandId: string, host: string, delegate: PublicKey): ClientCommandOf<"move-member"> {
  return { tag: "move-member", commandId, served: { by: small.key(host), mandate: mandateTo(delegate) } };
}

function exported(name: string): MemberExport {
  const { networkId, notaryKey } = small.ledger;
  const text = unwrap(small.node(name).exportFor(small.key(name)));
  return unwrap(readExport(text, { networkId, notaries: [notaryKey], member: small.key(name) }));
}

function signing(name: string) {
  const nowMs = small.clock.nowMs();
  return {
    signer: small.signer(name),
    networkId: small.ledger.networkId,
    nowMs,
    salt: seededEntropy("salt", name).bytes(32),
  };
}

/** What a node holds of its party alone, as text. */
function ownStates(name: string): readonly string[] {
  const tags: readonly StateTag[] = ["funds", "power-promise", "deposit", "exposure", "exposure-index", "mandate"];
  return tags.flatMap((tag) => small.node(name).unspent(tag).map(canonicalJson)).sort();
}

describe("a member of an aggregator", () => {
  test("moves with all its data by an export and one transaction, and trades on", async () => {
    await found();
    const before = ownStates("alice");
    const money = small.balance("alice");
    const delegate = await small.ledger.takeIn("rival", "alice", exported("alice"));
    expect(ownStates("alice")).toEqual(before);
    const { transactions } = small.ledger.moneyHeld();
    const client = principalClient(small.node("alice"), signing("alice"));
    expect(await client.submit(moving("move", "rival", delegate))).toMatchObject({ ok: true });
    expect(small.ledger.moneyHeld().transactions).toBe(transactions + 1);
    expect(small.balance("alice")).toBe(money);
    expect(await small.submit("alice", promising("after", 1_000))).toMatchObject({ ok: true });
    expect(small.node("grid-authority").unspent("member")).toContainEqual(
      expect.objectContaining({ name: "alice", servedBy: small.key("rival"), standing: "good" }),
    );
    // A repeat of what was done at the aggregator before is known at the new one.
    expect(await small.submit("alice", promising("before", 1_500))).toMatchObject({ value: { status: "exists" } });
  });

  test("moves though its aggregator does not answer: any node carries what it has signed", async () => {
    await found();
    const file = exported("alice");
    const hub = small.key("hub");
    const alice = small.key("alice");
    const refuses = (key: PublicKey): boolean => key === hub || key === alice;
    small.wire.intercept = (from, to, request, next) =>
      refuses(from) || refuses(to)
        ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
        : next(request);
    expect(await small.submit("alice", promising("stuck", 1_000))).toMatchObject({ ok: false });
    const command = moving("move", "rival", small.key("bob"));
    const carried = await carryBy(small.node("grid-authority"), command, file, signing("alice"));
    expect(carried).toMatchObject({ ok: true, value: { status: "created" } });
    const signed = unwrap(signElsewhere(command, file, signing("alice")));
    expect(
      await small.node("rival").carry(signed.transaction, signed.proofs),
      "the notary says it again",
    ).toMatchObject({
      ok: true,
    });
    small.wire.intercept = undefined;
    // The aggregator's key for it is worth nothing from then on, whatever it has been told.
    expect(await small.submit("alice", promising("old delegate", 1_000))).toMatchObject({ ok: false });
  });

  test("ends its mandate though its aggregator does not answer", async () => {
    await found();
    const file = exported("alice");
    const command = { tag: "revoke-mandate", commandId: "revoke", mandateId: "aggregator" } as const;
    const carried = await carryBy(small.node("grid-authority"), command, file, signing("alice"));
    expect(carried).toMatchObject({ ok: true });
    expect(await small.submit("alice", promising("after", 1_000))).toMatchObject({ ok: false });
    expect(await small.submit("bob", promising("after", 1_000)), "bob is still served").toMatchObject({ ok: true });
  });

  test("gets a node of its own: the mandate ends, and its own key acts", async () => {
    await found();
    const file = exported("alice");
    const { networkId, counters } = small.ledger;
    const store = openSqliteNodeStore(":memory:", "process-crash", (task) => void setImmediate(task));
    const imported = await importMember(store, file, new SignatureCheck(networkId, counters));
    expect(imported).toMatchObject({ commands: 0, commandsLeft: 0, transactions: file.transactions.length });
    const home = new LedgerNode({
      signer: small.signer("alice"),
      networkId,
      notary: small.key("notary"),
      gridAuthority: small.key("grid-authority"),
      clock: small.clock,
      entropy: seededEntropy("home", "alice"),
      transport: { request: (from, to, request) => small.wire.transport.request(from, to, request) },
      store,
      counters,
    });
    expect(await home.submit({ tag: "move-member", commandId: "home", served: null })).toMatchObject({ ok: true });
    expect(home.unspent("mandate")).toEqual([]);
    expect(home.unspent("member")).toContainEqual(expect.objectContaining({ name: "alice", servedBy: null }));
    expect(await small.submit("alice", promising("old delegate", 1_000))).toMatchObject({ ok: false });
    store.close();
  });
});

describe("a command is refused", () => {
  const newcomer = (name: string, served?: ServedBy): NewMember => ({
    name,
    key: keyOf(name),
    roles: ["prosumer"],
    capacityPerSlot: wattHours(1_000),
    holdingCapPerSlot: null,
    marketFee: microsPerKwh(0),
    ...(served === undefined ? {} : { served }),
  });
  const enrolling = (...members: readonly NewMember[]): ClientCommand => ({ tag: "enrol", commandId: "e", members });
  const over = (delegate: PublicKey): NewMandate => ({ ...mandateTo(delegate), expiresMs: small.clock.nowMs() });
  const refusal = async (name: string, command: ClientCommand): Promise<string> => {
    const answer = await small.submit(name, command);
    return answer.ok ? "carried out" : answer.error.tag;
  };

  test("to enrol: by others than the grid authority, without members, with names or keys that are taken, under no aggregator", async () => {
    await found();
    const hub = small.key("hub");
    const delegate = keyOf("delegate");
    const at = "grid-authority";
    expect(await refusal("hub", enrolling(newcomer("dora")))).toBe("role_not_allowed");
    expect(await refusal(at, enrolling())).toBe("command_malformed");
    expect(await refusal(at, enrolling(newcomer("dora"), newcomer("dora")))).toBe("command_malformed");
    expect(await refusal(at, enrolling({ ...newcomer("dora"), name: "alice" }))).toBe("command_malformed");
    expect(await refusal(at, enrolling({ ...newcomer("dora"), key: hub }))).toBe("command_malformed");
    const under = (by: PublicKey, mandate: NewMandate): ClientCommand => enrolling(newcomer("dora", { by, mandate }));
    expect(await refusal(at, under(small.key("marketplace"), mandateTo(delegate)))).toBe("member_unknown");
    expect(await refusal(at, under(hub, over(delegate)))).toBe("deadline_out_of_range");
    expect(await refusal(at, under(hub, { ...mandateTo(delegate), flows: ["nothing" as never] }))).toBe(
      "command_malformed",
    );
    const twice = { by: hub, mandate: mandateTo(delegate) };
    expect(await refusal(at, enrolling(newcomer("dora", twice), newcomer("emil", twice)))).toBe("contract_violated");
    const many = Array.from({ length: ENROLLED_MAX + 1 }, (_, index) => newcomer(`member ${index}`));
    expect(await refusal(at, enrolling(...many))).toBe("command_malformed");
    expect(await refusal(at, enrolling(newcomer("dora"))), "nobody is there to sign for it").toBe(
      "counterparty_refused",
    );
  });

  test("to move: to who is no aggregator, with a mandate that is over, or to where one is", async () => {
    await found();
    await small.join("carol");
    const delegate = keyOf("delegate");
    const to = (host: string, mandate: NewMandate): ClientCommand => ({
      tag: "move-member",
      commandId: "m",
      served: { by: small.key(host), mandate },
    });
    expect(await refusal("carol", to("marketplace", mandateTo(delegate)))).toBe("member_unknown");
    expect(await refusal("carol", to("hub", over(delegate)))).toBe("deadline_out_of_range");
    expect(await refusal("carol", to("hub", mandateTo(small.key("carol"))))).toBe("contract_violated");
    expect(await refusal("carol", { tag: "move-member", commandId: "m", served: null })).toBe("contract_violated");
    expect(await refusal("alice", to("rival", mandateTo(delegate))), "an aggregator moves nobody").toBe(
      "mandate_missing",
    );
  });
});

describe("the principal's client", () => {
  test("signs what only the member may command, and no trade", async () => {
    await found();
    const client = principalClient(small.node("alice"), signing("alice"));
    expect(await client.submit(promising("trade", 1_000))).toMatchObject({
      ok: false,
      error: { tag: "transaction_malformed" },
    });
    const granted = await client.submit({
      tag: "grant-mandate",
      commandId: "g",
      ...mandateTo(small.key("bob"), "second"),
    });
    expect(granted).toMatchObject({ ok: true });
    const revoked = await client.submit({ tag: "revoke-mandate", commandId: "r", mandateId: "second" });
    expect(revoked).toMatchObject({ ok: true });
  });

  test("does it over HTTP too, with the member's own key", async () => {
    await found();
    await small.join("carol");
    const served = await ServedNode.start(small, "carol");
    const client = principalClient(served.client(small.signer("carol")), signing("carol"));
    const granted = { tag: "grant-mandate", commandId: "g", ...mandateTo(small.key("bob"), "first") } as const;
    expect(await client.submit(granted)).toMatchObject({ ok: true });
    const toHub = { by: small.key("hub"), mandate: mandateTo(small.key("power-company"), "hub's") };
    const moved = await client.submit({ tag: "move-member", commandId: "m", served: toHub });
    expect(moved).toMatchObject({ ok: true });
    expect(
      small
        .node("carol")
        .unspent("mandate")
        .map(({ mandateId }) => mandateId),
    ).toEqual(["hub's"]);
    await served.close();
  });

  test("does not sign a wider mandate than was asked for", async () => {
    await found();
    const node = small.node("alice");
    const asked = { tag: "grant-mandate", commandId: "g", ...mandateTo(small.key("bob"), "second") } as const;
    const widening: NodeEndpoint = {
      party: node.party,
      submit: (command) => node.submit(command),
      propose: (command, by) =>
        node.propose(
          command.tag === "grant-mandate" ? { ...command, energyPerSlotMax: wattHours(2_000_000) } : command,
          by,
        ),
      approve: (proposalId, signature) => node.approve(proposalId, signature),
      withdraw: (proposalId) => node.withdraw(proposalId),
      states: (tag) => node.states(tag),
      listen: (listener) => node.listen(listener),
    };
    const client = principalClient(widening, signing("alice"));
    expect(await client.submit(asked)).toMatchObject({ ok: false, error: { tag: "transaction_malformed" } });
    expect(node.unspent("mandate").map(({ mandateId }) => mandateId)).toEqual(["aggregator"]);
  });
});

describe("what a node carries", () => {
  test("is signed in full, by the principal, and names unspent states that are proved", async () => {
    await found();
    const file = exported("alice");
    const grid = small.node("grid-authority");
    const command = { tag: "revoke-mandate", commandId: "revoke", mandateId: "aggregator" } as const;
    const refused = (reason: string) => ({ ok: false, error: { tag: reason } });
    expect(signElsewhere(command, file, { ...signing("alice"), signer: small.signer("bob") })).toMatchObject(
      refused("role_not_allowed"),
    );
    expect(signElsewhere({ ...command, mandateId: "none" }, file, signing("alice"))).toMatchObject(
      refused("mandate_missing"),
    );
    const { transaction, proofs } = unwrap(signElsewhere(command, file, signing("alice")));
    expect(await grid.carry(transaction.slice(1), proofs)).toMatchObject(refused("transaction_malformed"));
    expect(await small.node("power-company").carry(transaction, [])).toMatchObject(refused("dependency_unknown"));
    expect(await grid.carry(transaction, proofs)).toMatchObject({ ok: true, value: { status: "created" } });
    expect(await grid.carry(transaction, proofs)).toMatchObject({ ok: true, value: { status: "exists" } });
    const moved = unwrap(signElsewhere(moving("late", "rival", small.key("bob")), file, signing("alice")));
    expect(await grid.carry(moved.transaction, moved.proofs), "the mandate is gone").toMatchObject(
      refused("state_conflict"),
    );
  });
});
