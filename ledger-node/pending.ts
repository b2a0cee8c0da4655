/** How a transaction that is on its way to the notary is kept, so that a node that was stopped can conclude it. */
import {
  decodeSignedTransaction,
  encodeSignedTransaction,
  type SignedTransaction,
  type State,
  stateCodec,
} from "#contracts";
import { decodeCbor, encodeCbor, unwrap } from "#core";
import type { PendingTransaction, StoredCommand } from "./stores/node-store.ts";

/** @param inputs - The states that the transaction consumes: whom they concern is told when it is final. */
export function encodePending(
  command: StoredCommand,
  signed: SignedTransaction,
  inputs: readonly State[],
): PendingTransaction {
  const texts = inputs.map((state) => Buffer.from(encodeCbor(stateCodec.encode(state))).toString("base64"));
  return {
    txId: signed.transaction.id,
    command,
    signed: encodeSignedTransaction(signed),
    inputs: Buffer.from(texts.join("\n")),
  };
}

/** @throws InvariantError when the store gives back other bytes than were stored. */
export function decodePending({ command, signed, inputs }: PendingTransaction): {
  readonly command: StoredCommand;
  readonly signed: SignedTransaction;
  readonly inputs: readonly State[];
} {
  const texts = Buffer.from(inputs).toString("latin1").split("\n");
  return {
    command,
    signed: unwrap(decodeSignedTransaction(new Uint8Array(signed))),
    inputs: texts.filter((text) => text !== "").map(stateOf),
  };
}

function stateOf(text: string): State {
  const value = unwrap(decodeCbor(new Uint8Array(Buffer.from(text, "base64"))));
  return unwrap(stateCodec.decode(value, "input"));
}
