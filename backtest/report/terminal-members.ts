/** The table of members in the terminal report: fitted to the columns there are, the rest summed up by role. */
import { type EnergyUnit, energyUnitFor, type FigureStyle, formatCount, formatEnergy, formatMoney } from "./format.ts";
import type { MemberReport, RunReport } from "./model.ts";
import { type MemberSum, membersByRole, partiesOf, sumOfMembers } from "./summary.ts";
import { cut, displayWidth, inked, padEnd, padStart, printable, type TerminalLook } from "./terminal-text.ts";

/** Members up to this number have a row each. */
const ROWS_MAX = 14;
/** Of more members, so many of the best and of the worst have a row. */
const EXTREMES = 4;
const ROLE_ROWS_MAX = 4;

const ROLE_NAMES: Readonly<Record<string, string>> = {
  "storage-provider": "storage",
  "power-company": "power co.",
  "grid-authority": "grid",
  "verification-agency": "verifying",
  "meter-operator": "metering",
  "payment-provider": "payments",
};

type Row = { readonly name: string; readonly role: string; readonly strategy: string; readonly sum: MemberSum };

/** The header, one row per member or group of them, the sum, and a line on those who do not trade: at most 18 lines. */
export function memberLines(report: RunReport, columns: number, look: TerminalLook): readonly string[] {
  const { traders, services } = partiesOf(report);
  const rows = rowsOf(traders, look);
  const lines =
    traders.length === 0 ? ["No member has a strategy."] : fittedTable(rows, memberEnergyUnit(report), columns, look);
  return services.length === 0 ? lines : [...lines, servicesLine(services, columns, look)];
}

function rowsOf(traders: readonly MemberReport[], look: TerminalLook): readonly Row[] {
  const all: Row = { name: `all ${formatCount(traders.length)}`, role: "", strategy: "", sum: sumOfMembers(traders) };
  if (traders.length <= ROWS_MAX) return [...traders.map((member) => memberRow(member, look)), all];
  const best = traders.slice(0, EXTREMES);
  const worst = traders.slice(-EXTREMES);
  const groups = membersByRole(traders.slice(EXTREMES, -EXTREMES));
  const shown = groups.length <= ROLE_ROWS_MAX ? groups : groups.slice(0, ROLE_ROWS_MAX - 1);
  const merged = groups.slice(shown.length).flatMap((group) => group.members);
  const roleRows = shown.map((group) => groupRow(group.role, group.members, look));
  const others = merged.length === 0 ? [] : [groupRow("other", merged, look)];
  const extremes = (members: readonly MemberReport[]): readonly Row[] => members.map((one) => memberRow(one, look));
  return [...extremes(best), ...roleRows, ...others, ...extremes(worst), all];
}

function memberRow(member: MemberReport, look: TerminalLook): Row {
  const [role = "", ...more] = member.roles;
  return {
    name: printable(look, member.name),
    role: printable(look, shortRole(role)) + (more.length > 0 ? `+${more.length}` : ""),
    strategy: printable(look, member.strategy ?? ""),
    sum: sumOfMembers([member]),
  };
}

function groupRow(role: string, members: readonly MemberReport[], look: TerminalLook): Row {
  const strategies = new Set(members.map((member) => member.strategy));
  const strategy = strategies.size === 1 ? (members[0]?.strategy ?? "") : `${strategies.size} strategies`;
  return {
    name: `${formatCount(members.length)} more`,
    role: printable(look, shortRole(role)),
    strategy: printable(look, strategy),
    sum: sumOfMembers(members),
  };
}

function shortRole(role: string): string {
  return ROLE_NAMES[role] ?? role;
}

type FigureColumn = "promised" | "delivered" | "bought" | "sold" | "net" | "baseline" | "gain";

/** How a table may be made narrower, the least loss first. */
type Layout = {
  readonly decimals: number;
  readonly short: boolean;
  readonly strategy: boolean;
  readonly money: number;
  readonly columns: readonly FigureColumn[];
};

const ALL: readonly FigureColumn[] = ["promised", "delivered", "bought", "sold", "net", "baseline", "gain"];
const MONEY_ONLY: readonly FigureColumn[] = ["net", "baseline", "gain"];
const LAYOUTS: readonly Layout[] = [
  { decimals: 1, short: false, strategy: true, money: 2, columns: ALL },
  { decimals: 1, short: true, strategy: true, money: 2, columns: ALL },
  { decimals: 0, short: true, strategy: true, money: 2, columns: ALL },
  { decimals: 1, short: true, strategy: false, money: 2, columns: ALL },
  { decimals: 0, short: true, strategy: false, money: 0, columns: ALL },
  { decimals: 0, short: true, strategy: false, money: 0, columns: MONEY_ONLY },
];
const SHORT_HEADERS: Readonly<Partial<Record<FigureColumn, string>>> = {
  promised: "prom.",
  delivered: "deliv.",
  baseline: "base",
};

/** The unit of energy in the table: one for all rows. */
export function memberEnergyUnit(report: RunReport): EnergyUnit {
  return energyUnitFor(report.members.flatMap((one) => [one.promisedWh, one.boughtWh, one.soldWh]));
}

const TEXT_MIN = { name: 10, role: 8, strategy: 10 } as const;
const TEXT_MAX = { name: 22, role: 12, strategy: 22 } as const;

function fittedTable(rows: readonly Row[], unit: EnergyUnit, columns: number, look: TerminalLook): readonly string[] {
  for (const layout of LAYOUTS) {
    const header = layout.columns.map((column) => (layout.short ? (SHORT_HEADERS[column] ?? column) : column));
    const figures = [header, ...rows.map((row) => figureCells(row.sum, layout, unit, look))];
    const widths = columnWidths(figures);
    const taken = widths.reduce((sum, width) => sum + width + 1, 0);
    const texts = textWidths(rows, columns - taken, layout.strategy);
    if (texts !== null) return drawTable(rows, figures, widths, texts, columns, look);
  }
  return ["The table of members is too wide for the terminal."];
}

function figureCells(sum: MemberSum, layout: Layout, unit: EnergyUnit, look: TerminalLook): readonly string[] {
  const style: FigureStyle = { decimals: layout.decimals };
  const minus = look.unicode ? "−" : "-";
  const energy = (wattHours: bigint): string => formatEnergy(wattHours, style, unit);
  const money = (amount: bigint, plus: boolean): string => formatMoney(amount, { decimals: layout.money, minus, plus });
  const cells: Readonly<Record<FigureColumn, string>> = {
    promised: energy(sum.promisedWh),
    delivered: energy(sum.deliveredWh),
    bought: energy(sum.boughtWh),
    sold: energy(sum.soldWh),
    net: money(sum.netMicros, false),
    baseline: money(sum.baselineMicros, false),
    gain: money(sum.gainMicros, true),
  };
  return layout.columns.map((column) => cells[column]);
}

function columnWidths(rows: readonly (readonly string[])[]): readonly number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => displayWidth(row[column] ?? ""))));
}

type TextWidths = { readonly name: number; readonly role: number; readonly strategy: number };

/** Widths of the columns of text, each between its least and what it needs; null when there is no room for the least. */
function textWidths(rows: readonly Row[], room: number, withStrategy: boolean): TextWidths | null {
  const natural = (field: "name" | "role" | "strategy"): number =>
    Math.min(TEXT_MAX[field], Math.max(field.length, ...rows.map((row) => displayWidth(row[field]))));
  const wanted = { name: natural("name"), role: natural("role"), strategy: withStrategy ? natural("strategy") : 0 };
  const least = (field: "name" | "role" | "strategy"): number => Math.min(wanted[field], TEXT_MIN[field]);
  let excess = wanted.name + wanted.role + wanted.strategy + (withStrategy ? 2 : 1) - room;
  const given = { ...wanted };
  for (const field of ["strategy", "name", "role"] as const) {
    const less = Math.max(0, Math.min(excess, given[field] - least(field)));
    given[field] -= less;
    excess -= less;
  }
  return excess > 0 ? null : given;
}

function drawTable(
  rows: readonly Row[],
  figures: readonly (readonly string[])[],
  widths: readonly number[],
  texts: TextWidths,
  columns: number,
  look: TerminalLook,
): readonly string[] {
  const text = (row: { readonly name: string; readonly role: string; readonly strategy: string }): string => {
    const fields = (["name", "role", "strategy"] as const).filter((field) => texts[field] > 0);
    return fields.map((field) => padEnd(cut(look, row[field], texts[field]), texts[field])).join(" ");
  };
  const line = (before: string, cells: readonly string[]): string => {
    const shown = cells.map((cell, column) => {
      const padded = padStart(cell, widths[column] ?? 0);
      const isGain = column === cells.length - 1 && /^[-−+]\d/.test(cell); // The gain is the last column.
      return isGain ? inked(look, cell.startsWith("+") ? "green" : "red", padded) : padded;
    });
    return `${before} ${shown.join(" ")}`;
  };
  const header = line(text({ name: "member", role: "role", strategy: "strategy" }), figures[0] ?? []);
  const body = rows.map((row, index) => line(text(row), figures[index + 1] ?? []));
  const rule = (look.unicode ? "─" : "-").repeat(Math.min(columns, displayWidth(header)));
  const sum = inked(look, "bold", body.at(-1) ?? "");
  return [inked(look, "dim", header), ...body.slice(0, -1), inked(look, "dim", rule), sum];
}

function servicesLine(services: readonly MemberReport[], columns: number, look: TerminalLook): string {
  const minus = look.unicode ? "−" : "-";
  const parts = services.map(
    (member) => `${printable(look, member.name)} ${formatMoney(member.netMicros, { plus: true, minus })}`,
  );
  return inked(look, "dim", cut(look, `net of those who do not trade: ${parts.join(", ")}`, columns));
}
