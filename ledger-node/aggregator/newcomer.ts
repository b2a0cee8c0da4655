/**
 * A member that joins under an aggregator. Its own key signs once, and gives the aggregator's key for it a mandate with that: it
 * signs what it has agreed to, and nothing else.
 */
import {
  decodeSignedTransaction,
  type Mandate,
  type Member,
  type PeerReply,
  type State,
  type StateOf,
  type StateTag,
  type TransactionSignature,
  type WireTransaction,
} from "#contracts";
import { canonicalJson, type PublicKey } from "#core";

export type Newcomer = {
  /** As it is to be on the ledger. */
  readonly member: Member;
  readonly mandate: Mandate;
  /** Signs with the member's own key, wherever that is kept. */
  readonly sign: (transaction: WireTransaction) => TransactionSignature;
};

/** The newcomer's signature, if the grid authority asks for it and the transaction makes it the member that it is to be. */
export function consentOf(
  { member, mandate, sign }: Newcomer,
  gridAuthority: PublicKey,
  from: PublicKey,
  bytes: Uint8Array,
): PeerReply {
  const decoded = decodeSignedTransaction(bytes);
  if (!decoded.ok) return { tag: "refused", refusal: { tag: "transaction_malformed" } };
  const { transaction } = decoded.value;
  const { command, outputs, signers } = transaction.content;
  const isJoin = from === gridAuthority && command.tag === "join" && signers.includes(member.key);
  const own = <T extends StateTag>(tag: T, isOwn: (state: StateOf<T>) => boolean): readonly StateOf<T>[] =>
    outputs.filter((state: State): state is StateOf<T> => state.tag === tag && isOwn(state as StateOf<T>));
  const members = own("member", ({ key }) => key === member.key);
  const mandates = own("mandate", ({ principal }) => principal === member.key);
  const isAgreed = canonicalJson([members, mandates]) === canonicalJson([[member], [mandate]]);
  return isJoin && isAgreed
    ? { tag: "signed", signature: sign(transaction) }
    : { tag: "refused", refusal: { tag: "role_not_allowed" } };
}
