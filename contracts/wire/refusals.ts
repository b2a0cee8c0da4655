/** Why the ledger refused a command. One tag per reason, with data that a caller can act on; never a sentence. */
import type { Hash, Micros, MicrosPerKwh, PublicKey, SlotId, WattHours } from "#core";

/** In descending precedence: the first that applies is returned. */
export const LEDGER_REFUSALS = [
  "command_malformed",
  "command_id_reused",
  "proposal_unknown",
  "mandate_missing",
  "strategy_not_in_mandate",
  "trading_halted",
  "rate_limited",
  "member_unknown",
  "member_suspended",
  "role_not_allowed",
  "slot_unknown",
  "gate_closed",
  "deadline_out_of_range",
  "energy_out_of_range",
  "price_out_of_band",
  "capacity_exceeded",
  "storage_exceeded",
  "slot_curtailed",
  "order_unknown",
  "auction_unknown",
  "certificate_unknown",
  "claims_missing",
  "claims_unregistered",
  "requirement_unmet",
  "auction_own",
  "auction_ended",
  "bid_below_base",
  "bid_below_best",
  "already_highest",
  "holding_cap_exceeded",
  "self_cross",
  "nothing_to_cover",
  "promise_not_held",
  "cover_unsuitable",
  "nothing_to_merge",
  "amount_below_cent",
  "insufficient_funds",
  "redemption_unknown",
  "redemption_id_reused",
  "margin_in_use",
  "reading_unknown",
  "reports_missing",
  "meters_disagree",
  "reading_recorded",
  "slot_settled",
  "settlement_unknown",
  "correction_closed",
  "dispute_unknown",
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
  "member_not_served",
  "notary_outdated",
  "store_full",
  "node_unreachable",
] as const;
export type LedgerRefusalCode = (typeof LEDGER_REFUSALS)[number];

export type LedgerRefusal =
  | { readonly tag: Exclude<LedgerRefusalCode, DetailedCode> }
  /** `margin`: how much of what is needed is a speculator's margin. */
  | {
      readonly tag: "insufficient_funds";
      readonly needed: Micros;
      readonly margin: Micros;
      readonly available: Micros;
    }
  /** All that is locked as margin is needed. */
  | { readonly tag: "margin_in_use"; readonly needed: Micros; readonly locked: Micros }
  /** What may be promised in the slot in all. */
  | { readonly tag: "slot_curtailed"; readonly slot: SlotId; readonly cap: WattHours }
  /** `asked` would have to come from storage, which can hold `stored` by then. */
  | { readonly tag: "storage_exceeded"; readonly slot: SlotId; readonly asked: WattHours; readonly stored: WattHours }
  | { readonly tag: "energy_out_of_range"; readonly asked: WattHours; readonly min: WattHours; readonly max: WattHours }
  | { readonly tag: "capacity_exceeded"; readonly slot: SlotId; readonly asked: WattHours; readonly free: WattHours }
  | { readonly tag: "holding_cap_exceeded"; readonly slot: SlotId; readonly asked: WattHours; readonly free: WattHours }
  | { readonly tag: "promise_not_held"; readonly slot: SlotId; readonly asked: WattHours; readonly held: WattHours }
  /** How much of its own promises others hold free. */
  | { readonly tag: "nothing_to_cover"; readonly slot: SlotId; readonly asked: WattHours; readonly sold: WattHours }
  /** How much of what is held says enough for what was sold, and is not owed by its holder. */
  | { readonly tag: "cover_unsuitable"; readonly slot: SlotId; readonly asked: WattHours; readonly suitable: WattHours }
  | { readonly tag: "bid_below_best"; readonly best: MicrosPerKwh; readonly leastNext: MicrosPerKwh }
  | { readonly tag: "bid_below_base"; readonly base: MicrosPerKwh }
  | { readonly tag: "gate_closed"; readonly slot: SlotId; readonly gateMs: number }
  /** How many meter operators must report on a member, and how many have. */
  | { readonly tag: "reports_missing"; readonly needed: number; readonly reported: number }
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
  | "margin_in_use"
  | "slot_curtailed"
  | "storage_exceeded"
  | "energy_out_of_range"
  | "capacity_exceeded"
  | "holding_cap_exceeded"
  | "promise_not_held"
  | "nothing_to_cover"
  | "cover_unsuitable"
  | "bid_below_best"
  | "bid_below_base"
  | "gate_closed"
  | "reports_missing"
  | "votes_missing"
  | "contract_violated"
  | "counterparty_refused"
  | "state_conflict";
