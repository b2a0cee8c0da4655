/** What nodes ask of each other. Transactions travel as bytes and are untrusted until decoded. */
import type { Hash, LocalDay, Micros, PublicKey, SlotId } from "#core";
import type { NotarySignature, TransactionSignature } from "../signed.ts";
import type { TearOff } from "../tear-off.ts";
import type { StateRef } from "../transaction.ts";
import type { LedgerRefusal } from "./refusals.ts";

/** Proof of a state: its transaction's tear-off and notary signature. */
export type Dependency = {
  readonly ref: StateRef;
  readonly tearOff: TearOff;
  readonly notarySignature: NotarySignature;
};

/** A transaction that a notary made final, and its signature that says so. */
export type Head = { readonly txId: Hash; readonly notarySignature: NotarySignature };
/** The most transactions that one answer names. */
export const HEADS_MAX = 512;

export type PeerRequest =
  /** Asks for the receiver's signature. */
  | { readonly tag: "sign"; readonly transaction: Uint8Array }
  /** Asks for proof of states that a transaction, proposed or sent before by the receiver, names. */
  | { readonly tag: "resolve"; readonly txId: Hash; readonly refs: readonly StateRef[] }
  /** Asks the notary to make a transaction final. */
  | { readonly tag: "notarise"; readonly transaction: Uint8Array }
  /** Hands over a final transaction to a party of it. */
  | { readonly tag: "final"; readonly transaction: Uint8Array }
  /** Shows a party that did not sign, or an observer, what concerns it of a final transaction. */
  | { readonly tag: "notice"; readonly notice: Uint8Array }
  /** Shows a newcomer the public states of the network. */
  | { readonly tag: "introduce"; readonly dependencies: readonly Dependency[] }
  /** Asks for a member's newest exposure for a day, or its exposure index: the member itself, or the grid authority. */
  | { readonly tag: "position"; readonly member: PublicKey; readonly day: LocalDay }
  /** Asks for proof of the highest bid in an auction, to outbid it: its bidder, or the grid authority. */
  | { readonly tag: "bid-of"; readonly auctionId: string }
  /** Asks for proof of the promises that are on auction, to settle or end it: the seller, or the grid authority. */
  | { readonly tag: "auctioned"; readonly auctionId: string }
  /** Asks the grid authority for proof of what an agency certified of a supplier's slot, to contradict it. */
  | {
      readonly tag: "certificates-of";
      readonly agency: PublicKey;
      readonly supplier: PublicKey;
      readonly slot: SlotId;
    }
  /** Asks the receiver to reserve funds of its own for a payment that it will then be asked to sign. */
  | { readonly tag: "fund"; readonly flowId: string; readonly amount: Micros }
  /** Asks a marketplace for arrival numbers. */
  | { readonly tag: "sequence"; readonly count: number }
  /**
   * Asks which transactions that a notary made final the receiver keeps, newest first: by that notary, to see whether its log
   * has them all. `before` is null, or the `next` of the answer before.
   */
  | { readonly tag: "heads"; readonly notary: PublicKey; readonly before: number | null; readonly limit: number };

export type PeerReply =
  | { readonly tag: "signed"; readonly signature: TransactionSignature }
  | { readonly tag: "resolved"; readonly dependencies: readonly Dependency[] }
  | { readonly tag: "notarised"; readonly signature: NotarySignature }
  | { readonly tag: "stored" }
  | { readonly tag: "position"; readonly exposure: Dependency | null; readonly index: Dependency | null }
  | { readonly tag: "proved"; readonly dependencies: readonly Dependency[] }
  | { readonly tag: "sequence"; readonly first: number }
  /** `next` leads to older ones; null when there are none. */
  | { readonly tag: "heads"; readonly heads: readonly Head[]; readonly next: number | null }
  | { readonly tag: "refused"; readonly refusal: LedgerRefusal };

/** Carries requests to the node that acts for a party. */
export interface Transport {
  request(from: PublicKey, to: PublicKey, request: PeerRequest): Promise<PeerReply>;
}
