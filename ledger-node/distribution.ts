/** Hands a final transaction to those it concerns: all of it to its signers, and to others a tear-off of their part. */

import {
  encodeNotice,
  encodeSignedTransaction,
  type NetworkParameters,
  type PeerReply,
  type PeerRequest,
  type Selection,
  type SignedTransaction,
  type State,
  tearOffOf,
} from "#contracts";
import { compareText, type PublicKey } from "#core";
import { concernedBy, isPublic } from "./relevance.ts";

type Ask = (to: PublicKey, request: PeerRequest) => Promise<PeerReply>;

/**
 * @param inputs - The states that the transaction consumes, in its order.
 * @param everybody - All members: they see public states.
 * @returns Whether all of them answered. Whoever did not is to be told again: nobody stores a transaction twice.
 */
export async function distribute(
  signed: SignedTransaction,
  inputs: readonly State[],
  parameters: NetworkParameters,
  self: PublicKey,
  everybody: readonly PublicKey[],
  ask: Ask,
): Promise<boolean> {
  const members = new Set(everybody);
  const { signers } = signed.transaction.content;
  const full = signers.filter((key) => key !== self && (members.has(key) || parameters.verifiers.includes(key)));
  const bytes = encodeSignedTransaction(signed);
  const noticed = noticesFor(signed, inputs, parameters, everybody, new Set([self, ...full]));
  const replies = await Promise.all([
    ...full.map((key) => ask(key, { tag: "final", transaction: bytes })),
    ...noticed.map(([key, notice]) => ask(key, { tag: "notice", notice })),
  ]);
  return replies.every((reply) => reply.tag !== "refused" || reply.refusal.tag !== "node_unreachable");
}

function noticesFor(
  signed: SignedTransaction,
  inputs: readonly State[],
  parameters: NetworkParameters,
  everybody: readonly PublicKey[],
  served: ReadonlySet<PublicKey>,
): readonly (readonly [PublicKey, Uint8Array])[] {
  const concerned = new Map<PublicKey, { inputs: number[]; outputs: number[] }>();
  const note = (state: State, side: "inputs" | "outputs", index: number): void => {
    const keys = isPublic(state)
      ? new Set([...everybody, ...concernedBy(state, parameters)])
      : new Set(concernedBy(state, parameters));
    for (const key of keys) {
      if (served.has(key) || !everybody.includes(key)) continue;
      const part = concerned.get(key) ?? { inputs: [], outputs: [] };
      part[side].push(index);
      concerned.set(key, part);
    }
  };
  for (const [index, state] of inputs.entries()) note(state, "inputs", index);
  for (const [index, state] of signed.transaction.content.outputs.entries()) note(state, "outputs", index);
  const cache = new Map<string, Uint8Array>();
  return [...concerned]
    .sort(([left], [right]) => compareText(left, right))
    .map(([key, part]) => {
      const shape = `${part.inputs} ${part.outputs}`;
      const notice = cache.get(shape) ?? noticeOf(signed, part);
      cache.set(shape, notice);
      return [key, notice] as const;
    });
}

/** The trades of a pool concern many members: its command is not shown to those who did not sign. */
function noticeOf(signed: SignedTransaction, part: Pick<Selection, "inputs" | "outputs">): Uint8Array {
  const { transaction, signatures, notarySignature } = signed;
  if (notarySignature === null) throw new TypeError("only a final transaction is distributed");
  const head = transaction.content.command.tag === "clear-pool" ? "signers" : "all";
  return encodeNotice({
    txId: transaction.id,
    tearOff: tearOffOf(transaction, { ...part, head }),
    signatures,
    notarySignature,
  });
}
