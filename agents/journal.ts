/** What an agent decided, why, and what came of it: the source of `dream explain`, of replays and of reports. */
import type { LedgerRefusal } from "#contracts";
import type { Intent, MemberForecast, Position, Tariff } from "#strategies";
import type { RiskDenial } from "./risk-gate.ts";

/** The hooks of the strategy interface. */
export type HookName = "onForecast" | "onGate" | "onAuction" | "onPoolsCleared" | "onTrade" | "onDelivery";

/** An intent and what became of it. */
export type IntentOutcome =
  | { readonly intent: Intent; readonly outcome: "accepted"; readonly commandId: string }
  | { readonly intent: Intent; readonly outcome: "denied"; readonly denial: RiskDenial }
  | { readonly intent: Intent; readonly outcome: "rejected"; readonly refusal: LedgerRefusal };

/** What the strategy read about a slot while it decided. */
export type SlotInputs = {
  readonly slotId: string;
  readonly forecast: MemberForecast | undefined;
  readonly tariff: Tariff | undefined;
  readonly position: Position;
};

export type Decision = {
  readonly decisionId: string;
  readonly agent: string;
  readonly strategy: string;
  readonly atMs: number;
  readonly hook: HookName;
  readonly inputs: readonly SlotInputs[];
  readonly outcomes: readonly IntentOutcome[];
  readonly notes: readonly string[];
};

export interface DecisionJournal {
  record(decision: Decision): void;
}
