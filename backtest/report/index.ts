/** The report of a run: for the terminal, as one HTML file, and its settlements as CSV. */
export { parseSettlementsCsv, SETTLEMENT_COLUMNS, type SettlementsCsvError, settlementsCsv } from "./csv.ts";
export { renderHtml } from "./html/render.ts";
export type {
  ForecastReport,
  MemberReport,
  RunReport,
  ServicesReport,
  SettlementRow,
  SlotReport,
  StatementReport,
} from "./model.ts";
export { renderTerminal, type TerminalOptions } from "./terminal.ts";
