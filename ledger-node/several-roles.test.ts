/**
 * The paper's smallest network: a grid authority that is also marketplace, verifier and payment provider, a power company that
 * sells and verifies, a notary, and members. Who has several roles signs once, is told once, and is paid what each role is owed.
 */
import { beforeEach, describe, expect, test } from "vitest";
import {
  type ClientCommand,
  decodeSignedTransaction,
  encodeSignedTransaction,
  type PeerReply,
  type PeerRequest,
  type Role,
  type Transport,
} from "#contracts";
import { microsPerKwh, type PublicKey, seededEntropy, slotsOfLocalDay, unwrap, wattHours, zone } from "#core";
import {
  DAY,
  DEADLINE_MS,
  ManualClock,
  SLOT,
  SLOT_END_MS,
  SLOT_START_MS,
  SMALL_NETWORK_RULES,
  signerOf,
} from "#testkit";
import { signGenesis } from "./genesis.ts";
import { LedgerNode } from "./node.ts";
import { Notary } from "./notary.ts";
import { settleWholeSlot } from "./slot-settlement.ts";
import { createMemoryCommitLog } from "./stores/memory-commit-log.ts";
import { openSqliteNodeStore } from "./stores/node-store.ts";

const ROLES: Readonly<Record<string, readonly Role[]>> = {
  "grid authority": ["grid-authority", "meter-operator", "marketplace", "verifier", "payment-provider"],
  "power company": ["power-company", "verifier"],
  consumer: ["consumer"],
  producer: ["producer"],
  prosumer: ["prosumer"],
};
const NAMES = Object.keys(ROLES);
const RULES = { ...SMALL_NETWORK_RULES, verifierQuorum: 2 };
const defer = (task: () => void): void => void setImmediate(task);

class Nodes implements Transport {
  readonly byKey = new Map<PublicKey, LedgerNode>();
  readonly told: string[] = [];
  readonly notary: Notary;

  constructor(notary: Notary) {
    this.notary = notary;
  }

  async request(from: PublicKey, to: PublicKey, request: PeerRequest): Promise<PeerReply> {
    // A node over the network does not reach itself.
    if (from === to) return { tag: "refused", refusal: { tag: "node_unreachable" } };
    if (request.tag === "final" || request.tag === "notice") this.told.push(to);
    if (request.tag === "notarise" && to === this.notary.key) {
      const result = await this.notary.notarise(request.transaction);
      return result.ok ? { tag: "notarised", signature: result.value } : { tag: "refused", refusal: result.error };
    }
    return this.byKey.get(to)?.handle(from, request) ?? { tag: "refused", refusal: { tag: "node_unreachable" } };
  }
}

let nodes: Nodes;
let clock: ManualClock;
const keyOf = (name: string): PublicKey => signerOf(name).publicKey;
const log = { current: createMemoryCommitLog() };

beforeEach(async () => {
  clock = new ManualClock(SLOT_START_MS - 86_400_000);
  log.current = createMemoryCommitLog();
  const [networkId, counters] = [RULES.networkId, { signatures: 0, verifications: 0 }];
  nodes = new Nodes(new Notary({ networkId, signer: signerOf("notary"), clock, log: log.current, counters, defer }));
  const notary = keyOf("notary");
  const gridAuthority = keyOf("grid authority");
  for (const name of NAMES) {
    const store = openSqliteNodeStore(":memory:", "process-crash", defer);
    const entropy = seededEntropy("several roles", name);
    const signer = signerOf(name);
    nodes.byKey.set(
      signer.publicKey,
      new LedgerNode({ signer, networkId, notary, gridAuthority, clock, entropy, transport: nodes, store, counters }),
    );
  }
  const members = NAMES.map((name) => ({
    name,
    key: keyOf(name),
    roles: ROLES[name] ?? [],
    capacityPerSlot: wattHours(20_000),
  }));
  const salt = seededEntropy("several roles", "genesis").bytes(32);
  const signed = signGenesis({ rules: RULES, members, notaries: [notary] }, signerOf("grid authority"), salt);
  const notarySignature = unwrap(await nodes.notary.notarise(encodeSignedTransaction(signed)));
  for (const name of NAMES) unwrap(await node(name).found({ ...signed, notarySignature }));
  for (const name of NAMES) {
    const amounts = [5_000_000n, 5_000_000n] as never;
    await run("grid authority", { tag: "issue-funds", commandId: `fund ${name}`, to: keyOf(name), amounts });
  }
  const slots = slotsOfLocalDay(zone(RULES.timeZone), DAY, 15);
  await run("power company", {
    tag: "publish-tariff",
    commandId: "tariff",
    day: DAY,
    feedIn: slots.map(() => microsPerKwh(80_000)),
    retail: slots.map(() => microsPerKwh(300_000)),
  });
});

function node(name: string): LedgerNode {
  const found = nodes.byKey.get(keyOf(name));
  if (found === undefined) throw new Error(`the network has a node ${name}`);
  return found;
}

async function run(name: string, command: ClientCommand): Promise<void> {
  expect(await node(name).submit(command)).toMatchObject({ ok: true });
}

function balance(name: string): bigint {
  const own = node(name)
    .unspent("funds")
    .filter(({ owner }) => owner === keyOf(name));
  return own.reduce((sum, { amount }) => sum + amount, 0n);
}

function promising(commandId: string, energy: number): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(energy) }] };
}

function ordering(commandId: string, side: "bid" | "offer", energy: number, limit: number): ClientCommand {
  const orders = [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }];
  return { tag: "place-orders", commandId, marketplace: keyOf("grid authority"), orders };
}

/** Every transaction has each signature once. */
function expectSignedOnce(): void {
  for (const { bytes } of log.current.scan() as Iterable<{ readonly bytes: Uint8Array }>) {
    const { transaction, signatures } = unwrap(decodeSignedTransaction(new Uint8Array(bytes)));
    expect(signatures.map(({ by }) => by)).toEqual(transaction.content.signers);
  }
}

describe("one member in several roles", () => {
  test("takes part in promise, pool, auction, delivery and settlement", async () => {
    await run("producer", promising("promise", 10_000));
    await run("producer", ordering("offer", "offer", 4_000, 100_000));
    await run("consumer", ordering("bid", "bid", 2_000, 200_000));
    const [energy, price] = [wattHours(2_000), microsPerKwh(150_000)];
    const trades = [{ bid: "bid/0", offer: "offer/0", energy, price }];
    await run("grid authority", { tag: "clear-pool", commandId: "round", slot: SLOT, price, isFinal: true, trades });
    await run("producer", {
      tag: "create-auction",
      commandId: "auction",
      marketplace: keyOf("grid authority"),
      slot: SLOT,
      energy,
      basePrice: microsPerKwh(100_000),
      deadlineMs: DEADLINE_MS,
    });
    await run("prosumer", { tag: "bid", commandId: "first", auctionId: "auction", price });
    await run("power company", { tag: "bid", commandId: "second", auctionId: "auction", price: microsPerKwh(180_000) });
    clock.moveTo(DEADLINE_MS);
    await run("producer", { tag: "end-auction", commandId: "end", auctionId: "auction" });
    await run("power company", { tag: "settle-auction", commandId: "settle", auctionId: "auction" });
    clock.moveTo(SLOT_END_MS);
    const readings = ["producer", "consumer", "prosumer", "power company", "grid authority"].map((name) => ({
      member: keyOf(name),
      produced: wattHours(name === "producer" ? 9_000 : 0),
      consumed: wattHours(name === "producer" ? 0 : 3_000),
    }));
    expect(await settleWholeSlot(node("grid authority"), SLOT, readings)).toEqual([]);
    expectSignedOnce();
    const { issuedMicros, heldMicros } = nodes.notary.totals();
    expect([issuedMicros, heldMicros]).toEqual([50_000_000n, 50_000_000n]);
    // 10 − 2 × (0.15 + 0.005) − 1 × 0.30 that the consumer drew beyond what it holds.
    expect(balance("consumer")).toBe(9_390_000n);
    // 10 + fees of pool and auction 0.01 each + grid fee 10 × 0.01 − 3 × 0.30 of its own use.
    expect(balance("grid authority")).toBe(9_220_000n);
    for (const name of NAMES) expect(node(name).unspent("auction")).toEqual([]);
  });

  test("is told once of each transaction", async () => {
    nodes.told.length = 0;
    await run("producer", promising("promise", 10_000));
    expect([...nodes.told].sort()).toEqual([keyOf("grid authority"), keyOf("power company")].sort());
  });

  test("a power company that verifies may promise: it signs as both", async () => {
    await run("power company", promising("of the company", 1_000));
    expectSignedOnce();
  });
});
