/** The payment provider's duty when a network starts: the opening funds of each member, issued once however often it starts. */
import type { NodeEndpoint } from "#contracts";
import { type Clock, micros, splitEvenly, type Timers } from "#core";
import type { OpeningFunds } from "./node-config.ts";

export type OpeningFundsOptions = {
  readonly node: NodeEndpoint;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly funds: readonly OpeningFunds[];
  readonly report: (problem: string) => void;
};

const PRIORITY = 1;
const RETRY_MS_FIRST = 500;
const RETRY_MS_MAX = 60_000;
const UNKNOWN_MS = 1_000;

/** Issues each until it is done. */
export function issueOpeningFunds(options: OpeningFundsOptions): void {
  for (const funds of options.funds) schedule(options, funds, 0, RETRY_MS_FIRST);
}

function schedule(options: OpeningFundsOptions, funds: OpeningFunds, delayMs: number, retryMs: number): void {
  const { node, clock, timers, report } = options;
  const run = async (): Promise<void> => {
    // A member that an aggregator serves joins a little later; nobody could be told of its funds before.
    const members = await node.states("member");
    if (!members.some(({ state }) => state.key === funds.key)) return schedule(options, funds, UNKNOWN_MS, retryMs);
    const issued = await node.submit(openingFundsCommand(funds));
    if (issued.ok) return;
    report(`opening funds of ${funds.member} were refused: ${issued.error.tag}`);
    schedule(options, funds, retryMs, Math.min(2 * retryMs, RETRY_MS_MAX));
  };
  timers.at(clock.nowMs() + delayMs, { priority: PRIORITY, source: `opening funds ${funds.member}`, run });
}

/** The command that issues them; its id makes sure that it happens once. */
export function openingFundsCommand({
  member,
  key,
  micros: total,
  pieces,
}: OpeningFunds): Parameters<NodeEndpoint["submit"]>[0] {
  const amounts = splitEvenly(total, pieces).filter((amount) => amount > 0n);
  return { tag: "issue-funds", commandId: `opening/${member}`, to: key, amounts: amounts.map(micros) };
}
