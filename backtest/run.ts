/** Runs a simulation into a run directory: stores, event log, settlements, report, manifest. */
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { addLocalDays, compareText, err, hashOf, type LocalDay, ok, type Result, toJson } from "#core";
import type { Community, CommunityMember } from "#data";
import { createAutomatic, createIntraday, type Forecaster } from "#forecast";
import { COMMIT_LOG_FILE, type NetworkRules, openSqliteCommitLog, openSqliteNodeStore } from "#ledger-node";
import type { Strategy } from "#strategies";
import { EventLog } from "./event-log.ts";
import { type RunReport, renderHtml, settlementsCsv } from "./report/index.ts";
import { buildReport } from "./run-report.ts";
import type { CommunityServices } from "./services.ts";
import { coverageRefusal, type SimulationRefusal, type SimulationResult, simulate } from "./simulation.ts";
import { STATEMENTS_FOLDER, type StatementFile, statementFile } from "./statements.ts";

export type RunOptions = CommunityServices & {
  readonly name: string;
  readonly version: string;
  readonly community: Community;
  readonly firstDay: LocalDay;
  readonly days: number;
  readonly seed: number;
  readonly currency: string;
  readonly rules: NetworkRules;
  readonly forecaster?: Forecaster;
  readonly strategyOf: (member: CommunityMember) => { readonly strategy: Strategy; readonly config: unknown };
  readonly directory: string;
  /** What the run was asked for, for the manifest. */
  readonly request: unknown;
  /** Hash of the code that runs, and what runs it, for the manifest. */
  readonly codeHash?: string;
  readonly runtime?: string;
  readonly defer: (task: () => void) => void;
  /** Seconds since any fixed instant: only for the time that the run took. */
  readonly stopwatch: () => number;
  readonly onProgress?: (done: number, total: number) => void;
};

export type RunRefusal = SimulationRefusal | { readonly tag: "directory_in_use"; readonly directory: string };
export type Run = { readonly report: RunReport; readonly directory: string };

/** What a run leaves in its directory, and nothing else. */
const RUN_ENTRIES = [
  "ledger",
  "events.jsonl",
  "settlements.csv",
  STATEMENTS_FOLDER,
  "report.json",
  "report.html",
  "manifest.json",
];
/** Lines of the event log are written this many at a time: a killed run loses at most these, never a stored transaction. */
const LINES_PER_WRITE = 256;

/**
 * Why a run would be refused; undefined when it can begin. Touches nothing.
 * @param directory - Undefined for a new one that is made for the run.
 */
export function runRefusal(
  period: Pick<RunOptions, "community" | "firstDay" | "days">,
  directory: string | undefined,
): RunRefusal | undefined {
  if (directory !== undefined && RUN_ENTRIES.some((entry) => existsSync(join(directory, entry))))
    return { tag: "directory_in_use", directory };
  return coverageRefusal(period);
}

/**
 * Runs a simulation and writes its directory: `ledger/`, `events.jsonl`, `settlements.csv`, `statements/`, `report.json`,
 * `report.html` and `manifest.json`. A refused run writes nothing.
 */
export async function runSimulation(options: RunOptions): Promise<Result<Run, RunRefusal>> {
  const { directory, community, firstDay, days } = options;
  const refusal = runRefusal(options, directory);
  if (refusal !== undefined) return err(refusal);
  const ledger = join(directory, "ledger");
  mkdirSync(ledger, { recursive: true });
  const started = options.stopwatch();
  const lines = new LineWriter(join(directory, "events.jsonl"));
  const events = new EventLog((line) => lines.write(line));
  const forecaster =
    options.forecaster ??
    createIntraday(createAutomatic({ timeZone: community.timeZone }), { timeZone: community.timeZone });
  const simulated = await simulate({
    ...options,
    forecaster,
    events,
    commitLog: openSqliteCommitLog(join(ledger, COMMIT_LOG_FILE)),
    openStore: (name) => openSqliteNodeStore(join(ledger, `${name}.sqlite`), "process-crash", options.defer),
  });
  if (!simulated.ok) {
    lines.close();
    return simulated;
  }
  const result = simulated.value;
  const rows = result.book.rows(result.slots.map(({ id }) => id));
  const csv = settlementsCsv(rows);
  events.append(result.slots.at(-1)?.endMs ?? 0, "settlements", { sha256: hashOf(csv) });
  lines.close();
  const held = result.network.moneyHeld();
  result.network.close();
  const statements = statementsOf(result, community);
  const wallSeconds = options.stopwatch() - started;
  const runHash = hashOf(`${events.head}\n${hashOf(csv)}`);
  const report = buildReport({
    ...options,
    result,
    rows,
    services: options,
    statements: statements.map((each) => each.report),
    money: held,
    lastDay: addLocalDays(firstDay, days - 1),
    wallSeconds,
    runHash,
  });
  writeFileSync(join(directory, "settlements.csv"), csv);
  mkdirSync(join(directory, STATEMENTS_FOLDER));
  for (const statement of statements) writeFileSync(join(directory, statement.report.file), statement.csv);
  writeFileSync(join(directory, "report.json"), `${toJson(report, 2)}\n`);
  writeFileSync(join(directory, "report.html"), renderHtml(report));
  writeFileSync(join(directory, "manifest.json"), `${toJson(manifestOf(options, runHash, csv, events), 2)}\n`);
  return ok({ report, directory });
}

function statementsOf(
  { participants, network, services }: SimulationResult,
  { timeZone }: Community,
): readonly StatementFile[] {
  const names = new Map(participants.map(({ member, node }) => [node.party, member.name]));
  for (const { key, name } of network.node("grid-authority").unspent("member")) names.set(key, name);
  return services
    .statements(names, timeZone)
    .filter(({ statement }) => statement.consumedWh > 0n)
    .sort((left, right) => compareText(left.member, right.member) || compareText(left.month, right.month))
    .map((statement) => statementFile(statement, timeZone, (key) => names.get(key) ?? key));
}

function manifestOf(options: RunOptions, runHash: string, csv: string, events: EventLog): unknown {
  const { name, version, seed, community, firstDay, days, request } = options;
  return {
    name,
    version,
    runtime: options.runtime ?? null,
    seed,
    firstDay,
    days,
    request,
    community: {
      name: community.name,
      source: community.source,
      members: community.members.map((member) => member.name),
    },
    hashes: {
      code: options.codeHash ?? null,
      request: hashOf(toJson(request)),
      data: dataHash(community),
      settlements: hashOf(csv),
      events: events.head,
    },
    events: events.length,
    runHash,
  };
}

/** Covers every meter reading, forecast and tariff of the community. */
function dataHash({ data }: Community): string {
  const parts = [...data.meters.values()].map(
    ({ name, startMs, energyWh }) => `${name} ${startMs} ${hashOf(bytesOf(energyWh))}`,
  );
  for (const { name, vintages } of data.weather.values()) {
    for (const { knownAtMs, values } of vintages)
      parts.push(
        `${name} ${knownAtMs} ${Object.entries(values)
          .map(([key, array]) => `${key} ${array === undefined ? "" : hashOf(bytesOf(array))}`)
          .join()}`,
      );
  }
  for (const { knownAtMs, feedIn, retail } of data.tariffs)
    parts.push(`${knownAtMs} ${feedIn.join()} ${retail.join()}`);
  return hashOf(parts.join("\n"));
}

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

class LineWriter {
  readonly #file: number;
  #lines: string[] = [];

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  write(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= LINES_PER_WRITE) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    if (this.#lines.length > 0) writeSync(this.#file, `${this.#lines.join("\n")}\n`);
    this.#lines = [];
  }
}
