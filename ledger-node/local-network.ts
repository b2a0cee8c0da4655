/** A whole network in one process: a node per party, one notary, and a transport that hands messages over. */

import {
  buildTransaction,
  encodeSignedTransaction,
  type Member,
  type NetworkParameters,
  type PeerReply,
  type PeerRequest,
  type Role,
  type SignedTransaction,
  type State,
  signTransaction,
  type Transport,
} from "#contracts";
import {
  type Clock,
  type Entropy,
  invariant,
  type Micros,
  type MicrosPerKwh,
  microsPerKwh,
  newSigner,
  type PublicKey,
  type Signer,
  unwrap,
  type WattHours,
  wattHours,
} from "#core";
import { LedgerNode } from "./node.ts";
import { Notary } from "./notary.ts";
import type { SignatureCounters } from "./signature-check.ts";
import type { SigningPolicy } from "./signing-policy.ts";
import type { CommitLog } from "./stores/commit-log.ts";
import type { NodeStore } from "./stores/node-store.ts";

/** Rules of the network that its founder chooses. */
export type NetworkRules = Pick<
  NetworkParameters,
  | "networkId"
  | "currency"
  | "slotMinutes"
  | "timeZone"
  | "promiseMin"
  | "promiseMax"
  | "emergencyPrice"
  | "gridFee"
  | "bidRiseMin"
  | "priceMin"
  | "priceMax"
  | "gateLeadMs"
> & { readonly marketFee: MicrosPerKwh };

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
    this.#options.commitLog.close();
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
    const { marketFee, ...rules } = this.#options.rules;
    const key = (name: string): PublicKey => this.#signer(name).publicKey;
    const parameters: NetworkParameters = {
      tag: "network-parameters",
      ...rules,
      epoch: 0,
      gridAuthority: key("grid-authority"),
      powerCompany: key("power-company"),
      paymentProvider: key("payment-provider"),
      notaries: [this.notaryKey],
      verifiers: [key("verifier")],
      verifierQuorum: 1,
    };
    const members = INFRASTRUCTURE_NAMES.map(
      (name): Member => ({
        tag: "member",
        name,
        key: key(name),
        roles: INFRASTRUCTURE[name],
        standing: "good",
        capacityPerSlot: wattHours(0n),
        holdingCapPerSlot: null,
        marketFee: name === "marketplace" ? marketFee : microsPerKwh(0n),
      }),
    );
    const indexes = members.map((member): State => ({ tag: "exposure-index", member: member.key, openedDays: [] }));
    const genesis = await this.#finalGenesis([parameters, ...members, ...indexes]);
    for (const node of this.#nodes.values()) unwrap(await node.found(genesis));
  }

  async #finalGenesis(outputs: readonly State[]): Promise<SignedTransaction> {
    const founder = this.#signer("grid-authority");
    const transaction = buildTransaction(
      {
        inputs: [],
        references: [],
        outputs,
        command: { tag: "genesis" },
        signers: [founder.publicKey],
        notary: this.notaryKey,
        window: { fromMs: null, untilMs: null },
      },
      this.#options.entropy.bytes(32),
    );
    const signed: SignedTransaction = {
      transaction,
      signatures: [signTransaction(this.networkId, transaction, founder)],
      notarySignature: null,
    };
    this.counters.signatures += 1;
    const reply = await this.#transport.request(founder.publicKey, this.notaryKey, {
      tag: "notarise",
      transaction: encodeSignedTransaction(signed),
    });
    invariant(reply.tag === "notarised", `the notary founds the network, answered ${reply.tag}`);
    return { ...signed, notarySignature: reply.signature };
  }
}
