/** A whole network in one process: a node per party, one notary, and a transport that hands messages over. */

import {
  encodeSignedTransaction,
  type LedgerRefusal,
  type MemberExport,
  type Metered,
  type PeerReply,
  type PeerRequest,
  type Role,
  type SignedTransaction,
  type Storage,
  signTransaction,
  type TransactionSignature,
  type Transport,
  type WireTransaction,
} from "#contracts";
import {
  type Clock,
  canonicalJson,
  deriveDelegateSigner,
  type Entropy,
  hashOf,
  invariant,
  type Micros,
  microsPerKwh,
  newSigner,
  type PublicKey,
  type Signer,
  type SlotId,
  type SlotMinutes,
  unwrap,
  type WattHours,
  wattHours,
} from "#core";
import { AggregatorHost, enrolmentOf, type MemberToServe } from "./aggregator/index.ts";
import { type NetworkRules, signGenesis } from "./genesis.ts";
import { LedgerNode, type NodeOptions } from "./node.ts";
import { Notary } from "./notary.ts";
import type { SignatureCounters } from "./signature-check.ts";
import type { SigningPolicy } from "./signing-policy.ts";
import type { CommitLog } from "./stores/commit-log.ts";
import type { NodeStore } from "./stores/node-store.ts";
import type { HostStore } from "./stores/sqlite-host-store.ts";

export type LocalNetworkOptions = {
  readonly rules: NetworkRules;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly commitLog: CommitLog;
  readonly openStore: (name: string) => NodeStore;
  /** The stores of an aggregator and of all its members, together; without it each has one of its own. */
  readonly openHostStore?: (name: string) => HostStore;
  readonly defer: (task: () => void) => void;
  /** The marketplace operator's own rules for orders. */
  readonly marketplacePolicy?: SigningPolicy;
  /** The own rules of other operators, such as a verification agency, by the name of the member. */
  readonly policyOf?: (name: string) => SigningPolicy | undefined;
  /** Stands between the nodes, the notary included: for tests and simulations that lose, delay or alter messages. */
  readonly between?: (transport: Transport) => Transport;
};

/** Parties that every network has. */
export type InfrastructureName = "grid-authority" | "power-company" | "payment-provider" | "marketplace" | "verifier";
const INFRASTRUCTURE: Readonly<Record<InfrastructureName, readonly Role[]>> = {
  "grid-authority": ["grid-authority", "meter-operator"],
  "power-company": ["power-company"],
  "payment-provider": ["payment-provider"],
  marketplace: ["marketplace"],
  verifier: ["verifier"],
};
export const INFRASTRUCTURE_NAMES = Object.keys(INFRASTRUCTURE) as readonly InfrastructureName[];

/** Whoever answers for a party: its own node, or its aggregator's. */
type Answering = (from: PublicKey, request: PeerRequest) => Promise<PeerReply>;
/** An aggregator: the secret that its keys for members are derived from, and the members, by name. */
type Hosting = {
  host: AggregatorHost;
  store: HostStore | undefined;
  readonly seed: Uint8Array;
  readonly members: Map<string, PublicKey>;
};

/** No limit that a test or a simulation comes near. */
const MANDATE_MS = 10 * 366 * 86_400_000;
const ENERGY_PER_SLOT_MAX = wattHours(1_000_000n);
const ENERGY_PER_DAY_MAX = wattHours(100_000_000n);

class LocalTransport implements Transport {
  readonly nodes = new Map<PublicKey, Answering>();
  notary: Notary | undefined;

  async request(from: PublicKey, to: PublicKey, request: PeerRequest): Promise<PeerReply> {
    if (request.tag === "notarise" && to === this.notary?.key) {
      const result = await this.notary.notarise(request.transaction);
      return result.ok ? { tag: "notarised", signature: result.value } : { tag: "refused", refusal: result.error };
    }
    const answering = this.nodes.get(to);
    return answering === undefined
      ? { tag: "refused", refusal: { tag: "node_unreachable" } }
      : answering(from, request);
  }
}

export class LocalNetwork {
  readonly counters: SignatureCounters = { signatures: 0, verifications: 0 };
  readonly notaryKey: PublicKey;
  readonly #options: LocalNetworkOptions;
  readonly #local = new LocalTransport();
  readonly #transport: Transport;
  readonly #nodes = new Map<string, LedgerNode>();
  readonly #stores = new Map<string, NodeStore>();
  readonly #signers = new Map<string, Signer>();
  readonly #hostings = new Map<string, Hosting>();
  /** Names of members that aggregators serve. */
  readonly #names = new Map<PublicKey, string>();

  /** Founds a network: keys, nodes of the infrastructure, and the genesis transaction. */
  static async found(options: LocalNetworkOptions): Promise<LocalNetwork> {
    const made = new LocalNetwork(options);
    await made.#genesis();
    return made;
  }

  private constructor(options: LocalNetworkOptions) {
    this.#options = options;
    this.#transport = options.between?.(this.#local) ?? this.#local;
    const notarySigner = newSigner(options.entropy);
    this.notaryKey = notarySigner.publicKey;
    this.#local.notary = new Notary({
      networkId: options.rules.networkId,
      signer: notarySigner,
      clock: options.clock,
      log: options.commitLog,
      counters: this.counters,
      defer: options.defer,
    });
    for (const name of INFRASTRUCTURE_NAMES) this.#signers.set(name, newSigner(options.entropy));
    for (const name of INFRASTRUCTURE_NAMES) this.#startNode(name);
  }

  get networkId(): string {
    return this.#options.rules.networkId;
  }

  get slotMinutes(): SlotMinutes {
    return this.#options.rules.slotMinutes;
  }

  node(name: string): LedgerNode {
    const node = this.#nodes.get(name);
    invariant(node !== undefined, `the network has a node ${name}`);
    return node;
  }

  /** What the party's node keeps. */
  store(name: string): NodeStore {
    const store = this.#stores.get(name);
    invariant(store !== undefined, `the network has a store of ${name}`);
    return store;
  }

  get nodeNames(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** Starts a node for a new member and lets it join. */
  async join(member: {
    readonly name: string;
    readonly roles: readonly Role[];
    readonly capacityPerSlot: WattHours;
    readonly holdingCapPerSlot: WattHours | null;
    readonly storage?: Storage;
  }): Promise<LedgerNode> {
    invariant(!this.#nodes.has(member.name), `node names are unique, was ${member.name}`);
    const signer = newSigner(this.#options.entropy);
    this.#signers.set(member.name, signer);
    const node = this.#startNode(member.name);
    const receipt = await this.node("grid-authority").submit({
      tag: "join",
      commandId: `join/${member.name}`,
      key: signer.publicKey,
      marketFee: microsPerKwh(0n),
      ...member,
    });
    unwrap(receipt);
    return node;
  }

  /** Starts the node of an aggregator, which is to serve many members, and lets it join. */
  async aggregator(name: string): Promise<AggregatorHost> {
    invariant(!this.#nodes.has(name), `node names are unique, was ${name}`);
    const signer = newSigner(this.#options.entropy);
    this.#signers.set(name, signer);
    const hosting = this.#openHost(name, this.#options.entropy.bytes(64));
    const receipt = await this.node("grid-authority").submit({
      tag: "join",
      commandId: `join/${name}`,
      key: signer.publicKey,
      name,
      roles: ["aggregator"],
      capacityPerSlot: wattHours(0n),
      holdingCapPerSlot: null,
      marketFee: microsPerKwh(0n),
    });
    unwrap(receipt);
    return hosting.host;
  }

  host(name: string): AggregatorHost {
    return this.#hosting(name).host;
  }

  /** Lets members join under an aggregator, all in one transaction: their nodes are seats there, and keep no key of theirs. */
  async enrol(hostName: string, newcomers: readonly MemberToServe[]): Promise<readonly LedgerNode[]> {
    const { host, members } = this.#hosting(hostName);
    const { entropy, clock, rules } = this.#options;
    const asked = newcomers.map((newcomer) => {
      invariant(!this.#nodes.has(newcomer.name), `node names are unique, was ${newcomer.name}`);
      const signer = newSigner(entropy);
      this.#signers.set(newcomer.name, signer);
      members.set(newcomer.name, signer.publicKey);
      this.#names.set(signer.publicKey, newcomer.name);
      const delegate = this.#delegate(hostName, signer.publicKey);
      const enrolment = enrolmentOf(signer.publicKey, newcomer, {
        host: host.party,
        delegate: delegate.publicKey,
        energyPerSlotMax: ENERGY_PER_SLOT_MAX,
        energyPerDayMax: ENERGY_PER_DAY_MAX,
        bidPriceMax: rules.priceMax,
        expiresMs: clock.nowMs() + MANDATE_MS,
      });
      const sign = (transaction: WireTransaction): TransactionSignature =>
        signTransaction(rules.networkId, transaction, signer);
      this.#serve(hostName, newcomer.name, host.welcome({ ...enrolment, sign }, delegate));
      return enrolment.asked;
    });
    const commandId = `enrol/${asked[0]?.name}`;
    unwrap(await this.node("grid-authority").submit({ tag: "enrol", commandId, members: asked }));
    return newcomers.map(({ name }) => this.node(name));
  }

  /** Opens the seat of a member that comes from elsewhere, with what was exported of it. Gives the key that is to act for it. */
  async takeIn(hostName: string, name: string, exported: MemberExport): Promise<PublicKey> {
    const { host, members } = this.#hosting(hostName);
    const { member } = exported;
    for (const other of this.#hostings.values()) if (other.members.delete(name)) other.host.close(member);
    members.set(name, member);
    this.#names.set(member, `${name} at ${hostName}`);
    const delegate = this.#delegate(hostName, member);
    this.#serve(hostName, name, await host.takeIn(exported, delegate));
    return delegate.publicKey;
  }

  /** The aggregator at which a party has a seat; undefined for one with a node of its own. */
  hostOf(party: PublicKey): PublicKey | undefined {
    for (const { host } of this.#hostings.values()) if (host.seat(party) !== undefined) return host.party;
    return undefined;
  }

  #hosting(name: string): Hosting {
    const hosting = this.#hostings.get(name);
    invariant(hosting !== undefined, `the network has an aggregator ${name}`);
    return hosting;
  }

  #delegate(hostName: string, member: PublicKey): Signer {
    const { seed } = this.#hosting(hostName);
    return deriveDelegateSigner(seed, { networkId: this.networkId, member, generation: 0 });
  }

  #openHost(name: string, seed: Uint8Array, members: ReadonlyMap<string, PublicKey> = new Map()): Hosting {
    const signer = this.#signer(name);
    const store = this.#options.openHostStore?.(name);
    const storeOf = (key: PublicKey): NodeStore =>
      store?.storeOf(key) ?? this.#options.openStore(this.#names.get(key) ?? name);
    const policy = this.#options.policyOf?.(name);
    const host = new AggregatorHost({
      ...this.#shared(),
      signer,
      storeOf,
      ...(policy === undefined ? {} : { policy }),
    });
    const hosting = { host, store, seed, members: new Map(members) };
    this.#hostings.set(name, hosting);
    this.#nodes.set(name, host.node);
    this.#local.nodes.set(signer.publicKey, (from, request) => host.handle(from, signer.publicKey, request));
    for (const [member, key] of members) this.#serve(name, member, host.open(key, this.#delegate(name, key)));
    return hosting;
  }

  #serve(hostName: string, name: string, seat: LedgerNode): void {
    this.#nodes.set(name, seat);
    this.#local.nodes.set(seat.party, (from, request) => this.host(hostName).handle(from, seat.party, request));
  }

  /** Stops an aggregator's process and starts it from its stores: its own node and those of all its members. */
  async restartHost(name: string): Promise<AggregatorHost> {
    const { store, seed, members } = this.#hosting(name);
    store?.close();
    const { host } = this.#openHost(name, seed, members);
    await host.resume();
    return host;
  }

  /** Lets meter operators join, each with a node, and makes readings of their reports from then on: more than half must agree. */
  async appointMeterOperators(
    names: readonly string[],
    meterTolerance: WattHours,
    members: readonly string[] = [],
  ): Promise<void> {
    const meterOperators: PublicKey[] = members.map((name) => this.node(name).party);
    for (const name of names) {
      const member = { name, capacityPerSlot: wattHours(0n), holdingCapPerSlot: null };
      meterOperators.push((await this.join({ ...member, roles: ["meter-operator"] })).party);
    }
    const meterQuorum = Math.floor(meterOperators.length / 2) + 1;
    const changes = { meterOperators, meterQuorum, meterTolerance };
    const commandId = `meter-operators/${hashOf(canonicalJson(meterOperators))}`;
    unwrap(await this.node("grid-authority").submit({ tag: "amend-parameters", commandId, changes }));
  }

  /**
   * Each meter operator of the network reports what was measured in a slot.
   *
   * @param read - What an operator's meters say of a measured reading, by its name; null where they say nothing.
   * @param round - Another number for each time that the same is reported again, for a correction.
   * @returns The refusals, by the operator's name.
   */
  async reportMeters(
    slot: SlotId,
    measured: readonly Metered[],
    read: (operator: string, reading: Metered) => Metered | null = (_operator, reading) => reading,
    round: number = 0,
  ): Promise<ReadonlyMap<string, LedgerRefusal>> {
    const [parameters] = this.node("grid-authority").unspent("network-parameters");
    const refusals = new Map<string, LedgerRefusal>();
    for (const [name, node] of this.#nodes) {
      if (parameters?.meterOperators.includes(node.party) !== true) continue;
      const readings = measured.flatMap((reading) => read(name, reading) ?? []);
      if (readings.length === 0) continue;
      const commandId = `report-meters/${hashOf(canonicalJson([slot, round, readings]))}`;
      const reported = await node.submit({ tag: "report-meters", commandId, slot, readings });
      if (!reported.ok) refusals.set(name, reported.error);
    }
    return refusals;
  }

  /** Stops a node and starts it from its store, as after a crash: what was not stored is gone, and so are its listeners. */
  async restart(name: string): Promise<LedgerNode> {
    this.#stores.get(name)?.close();
    const node = this.#startNode(name);
    await node.resume();
    return node;
  }

  /** Money on the ledger, from the notary's unspent states, beside what was issued: equal, or something is wrong. */
  moneyHeld(): { readonly issuedMicros: Micros; readonly heldMicros: Micros; readonly transactions: number } {
    invariant(this.#local.notary !== undefined, "a network has a notary");
    return this.#local.notary.totals();
  }

  close(): void {
    for (const store of this.#stores.values()) store.close();
    for (const { store } of this.#hostings.values()) store?.close();
    void this.#options.commitLog.close();
  }

  #signer(name: string): Signer {
    const signer = this.#signers.get(name);
    invariant(signer !== undefined, `the network has a key for ${name}`);
    return signer;
  }

  #startNode(name: string): LedgerNode {
    const signer = this.#signer(name);
    const store = this.#options.openStore(name);
    this.#stores.set(name, store);
    const { marketplacePolicy, policyOf } = this.#options;
    const policy = name === "marketplace" ? marketplacePolicy : policyOf?.(name);
    const node = new LedgerNode({
      ...this.#shared(),
      signer,
      store,
      ...(policy === undefined ? {} : { policy }),
    });
    this.#nodes.set(name, node);
    this.#local.nodes.set(signer.publicKey, (from, request) => node.handle(from, request));
    return node;
  }

  /** What all nodes of the network have in common. */
  #shared(): Omit<NodeOptions, "signer" | "store"> {
    const { rules, clock, entropy } = this.#options;
    return {
      networkId: rules.networkId,
      notary: this.notaryKey,
      gridAuthority: this.#signer("grid-authority").publicKey,
      clock,
      entropy,
      transport: this.#transport,
      counters: this.counters,
    };
  }

  async #genesis(): Promise<void> {
    const { rules, entropy } = this.#options;
    const members = INFRASTRUCTURE_NAMES.map((name) => ({
      name,
      key: this.#signer(name).publicKey,
      roles: INFRASTRUCTURE[name],
    }));
    const founder = this.#signer("grid-authority");
    const signed = signGenesis({ rules, members, notaries: [this.notaryKey] }, founder, entropy.bytes(32));
    this.counters.signatures += 1;
    const reply = await this.#transport.request(founder.publicKey, this.notaryKey, {
      tag: "notarise",
      transaction: encodeSignedTransaction(signed),
    });
    invariant(reply.tag === "notarised", `the notary founds the network, answered ${reply.tag}`);
    const genesis: SignedTransaction = { ...signed, notarySignature: reply.signature };
    for (const node of this.#nodes.values()) unwrap(await node.found(genesis));
  }
}
