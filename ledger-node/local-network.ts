/** A whole network in one process: a node per party, one notary, and a transport that hands messages over. */

import {
  encodeSignedTransaction,
  type PeerReply,
  type PeerRequest,
  type Role,
  type SignedTransaction,
  type Transport,
} from "#contracts";
import {
  type Clock,
  type Entropy,
  invariant,
  type Micros,
  microsPerKwh,
  newSigner,
  type PublicKey,
  type Signer,
  unwrap,
  type WattHours,
} from "#core";
import { type NetworkRules, signGenesis } from "./genesis.ts";
import { LedgerNode } from "./node.ts";
import { Notary } from "./notary.ts";
import type { SignatureCounters } from "./signature-check.ts";
import type { SigningPolicy } from "./signing-policy.ts";
import type { CommitLog } from "./stores/commit-log.ts";
import type { NodeStore } from "./stores/node-store.ts";

export type LocalNetworkOptions = {
  readonly rules: NetworkRules;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly commitLog: CommitLog;
  readonly openStore: (name: string) => NodeStore;
  readonly defer: (task: () => void) => void;
  /** The marketplace operator's own rules for orders. */
  readonly marketplacePolicy?: SigningPolicy;
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
const INFRASTRUCTURE_NAMES = Object.keys(INFRASTRUCTURE) as readonly InfrastructureName[];

class LocalTransport implements Transport {
  readonly nodes = new Map<PublicKey, LedgerNode>();
  notary: Notary | undefined;

  async request(from: PublicKey, to: PublicKey, request: PeerRequest): Promise<PeerReply> {
    if (request.tag === "notarise" && to === this.notary?.key) {
      const result = await this.notary.notarise(request.transaction);
      return result.ok ? { tag: "notarised", signature: result.value } : { tag: "refused", refusal: result.error };
    }
    const node = this.nodes.get(to);
    return node === undefined ? { tag: "refused", refusal: { tag: "node_unreachable" } } : node.handle(from, request);
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
    const { rules, clock, entropy, marketplacePolicy } = this.#options;
    const node = new LedgerNode({
      signer,
      networkId: rules.networkId,
      notary: this.notaryKey,
      gridAuthority: this.#signer("grid-authority").publicKey,
      clock,
      entropy,
      transport: this.#transport,
      store,
      counters: this.counters,
      ...(name === "marketplace" && marketplacePolicy !== undefined ? { policy: marketplacePolicy } : {}),
    });
    this.#nodes.set(name, node);
    this.#local.nodes.set(signer.publicKey, node);
    return node;
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
