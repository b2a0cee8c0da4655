/** What a transaction is for. Each has one command, which decides which clauses it must hold. */
import {
  boolean,
  type Codec,
  dayCodec,
  energyCodec,
  integer,
  type LocalDay,
  listOf,
  type MicrosPerKwh,
  nullable,
  type PublicKey,
  priceCodec,
  publicKeyCodec,
  type SlotId,
  slotCodec,
  struct,
  text,
  variant,
  type WattHours,
} from "#core";
import { claimRequirementCodec, IDENTIFIER_LENGTH_MAX } from "./state-codec.ts";
import type { ClaimRequirement } from "./states.ts";

export const POOL_TRADES_MAX = 10_000;

/** A match in a slot's pool, by order ids. */
export type PoolTrade = {
  readonly bid: string;
  readonly offer: string;
  readonly energy: WattHours;
  readonly price: MicrosPerKwh;
};

export const COVERS_MAX = 1_000;
const INPUT_INDEX_MAX = 4_095;

/** So much of one consumed promise is covered with another, by their places among the consumed promises. */
export type Cover = { readonly covered: number; readonly with: number; readonly energy: WattHours };

export type Command =
  | { readonly tag: "genesis" }
  | { readonly tag: "join" }
  | { readonly tag: "amend-member" }
  /** The member gets another aggregator, or a node of its own. */
  | { readonly tag: "move-member"; readonly member: PublicKey }
  | { readonly tag: "vote-standing"; readonly voter: PublicKey; readonly member: PublicKey }
  | { readonly tag: "amend-parameters" }
  | { readonly tag: "issue-funds" }
  | { readonly tag: "redeem-funds" }
  /** The provider has paid: the message to its bank and the payment in it. */
  | {
      readonly tag: "confirm-payout";
      readonly redemptionId: string;
      readonly messageId: string;
      readonly endToEndId: string;
    }
  | { readonly tag: "publish-tariff"; readonly day: LocalDay }
  | { readonly tag: "grant-mandate" }
  | { readonly tag: "revoke-mandate" }
  | { readonly tag: "create-promises"; readonly supplier: PublicKey }
  | { readonly tag: "certify-claims"; readonly supplier: PublicKey; readonly agency: PublicKey }
  | {
      readonly tag: "contradict-certificate";
      readonly by: PublicKey;
      readonly agency: PublicKey;
      readonly supplier: PublicKey;
      readonly slot: SlotId;
    }
  | { readonly tag: "close-certificates"; readonly agency: PublicKey; readonly slot: SlotId }
  | { readonly tag: "split-promise"; readonly owner: PublicKey }
  /** `promiseId` is the lineage of what is made: a new one, unless all parts have the same. */
  | { readonly tag: "merge-promises"; readonly owner: PublicKey; readonly promiseId: string }
  | {
      readonly tag: "substitute";
      readonly supplier: PublicKey;
      readonly slot: SlotId;
      readonly covers: readonly Cover[];
    }
  | { readonly tag: "create-auction"; readonly auctionId: string }
  | {
      readonly tag: "bid";
      readonly auctionId: string;
      readonly bidder: PublicKey;
      readonly requires: ClaimRequirement | null;
    }
  | { readonly tag: "end-auction"; readonly auctionId: string }
  | { readonly tag: "settle-auction"; readonly auctionId: string }
  | { readonly tag: "lapse-auction"; readonly auctionId: string }
  | { readonly tag: "place-orders"; readonly owner: PublicKey }
  | { readonly tag: "cancel-orders"; readonly owner: PublicKey }
  /** `isFinal`: no further round follows, so all orders that are left are released. */
  | {
      readonly tag: "clear-pool";
      readonly slot: SlotId;
      readonly price: MicrosPerKwh | null;
      readonly isFinal: boolean;
      readonly trades: readonly PoolTrade[];
    }
  | { readonly tag: "release-margin"; readonly owner: PublicKey; readonly day: LocalDay }
  | { readonly tag: "curtail-slot"; readonly slot: SlotId; readonly cap: WattHours }
  | { readonly tag: "report-meters"; readonly operator: PublicKey; readonly slot: SlotId }
  | { readonly tag: "record-meters"; readonly slot: SlotId }
  | { readonly tag: "check-delivery"; readonly supplier: PublicKey; readonly slot: SlotId }
  | { readonly tag: "settle-slot"; readonly member: PublicKey; readonly slot: SlotId }
  | { readonly tag: "correct-settlement"; readonly member: PublicKey; readonly slot: SlotId }
  | { readonly tag: "raise-dispute"; readonly disputeId: string }
  | { readonly tag: "vote-dispute"; readonly disputeId: string; readonly voter: PublicKey }
  | { readonly tag: "decide-dispute"; readonly disputeId: string };
export type CommandTag = Command["tag"];
/** Flows in which money enters or leaves the ledger. */
export const MONEY_GATES: readonly CommandTag[] = ["issue-funds", "confirm-payout"];
export type CommandOf<T extends CommandTag> = Extract<Command, { readonly tag: T }>;

const identifier = text(IDENTIFIER_LENGTH_MAX);
/** As long as ISO 20022 allows. */
export const PAYMENT_ID_LENGTH_MAX = 35;
const paymentId = text(PAYMENT_ID_LENGTH_MAX);

export const commandCodec: Codec<Command> = variant({
  genesis: {},
  join: {},
  "amend-member": {},
  "move-member": { member: publicKeyCodec },
  "vote-standing": { voter: publicKeyCodec, member: publicKeyCodec },
  "amend-parameters": {},
  "issue-funds": {},
  "redeem-funds": {},
  "confirm-payout": { redemptionId: identifier, messageId: paymentId, endToEndId: paymentId },
  "publish-tariff": { day: dayCodec },
  "grant-mandate": {},
  "revoke-mandate": {},
  "create-promises": { supplier: publicKeyCodec },
  "certify-claims": { supplier: publicKeyCodec, agency: publicKeyCodec },
  "contradict-certificate": {
    by: publicKeyCodec,
    agency: publicKeyCodec,
    supplier: publicKeyCodec,
    slot: slotCodec,
  },
  "close-certificates": { agency: publicKeyCodec, slot: slotCodec },
  "split-promise": { owner: publicKeyCodec },
  "merge-promises": { owner: publicKeyCodec, promiseId: identifier },
  substitute: {
    supplier: publicKeyCodec,
    slot: slotCodec,
    covers: listOf(
      struct({ covered: integer(0, INPUT_INDEX_MAX), with: integer(0, INPUT_INDEX_MAX), energy: energyCodec }),
      COVERS_MAX,
    ),
  },
  "create-auction": { auctionId: identifier },
  bid: { auctionId: identifier, bidder: publicKeyCodec, requires: nullable(claimRequirementCodec) },
  "end-auction": { auctionId: identifier },
  "settle-auction": { auctionId: identifier },
  "lapse-auction": { auctionId: identifier },
  "place-orders": { owner: publicKeyCodec },
  "cancel-orders": { owner: publicKeyCodec },
  "clear-pool": {
    slot: slotCodec,
    price: nullable(priceCodec),
    isFinal: boolean,
    trades: listOf(
      struct({ bid: identifier, offer: identifier, energy: energyCodec, price: priceCodec }),
      POOL_TRADES_MAX,
    ),
  },
  "release-margin": { owner: publicKeyCodec, day: dayCodec },
  "curtail-slot": { slot: slotCodec, cap: energyCodec },
  "report-meters": { operator: publicKeyCodec, slot: slotCodec },
  "record-meters": { slot: slotCodec },
  "check-delivery": { supplier: publicKeyCodec, slot: slotCodec },
  "settle-slot": { member: publicKeyCodec, slot: slotCodec },
  "correct-settlement": { member: publicKeyCodec, slot: slotCodec },
  "raise-dispute": { disputeId: identifier },
  "vote-dispute": { disputeId: identifier, voter: publicKeyCodec },
  "decide-dispute": { disputeId: identifier },
});
