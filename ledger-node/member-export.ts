/** Gives all that a node keeps of its party to that party, and takes over what another node gave (docs/member-export.md). */
import {
  decodeProof,
  decodeSignedTransaction,
  type ExportContent,
  encodeNotice,
  encodeProof,
  isPublicKind,
  type MemberExport,
  participantsOf,
  tearOffOf,
} from "#contracts";
import { InvariantError, type PublicKey } from "#core";
import { decodeJournaled } from "./journal.ts";
import type { KnownStates } from "./known-states.ts";
import type { SignatureCheck } from "./signature-check.ts";
import type { JournalEntry, NodeStore, StoredProof } from "./stores/node-store.ts";
import type { Vault } from "./vault.ts";

export type ExportParts = {
  readonly party: PublicKey;
  readonly networkId: string;
  readonly store: NodeStore;
  readonly vault: Vault;
  readonly known: KnownStates;
};

export function exportContent({ party, networkId, store, vault, known }: ExportParts, atMs: number): ExportContent {
  const commands = new Map(store.commands().map(({ txId, id, digest }) => [txId, { id, digest }]));
  return {
    networkId,
    member: party,
    atMs,
    transactions: [...store.scan()].map(({ txId, kind, bytes }) => {
      const command = commands.get(txId) ?? null;
      const own = kind === "full" ? ownPartOfJoining(new Uint8Array(bytes), party) : undefined;
      return own === undefined
        ? { form: kind, bytes: new Uint8Array(bytes), command }
        : { form: "notice" as const, bytes: own, command };
    }),
    proofs: [...storedProofs(store), ...publicProofs(vault, known, party)],
    commands: store.journal().map(({ command, stage, body }) => ({ ...command, stage, body: new Uint8Array(body) })),
  };
}

/**
 * Many members found a network or join in one transaction: of that one a member is given its own part, and not the mandates of those
 * beside it. Undefined for every other transaction.
 */
function ownPartOfJoining(bytes: Uint8Array, party: PublicKey): Uint8Array | undefined {
  const decoded = decodeSignedTransaction(bytes);
  if (!decoded.ok || decoded.value.notarySignature === null) return undefined;
  const { transaction, signatures, notarySignature } = decoded.value;
  const { command, outputs } = transaction.content;
  if (command.tag !== "join" && command.tag !== "genesis") return undefined;
  const own = outputs.flatMap((state, index) =>
    isPublicKind(state.tag) || participantsOf(state).includes(party) ? [index] : [],
  );
  const tearOff = tearOffOf(transaction, { inputs: [], outputs: own, head: "all" });
  return encodeNotice({ txId: transaction.id, tearOff, signatures, notarySignature });
}

function storedProofs(store: NodeStore): readonly Uint8Array[] {
  return [...store.proofs()].map(({ bytes }) => new Uint8Array(bytes));
}

/** With the rules, its own membership and those of the aggregators a member can move without any node's help. */
function publicProofs(vault: Vault, known: KnownStates, party: PublicKey): readonly Uint8Array[] {
  const aggregators = vault.all("member").filter(({ state }) => state.roles.includes("aggregator"));
  const states = [vault.parameters, vault.member(party), ...aggregators].flatMap((state) => state ?? []);
  return states.flatMap(({ ref }) => {
    const proof = known.proofOf(ref);
    return proof === undefined ? [] : [encodeProof(proof)];
  });
}

/** What was taken over, and how many commands under way were not: the member gives those again if it still wants them. */
export type Imported = { readonly transactions: number; readonly commands: number; readonly commandsLeft: number };

/**
 * Stores what was read and checked, before the node of the member is started on the store. A command that had no signatures yet is
 * left: carried out here, it would be on the word of whoever wrote the file.
 * @param check - Of the network, for the transactions that are under way.
 */
export async function importMember(store: NodeStore, exported: MemberExport, check: SignatureCheck): Promise<Imported> {
  await Promise.all(
    exported.transactions.map(({ txId, form, bytes, command }) => store.put({ txId, kind: form, bytes, command })),
  );
  await store.putProofs(exported.proofs.flatMap(storedProofsOf));
  const entries = exported.commands.map(
    ({ id, digest, stage, body }): JournalEntry => ({ command: { id, digest }, stage, body }),
  );
  const taken = entries.filter((entry) => isSignedInFull(entry, check));
  await Promise.all(taken.map((entry) => store.putJournal(entry)));
  return {
    transactions: exported.transactions.length,
    commands: taken.length,
    commandsLeft: entries.length - taken.length,
  };
}

function storedProofsOf(bytes: Uint8Array): readonly StoredProof[] {
  return decodeProof(bytes).map(({ ref }) => ({ ref, bytes }));
}

function isSignedInFull(entry: JournalEntry, check: SignatureCheck): boolean {
  if (entry.stage !== "signed") return false;
  try {
    const journaled = decodeJournaled(entry);
    if (journaled.stage === "begun") return false;
    const { transaction } = journaled.signed;
    return check.lacking(journaled.signed, transaction.id, transaction.content.signers) === undefined;
  } catch (error) {
    if (error instanceof InvariantError) return false;
    throw error;
  }
}
