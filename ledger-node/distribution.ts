/** Hands a final transaction to those it concerns: all of it to its signers, and to others a tear-off of their part. */

import {
  type CommandTag,
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
import type { Vault } from "./vault.ts";

/** The members of the network, as a node knows them. */
export type Members = Pick<Vault, "member" | "hosts">;

/** What a party is shown of a transaction, by index. */
type Part = { readonly inputs: number[]; readonly outputs: number[]; isConcerned: boolean };

/**
 * The message that each party is owed about a final transaction. What is public goes to the members with nodes of their own; who
 * is served by one of them has it from there, and is told only what concerns itself.
 * @param inputs - The states that the transaction consumes, in its order.
 */
export function messagesFor(
  signed: SignedTransaction,
  inputs: readonly State[],
  parameters: NetworkParameters,
  self: PublicKey,
  members: Members,
): ReadonlyMap<PublicKey, PeerRequest> {
  const { signers } = signed.transaction.content;
  const isMember = (key: PublicKey): boolean => members.member(key) !== undefined;
  const full = signers.filter((key) => key !== self && (isMember(key) || parameters.verifiers.includes(key)));
  const transaction = encodeSignedTransaction(signed);
  const noticed = noticesFor(signed, inputs, parameters, members, new Set([self, ...full]));
  return new Map<PublicKey, PeerRequest>([
    ...full.map((key) => [key, { tag: "final", transaction }] as const),
    ...noticed.map(([key, notice]) => [key, { tag: "notice", notice }] as const),
  ]);
}

function noticesFor(
  signed: SignedTransaction,
  inputs: readonly State[],
  parameters: NetworkParameters,
  members: Members,
  told: ReadonlySet<PublicKey>,
): readonly (readonly [PublicKey, Uint8Array])[] {
  const isOther = (key: PublicKey): boolean => !told.has(key) && members.member(key) !== undefined;
  // An observer that is shown nothing still learns that there was a transaction: it can count them.
  const observers = parameters.observers.filter(({ key }) => isOther(key));
  const parts = new Map<PublicKey, Part>(
    observers.map(({ key }) => [key, { inputs: [], outputs: [], isConcerned: false }]),
  );
  const partOf = (key: PublicKey): Part => {
    const part = parts.get(key) ?? { inputs: [], outputs: [], isConcerned: false };
    parts.set(key, part);
    return part;
  };
  const note = (state: State, side: "inputs" | "outputs", index: number): void => {
    const concerned = new Set((isPublic(state) ? [...members.hosts] : concernedBy(state, parameters)).filter(isOther));
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

/** Commands that tell of others than the receiver of a notice. */
const COMMANDS_OF_MANY: readonly CommandTag[] = ["clear-pool", "substitute"];

/**
 * The trades of a pool and the covers of a substitution concern many members: these commands are not shown to those who did not sign. An observer whom nothing
 * concerns sees neither command nor signers, and no signature but the notary's, on which it relies.
 */
function noticeOf(signed: SignedTransaction, { inputs, outputs, isConcerned }: Part): Uint8Array {
  const { transaction, signatures, notarySignature } = signed;
  if (notarySignature === null) throw new TypeError("only a final transaction is distributed");
  const isOfMany = COMMANDS_OF_MANY.includes(transaction.content.command.tag);
  const head = isConcerned ? (isOfMany ? "signers" : "all") : "notary";
  return encodeNotice({
    txId: transaction.id,
    tearOff: tearOffOf(transaction, { inputs, outputs, head }),
    signatures: isConcerned ? signatures : [],
    notarySignature,
  });
}
