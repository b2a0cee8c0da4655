/**
 * A small network for tests: real nodes, notary and contracts in one process, with stores in memory, a clock that is moved by
 * hand and seeded keys. A test may stand between the nodes, sign as any party, and send what an honest node would not.
 * Its rules, slot and day are those of the builders, so amounts can be worked by hand.
 */
import { join } from "node:path";
import {
  buildTransaction,
  type ClientCommand,
  type DelegableFlow,
  type Dependency,
  decodeSignedTransaction,
  encodeSignedTransaction,
  type LedgerRefusal,
  type Member,
  type PeerReply,
  type PeerRequest,
  type Receipt,
  type ResolvedState,
  refKey,
  type SignedTransaction,
  type StateRef,
  type StateTag,
  signTransaction,
  type Transaction,
  type Transport,
  tearOff,
  withSignatures,
} from "#contracts";
import {
  type Clock,
  canonicalJson,
  compareText,
  type Entropy,
  hashOf,
  invariant,
  type Micros,
  micros,
  type PublicKey,
  type Result,
  type Signer,
  seededEntropy,
  signerFromSeed,
  unwrap,
  wattHours,
} from "#core";
import { delegateClient, type LedgerClient } from "#ledger-client";
import {
  type AggregatorHost,
  COMMIT_LOG_FILE,
  type CommitLog,
  createMemoryCommitLog,
  type HostStore,
  type LedgerNode,
  LocalNetwork,
  type LocalNetworkOptions,
  type NetworkRules,
  type NodeStore,
  openSqliteCommitLog,
  openSqliteHostStore,
  openSqliteNodeStore,
} from "#ledger-node";
import { STATE_TAGS } from "./arbitraries.ts";
import { MARKETPLACE, PARAMETERS, SLOT_START_MS } from "./builders.ts";

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #nowMs: number;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Moves the clock to an instant; never back. */
  moveTo(nowMs: number): void {
    invariant(nowMs >= this.#nowMs, "a clock is not moved back");
    this.#nowMs = nowMs;
  }
}

/** Passes a message on, alters it, or answers in the receiver's place. `next` hands it to the receiver. */
export type Interception = (
  from: PublicKey,
  to: PublicKey,
  request: PeerRequest,
  next: (request: PeerRequest) => Promise<PeerReply>,
) => Promise<PeerReply>;

export type SmallNetworkOptions = {
  readonly seed?: string;
  readonly rules?: Partial<NetworkRules>;
  /** Keeps the stores as files in this folder; without it they are in memory, and outlive a restart too. */
  readonly folder?: string;
  readonly marketplacePolicy?: LocalNetworkOptions["marketplacePolicy"];
  readonly policyOf?: LocalNetworkOptions["policyOf"];
  /** The most bytes that the stores in memory of the nodes with these names may grow to. */
  readonly storeBytesMax?: Readonly<Record<string, number>>;
};

/** The rules of the builders' network, with one verifier and a marketplace that takes 0.005 per kWh. */
export const SMALL_NETWORK_RULES: NetworkRules = {
  networkId: "small-network",
  currency: PARAMETERS.currency,
  slotMinutes: PARAMETERS.slotMinutes,
  timeZone: PARAMETERS.timeZone,
  promiseMin: PARAMETERS.promiseMin,
  promiseMax: PARAMETERS.promiseMax,
  emergencyPrice: PARAMETERS.emergencyPrice,
  gridFee: PARAMETERS.gridFee,
  bidRiseMin: PARAMETERS.bidRiseMin,
  priceMin: PARAMETERS.priceMin,
  priceMax: PARAMETERS.priceMax,
  gateLeadMs: PARAMETERS.gateLeadMs,
  settlementGraceMs: PARAMETERS.settlementGraceMs,
  marketFee: MARKETPLACE.marketFee,
};

const DAY_MS = 86_400_000;

export class SmallNetwork {
  readonly ledger: LocalNetwork;
  readonly clock: ManualClock;
  readonly commitLog: CommitLog;
  /** Set it to stand between the nodes. */
  readonly wire: { intercept: Interception | undefined; transport: Transport };
  readonly #draws: readonly Uint8Array[];
  readonly #signers = new Map<PublicKey, Signer>();
  #salts = 0;
  #issues = 0;

  /** Founds a network on the eve of the builders' day, so that its tariff can still be published. */
  static async found(options: SmallNetworkOptions = {}): Promise<SmallNetwork> {
    const clock = new ManualClock(SLOT_START_MS - DAY_MS);
    const { folder, seed = "small network" } = options;
    const draws: Uint8Array[] = [];
    const wire: SmallNetwork["wire"] = { intercept: undefined, transport: UNCONNECTED };
    const commitLog =
      folder === undefined
        ? createMemoryCommitLog()
        : openSqliteCommitLog(join(folder, COMMIT_LOG_FILE), "process-crash");
    const ledger = await LocalNetwork.found({
      rules: { ...SMALL_NETWORK_RULES, ...options.rules },
      clock,
      entropy: remembering(seededEntropy(seed, "ledger"), draws),
      commitLog,
      openStore:
        folder === undefined
          ? storesInMemory(options.storeBytesMax ?? {})
          : (name) => openStore(join(folder, `${name}.sqlite`)),
      ...(folder === undefined ? {} : { openHostStore: (name) => openHostStore(join(folder, `${name}.sqlite`)) }),
      defer,
      ...(options.marketplacePolicy === undefined ? {} : { marketplacePolicy: options.marketplacePolicy }),
      ...(options.policyOf === undefined ? {} : { policyOf: options.policyOf }),
      between: (transport) => interceptedBy(wire, transport),
    });
    return new SmallNetwork(ledger, clock, commitLog, wire, draws);
  }

  private constructor(
    ledger: LocalNetwork,
    clock: ManualClock,
    commitLog: CommitLog,
    wire: SmallNetwork["wire"],
    draws: readonly Uint8Array[],
  ) {
    this.ledger = ledger;
    this.clock = clock;
    this.commitLog = commitLog;
    this.wire = wire;
    this.#draws = draws;
  }

  node(name: string): LedgerNode {
    return this.ledger.node(name);
  }

  key(name: string): PublicKey {
    return name === "notary" ? this.ledger.notaryKey : this.node(name).party;
  }

  /** Lets a member join: a prosumer of 20 kWh per slot unless said otherwise. */
  join(
    name: string,
    { storage, ...patch }: Partial<Pick<Member, "roles" | "capacityPerSlot" | "holdingCapPerSlot" | "storage">> = {},
  ): Promise<LedgerNode> {
    return this.ledger.join({
      name,
      roles: ["prosumer"],
      capacityPerSlot: wattHours(20_000),
      holdingCapPerSlot: null,
      ...patch,
      ...(storage == null ? {} : { storage }),
    });
  }

  /** Starts an aggregator, and lets prosumers of 20 kWh per slot join under it. */
  async serve(host: string, ...names: readonly string[]): Promise<AggregatorHost> {
    const isThere = this.ledger.nodeNames.includes(host);
    const served = isThere ? this.ledger.host(host) : await this.ledger.aggregator(host);
    const usual = { roles: ["prosumer"], capacityPerSlot: wattHours(20_000), holdingCapPerSlot: null } as const;
    if (names.length > 0)
      await this.ledger.enrol(
        host,
        names.map((name) => ({ name, ...usual })),
      );
    return served;
  }

  /** Issues funds to a party, each amount in micros as funds of its own. */
  async fund(name: string, ...amounts: readonly (bigint | number)[]): Promise<void> {
    this.#issues += 1;
    await this.run("payment-provider", {
      tag: "issue-funds",
      commandId: `issue ${this.#issues}`,
      to: this.key(name),
      amounts: amounts.map((amount) => micros(amount)),
    });
  }

  submit(name: string, command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>> {
    return this.node(name).submit(command);
  }

  /** Grants a mandate without a tight limit, and gives the client of the delegate. */
  async delegate(name: string, flows: readonly DelegableFlow[]): Promise<LedgerClient> {
    const signer = signerFromSeed(seededEntropy("delegate", name).bytes(32));
    await this.run(name, {
      tag: "grant-mandate",
      commandId: `mandate of ${name}'s delegate`,
      mandateId: "delegate",
      delegate: signer.publicKey,
      flows,
      energyPerSlotMax: wattHours(1_000_000),
      expiresMs: SLOT_START_MS + DAY_MS,
    });
    return delegateClient(this.node(name), { signer, networkId: this.ledger.networkId });
  }

  /** Carries out a command that must succeed. @throws InvariantError with the refusal. */
  async run(name: string, command: ClientCommand): Promise<Receipt> {
    const result = await this.submit(name, command);
    invariant(result.ok, `${name} carries out ${command.commandId}, was refused: ${canonicalJson(result)}`);
    return result.value;
  }

  /** The sum of a party's free funds, in micros. */
  balance(name: string): Micros {
    const own = this.node(name)
      .unspent("funds")
      .filter(({ owner }) => owner === this.key(name));
    return micros(own.reduce((sum, { amount }) => sum + amount, 0n));
  }

  /** Everything that a node holds unspent, one short line for each state, in an order that does not depend on arrival. */
  async vaultOf(name: string): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const tag of STATE_TAGS) {
      for (const { ref, state } of await this.node(name).states(tag))
        lines.push(`${tag} ${refKey(ref)} ${hashOf(canonicalJson(state)).slice(0, 16)}`);
    }
    return lines.sort(compareText);
  }

  /** All vaults and the notary's totals: equal before and after a command that changes nothing. */
  async everything(): Promise<Readonly<Record<string, readonly string[]>>> {
    const vaults: Record<string, readonly string[]> = { notary: [canonicalJson(this.ledger.moneyHeld())] };
    for (const name of this.ledger.nodeNames) vaults[name] = await this.vaultOf(name);
    return vaults;
  }

  /** The signer of a party, for tests in which that party is dishonest. */
  signer(name: string): Signer {
    const key = this.key(name);
    for (const draw of this.#draws.slice(this.#signers.size)) {
      const signer = signerFromSeed(draw);
      this.#signers.set(signer.publicKey, signer);
    }
    const found = this.#signers.get(key);
    invariant(found !== undefined, `the key of ${name} was drawn from the network's entropy`);
    return found;
  }

  /** Builds a transaction by hand and signs it as the named parties. */
  craft(content: Transaction, ...names: readonly string[]): SignedTransaction {
    this.#salts += 1;
    const salt = seededEntropy("crafted", `${this.#salts}`).bytes(32);
    const transaction = buildTransaction(content, salt);
    const signatures = names.map((name) => signTransaction(this.ledger.networkId, transaction, this.signer(name)));
    return withSignatures({ transaction, signatures: [], notarySignature: null }, signatures);
  }

  /** From here on the party's node proves any state that it is asked for: what it lets others sign may be of its own making. */
  actAs(name: string): void {
    const key = this.key(name);
    const before = this.wire.intercept;
    this.wire.intercept = async (from, to, request, next) => {
      if (to !== key || request.tag !== "resolve") return before?.(from, to, request, next) ?? next(request);
      const dependencies = await Promise.all(request.refs.map((ref) => this.proofOf(ref)));
      return { tag: "resolved", dependencies: dependencies.flatMap((dependency) => dependency ?? []) };
    };
  }

  /** The proof of a state that was made final, spent or not; undefined for one that never was. */
  async proofOf(ref: StateRef): Promise<Dependency | undefined> {
    for (const { txId, bytes } of this.commitLog.scan()) {
      if (txId !== ref.txId) continue;
      const transaction = new Uint8Array(bytes);
      // The notary signs what it has made final as often as it is asked.
      const reply = await this.send("verifier", "notary", { tag: "notarise", transaction });
      invariant(reply.tag === "notarised", "the notary signs again what it has made final");
      const signed = unwrap(decodeSignedTransaction(transaction));
      return { ref, tearOff: tearOff(signed.transaction, [ref.index]), notarySignature: reply.signature };
    }
    return undefined;
  }

  /** Sends a message as if the node of `from` had sent it. */
  send(from: string, to: string, request: PeerRequest): Promise<PeerReply> {
    return this.wire.transport.request(this.key(from), this.key(to), request);
  }

  /** Asks a party for its signature, or the notary to make a transaction final. */
  ask(from: string, to: string, tag: "sign" | "notarise" | "final", signed: SignedTransaction): Promise<PeerReply> {
    return this.send(from, to, { tag, transaction: encodeSignedTransaction(signed) });
  }

  /** The unspent states of a kind that a node knows, as a transaction would resolve them. */
  async resolved(name: string, tag: StateTag): Promise<readonly ResolvedState[]> {
    const states = await this.node(name).states(tag);
    return states.map(({ ref, state }) => ({ ref, state, notary: this.ledger.notaryKey }));
  }

  close(): void {
    this.ledger.close();
  }
}

function openStore(file: string, bytesMax?: number): NodeStore {
  return openSqliteNodeStore(file, "process-crash", defer, bytesMax);
}

function openHostStore(file: string): HostStore {
  return openSqliteHostStore(file, "process-crash", defer);
}

/** Stores in memory that outlive the node that closes them, so that it can be started again. */
function storesInMemory(bytesMax: Readonly<Record<string, number>>): (name: string) => NodeStore {
  const stores = new Map<string, NodeStore>();
  return (name) => {
    const store = stores.get(name) ?? openStore(":memory:", bytesMax[name]);
    stores.set(name, store);
    return { ...store, close: () => undefined };
  };
}

function defer(task: () => void): void {
  setImmediate(task);
}

const UNCONNECTED: Transport = {
  request: () => Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } }),
};

/** Entropy that remembers every 32 bytes it gave: the seeds of all keys are among them. */
function remembering(entropy: Entropy, draws: Uint8Array[]): Entropy {
  return {
    bytes(length) {
      const drawn = entropy.bytes(length);
      if (length === 32) draws.push(drawn);
      return drawn;
    },
  };
}

function interceptedBy(wire: SmallNetwork["wire"], transport: Transport): Transport {
  wire.transport = transport;
  return {
    request: (from, to, request) =>
      wire.intercept === undefined
        ? transport.request(from, to, request)
        : wire.intercept(from, to, request, (altered) => transport.request(from, to, altered)),
  };
}
