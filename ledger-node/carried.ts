/** What a node carries to the notary for a principal, which has signed it alone and need not rely on the node for anything. */
import {
  contractViolations,
  decodeProof,
  decodeSignedTransaction,
  type LedgerRefusal,
  type ResolvedState,
  type SignedTransaction,
  type State,
  type StateRef,
} from "#contracts";
import { err, hashOf, ok, type Result } from "#core";
import type { KnownStates } from "./known-states.ts";
import type { SignatureCheck } from "./signature-check.ts";
import type { StoredCommand } from "./stores/node-store.ts";
import type { Vault } from "./vault.ts";

export type CarriedParts = {
  readonly known: KnownStates;
  readonly vault: Pick<Vault, "get">;
  readonly check: SignatureCheck;
};
export type Carried = {
  readonly signed: SignedTransaction;
  readonly inputs: readonly State[];
  readonly command: StoredCommand;
};

/** What a principal signs alone and its own node might be slow to do. */
const CARRIED: readonly string[] = ["grant-mandate", "revoke-mandate", "move-member"];

/** Checks all of it as the notary will: a node's journal takes up nothing that can't become final. */
export function carriedBy(
  { known, vault, check }: CarriedParts,
  bytes: Uint8Array,
  proofs: readonly Uint8Array[],
): Result<Carried, LedgerRefusal> {
  const decoded = decodeSignedTransaction(bytes);
  if (!decoded.ok) return err({ tag: "transaction_malformed" });
  const signed = decoded.value;
  const { id, content } = signed.transaction;
  if (!CARRIED.includes(content.command.tag)) return err({ tag: "role_not_allowed" });
  const lacking = check.lacking(signed, id, content.signers);
  if (lacking !== undefined) return err({ tag: lacking });
  for (const proof of proofs.flatMap(decodeProof)) known.addDependency(proof);
  const resolve = (refs: readonly StateRef[]): readonly ResolvedState[] =>
    refs.flatMap((ref) => vault.get(ref) ?? known.get(ref) ?? []);
  const [inputs, references] = [resolve(content.inputs), resolve(content.references)];
  if (inputs.length < content.inputs.length || references.length < content.references.length)
    return err({ tag: "dependency_unknown" });
  const violated = contractViolations({ content, inputs, references });
  if (violated.length > 0) return err({ tag: "contract_violated", clauses: violated });
  const command = { id: `carried ${id}`, digest: hashOf(bytes) };
  return ok({ signed, inputs: inputs.map(({ state }) => state), command });
}
