/**
 * A small network whose parties reach each other over HTTP, and what an attacker needs: transactions of honest nodes before
 * anybody saw them, altered and signed again, messages in its own envelopes, a second node with the same key.
 */
import {
  type ClientCommand,
  decodeSignedTransaction,
  encodeSignedTransaction,
  type LedgerRefusal,
  type PeerReply,
  type PeerRequest,
  type SignedTransaction,
  type State,
  type StateOf,
  type StateTag,
  type Transaction,
} from "#contracts";
import { invariant, microsPerKwh, type PublicKey, seededEntropy, unwrap, wattHours } from "#core";
import { LedgerNode, openSqliteNodeStore } from "#ledger-node";
import {
  DEADLINE_MS,
  type HttpParties,
  type Interception,
  overHttp,
  SLOT,
  SmallNetwork,
  type SmallNetworkOptions,
} from "#testkit";

/** A sound transaction that was taken from a node before anybody else saw it. */
const TAKEN: PeerReply = { tag: "refused", refusal: { tag: "transaction_malformed" } };

export class Stage {
  readonly small: SmallNetwork;
  readonly parties: HttpParties;
  readonly #wire: Interception;
  readonly #nodes: LedgerNode[] = [];

  static async found(options: SmallNetworkOptions = {}): Promise<Stage> {
    const small = await SmallNetwork.found(options);
    return new Stage(small, overHttp(small));
  }

  private constructor(small: SmallNetwork, parties: HttpParties) {
    this.small = small;
    this.parties = parties;
    const { intercept } = small.wire;
    invariant(intercept !== undefined, "all messages go over HTTP");
    this.#wire = intercept;
  }

  async close(): Promise<void> {
    await this.parties.close();
    this.small.close();
  }

  /** Stands between the nodes; without a man in the middle all goes over HTTP as it is. */
  between(intercept: Interception | undefined): void {
    this.small.wire.intercept =
      intercept === undefined
        ? this.#wire
        : (from, to, request, next) => intercept(from, to, request, (altered) => this.#wire(from, to, altered, next));
  }

  /** Answers in the place of a party's own node or notary, whose true answer `next` gives. */
  answering(name: string, answer: (request: PeerRequest, next: () => Promise<PeerReply>) => Promise<PeerReply>): void {
    const { wire } = this.small;
    const { transport } = wire;
    const key = this.small.key(name);
    wire.transport = {
      request: (from, to, request) => {
        const next = (): Promise<PeerReply> => transport.request(from, to, request);
        return to === key ? answer(request, next) : next();
      },
    };
  }

  /** Sends a message over HTTP, in an envelope that the party of `from` has signed. */
  send(from: string, to: string, request: PeerRequest): Promise<PeerReply> {
    return this.#wire(this.small.key(from), this.small.key(to), request, () => Promise.reject(new Error("not sent")));
  }

  ask(from: string, to: string, tag: "sign" | "notarise" | "final", signed: SignedTransaction): Promise<PeerReply> {
    return this.send(from, to, { tag, transaction: encodeSignedTransaction(signed) });
  }

  /** The transaction that a node would make of a command: taken from it before anybody else sees it. */
  async taken(name: string, command: ClientCommand): Promise<SignedTransaction> {
    let bytes: Uint8Array | undefined;
    const from = this.small.key(name);
    this.between((sender, _to, request, next) => {
      if (sender !== from || (request.tag !== "sign" && request.tag !== "notarise")) return next(request);
      bytes ??= request.transaction;
      return Promise.resolve(TAKEN);
    });
    await this.small.submit(name, command);
    this.between(undefined);
    return unwrap(decodeSignedTransaction(bytes ?? new Uint8Array()));
  }

  /** The dishonest party's node answers `resolve` for whatever it sends: it proves states that really were made final. */
  proving(name: string): void {
    this.answering(name, async (request, next) => {
      if (request.tag !== "resolve") return next();
      const dependencies = await Promise.all(request.refs.map((ref) => this.small.proofOf(ref)));
      return { tag: "resolved", dependencies: dependencies.flatMap((dependency) => dependency ?? []) };
    });
  }

  /** A second node of a party, with its key and a copy of its store, that hears of nothing from then on. */
  async twinOf(name: string): Promise<LedgerNode> {
    const { small } = this;
    const store = openSqliteNodeStore(":memory:", "process-crash", (task) => void setImmediate(task));
    const original = small.ledger.store(name);
    const rows = [...original.scan()];
    await Promise.all(rows.map(({ txId, kind, bytes }) => store.put({ txId, kind, bytes, command: null })));
    await store.putProofs([...original.proofs()]);
    return this.#started(name, store);
  }

  #started(name: string, store: ReturnType<typeof openSqliteNodeStore>): LedgerNode {
    const { small } = this;
    const twin = new LedgerNode({
      signer: small.signer(name),
      networkId: small.ledger.networkId,
      notary: small.key("notary"),
      gridAuthority: small.key("grid-authority"),
      clock: small.clock,
      entropy: seededEntropy("twin", `${this.#nodes.length}`),
      transport: { request: (from, to, request) => this.#sent(from, to, request) },
      store,
      counters: { signatures: 0, verifications: 0 },
    });
    this.#nodes.push(twin);
    // Peers ask the party for proofs at its one address: whichever node has proposed the transaction answers.
    this.answering(name, async (request, next) => {
      if (request.tag !== "resolve") return next();
      const own = await twin.handle(small.key("verifier"), request);
      return own.tag === "resolved" && own.dependencies.length > 0 ? own : next();
    });
    return twin;
  }

  #sent(from: PublicKey, to: PublicKey, request: PeerRequest): Promise<PeerReply> {
    const { intercept } = this.small.wire;
    invariant(intercept !== undefined, "all messages go over HTTP");
    return intercept(from, to, request, () => Promise.reject(new Error("not sent")));
  }
}

/** The same content with some states altered: `alter` gives what stands in their place. */
export function altered<T extends StateTag>(
  content: Transaction,
  tag: T,
  alter: (state: StateOf<T>) => readonly State[],
): Transaction {
  const outputs = content.outputs.flatMap((state) => (state.tag === tag ? alter(state as StateOf<T>) : [state]));
  return { ...content, outputs };
}

export function refusalIn(reply: PeerReply): LedgerRefusal | PeerReply {
  return reply.tag === "refused" ? reply.refusal : reply;
}

/** Names of the clauses in a refusal, or its code. */
export function clausesIn(reply: PeerReply): readonly string[] {
  const refusal = refusalIn(reply);
  return refusal.tag === "contract_violated" ? refusal.clauses : [refusal.tag];
}

export function promising(commandId: string, energy: number): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(energy) }] };
}

export function ordering(
  small: SmallNetwork,
  commandId: string,
  side: "bid" | "offer",
  energy: number,
  limit: number,
): ClientCommand {
  return {
    tag: "place-orders",
    commandId,
    marketplace: small.key("marketplace"),
    orders: [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }],
  };
}

export function auctioning(small: SmallNetwork, commandId: string, energy: number): ClientCommand {
  return {
    tag: "create-auction",
    commandId,
    marketplace: small.key("marketplace"),
    slot: SLOT,
    energy: wattHours(energy),
    basePrice: microsPerKwh(100_000),
    deadlineMs: DEADLINE_MS,
  };
}

export function bidding(commandId: string, price: number, auctionId = "auction"): ClientCommand {
  return { tag: "bid", commandId, auctionId, price: microsPerKwh(price) };
}
