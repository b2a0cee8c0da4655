/** Kernel with virtual clock, simulations, run directories and reports. */
export { brokenLink, EventLog } from "./event-log.ts";
export { VirtualClock } from "./kernel/virtual-clock.ts";
export { type DailySchedule, DEFAULT_SCHEDULE, defaultRules } from "./network-rules.ts";
export { type Content, html, inlineAsset, Markup } from "./report/html/markup.ts";
export {
  type ForecastReport,
  type MemberReport,
  parseSettlementsCsv,
  type RunReport,
  renderHtml,
  renderTerminal,
  type SettlementRow,
  type SlotReport,
  type StatementReport,
  settlementsCsv,
  type TerminalOptions,
} from "./report/index.ts";
export { type Run, type RunOptions, type RunRefusal, runRefusal, runSimulation } from "./run.ts";
export type { CommunityServices } from "./services.ts";
export { type SimulationOptions, type SimulationRefusal, type SimulationResult, simulate } from "./simulation.ts";
