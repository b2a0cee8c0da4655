/** A member under an aggregator whose bot's key a test has: it may sign as any of those who sign the bot's offers. */
import {
  buildTransaction,
  DELEGABLE_FLOWS,
  decodeSignedTransaction,
  type NewMandate,
  type SignedTransaction,
  signTransaction,
  type Transaction,
  withSignatures,
} from "#contracts";
import { type PublicKey, type Signer, seededEntropy, signerFromSeed, unwrap, wattHours } from "#core";
import { delegateClient, type LedgerClient } from "#ledger-client";
import { SLOT_START_MS, type SmallNetwork } from "#testkit";

export type Bot = { readonly signer: Signer; readonly client: LedgerClient };
const DAY_MS = 86_400_000;

export function botOf(name: string): Signer {
  return signerFromSeed(seededEntropy("bot", name).bytes(32));
}

export function mandateFor(delegate: PublicKey, patch: Partial<NewMandate> = {}): NewMandate {
  return {
    mandateId: "bot",
    delegate,
    flows: DELEGABLE_FLOWS,
    energyPerSlotMax: wattHours(10_000),
    expiresMs: SLOT_START_MS + DAY_MS,
    ...patch,
  };
}

/** Lets a member with a node of its own move to an aggregator, with a mandate for a bot. */
export async function serveBy(
  small: SmallNetwork,
  name: string,
  host: string,
  patch: Partial<NewMandate> = {},
): Promise<Bot> {
  const signer = botOf(name);
  const served = { by: small.key(host), mandate: mandateFor(signer.publicKey, patch) };
  await small.run(name, { tag: "move-member", commandId: `move of ${name}`, served });
  return { signer, client: delegateClient(small.node(name), { signer, networkId: small.ledger.networkId }) };
}

/** The transaction of a bot's command with all its signatures, kept from the notary. */
export async function keptFromNotary(small: SmallNetwork, submit: () => Promise<unknown>): Promise<SignedTransaction> {
  let bytes: Uint8Array | undefined;
  small.wire.intercept = (_from, _to, request, next) => {
    if (request.tag !== "notarise") return next(request);
    bytes ??= request.transaction;
    return Promise.resolve({ tag: "refused", refusal: { tag: "transaction_malformed" } });
  };
  await submit();
  small.wire.intercept = undefined;
  return unwrap(decodeSignedTransaction(bytes ?? new Uint8Array()));
}

let salts = 0;

/** Other content, signed by whom the test likes. */
export function signedBy(small: SmallNetwork, content: Transaction, signers: readonly Signer[]): SignedTransaction {
  salts += 1;
  const transaction = buildTransaction(content, seededEntropy("served", `${salts}`).bytes(32));
  const signatures = signers.map((signer) => signTransaction(small.ledger.networkId, transaction, signer));
  return withSignatures({ transaction, signatures: [], notarySignature: null }, signatures);
}
