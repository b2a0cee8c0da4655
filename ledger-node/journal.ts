/**
 * How a command that is under way is kept, so that a node that was stopped at any instant can finish it. Its stages: *begun*
 * (accepted, nothing has left the node that binds it), *signed* (all signatures are there; the notary may or may not have made
 * it final), *final* (what is left is to tell the recipients that could not be reached: the outbox).
 */
import {
  type ClientCommand,
  type Dependency,
  decodeNotice,
  decodeSignedTransaction,
  encodeNotice,
  encodeSignedTransaction,
  openComponents,
  type SignedTransaction,
  type State,
  stateCodec,
} from "#contracts";
import { decodeCbor, encodeCbor, invariant, isAcceptablePublicKey, type PublicKey, unwrap } from "#core";
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

type TransactionBody = {
  readonly signed: string;
  readonly inputs: readonly string[];
  readonly dependencies: readonly string[];
  readonly recipients: readonly string[];
};

export function encodeJournaled(journaled: Journaled): JournalEntry {
  const { command, stage } = journaled;
  const body = journaled.stage === "begun" ? commandText(journaled.asked) : JSON.stringify(bodyOf(journaled));
  return { command, stage, body: new TextEncoder().encode(body) };
}

/** @throws InvariantError when the store gives back other bytes than were stored. */
export function decodeJournaled({ command, stage, body }: JournalEntry): Journaled {
  const text = new TextDecoder().decode(body);
  if (stage === "begun") return { stage, command, asked: commandOf(text) };
  const { signed, inputs, dependencies, recipients } = JSON.parse(text) as TransactionBody;
  return {
    stage,
    command,
    signed: unwrap(decodeSignedTransaction(fromText(signed))),
    inputs: inputs.map((input) => unwrap(stateCodec.decode(unwrap(decodeCbor(fromText(input))), "input"))),
    dependencies: dependencies.flatMap((dependency) => readProof(fromText(dependency))),
    recipients: recipients.map((key) => {
      invariant(isAcceptablePublicKey(key), "a recipient is a public key");
      return key;
    }),
  };
}

function bodyOf({ signed, inputs, dependencies, recipients }: JournaledTransaction): TransactionBody {
  return {
    signed: toText(encodeSignedTransaction(signed)),
    inputs: inputs.map((state) => toText(encodeCbor(stateCodec.encode(state)))),
    dependencies: dependencies.map((dependency) => toText(proofBytes(dependency))),
    recipients,
  };
}

/** A proof is written as a notice without signatures. */
export function proofBytes({ ref, tearOff, notarySignature }: Dependency): Uint8Array {
  return encodeNotice({ txId: ref.txId, tearOff, signatures: [], notarySignature });
}

function readProof(bytes: Uint8Array): readonly Dependency[] {
  const { txId, tearOff, notarySignature } = unwrap(decodeNotice(bytes));
  const { outputs } = unwrap(openComponents(tearOff, txId));
  return [...outputs.keys()].map((index) => ({ ref: { txId, index }, tearOff, notarySignature }));
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

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function fromText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
