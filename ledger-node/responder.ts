/** What a node answers to its peers. Everything that comes from them is checked; nothing that they send makes it throw. */
import {
  contractViolations,
  type Dependency,
  decodeSignedTransaction,
  type LedgerRefusal,
  type LedgerRefusalCode,
  type PeerReply,
  type PeerRequest,
  type ResolvedState,
  type ResolvedTransaction,
  refKey,
  type StateRef,
  type Transaction,
  type TransactionSignature,
  type WireTransaction,
} from "#contracts";
import {
  err,
  type Hash,
  type LocalDay,
  localDayAt,
  micros,
  NO_MONEY,
  ok,
  type PublicKey,
  type Result,
  slotOf,
  zone,
} from "#core";
import { ArrivalNumbers } from "./arrival-numbers.ts";
import type { CheckedContracts } from "./checked-contracts.ts";
import { CurtailedSlots, citesCurtailments } from "./curtailed-slots.ts";
import { PROPOSAL_MS_MAX, sumOf, widestMandate } from "./flow-context.ts";
import { headsIn } from "./heads.ts";
import type { KnownStates } from "./known-states.ts";
import type { Ledger } from "./ledger.ts";
import type { SequenceNumbers } from "./sequence-numbers.ts";
import type { SignatureCheck } from "./signature-check.ts";
import { mayCountersign, type SigningPolicy } from "./signing-policy.ts";
import type { NodeStore } from "./stores/node-store.ts";
import { chooseFunds, type Vault } from "./vault.ts";

export type ResponderParts = {
  readonly party: PublicKey;
  /** The key that signs for the party: its own, or a delegate's where its node is an aggregator's. */
  readonly signingKey: PublicKey;
  readonly gridAuthority: PublicKey;
  readonly vault: Vault;
  readonly known: KnownStates;
  readonly ledger: Ledger;
  readonly check: SignatureCheck;
  readonly store: NodeStore;
  readonly policy: SigningPolicy | undefined;
  readonly checked: CheckedContracts;
  readonly sequence: SequenceNumbers;
  /** Transactions that peers may ask proofs for: those that this node proposed and has not finished. */
  readonly open: ReadonlyMap<Hash, Transaction>;
  readonly nowMs: () => number;
  readonly sign: (transaction: WireTransaction) => TransactionSignature;
  readonly ask: (to: PublicKey, request: PeerRequest) => Promise<PeerReply>;
};

/** Orders, promises and bids of one command at most: a peer does not use up the numbers. */
const SEQUENCE_COUNT_MAX = 10_000;
/** More than any party has: money fits in 64 bits. */
const FUND_MAX = 2n ** 63n - 1n;

export class Responder {
  readonly #parts: ResponderParts;
  readonly #numbers = new ArrivalNumbers();
  readonly #curtailed = new CurtailedSlots();

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  /** Answers a peer. Never throws on what the peer sent. */
  async handle(from: PublicKey, request: PeerRequest): Promise<PeerReply> {
    const { ledger, vault } = this.#parts;
    switch (request.tag) {
      case "sign":
        return this.#handleSign(from, request.transaction);
      case "final":
        return this.#handleFinal(from, request.transaction);
      case "notice":
        return stored(await ledger.recordNotice(request.notice));
      case "introduce":
        return this.#handleIntroduce(from, request.dependencies);
      case "resolve":
        return this.#handleResolve(from, request.txId, request.refs);
      case "position":
        return this.#handlePosition(from, request.member, request.day);
      case "bid-of":
        if (!this.#isMember(from)) return refused({ tag: "member_unknown" });
        return this.#prove(vault.named("bid", request.auctionId));
      case "auctioned":
        return this.#handleAuctioned(from, request.auctionId);
      case "certificates-of":
        return this.#handleCertificates(from, request);
      case "fund":
        return this.#handleFund(from, request.flowId, request.amount);
      case "sequence":
        return this.#handleSequence(from, request.count);
      case "heads":
        return this.#handleHeads(from, request);
      case "notarise":
        return refused({ tag: "role_not_allowed" });
      default:
        return refused({ tag: "command_malformed" });
    }
  }

  async #handleSign(from: PublicKey, bytes: Uint8Array): Promise<PeerReply> {
    const { party, signingKey, check, sign } = this.#parts;
    const decoded = decodeSignedTransaction(bytes);
    if (!decoded.ok) return refused({ tag: "transaction_malformed" });
    const { transaction, signatures } = decoded.value;
    const { id, content } = transaction;
    if (!content.signers.includes(signingKey)) return refused({ tag: "role_not_allowed" });
    if (signatures.length === 0) return refused({ tag: "signature_missing" });
    const isSigned = signatures.every(
      (signature) => content.signers.includes(signature.by) && check.isValid(id, signature),
    );
    if (!isSigned) return refused({ tag: "signature_invalid" });
    const resolved = await this.#resolve(from, transaction);
    if (!resolved.ok) return refused(resolved.error);
    const violated = contractViolations(resolved.value);
    if (violated.length > 0) return refused({ tag: "contract_violated", clauses: violated });
    const reason =
      this.#reasonNotToSign(resolved.value) ??
      this.#curtailmentRefusal(transaction, resolved.value) ??
      this.#sequenceRefusal(transaction);
    if (reason !== undefined) return refused({ tag: "counterparty_refused", party, reason, clauses: [] });
    this.#parts.checked.add(id);
    return { tag: "signed", signature: sign(transaction) };
  }

  #reasonNotToSign(resolved: ResolvedTransaction): LedgerRefusalCode | undefined {
    const { party, vault, gridAuthority, policy } = this.#parts;
    // A newcomer has no parameters yet: it trusts those that its configured grid authority cites.
    const cited = resolved.references.flatMap(({ state }) => (state.tag === "network-parameters" ? [state] : []))[0];
    const parameters = vault.parameters?.state ?? cited;
    if (parameters === undefined || parameters.gridAuthority !== gridAuthority) return "member_unknown";
    const { command } = resolved.content;
    const isTaken = (id: string): boolean => vault.named("auction", id).length > 0;
    if (command.tag === "create-auction" && isTaken(command.auctionId)) return "command_id_reused";
    const member = vault.member(party)?.state;
    const allowed = mayCountersign({ party, parameters, member }, resolved);
    return allowed.ok ? policy?.(resolved) : allowed.error;
  }

  async #handleFinal(from: PublicKey, bytes: Uint8Array): Promise<PeerReply> {
    const { party, ledger, checked } = this.#parts;
    const decoded = decodeSignedTransaction(bytes);
    if (!decoded.ok) return refused({ tag: "transaction_malformed" });
    const { transaction } = decoded.value;
    if (ledger.hasWhole(transaction.id)) return { tag: "stored" };
    if (!transaction.content.signers.includes(party)) return refused({ tag: "role_not_allowed" });
    const isChecked = checked.has(transaction.id);
    const resolved = isChecked ? ok(null) : await this.#resolve(from, transaction);
    if (!resolved.ok) return refused(resolved.error);
    const recorded = await ledger.record(decoded.value, resolved.value, null);
    if (recorded.ok) checked.add(transaction.id);
    return stored(recorded);
  }

  /**
   * States that a transaction names: known ones, and for the rest proofs from the peer that sent it. A question that got lost
   * is `node_unreachable`, which says nothing of the transaction: the peer sends it again.
   */
  async #resolve(
    from: PublicKey,
    { content, id }: WireTransaction,
  ): Promise<Result<ResolvedTransaction, LedgerRefusal>> {
    const { known, ask } = this.#parts;
    const unknown = [...content.inputs, ...content.references].filter((ref) => known.get(ref) === undefined);
    if (unknown.length > 0) {
      const reply = await ask(from, { tag: "resolve", txId: id, refs: unknown });
      if (reply.tag !== "resolved") return err(reply.tag === "refused" ? reply.refusal : { tag: "node_unreachable" });
      for (const dependency of reply.dependencies) known.addDependency(dependency);
    }
    const find = (refs: readonly StateRef[]): readonly ResolvedState[] => refs.flatMap((ref) => known.get(ref) ?? []);
    const inputs = find(content.inputs);
    const references = find(content.references);
    const isComplete = inputs.length === content.inputs.length && references.length === content.references.length;
    return isComplete ? ok({ content, inputs, references }) : err({ tag: "dependency_unknown" });
  }

  /** Proves only what a transaction of this node, that is still open, names, and to those alone who are to sign it. */
  #handleResolve(from: PublicKey, txId: Hash, refs: readonly StateRef[]): PeerReply {
    const { open, known } = this.#parts;
    const proposed = open.get(txId);
    const content = proposed !== undefined && this.#isToSign(from, proposed) ? proposed : undefined;
    const named = new Set([...(content?.inputs ?? []), ...(content?.references ?? [])].map(refKey));
    const dependencies = refs.flatMap((ref) => (named.has(refKey(ref)) ? (known.proofOf(ref) ?? []) : []));
    return { tag: "resolved", dependencies };
  }

  /** Whether the party signs itself, or a delegate does for it. */
  #isToSign(party: PublicKey, { signers, references }: Transaction): boolean {
    if (signers.includes(party)) return true;
    return references.some((ref) => {
      const state = this.#parts.known.get(ref)?.state;
      return state?.tag === "mandate" && state.principal === party && signers.includes(state.delegate);
    });
  }

  /** A newcomer is introduced by its grid authority, and by nobody else: old states can be proved too. */
  async #handleIntroduce(from: PublicKey, dependencies: readonly Dependency[]): Promise<PeerReply> {
    const { gridAuthority, known, ledger } = this.#parts;
    if (from !== gridAuthority) return refused({ tag: "role_not_allowed" });
    await ledger.introduce(dependencies.flatMap((dependency) => known.addDependency(dependency) ?? []));
    return { tag: "stored" };
  }

  #isMember(key: PublicKey): boolean {
    return this.#parts.vault.member(key) !== undefined;
  }

  /** A party shows its own position, and the grid authority that of others, to those who need it to finish a flow. */
  #handlePosition(from: PublicKey, member: PublicKey, day: LocalDay): PeerReply {
    const { party, gridAuthority, vault, known } = this.#parts;
    const isKept = member === party || party === gridAuthority;
    if (!isKept || !this.#mayKnowPosition(from, member, day)) return refused({ tag: "role_not_allowed" });
    const { exposure, index } = vault.positionOf(member, day);
    const proof = (ref: StateRef | undefined): Dependency | null =>
      ref === undefined ? null : (known.proofOf(ref) ?? null);
    return { tag: "position", exposure: proof(exposure?.ref), index: proof(index?.ref) };
  }

  /** Who settles trades may: the grid authority, marketplaces and verifiers; and members, where the member auctions or leads. */
  #mayKnowPosition(from: PublicKey, member: PublicKey, day: LocalDay): boolean {
    const { vault, gridAuthority } = this.#parts;
    const parameters = vault.parameters?.state;
    const asker = vault.member(from)?.state;
    if (parameters === undefined || asker === undefined) return false;
    if (from === gridAuthority || from === member) return true;
    if (asker.roles.includes("marketplace") || parameters.verifiers.includes(from)) return true;
    return vault
      .of("auction", member)
      .some(
        ({ state: { seller, highestBidder, slot } }) =>
          (seller === member || highestBidder === member) &&
          localDayAt(zone(parameters.timeZone), slotOf(slot).startMs) === day,
      );
  }

  /**
   * Who has won the auction may see what it has won. The grid authority shows it too, where the seller is silent, and to the
   * marketplace, which then ends the auction.
   */
  #handleAuctioned(from: PublicKey, auctionId: string): PeerReply {
    const { party, gridAuthority, vault } = this.#parts;
    const isWitness = party === gridAuthority;
    const auction = vault.named("auction", auctionId).find(({ state }) => state.seller === party || isWitness)?.state;
    const isAllowed = auction?.highestBidder === from || (isWitness && auction?.marketplace === from);
    if (auction === undefined || !isAllowed) return refused({ tag: "role_not_allowed" });
    const promises = vault
      .named("power-promise", auctionId)
      .filter(({ state }) => state.owner === auction.seller && state.lock?.kind === "auction");
    // Whose delegate signs for it shows the mandate too: the buyer cites it.
    const isServed = (vault.member(auction.seller)?.state.servedBy ?? null) !== null;
    const known = isServed ? vault.of("mandate", auction.seller) : [];
    const mandate = widestMandate(known, auction.seller, "settle-auction", this.#parts.nowMs());
    return this.#prove(mandate === undefined ? promises : [...promises, mandate]);
  }

  /** The grid authority shows an agency what another certified, so that it can contradict it. */
  #handleCertificates(
    from: PublicKey,
    { agency, supplier, slot }: Extract<PeerRequest, { readonly tag: "certificates-of" }>,
  ): PeerReply {
    const { party, gridAuthority, vault } = this.#parts;
    const asker = vault.all("member").find(({ state }) => state.key === from)?.state;
    const isAllowed = party === gridAuthority && asker?.roles.includes("verification-agency") === true;
    if (!isAllowed) return refused({ tag: "role_not_allowed" });
    return this.#prove(
      vault
        .of("certificate", supplier)
        .filter(({ state }) => state.agency === agency && state.supplier === supplier && state.slot === slot),
    );
  }

  /** Reserves funds for a settlement that the grid authority prepares; whether to pay is decided when it asks to sign. */
  #handleFund(from: PublicKey, flowId: string, amount: bigint): PeerReply {
    const { party, gridAuthority, vault, nowMs } = this.#parts;
    if (from !== gridAuthority) return refused({ tag: "role_not_allowed" });
    if (amount <= 0n || amount > FUND_MAX) return refused({ tag: "command_malformed" });
    vault.expireLocks(nowMs());
    const lock = `fund ${flowId}`;
    // Asked again, because the answer was lost: what was reserved for it is chosen from once more.
    vault.unlock(lock);
    const free = vault.free("funds").filter(({ state }) => state.owner === party);
    const chosen = chooseFunds(free, party, amount);
    if (chosen === undefined)
      return refused({
        tag: "insufficient_funds",
        needed: micros(amount),
        margin: NO_MONEY,
        available: micros(sumOf(free)),
      });
    vault.lock(
      chosen.map(({ ref }) => ref),
      lock,
      nowMs() + PROPOSAL_MS_MAX,
    );
    return this.#prove(chosen);
  }

  /** What a notary made final concerns notaries alone: others would learn who takes part in how much. */
  #handleHeads(from: PublicKey, { notary, before, limit }: Extract<PeerRequest, { readonly tag: "heads" }>): PeerReply {
    const { vault, store } = this.#parts;
    const isNotary = vault.parameters?.state.notaries.includes(from) ?? false;
    return isNotary ? headsIn(store, notary, before, limit) : refused({ tag: "role_not_allowed" });
  }

  #handleSequence(from: PublicKey, count: number): PeerReply {
    if (!this.#isMember(from)) return refused({ tag: "member_unknown" });
    if (!Number.isSafeInteger(count) || count < 1 || count > SEQUENCE_COUNT_MAX)
      return refused({ tag: "command_malformed" });
    const first = this.#parts.sequence.take(count);
    this.#numbers.give(from, first, count);
    return { tag: "sequence", first };
  }

  /** Who signs promises wants their slots' curtailments cited; the grid authority sees to it that all together keep within the caps. */
  #curtailmentRefusal(transaction: WireTransaction, resolved: ResolvedTransaction): LedgerRefusalCode | undefined {
    if (transaction.content.command.tag !== "create-promises") return undefined;
    const { party, gridAuthority, vault, nowMs, ledger } = this.#parts;
    if (!citesCurtailments(resolved, vault)) return "slot_curtailed";
    if (party !== gridAuthority) return undefined;
    const isWithin = this.#curtailed.take(transaction, vault, nowMs(), (txId) => ledger.has(txId));
    return isWithin ? undefined : "slot_curtailed";
  }

  /** A marketplace signs orders with the arrival numbers that it gave to their owner: nobody takes an earlier place. */
  #sequenceRefusal({ id, content }: WireTransaction): LedgerRefusalCode | undefined {
    if (content.command.tag !== "place-orders") return undefined;
    const { owner } = content.command;
    const orders = content.outputs.flatMap((state) => (state.tag === "pool-order" ? [state] : []));
    if (orders.some(({ marketplace }) => marketplace !== this.#parts.party)) return undefined;
    const numbers = orders.map(({ sequence }) => sequence);
    return this.#numbers.take(owner, numbers, id) ? undefined : "sequence_not_given";
  }

  #prove(states: readonly { readonly ref: StateRef }[]): PeerReply {
    return { tag: "proved", dependencies: states.flatMap(({ ref }) => this.#parts.known.proofOf(ref) ?? []) };
  }
}

function refused(refusal: LedgerRefusal): PeerReply {
  return { tag: "refused", refusal };
}

function stored(result: Result<null, LedgerRefusal>): PeerReply {
  return result.ok ? { tag: "stored" } : refused(result.error);
}
