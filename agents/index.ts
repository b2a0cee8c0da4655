/** The agent runtime: mandate, risk gate, reconciliation, journal. */
export { Agent, type AgentOptions, type BatteryControl, INTENTS_PER_CALL_MAX } from "./agent.ts";
export type { Claimed } from "./commands.ts";
export type { Decision, DecisionJournal, HookName, IntentOutcome, SlotInputs } from "./journal.ts";
export { type MemberForecastOptions, MemberForecasts, surplusQuantiles } from "./member-forecasts.ts";
export {
  checkRisk,
  RISK_DENIALS,
  type RiskDenial,
  type RiskDenialCode,
  type RiskLimits,
  type RiskView,
} from "./risk-gate.ts";
