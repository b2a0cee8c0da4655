/** Hands a final transaction to those it concerns: all of it to its signers, and to others a tear-off of their part. */

import {
  encodeNotice,
  encodeSignedTransaction,
  type NetworkParameters,
  type PeerRequest,
  type SignedTransaction,
  type State,
  tearOffOf,
} from "#contracts";
import { compareText, type PublicKey } from "#core";
import { concernedBy, isGranted, isPublic } from "./relevance.ts";

/** What a party is shown of a transaction, by index. */
type Part = { readonly inputs: number[]; readonly outputs: number[]; readonly isConcerned: boolean };

/**
 * The message that each party is owed about a final transaction.
 * @param inputs - The states that the transaction consumes, in its order.
 * @param everybody - All members: they see public states.
 */
export function messagesFor(
  signed: SignedTransaction,
  inputs: readonly State[],
  parameters: NetworkParameters,
  self: PublicKey,
  everybody: readonly PublicKey[],
): ReadonlyMap<PublicKey, PeerRequest> {
  const members = new Set(everybody);
  const { signers } = signed.transaction.content;
  const full = signers.filter((key) => key !== self && (members.has(key) || parameters.verifiers.includes(key)));
  const transaction = encodeSignedTransaction(signed);
  const noticed = noticesFor(signed, inputs, parameters, everybody, new Set([self, ...full]));
  return new Map<PublicKey, PeerRequest>([
    ...full.map((key) => [key, { tag: "final", transaction }] as const),
    ...noticed.map(([key, notice]) => [key, { tag: "notice", notice }] as const),
  ]);
}

function noticesFor(
  signed: SignedTransaction,
  inputs: readonly State[],
  parameters: NetworkParameters,
  everybody: readonly PublicKey[],
  served: ReadonlySet<PublicKey>,
): readonly (readonly [PublicKey, Uint8Array])[] {
  const { outputs } = signed.transaction.content;
  const others = new Set(everybody.filter((key) => !served.has(key)));
  const all = [...inputs, ...outputs];
  const concerned = new Set<PublicKey>();
  for (const state of all) {
    const keys = isPublic(state) ? others : concernedBy(state, parameters);
    for (const key of keys) if (others.has(key)) concerned.add(key);
  }
  // An observer that is shown nothing still learns that there was a transaction: it can count them.
  const observing = parameters.observers.map(({ key }) => key).filter((key) => others.has(key));
  const cache = new Map<string, Uint8Array>();
  return [...new Set([...concerned, ...observing])].sort(compareText).map((key) => {
    const isShown = (state: State): boolean =>
      isPublic(state) || concernedBy(state, parameters).includes(key) || isGranted(key, state.tag, parameters);
    const part = {
      inputs: indexesOf(inputs, isShown),
      outputs: indexesOf(outputs, isShown),
      isConcerned: concerned.has(key),
    };
    const shape = `${part.inputs} ${part.outputs} ${part.isConcerned}`;
    const notice = cache.get(shape) ?? noticeOf(signed, part);
    cache.set(shape, notice);
    return [key, notice] as const;
  });
}

function indexesOf(states: readonly State[], isShown: (state: State) => boolean): number[] {
  return states.flatMap((state, index) => (isShown(state) ? [index] : []));
}

/**
 * The trades of a pool concern many members: its command is not shown to those who did not sign. An observer whom nothing
 * concerns sees neither command nor signers, and no signature but the notary's, on which it relies.
 */
function noticeOf(signed: SignedTransaction, { inputs, outputs, isConcerned }: Part): Uint8Array {
  const { transaction, signatures, notarySignature } = signed;
  if (notarySignature === null) throw new TypeError("only a final transaction is distributed");
  const isPool = transaction.content.command.tag === "clear-pool";
  const head = isConcerned ? (isPool ? "signers" : "all") : "notary";
  return encodeNotice({
    txId: transaction.id,
    tearOff: tearOffOf(transaction, { inputs, outputs, head }),
    signatures: isConcerned ? signatures : [],
    notarySignature,
  });
}
