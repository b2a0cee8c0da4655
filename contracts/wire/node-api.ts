/** What a client may ask of a node: the same in process and over HTTP. */
import type { Hash, Micros, MicrosPerKwh, PublicKey, Result, SlotId, WattHours } from "#core";
import type { Command } from "../commands.ts";
import type {
  AmendableParameters,
  ClaimRequirement,
  Claims,
  DelegableFlow,
  Role,
  Standing,
  State,
  StateOf,
  StateTag,
  Storage,
} from "../states.ts";
import type { StateRef } from "../transaction.ts";
import type { LedgerRefusal } from "./refusals.ts";

/** What a principal allows a delegate. */
export type NewMandate = {
  readonly mandateId: string;
  readonly delegate: PublicKey;
  readonly flows: readonly DelegableFlow[];
  /** Any strategy, unless some are named. */
  readonly strategies?: readonly string[];
  readonly energyPerSlotMax: WattHours;
  /** As much as all slots together may have, unless said. */
  readonly energyPerDayMax?: WattHours;
  /** The highest price of the network, unless said. */
  readonly bidPriceMax?: MicrosPerKwh;
  readonly expiresMs: number;
};

/** What was measured at a member's connection in a slot. */
export type Metered = { readonly member: PublicKey; readonly produced: WattHours; readonly consumed: WattHours };

/** A member to be. */
export type NewMember = {
  readonly name: string;
  readonly key: PublicKey;
  readonly roles: readonly Role[];
  readonly capacityPerSlot: WattHours;
  readonly holdingCapPerSlot: WattHours | null;
  readonly marketFee: MicrosPerKwh;
  readonly storage?: Storage;
  /** The aggregator that serves it, and what that may do for it; both or neither. */
  readonly served?: ServedBy;
};
export type ServedBy = { readonly by: PublicKey; readonly mandate: NewMandate };
/** The most members of one command: each signs, and so does the grid authority. */
export const ENROLLED_MAX = 120;

/**
 * Something that changes the ledger. `commandId` is made and stored by the caller before the first try; a repeat of a
 * command that was carried out answers `exists`.
 */
export type ClientCommand = { readonly commandId: string } & (
  | {
      readonly tag: "create-promises";
      readonly promises: readonly {
        readonly slot: SlotId;
        readonly energy: WattHours;
        readonly claims?: Omit<Claims, "certifiedBy">;
      }[];
    }
  | {
      readonly tag: "place-orders";
      readonly marketplace: PublicKey;
      readonly orders: readonly {
        readonly side: "bid" | "offer";
        readonly slot: SlotId;
        readonly energy: WattHours;
        readonly limit: MicrosPerKwh;
        /** For bids. */
        readonly requires?: ClaimRequirement;
      }[];
    }
  | { readonly tag: "cancel-orders"; readonly orderIds: readonly string[] }
  /**
   * Cuts energies off a free promise: the smallest that holds them, of the lineage that is named, if one is. What is left of it
   * is a part too.
   */
  | {
      readonly tag: "split-promise";
      readonly slot: SlotId;
      readonly energies: readonly WattHours[];
      readonly promiseId?: string;
    }
  /**
   * Makes one of the free promises of a supplier for a slot: of all, or of those of the lineages that are named. The whole says
   * what all of them say.
   */
  | {
      readonly tag: "merge-promises";
      readonly slot: SlotId;
      readonly supplier: PublicKey;
      readonly promiseIds?: readonly string[];
    }
  /** Covers own sold promises with held ones of others; the deposit for them comes back. */
  | { readonly tag: "substitute"; readonly slot: SlotId; readonly energy: WattHours }
  | {
      readonly tag: "create-auction";
      readonly marketplace: PublicKey;
      readonly slot: SlotId;
      readonly energy: WattHours;
      readonly basePrice: MicrosPerKwh;
      readonly deadlineMs: number;
    }
  | {
      readonly tag: "bid";
      readonly auctionId: string;
      readonly price: MicrosPerKwh;
      /** Refused where the auction's claims do not meet it. */
      readonly requires?: ClaimRequirement;
    }
  /** All own promises of the slots that are free, have claims and are not certified. */
  | { readonly tag: "certify-claims"; readonly agency: PublicKey; readonly slots: readonly SlotId[] }
  /** By an agency: what another certified of a supplier's slot is wrong. `evidence` is the hash of why. */
  | {
      readonly tag: "contradict-certificate";
      readonly agency: PublicKey;
      readonly supplier: PublicKey;
      readonly slot: SlotId;
      readonly evidence: Hash;
    }
  /** By the grid authority, once the suppliers' slot is settled. */
  | { readonly tag: "close-certificates"; readonly agency: PublicKey; readonly slot: SlotId }
  | { readonly tag: "end-auction"; readonly auctionId: string }
  | { readonly tag: "settle-auction"; readonly auctionId: string }
  /** After the gate: an auction that was won but never settled gives the bid back. */
  | { readonly tag: "lapse-auction"; readonly auctionId: string }
  | ({ readonly tag: "grant-mandate" } & NewMandate)
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
  | ({ readonly tag: "join" } & NewMember)
  /** Many members at once, in one transaction that all of them sign. */
  | { readonly tag: "enrol"; readonly members: readonly NewMember[] }
  /** The party gets another aggregator, or, with null, a node of its own; its mandates end. By its own key alone. */
  | { readonly tag: "move-member"; readonly served: ServedBy | null }
  | {
      readonly tag: "amend-member";
      readonly member: PublicKey;
      readonly standing?: Standing;
      readonly holdingCapPerSlot?: WattHours | null;
      readonly capacityPerSlot?: WattHours;
      readonly storage?: Storage | null;
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
  /** The cents in the amount are to be paid to the owner's account; what is below a cent stays with the owner. */
  | {
      readonly tag: "redeem-funds";
      readonly amount: Micros;
      /** As the payment provider knows it; `main` unless said. */
      readonly account?: string;
    }
  /** By the payment provider: it has paid what it owed. */
  | {
      readonly tag: "confirm-payout";
      readonly owner: PublicKey;
      readonly redemptionId: string;
      readonly messageId: string;
      readonly endToEndId: string;
    }
  /** Issues each amount as funds of its own. */
  | { readonly tag: "issue-funds"; readonly to: PublicKey; readonly amounts: readonly Micros[] }
  | {
      readonly tag: "publish-tariff";
      readonly day: string;
      readonly feedIn: readonly MicrosPerKwh[];
      readonly retail: readonly MicrosPerKwh[];
    }
  /** Gives back what the owner's holdings and bids of the day no longer need. */
  | { readonly tag: "release-margin"; readonly day: string }
  | { readonly tag: "curtail-slot"; readonly slot: SlotId; readonly cap: WattHours }
  /** What a meter operator read. What it reports again replaces what it reported before. */
  | { readonly tag: "report-meters"; readonly slot: SlotId; readonly readings: readonly Metered[] }
  /**
   * What the grid authority read; where there are meter operators, none: the readings are those on which their reports agree.
   * A member's slot that has a reading is corrected.
   */
  | { readonly tag: "record-meters"; readonly slot: SlotId; readonly readings: readonly Metered[] }
  | { readonly tag: "check-delivery"; readonly supplier: PublicKey; readonly slot: SlotId }
  | { readonly tag: "settle-slot"; readonly member: PublicKey; readonly slot: SlotId }
  /** By the reading that was made since. */
  | { readonly tag: "correct-settlement"; readonly member: PublicKey; readonly slot: SlotId }
  /** By the member or the power company: what was measured is not what is said. The dispute has the command's id. */
  | ({ readonly tag: "raise-dispute"; readonly slot: SlotId; readonly evidence: Hash } & Metered)
  /** A verifier's vote for what was measured, in the place of its vote before. */
  | {
      readonly tag: "vote-dispute";
      readonly disputeId: string;
      readonly produced: WattHours;
      readonly consumed: WattHours;
    }
  /** Once enough verifiers agree; or, when it is too late for that, to close it. */
  | { readonly tag: "decide-dispute"; readonly disputeId: string }
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
