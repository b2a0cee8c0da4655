/** What a client may ask of a node: the same in process and over HTTP. */
import type { Hash, Micros, MicrosPerKwh, PublicKey, Result, SlotId, WattHours } from "#core";
import type { Command } from "../commands.ts";
import type { AmendableParameters, DelegableFlow, Role, Standing, State, StateOf, StateTag } from "../states.ts";
import type { StateRef } from "../transaction.ts";
import type { LedgerRefusal } from "./refusals.ts";

/**
 * Something that changes the ledger. `commandId` is made and stored by the caller before the first try; a repeat of a
 * command that was carried out answers `exists`.
 */
export type ClientCommand = { readonly commandId: string } & (
  | {
      readonly tag: "create-promises";
      readonly promises: readonly { readonly slot: SlotId; readonly energy: WattHours }[];
    }
  | {
      readonly tag: "place-orders";
      readonly marketplace: PublicKey;
      readonly orders: readonly {
        readonly side: "bid" | "offer";
        readonly slot: SlotId;
        readonly energy: WattHours;
        readonly limit: MicrosPerKwh;
      }[];
    }
  | { readonly tag: "cancel-orders"; readonly orderIds: readonly string[] }
  | {
      readonly tag: "create-auction";
      readonly marketplace: PublicKey;
      readonly slot: SlotId;
      readonly energy: WattHours;
      readonly basePrice: MicrosPerKwh;
      readonly deadlineMs: number;
    }
  | { readonly tag: "bid"; readonly auctionId: string; readonly price: MicrosPerKwh }
  | { readonly tag: "end-auction"; readonly auctionId: string }
  | { readonly tag: "settle-auction"; readonly auctionId: string }
  /** After the gate: an auction that was won but never settled gives the bid back. */
  | { readonly tag: "lapse-auction"; readonly auctionId: string }
  | {
      readonly tag: "grant-mandate";
      readonly mandateId: string;
      readonly delegate: PublicKey;
      readonly flows: readonly DelegableFlow[];
      readonly energyPerSlotMax: WattHours;
      readonly expiresMs: number;
    }
  | { readonly tag: "revoke-mandate"; readonly mandateId: string }
  | {
      readonly tag: "clear-pool";
      readonly slot: SlotId;
      readonly price: MicrosPerKwh | null;
      readonly isFinal: boolean;
      readonly trades: readonly {
        readonly bid: string;
        readonly offer: string;
        readonly energy: WattHours;
        readonly price: MicrosPerKwh;
      }[];
    }
  | {
      readonly tag: "join";
      readonly name: string;
      readonly key: PublicKey;
      readonly roles: readonly Role[];
      readonly capacityPerSlot: WattHours;
      readonly holdingCapPerSlot: WattHours | null;
      readonly marketFee: MicrosPerKwh;
    }
  | {
      readonly tag: "amend-member";
      readonly member: PublicKey;
      readonly standing?: Standing;
      readonly holdingCapPerSlot?: WattHours | null;
      readonly capacityPerSlot?: WattHours;
    }
  /** A verifier's vote; null takes it back. The amendment follows by `amend-member` once enough have voted. */
  | {
      readonly tag: "vote-standing";
      readonly member: PublicKey;
      readonly standing: Standing | null;
      readonly expiresMs: number;
    }
  /** What is not named stays as it is. */
  | { readonly tag: "amend-parameters"; readonly changes: Partial<AmendableParameters> }
  /** The owner's money leaves the ledger. */
  | { readonly tag: "redeem-funds"; readonly amount: Micros }
  /** Issues each amount as funds of its own. */
  | { readonly tag: "issue-funds"; readonly to: PublicKey; readonly amounts: readonly Micros[] }
  | {
      readonly tag: "publish-tariff";
      readonly day: string;
      readonly feedIn: readonly MicrosPerKwh[];
      readonly retail: readonly MicrosPerKwh[];
    }
  | {
      readonly tag: "record-meters";
      readonly slot: SlotId;
      readonly readings: readonly {
        readonly member: PublicKey;
        readonly produced: WattHours;
        readonly consumed: WattHours;
      }[];
    }
  | { readonly tag: "check-delivery"; readonly supplier: PublicKey; readonly slot: SlotId }
  | { readonly tag: "settle-slot"; readonly member: PublicKey; readonly slot: SlotId }
);
export type ClientCommandTag = ClientCommand["tag"];
export type ClientCommandOf<T extends ClientCommandTag> = Extract<ClientCommand, { readonly tag: T }>;

/** A transaction that waits for a delegate's signature. */
export type Proposal = { readonly proposalId: string; readonly transaction: Uint8Array };

export type Receipt = { readonly status: "created" | "exists"; readonly txId: Hash };

export type StateAndRef<T extends StateTag = StateTag> = { readonly ref: StateRef; readonly state: StateOf<T> };

/** What a node tells its clients about, in the order in which it stored it. */
export type NodeEvent = {
  readonly txId: Hash;
  /** Undefined where the command concerns others too and was not shown. */
  readonly command: Command | undefined;
  /** States that concern the party, or are public. */
  readonly consumed: readonly State[];
  readonly made: readonly State[];
};

export interface NodeEndpoint {
  /** The party that the node acts for. */
  readonly party: PublicKey;
  /** Carries out a command that the node signs with its own key. */
  submit(command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>>;
  /** Builds the transaction of a command for a delegate to sign; a repeat of a finished command gives its receipt. */
  propose(command: ClientCommand, delegate: PublicKey): Promise<Result<Proposal | Receipt, LedgerRefusal>>;
  /** Carries out a proposal with the delegate's signature. */
  approve(proposalId: string, signature: Uint8Array): Promise<Result<Receipt, LedgerRefusal>>;
  /** Drops a proposal and frees what it had reserved. */
  withdraw(proposalId: string): Promise<void>;
  /** States of a kind that concern the party, or are public. */
  states<T extends StateTag>(tag: T): Promise<readonly StateAndRef<T>[]>;
  /** Calls `listener` for each event from now on; the function returned stops that. */
  listen(listener: (event: NodeEvent) => void): () => void;
}
