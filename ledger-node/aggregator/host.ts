/**
 * An aggregator's node with the many members that it serves, in one process. Each has a seat: a node like any other, with a
 * journal, a vault and known states of its own, that signs with the delegate's key which the aggregator keeps for the member. What
 * is public is kept once, by the aggregator's own node; what is a member's is kept in its seat and nowhere else.
 */
import type { MemberExport, PeerReply, PeerRequest } from "#contracts";
import { invariant, type PublicKey, type Signer } from "#core";
import { importMember } from "../member-export.ts";
import { LedgerNode, type NodeOptions } from "../node.ts";
import { SignatureCheck } from "../signature-check.ts";
import type { NodeStore } from "../stores/node-store.ts";
import { consentOf, type Newcomer } from "./newcomer.ts";

export type HostOptions = Omit<NodeOptions, "store" | "party" | "host"> & {
  /** The store of the aggregator, and of each member by its key. */
  readonly storeOf: (party: PublicKey) => NodeStore;
};

/** Seats that go on with what is under way at the same time: more would only wait for the same disk. */
const RESUMED_AT_ONCE = 64;

export class AggregatorHost {
  /** The aggregator's own. */
  readonly node: LedgerNode;
  readonly #options: HostOptions;
  readonly #seats = new Map<PublicKey, LedgerNode>();
  /** Members to be, until they have joined. */
  readonly #newcomers = new Map<PublicKey, Newcomer>();
  readonly #onSeat: ((seat: LedgerNode) => void)[] = [];

  constructor(options: HostOptions) {
    this.#options = options;
    this.node = new LedgerNode({ ...options, store: options.storeOf(options.signer.publicKey) });
  }

  get party(): PublicKey {
    return this.node.party;
  }

  /** Opens the seat of a member, from what is stored of it. The member names the delegate's key in its mandate. */
  open(member: PublicKey, delegate: Signer): LedgerNode {
    invariant(!this.#seats.has(member) && member !== this.party, "a member has one seat, and the aggregator none");
    invariant(delegate.publicKey !== member, "a member's own key is not the aggregator's to keep");
    const { storeOf, policy: _own, ...shared } = this.#options;
    const seat = new LedgerNode({
      ...shared,
      signer: delegate,
      party: member,
      host: this.node,
      store: storeOf(member),
    });
    this.#seats.set(member, seat);
    for (const told of this.#onSeat) told(seat);
    return seat;
  }

  /** Tells of every seat: of those that are open at once, and of others when they are opened. */
  onSeat(told: (seat: LedgerNode) => void): void {
    this.#onSeat.push(told);
    for (const seat of this.#seats.values()) told(seat);
  }

  /** Opens the seat of a member to be: until it has joined, the request for its own signature is passed on to it. */
  welcome(newcomer: Newcomer, delegate: Signer): LedgerNode {
    this.#newcomers.set(newcomer.member.key, newcomer);
    return this.open(newcomer.member.key, delegate);
  }

  /** Opens the seat of a member that comes from elsewhere, with what another node has exported of it. */
  async takeIn(exported: MemberExport, delegate: Signer): Promise<LedgerNode> {
    const { storeOf, networkId, counters } = this.#options;
    await importMember(storeOf(exported.member), exported, new SignatureCheck(networkId, counters));
    return this.open(exported.member, delegate);
  }

  /** Closes the seat of a member that has moved away. What is stored of it stays. */
  close(member: PublicKey): void {
    this.#seats.delete(member);
    this.#newcomers.delete(member);
  }

  seat(member: PublicKey): LedgerNode | undefined {
    return this.#seats.get(member);
  }

  /** Answers a peer's request to the aggregator or to one of its members, each from what that party keeps. */
  async handle(from: PublicKey, to: PublicKey, request: PeerRequest): Promise<PeerReply> {
    if (to === this.party) return this.node.handle(from, request);
    const seat = this.#seats.get(to);
    if (seat === undefined) return { tag: "refused", refusal: { tag: "node_unreachable" } };
    const newcomer = this.#newcomers.get(to);
    if (newcomer !== undefined && request.tag === "sign")
      return consentOf(newcomer, this.#options.gridAuthority, from, request.transaction);
    const reply = await seat.handle(from, request);
    if (request.tag === "final" && reply.tag === "stored") this.#newcomers.delete(to);
    return reply;
  }

  /** What is kept of the aggregator, or of a member. */
  storeOf(party: PublicKey): NodeStore {
    return this.#options.storeOf(party);
  }

  /** The members that have a seat. */
  get members(): readonly PublicKey[] {
    return [...this.#seats.keys()];
  }

  /** Goes on with what was under way when the process was stopped, at the aggregator's node and at every seat. */
  async resume(): Promise<void> {
    await this.node.resume();
    const busy = [...this.#seats.values()].filter(({ underWay }) => underWay.commands + underWay.messages > 0);
    for (let first = 0; first < busy.length; first += RESUMED_AT_ONCE)
      await Promise.all(busy.slice(first, first + RESUMED_AT_ONCE).map((seat) => seat.resume()));
  }

  /** How many messages are still to be delivered, by recipient, of all parties. */
  get undelivered(): ReadonlyMap<PublicKey, number> {
    const sums = new Map<PublicKey, number>();
    for (const { undelivered } of [this.node, ...this.#seats.values()])
      for (const [recipient, messages] of undelivered) sums.set(recipient, (sums.get(recipient) ?? 0) + messages);
    return sums;
  }

  /** Everything that is not concluded or delivered, of all parties. */
  get underWay(): { readonly commands: number; readonly messages: number } {
    let [commands, messages] = [0, 0];
    for (const { underWay } of [this.node, ...this.#seats.values()]) {
      commands += underWay.commands;
      messages += underWay.messages;
    }
    return { commands, messages };
  }
}
