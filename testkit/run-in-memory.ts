/** A whole run that nobody keeps: stores, commit log and event log in memory; everything that a law wants to look at. */
import {
  type CommunityServices,
  defaultRules,
  EventLog,
  type SettlementRow,
  type SimulationOptions,
  type SimulationResult,
  settlementsCsv,
  simulate,
} from "#backtest";
import { decodeSignedTransaction, type SignedTransaction } from "#contracts";
import { hashOf, type LocalDay, type Micros, unwrap } from "#core";
import type { Community } from "#data";
import { createPersistence, type Forecaster } from "#forecast";
import { createMemoryCommitLog, type NetworkRules, openSqliteNodeStore } from "#ledger-node";
import { findStrategy, type Strategy } from "#strategies";

export type InMemoryOptions = CommunityServices & {
  readonly community: Community;
  /** The community's demo day unless said otherwise. */
  readonly firstDay?: LocalDay;
  readonly days?: number;
  readonly seed?: number;
  readonly rules?: Partial<NetworkRules>;
  /** Persistence unless said otherwise: cheap, and learns from the meters that the run knows. */
  readonly forecaster?: Forecaster;
  /** Strategies of members instead of the community's own. */
  readonly strategies?: Readonly<Record<string, { readonly strategy: string | Strategy; readonly config?: unknown }>>;
  readonly stopAtMs?: number;
};

export type InMemoryRun = SimulationResult & {
  readonly rules: NetworkRules;
  readonly rows: readonly SettlementRow[];
  readonly csv: string;
  /** Lines of the event log. */
  readonly lines: readonly string[];
  readonly runHash: string;
  /** Everything that the notary made final, in its order. */
  readonly committed: readonly { readonly atMs: number; readonly signed: SignedTransaction }[];
  readonly money: { readonly issuedMicros: Micros; readonly heldMicros: Micros };
};

/** Runs a community as `dream simulate` does, but in memory. @throws InvariantError when the run is refused. */
export async function runInMemory(options: InMemoryOptions): Promise<InMemoryRun> {
  const { community, strategies = {}, days = 1, seed = 1 } = options;
  const rules: NetworkRules = { ...defaultRules(community, "EUR"), ...options.rules };
  const lines: string[] = [];
  const events = new EventLog((line) => void lines.push(line));
  const commitLog = createMemoryCommitLog();
  const defer = (task: () => void): void => void setImmediate(task);
  const simulated = await simulate({
    community,
    firstDay: options.firstDay ?? community.demoFirstDay,
    days,
    seed,
    rules,
    forecaster: options.forecaster ?? createPersistence(community),
    strategyOf: (member) =>
      chosen(strategies[member.name] ?? { strategy: member.strategy, config: member.strategyConfig }),
    commitLog,
    openStore: () => openSqliteNodeStore(":memory:", "process-crash", defer),
    defer,
    events,
    ...(options.stopAtMs === undefined ? {} : { stopAtMs: options.stopAtMs }),
    ...servicesOf(options),
  });
  const result = unwrap(simulated);
  const rows = result.book.rows(result.slots.map(({ id }) => id));
  const csv = settlementsCsv(rows);
  const committed = [...commitLog.scan()].map(({ atMs, bytes }) => ({
    atMs,
    signed: unwrap(decodeSignedTransaction(new Uint8Array(bytes))),
  }));
  const money = result.network.moneyHeld();
  result.network.close();
  const runHash = hashOf(`${events.head}\n${hashOf(csv)}`);
  return { ...result, rules, rows, csv, lines, runHash, committed, money };
}

function servicesOf({ agency, aggregator, meterOperators }: InMemoryOptions): CommunityServices {
  return {
    ...(agency === undefined ? {} : { agency }),
    ...(aggregator === undefined ? {} : { aggregator }),
    ...(meterOperators === undefined ? {} : { meterOperators }),
  };
}

function chosen({
  strategy,
  config = {},
}: {
  readonly strategy: string | Strategy;
  readonly config?: unknown;
}): ReturnType<SimulationOptions["strategyOf"]> {
  const found = typeof strategy === "string" ? unwrap(findStrategy(strategy)) : strategy;
  return { strategy: found, config: found.config.parse(config) };
}
