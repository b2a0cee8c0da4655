/** The body of `dream member statement`. */
import { type LocalDay, localTimeAt, type PublicKey, parseLocalDay, toJson, type ZoneName, zone } from "#core";
import { type HistoryStep, memberNames, type Statement, type StatementPart, statementOf } from "#ledger-node";
import { claimsInWords } from "./claims-text.ts";
import { CommandFailure, EXIT } from "./exit.ts";
import { readHistory } from "./history-folder.ts";
import { nearNames } from "./near-names.ts";
import { renderTable } from "./table.ts";

export type StatementFlags = {
  readonly run: string;
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
};

/** Prints what a member used, by source and hour. @throws CommandFailure for an unknown folder, member or day. */
export function memberStatement(member: string, flags: StatementFlags, stdout: NodeJS.WritableStream): void {
  const period = { from: dayOf("--from", flags.from), to: dayOf("--to", flags.to) };
  const history = readHistory(flags.run);
  const names = memberNames(history);
  const key = keyOf(member, flags.run, names);
  const timeZone = timeZoneIn(history, flags.run);
  const statement = statementOf(history, key, timeZone, period);
  const nameOf = (other: PublicKey): string => names.get(other) ?? other.slice(0, 16);
  const name = nameOf(key);
  stdout.write(
    flags.json === true
      ? `${toJson(asJson(name, timeZone, statement, nameOf), 2)}\n`
      : rendered(name, timeZone, statement, nameOf),
  );
}

function dayOf(option: string, text: string | undefined): LocalDay | undefined {
  if (text === undefined) return undefined;
  const day = parseLocalDay(text);
  if (day.ok) return day.value;
  throw new CommandFailure(EXIT.badInput, `${option} is not a day: ${JSON.stringify(text)}; write it as 2031-06-01`);
}

/** By name, or by key. */
function keyOf(member: string, folder: string, names: ReadonlyMap<PublicKey, string>): PublicKey {
  for (const [key, name] of names) if (name === member || key === member) return key;
  const near = nearNames(member, names.values());
  throw new CommandFailure(
    EXIT.notFound,
    `${folder}: there is no member ${member}; ${near.length === 0 ? "it shows none" : `nearest: ${near.join(", ")}`}`,
  );
}

function timeZoneIn(history: readonly HistoryStep[], folder: string): ZoneName {
  for (const { made } of history)
    for (const state of made) if (state.tag === "network-parameters") return zone(state.timeZone);
  throw new CommandFailure(EXIT.error, `${folder}: shows no rules of a network; give the folder of a whole store`);
}

function hourText(startMs: number, timeZone: ZoneName): string {
  const { day, hour, minute } = localTimeAt(timeZone, startMs);
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return `${day} ${two(hour)}:${two(minute)}`;
}

type NameOf = (key: PublicKey) => string;

function asJson(member: string, timeZone: ZoneName, statement: Statement, nameOf: NameOf): unknown {
  const part = ({ consumedWh, ownWh, sources, lastResortWh }: StatementPart): object => ({
    consumedWh,
    ownWh,
    sources: sources.map(({ claims, energyWh }) => ({
      source: claims?.source ?? null,
      renewable: claims?.renewable ?? false,
      origin: claims?.origin ?? null,
      gramsCo2PerKwh: claims?.gramsCo2PerKwh ?? null,
      certifiedBy: claims === null || claims.certifiedBy === null ? null : nameOf(claims.certifiedBy),
      energyWh,
    })),
    lastResortWh,
  });
  return {
    member,
    timeZone,
    slots: statement.slots,
    ...part(statement),
    hours: statement.hours.map((hour) => ({
      hour: hourText(hour.startMs, timeZone),
      start: new Date(hour.startMs).toISOString(),
      ...part(hour),
    })),
  };
}

function rendered(member: string, timeZone: ZoneName, statement: Statement, nameOf: NameOf): string {
  const sources = statement.sources.map(({ claims }) => claims);
  const kinds = sources.map((claims) => (claims === null ? "bought" : claimsInWords(claims, nameOf)));
  const cellsOf = (label: string, part: StatementPart): readonly string[] => [
    label,
    `${part.consumedWh}`,
    `${part.ownWh}`,
    ...kinds.map((kind) => {
      const found = part.sources.find(
        ({ claims }) => (claims === null ? "bought" : claimsInWords(claims, nameOf)) === kind,
      );
      return `${found?.energyWh ?? 0n}`;
    }),
    `${part.lastResortWh}`,
  ];
  const heads = ["hour", "used Wh", "own production", ...kinds, "last resort"];
  const rows = statement.hours.map((hour) => cellsOf(hourText(hour.startMs, timeZone), hour));
  const numbers = new Set(heads.map((_, column) => column).slice(1));
  return `${member}, ${statement.slots} settled slots, ${timeZone}\n${renderTable(heads, [...rows, cellsOf("sum", statement)], numbers)}`;
}
