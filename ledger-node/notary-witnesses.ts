/**
 * Whether a notary's log lacks something. A log that was restored from an old backup looks sound; only those who keep what the
 * notary made final can tell. The notary asks them before it serves: see docs/adr/0013-restored-notary.md for the rule.
 */
import { HEADS_MAX, type Head, type NetworkParameters, type PeerReply, type PeerRequest } from "#contracts";
import type { Hash, PublicKey } from "#core";

/** Who must have answered before a notary accepts anything. */
export type WitnessRule = {
  /** All of these. */
  readonly required: readonly PublicKey[];
  /** And so many of the verifiers that none of their transactions was signed by the others alone. */
  readonly verifiers: readonly PublicKey[];
  readonly verifiersMin: number;
};

/**
 * The grid authority and the payment provider sign what nobody else must sign. Each other transaction that reduces what may be
 * spent is signed by `verifierQuorum` verifiers, so at least one of any n − quorum + 1 has signed it; or by none but its own
 * parties, who are asked when they next sign.
 */
export function witnessRuleOf({
  gridAuthority,
  paymentProvider,
  verifiers,
  verifierQuorum,
}: Pick<NetworkParameters, "gridAuthority" | "paymentProvider" | "verifiers" | "verifierQuorum">): WitnessRule {
  return {
    required: [...new Set([gridAuthority, paymentProvider])],
    verifiers,
    verifiersMin: verifiers.length - verifierQuorum + 1,
  };
}

export type WitnessesParts = {
  readonly notary: PublicKey;
  readonly ask: (to: PublicKey, request: PeerRequest) => Promise<PeerReply>;
  readonly rule: WitnessRule;
  readonly isCommitted: (txId: Hash) => Promise<boolean>;
  /** Whether the notary itself has signed it. */
  readonly isSigned: (head: Head) => boolean;
};

/**
 * What a log lost is its newest part, and messages to a witness overtake each other by less than these pages hold. It also
 * bounds what a witness can make the notary ask.
 */
const PAGES_MAX = 4;

export class Witnesses {
  readonly #parts: WitnessesParts;
  readonly #answered = new Set<PublicKey>();
  readonly #asked = new Map<PublicKey, Promise<void>>();
  #lost: Hash | undefined;

  constructor(parts: WitnessesParts) {
    this.#parts = parts;
  }

  /** A transaction that the notary has signed and that its log has not. */
  get lost(): Hash | undefined {
    return this.#lost;
  }

  /** Whether nothing that everybody's money and rights rest on can be missing. */
  get isCovered(): boolean {
    const { required, verifiers, verifiersMin } = this.#parts.rule;
    return (
      required.every((key) => this.#answered.has(key)) &&
      verifiers.filter((key) => this.#answered.has(key)).length >= verifiersMin
    );
  }

  /** Asks all that the rule names and that have not answered yet. */
  async askAll(): Promise<void> {
    const { required, verifiers } = this.#parts.rule;
    await this.hear([...required, ...verifiers]);
  }

  /** Whether all of these have answered, those who had not being asked now. */
  async hear(parties: readonly PublicKey[]): Promise<boolean> {
    const silent = [...new Set(parties)].filter((key) => !this.#answered.has(key));
    await Promise.all(silent.map((key) => this.#hearOne(key)));
    return silent.every((key) => this.#answered.has(key));
  }

  /** Several transactions of one party at once ask it once. */
  #hearOne(key: PublicKey): Promise<void> {
    const asked = this.#asked.get(key) ?? this.#page(key).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    return asked;
  }

  async #page(key: PublicKey): Promise<void> {
    const { notary, ask } = this.#parts;
    let before: number | null = null;
    for (let page = 0; page < PAGES_MAX && this.#lost === undefined; page++) {
      const reply: PeerReply = await ask(key, { tag: "heads", notary, before, limit: HEADS_MAX });
      if (reply.tag !== "heads" || (reply.next !== null && reply.next >= (before ?? Number.POSITIVE_INFINITY))) return;
      this.#lost ??= await this.#firstLost(reply.heads);
      before = reply.next;
      if (before === null) break;
    }
    this.#answered.add(key);
  }

  async #firstLost(heads: readonly Head[]): Promise<Hash | undefined> {
    const { isCommitted, isSigned } = this.#parts;
    for (const head of heads) if (!(await isCommitted(head.txId)) && isSigned(head)) return head.txId;
    return undefined;
  }
}
