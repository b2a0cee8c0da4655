/** The one typed way to a node. A delegate sees and checks each transaction before its key signs it. */

import {
  type ClientCommand,
  decodeTransaction,
  type LedgerRefusal,
  type NodeEndpoint,
  type NodeEvent,
  type Proposal,
  type Receipt,
  type StateAndRef,
  type StateTag,
  signTransaction,
} from "#contracts";
import { err, invariant, type PublicKey, type Result, type Signer } from "#core";
import { isAsCommanded } from "./intention.ts";
import { isAsPrincipalCommanded } from "./principal-intention.ts";

export interface LedgerClient {
  /** The party that commands are carried out for. */
  readonly party: PublicKey;
  /** Carries out a command once, however often it is repeated with the same `commandId`. */
  submit(command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>>;
  states<T extends StateTag>(tag: T): Promise<readonly StateAndRef<T>[]>;
  listen(listener: (event: NodeEvent) => void): () => void;
}

/** A client of the party itself: its node signs with the party's own key. */
export function ownerClient(endpoint: NodeEndpoint): LedgerClient {
  return {
    party: endpoint.party,
    submit: (command) => endpoint.submit(command),
    states: (tag) => endpoint.states(tag),
    listen: (listener) => endpoint.listen(listener),
  };
}

export type DelegateOptions = { readonly signer: Signer; readonly networkId: string; readonly onSigned?: () => void };

/** A client of a delegate under a mandate: the delegate's own key signs, after checking that the transaction does what was asked. */
export function delegateClient(endpoint: NodeEndpoint, options: DelegateOptions): LedgerClient {
  return signingClient(endpoint, options, isAsCommanded);
}

/**
 * A client of a member whose node is an aggregator's: the member's own key signs what only it may command. What its delegate may
 * do under the mandate is left to the delegate.
 */
export function principalClient(endpoint: NodeEndpoint, options: DelegateOptions): LedgerClient {
  invariant(options.signer.publicKey === endpoint.party, "a principal's client has the party's own key");
  return signingClient(endpoint, options, isAsPrincipalCommanded);
}

function signingClient(
  endpoint: NodeEndpoint,
  { signer, networkId, onSigned }: DelegateOptions,
  isIntended: typeof isAsCommanded,
): LedgerClient {
  const approve = async (
    command: ClientCommand,
    { proposalId, transaction }: Proposal,
  ): Promise<Result<Receipt, LedgerRefusal>> => {
    const decoded = decodeTransaction(transaction);
    if (!decoded.ok || !isIntended(decoded.value.content, command, endpoint.party)) {
      await endpoint.withdraw(proposalId);
      return err({ tag: "transaction_malformed" });
    }
    onSigned?.();
    return endpoint.approve(proposalId, signTransaction(networkId, decoded.value, signer).signature);
  };
  return {
    party: endpoint.party,
    async submit(command) {
      const proposed = await endpoint.propose(command, signer.publicKey);
      if (!proposed.ok) return proposed;
      return "status" in proposed.value ? { ok: true, value: proposed.value } : approve(command, proposed.value);
    },
    states: (tag) => endpoint.states(tag),
    listen: (listener) => endpoint.listen(listener),
  };
}
