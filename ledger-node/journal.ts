/**
 * How a command that is under way is kept, so that a node that was stopped at any instant can finish it. Its stages: *begun*
 * (accepted, nothing has left the node that binds it), *signed* (all signatures are there; the notary may or may not have made
 * it final), *final* (what is left is to tell the recipients that could not be reached: the outbox).
 */
import {
  type ClientCommand,
  type Dependency,
  decodeProof,
  decodeSignedTransaction,
  encodeProof,
  encodeSignedTransaction,
  type SignedTransaction,
  type State,
  stateCodec,
} from "#contracts";
import { decodeCbor, encodeCbor, fromHex, invariant, type PublicKey, publicKey, toHex, unwrap } from "#core";
import type { JournalEntry, StoredCommand } from "./stores/node-store.ts";

export type BegunCommand = { readonly stage: "begun"; readonly command: StoredCommand; readonly asked: ClientCommand };
/** A transaction with all signatures, and what is needed to show it to others after a restart. */
export type JournaledTransaction = {
  readonly stage: "signed" | "final";
  readonly command: StoredCommand;
  readonly signed: SignedTransaction;
  /** The states that the transaction consumes: whom they concern is told when it is final. */
  readonly inputs: readonly State[];
  /** Proofs, given by peers, of states that the transaction names. */
  readonly dependencies: readonly Dependency[];
  /** Who is still to be told; empty while the notary has not answered. */
  readonly recipients: readonly PublicKey[];
};
export type Journaled = BegunCommand | JournaledTransaction;

export function encodeJournaled(journaled: Journaled): JournalEntry {
  const { command, stage } = journaled;
  const body =
    journaled.stage === "begun" ? new TextEncoder().encode(commandText(journaled.asked)) : framed(partsOf(journaled));
  return { command, stage, body };
}

/** @throws InvariantError when the store gives back other bytes than were stored. */
export function decodeJournaled({ command, stage, body }: JournalEntry): Journaled {
  if (stage === "begun") return { stage, command, asked: commandOf(new TextDecoder().decode(body)) };
  const [signed, inputs, dependencies, recipients] = unframed(body).map((list) => unframed(list));
  const [transaction] = signed ?? [];
  invariant(transaction !== undefined, "the journal keeps the transaction");
  return {
    stage,
    command,
    signed: unwrap(decodeSignedTransaction(transaction)),
    inputs: (inputs ?? []).map((input) => unwrap(stateCodec.decode(unwrap(decodeCbor(input)), "input"))),
    dependencies: (dependencies ?? []).flatMap(decodeProof),
    recipients: (recipients ?? []).map((key) => publicKey(toHex(key))),
  };
}

function partsOf({ signed, inputs, dependencies, recipients }: JournaledTransaction): readonly Uint8Array[] {
  return [
    framed([encodeSignedTransaction(signed)]),
    framed(inputs.map((state) => encodeCbor(stateCodec.encode(state)))),
    framed(dependencies.map(encodeProof)),
    framed(recipients.map(fromHex)),
  ];
}

const LENGTH_BYTES = 4;

/** Byte strings one after the other, each behind its length. */
function framed(parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.allocUnsafe(parts.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const part of parts) {
    at = body.writeUInt32BE(part.length, at);
    body.set(part, at);
    at += part.length;
  }
  return body;
}

function unframed(body: Uint8Array): readonly Uint8Array[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    invariant(at + LENGTH_BYTES <= bytes.length, "a framed part has its length before it");
    const end = at + LENGTH_BYTES + bytes.readUInt32BE(at);
    invariant(end <= bytes.length, "a framed part is as long as it says");
    parts.push(new Uint8Array(bytes.subarray(at + LENGTH_BYTES, end)));
    at = end;
  }
  return parts;
}

const INTEGER_KEY = "$integer";

/** Commands hold bigints, which JSON does not have: they are written as objects of their own kind. */
function commandText(command: ClientCommand): string {
  return JSON.stringify(command, (_key, value: unknown) =>
    typeof value === "bigint" ? { [INTEGER_KEY]: value.toString() } : value,
  );
}

/** The command was sound when it was written; it is checked once more before it is carried out. */
function commandOf(text: string): ClientCommand {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== "object" || value === null || !(INTEGER_KEY in value)) return value;
    return BigInt(String(value[INTEGER_KEY]));
  }) as ClientCommand;
}
