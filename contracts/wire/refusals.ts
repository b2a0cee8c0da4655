/** Why the ledger refused a command. One tag per reason, with data that a caller can act on; never a sentence. */
import type { Hash, Micros, MicrosPerKwh, PublicKey, SlotId, WattHours } from "#core";

/** In descending precedence: the first that applies is returned. */
export const LEDGER_REFUSALS = [
  "command_malformed",
  "command_id_reused",
  "proposal_unknown",
  "mandate_missing",
  "member_unknown",
  "member_suspended",
  "role_not_allowed",
  "slot_unknown",
  "gate_closed",
  "deadline_out_of_range",
  "energy_out_of_range",
  "price_out_of_band",
  "capacity_exceeded",
  "order_unknown",
  "auction_unknown",
  "auction_own",
  "auction_ended",
  "bid_below_base",
  "bid_below_best",
  "already_highest",
  "holding_cap_exceeded",
  "self_cross",
  "promise_not_held",
  "insufficient_funds",
  "reading_unknown",
  "reading_recorded",
  "tariff_unknown",
  "votes_missing",
  "sequence_not_given",
  "contract_violated",
  "transaction_malformed",
  "signature_missing",
  "signature_invalid",
  "dependency_unknown",
  "counterparty_refused",
  "state_conflict",
  "time_window_invalid",
  "notary_outdated",
  "store_full",
  "node_unreachable",
] as const;
export type LedgerRefusalCode = (typeof LEDGER_REFUSALS)[number];

export type LedgerRefusal =
  | { readonly tag: Exclude<LedgerRefusalCode, DetailedCode> }
  | { readonly tag: "insufficient_funds"; readonly needed: Micros; readonly available: Micros }
  | { readonly tag: "energy_out_of_range"; readonly asked: WattHours; readonly min: WattHours; readonly max: WattHours }
  | { readonly tag: "capacity_exceeded"; readonly slot: SlotId; readonly asked: WattHours; readonly free: WattHours }
  | { readonly tag: "holding_cap_exceeded"; readonly slot: SlotId; readonly asked: WattHours; readonly free: WattHours }
  | { readonly tag: "promise_not_held"; readonly slot: SlotId; readonly asked: WattHours; readonly held: WattHours }
  | { readonly tag: "bid_below_best"; readonly best: MicrosPerKwh; readonly leastNext: MicrosPerKwh }
  | { readonly tag: "bid_below_base"; readonly base: MicrosPerKwh }
  | { readonly tag: "gate_closed"; readonly slot: SlotId; readonly gateMs: number }
  /** How many verifiers must vote, and how many have. */
  | { readonly tag: "votes_missing"; readonly needed: number; readonly cast: number }
  | { readonly tag: "contract_violated"; readonly clauses: readonly string[] }
  | {
      readonly tag: "counterparty_refused";
      readonly party: PublicKey;
      readonly reason: LedgerRefusalCode;
      readonly clauses: readonly string[];
    }
  /** Which inputs are spent, and the hash of the id of the transaction that spent each. */
  | { readonly tag: "state_conflict"; readonly spent: readonly { readonly ref: string; readonly consumedBy: Hash }[] };

type DetailedCode =
  | "insufficient_funds"
  | "energy_out_of_range"
  | "capacity_exceeded"
  | "holding_cap_exceeded"
  | "promise_not_held"
  | "bid_below_best"
  | "bid_below_base"
  | "gate_closed"
  | "votes_missing"
  | "contract_violated"
  | "counterparty_refused"
  | "state_conflict";
