/** What a node does by itself, by its roles: scheduled flows, pools, settlements, opening funds, and unfinished business. */
import type { Logger } from "pino";
import type { Role } from "#contracts";
import type { Clock, Timers } from "#core";
import { type AggregatorHost, type LedgerNode, scheduleFlows, scheduleHostFlows } from "#ledger-node";
import type { Marketplace } from "#marketplace";
import { type MarketplaceDuty, runPools } from "./marketplace-duty.ts";
import { reportReadings } from "./meter-duty.ts";
import { type NodeConfig, resolvePath } from "./node-config.ts";
import { issueOpeningFunds } from "./opening-funds-duty.ts";
import { settleRecordedSlots } from "./settlement-duty.ts";

export type DutyOptions = {
  readonly node: LedgerNode;
  /** Of an aggregator, with the members that it serves. */
  readonly host: AggregatorHost | undefined;
  /** Closes the seats of members that have moved away. */
  readonly tidy: () => void;
  /** Of a node that is configured as one. */
  readonly marketplace: Marketplace | undefined;
  readonly roles: readonly Role[];
  readonly config: NodeConfig;
  /** Of the node: what its configuration names is relative to it. */
  readonly folder: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

export type Duties = { readonly stop: () => Promise<void> };

const RESUME_PRIORITY = 9;
/** While something is unfinished, and while nothing is. */
const RESUME_MS = { busy: 1_000, idle: 5_000 } as const;
const MEMBERSHIP_POLL_MS = 250;

/** Takes up the duties of a node that is a member already; one that is still to join takes them up when it has. */
export async function takeUpDuties(options: DutyOptions): Promise<Duties> {
  const { node } = options;
  let pools: MarketplaceDuty | undefined;
  const start = async (): Promise<void> => {
    pools = await begin(options);
  };
  finishFromTimeToTime(options);
  if (isIntroduced(node)) await start();
  else whenIntroduced(options, start);
  return { stop: async () => pools?.stop() };
}

async function begin(options: DutyOptions): Promise<MarketplaceDuty | undefined> {
  const { node, host, marketplace, roles, config, folder, clock, timers, logger } = options;
  const report = (problem: string): void => logger.warn({ problem }, "duty");
  await scheduleFlows(node, timers, config.name, report, clock);
  if (host !== undefined) await scheduleHostFlows(host, timers, report, clock);
  if (roles.includes("payment-provider"))
    issueOpeningFunds({ node, clock, timers, funds: config.openingFunds, report });
  if (roles.includes("grid-authority"))
    await settleRecordedSlots({ node, clock, timers, retryMs: config.settlement.retrySeconds * 1_000, report });
  if (roles.includes("meter-operator") && config.meterReadings !== undefined) {
    const { file, pollSeconds } = config.meterReadings;
    reportReadings({ node, clock, timers, file: resolvePath(folder, file), pollMs: pollSeconds * 1_000, report });
  }
  const [rules] = node.unspent("network-parameters");
  if (marketplace === undefined || config.marketplace === undefined || rules === undefined) return undefined;
  return runPools({
    node,
    marketplace,
    clock,
    timers,
    report,
    roundsCron: config.marketplace.roundsCron,
    timeZone: rules.timeZone,
    gateLeadMs: rules.gateLeadMs,
    finalRoundLeadMs: config.marketplace.finalRoundLeadSeconds * 1_000,
  });
}

function isIntroduced(node: LedgerNode): boolean {
  return node.unspent("network-parameters").length > 0 && node.unspent("member").some(({ key }) => key === node.party);
}

function whenIntroduced(options: DutyOptions, run: () => Promise<void>): void {
  const { node, clock, timers } = options;
  timers.at(clock.nowMs() + MEMBERSHIP_POLL_MS, {
    priority: RESUME_PRIORITY,
    source: "membership",
    run: () => (isIntroduced(node) ? run() : whenIntroduced(options, run)),
  });
}

/** Tries again what could not be concluded or delivered. */
function finishFromTimeToTime({ node, host, tidy, clock, timers, logger }: DutyOptions): void {
  const acting = host ?? node;
  const schedule = (): void => {
    const { commands, messages } = acting.underWay;
    const delayMs = commands + messages > 0 ? RESUME_MS.busy : RESUME_MS.idle;
    timers.at(clock.nowMs() + delayMs, { priority: RESUME_PRIORITY, source: "resume", run: resume });
  };
  const resume = async (): Promise<void> => {
    try {
      await acting.resume();
      tidy();
    } catch (error) {
      logger.error({ error: error instanceof Error ? error.message : String(error) }, "resume failed");
    }
    schedule();
  };
  timers.at(clock.nowMs(), { priority: RESUME_PRIORITY, source: "resume", run: resume });
}
