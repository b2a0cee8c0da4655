/** Kernel with virtual clock, simulations, run directories and reports. */
export { brokenLink, EventLog } from "./event-log.ts";
export { VirtualClock } from "./kernel/virtual-clock.ts";
export { DEFAULT_SCHEDULE, type DailySchedule, defaultRules } from "./network-rules.ts";
export {
  type ForecastReport,
  type MemberReport,
  parseSettlementsCsv,
  renderHtml,
  renderTerminal,
  type RunReport,
  type SettlementRow,
  settlementsCsv,
  type SlotReport,
  type TerminalOptions,
} from "./report/index.ts";
export { type Run, type RunOptions, type RunRefusal, runSimulation } from "./run.ts";
export { simulate, type SimulationOptions, type SimulationRefusal, type SimulationResult } from "./simulation.ts";
