/** What a transaction is for. Each has one command, which decides which clauses it must hold. */
import {
  boolean,
  type Codec,
  dayCodec,
  energyCodec,
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
import { IDENTIFIER_LENGTH_MAX } from "./state-codec.ts";

export const POOL_TRADES_MAX = 10_000;

/** A match in a slot's pool, by order ids. */
export type PoolTrade = {
  readonly bid: string;
  readonly offer: string;
  readonly energy: WattHours;
  readonly price: MicrosPerKwh;
};

export type Command =
  | { readonly tag: "genesis" }
  | { readonly tag: "join" }
  | { readonly tag: "amend-member" }
  | { readonly tag: "vote-standing"; readonly voter: PublicKey; readonly member: PublicKey }
  | { readonly tag: "amend-parameters" }
  | { readonly tag: "issue-funds" }
  | { readonly tag: "redeem-funds" }
  | { readonly tag: "publish-tariff"; readonly day: LocalDay }
  | { readonly tag: "grant-mandate" }
  | { readonly tag: "revoke-mandate" }
  | { readonly tag: "create-promises"; readonly supplier: PublicKey }
  | { readonly tag: "create-auction"; readonly auctionId: string }
  | { readonly tag: "bid"; readonly auctionId: string; readonly bidder: PublicKey }
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
  | { readonly tag: "record-meters"; readonly slot: SlotId }
  | { readonly tag: "check-delivery"; readonly supplier: PublicKey; readonly slot: SlotId }
  | { readonly tag: "settle-slot"; readonly member: PublicKey; readonly slot: SlotId };
export type CommandTag = Command["tag"];
export type CommandOf<T extends CommandTag> = Extract<Command, { readonly tag: T }>;

const identifier = text(IDENTIFIER_LENGTH_MAX);

export const commandCodec: Codec<Command> = variant({
  genesis: {},
  join: {},
  "amend-member": {},
  "vote-standing": { voter: publicKeyCodec, member: publicKeyCodec },
  "amend-parameters": {},
  "issue-funds": {},
  "redeem-funds": {},
  "publish-tariff": { day: dayCodec },
  "grant-mandate": {},
  "revoke-mandate": {},
  "create-promises": { supplier: publicKeyCodec },
  "create-auction": { auctionId: identifier },
  bid: { auctionId: identifier, bidder: publicKeyCodec },
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
  "record-meters": { slot: slotCodec },
  "check-delivery": { supplier: publicKeyCodec, slot: slotCodec },
  "settle-slot": { member: publicKeyCodec, slot: slotCodec },
});
