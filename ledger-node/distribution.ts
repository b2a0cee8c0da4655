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
import { concernedBy, isPublic } from "./relevance.ts";

/** What a party is shown of a transaction, by index. */
type Part = { readonly inputs: number[]; readonly outputs: number[]; isConcerned: boolean };

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
  const others = new Set(everybody.filter((key) => !served.has(key)));
  // An observer that is shown nothing still learns that there was a transaction: it can count them.
  const observers = parameters.observers.filter(({ key }) => others.has(key));
  const parts = new Map<PublicKey, Part>(
    observers.map(({ key }) => [key, { inputs: [], outputs: [], isConcerned: false }]),
  );
  const partOf = (key: PublicKey): Part => {
    const part = parts.get(key) ?? { inputs: [], outputs: [], isConcerned: false };
    parts.set(key, part);
    return part;
  };
  const note = (state: State, side: "inputs" | "outputs", index: number): void => {
    const concerned = isPublic(state)
      ? others
      : new Set(concernedBy(state, parameters).filter((key) => others.has(key)));
    for (const key of concerned) {
      const part = partOf(key);
      part.isConcerned = true;
      part[side].push(index);
    }
    for (const { key, sees } of observers)
      if (sees.includes(state.tag) && !concerned.has(key)) partOf(key)[side].push(index);
  };
  for (const [index, state] of inputs.entries()) note(state, "inputs", index);
  for (const [index, state] of signed.transaction.content.outputs.entries()) note(state, "outputs", index);
  const cache = new Map<string, Uint8Array>();
  return [...parts]
    .sort(([left], [right]) => compareText(left, right))
    .map(([key, part]) => {
      const shape = `${part.inputs} ${part.outputs} ${part.isConcerned}`;
      const notice = cache.get(shape) ?? noticeOf(signed, part);
      cache.set(shape, notice);
      return [key, notice] as const;
    });
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
