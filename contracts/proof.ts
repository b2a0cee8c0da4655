/** A proof of states as bytes: a notice without the signatures of parties. */
import { decodeNotice, encodeNotice } from "./notice.ts";
import { openComponents } from "./tear-off.ts";
import type { Dependency } from "./wire/peer.ts";

export function encodeProof({ ref, tearOff, notarySignature }: Dependency): Uint8Array {
  return encodeNotice({ txId: ref.txId, tearOff, signatures: [], notarySignature });
}

/** Each state that it shows, with the proof; none where the bytes are no proof. Says nothing of the notary's signature. */
export function decodeProof(bytes: Uint8Array): readonly Dependency[] {
  const notice = decodeNotice(bytes);
  const shown = notice.ok ? openComponents(notice.value.tearOff, notice.value.txId) : undefined;
  if (!notice.ok || shown?.ok !== true || notice.value.signatures.length > 0) return [];
  const { txId, tearOff, notarySignature } = notice.value;
  return [...shown.value.outputs.keys()].map((index) => ({ ref: { txId, index }, tearOff, notarySignature }));
}
