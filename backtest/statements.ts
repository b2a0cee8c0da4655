/** Members' monthly statements as files: one row for each hour, one column for each source. */
import type { Claims } from "#contracts";
import { localTimeAt, type PublicKey, wattHours, type ZoneName } from "#core";
import type { StatementPart, UsedSource } from "#ledger-node";
import type { StatementReport } from "./report/index.ts";
import type { MonthlyStatement } from "./service-book.ts";

export const STATEMENTS_FOLDER = "statements";

export type StatementFile = { readonly report: StatementReport; readonly csv: string };

/** @param nameOf - Of a verification agency. */
export function statementFile(
  { member, month, statement }: MonthlyStatement,
  timeZone: ZoneName,
  nameOf: (key: PublicKey) => string,
): StatementFile {
  const sources = [...new Set(statement.sources.map(({ claims }) => sourceName(claims, nameOf)))].sort();
  const header = ["hour", "consumedWh", "ownWh", ...sources.map((name) => `${name} Wh`), "lastResortWh"];
  const rows = statement.hours.map((hour) => [
    hourText(hour.startMs, timeZone),
    ...cells(hour, sources, (claims) => sourceName(claims, nameOf)),
  ]);
  const total = ["total", ...cells(statement, sources, (claims) => sourceName(claims, nameOf))];
  const csv = `${[header, ...rows, total].map((row) => row.map(quoted).join(",")).join("\n")}\n`;
  const isGreen = ({ claims }: UsedSource): boolean =>
    claims !== null && claims.certifiedBy !== null && claims.renewable;
  const energyOf = (parts: readonly UsedSource[]): bigint => parts.reduce((sum, { energyWh }) => sum + energyWh, 0n);
  const report: StatementReport = {
    member,
    month,
    consumedWh: statement.consumedWh,
    ownWh: statement.ownWh,
    certifiedRenewableWh: wattHours(energyOf(statement.sources.filter(isGreen))),
    otherBoughtWh: wattHours(energyOf(statement.sources.filter((source) => !isGreen(source)))),
    lastResortWh: statement.lastResortWh,
    file: `${STATEMENTS_FOLDER}/${member.replace(/[^\p{L}\p{N}._-]+/gu, "-")}-${month}.csv`,
  };
  return { report, csv };
}

function cells(
  part: StatementPart,
  sources: readonly string[],
  nameOf: (claims: Claims | null) => string,
): readonly string[] {
  const energyOf = (name: string): bigint =>
    part.sources.filter(({ claims }) => nameOf(claims) === name).reduce((sum, { energyWh }) => sum + energyWh, 0n);
  return [part.consumedWh, part.ownWh, ...sources.map(energyOf), part.lastResortWh].map(String);
}

function sourceName(claims: Claims | null, nameOf: (key: PublicKey) => string): string {
  if (claims === null) return "bought without claims";
  const { source, origin, certifiedBy } = claims;
  const said = [source ?? "any source", ...(origin === null ? [] : [`from ${origin}`])].join(" ");
  return certifiedBy === null ? `${said} (claimed)` : `${said} (certified by ${nameOf(certifiedBy)})`;
}

function hourText(startMs: number, timeZone: ZoneName): string {
  const { day, hour } = localTimeAt(timeZone, startMs);
  return `${day} ${`${hour}`.padStart(2, "0")}:00`;
}

function quoted(cell: string): string {
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
