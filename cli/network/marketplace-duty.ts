/**
 * The marketplace's duty: rounds of all open pools on a schedule, and a final round before each slot's gate. The orders are on
 * the ledger, so a restart loses none; a final round that was missed runs at once while its gate is open.
 */
import { schedule } from "node-cron";
import type { NodeEndpoint, PoolOrder } from "#contracts";
import { type Clock, type SlotId, slotOf, type Timers } from "#core";
import { ownerClient } from "#ledger-client";
import { Marketplace, payAsClear, type RoundProblem, tradingMethod } from "#marketplace";
import type { NodeConfig } from "./node-config.ts";

export type MarketplaceDutyOptions = {
  readonly node: NodeEndpoint;
  readonly marketplace: Marketplace;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly roundsCron: string;
  readonly timeZone: string;
  readonly gateLeadMs: number;
  readonly finalRoundLeadMs: number;
  readonly report: (problem: string) => void;
};

export type MarketplaceDuty = { readonly stop: () => Promise<void> };

const PRIORITY = 3;
const RETRY_MS = 2_000;

/** The marketplace of a node that is configured as one. */
export function marketplaceOf(node: NodeEndpoint, config: NodeConfig, clock: Clock): Marketplace | undefined {
  if (config.marketplace === undefined) return undefined;
  const method = tradingMethod(config.marketplace.method) ?? payAsClear;
  return new Marketplace({ client: ownerClient(node), method, nowMs: () => clock.nowMs() });
}

export async function runPools(options: MarketplaceDutyOptions): Promise<MarketplaceDuty> {
  const pools = new Pools(options);
  await pools.start();
  return { stop: () => pools.stop() };
}

class Pools {
  readonly #options: MarketplaceDutyOptions;
  readonly #finals = new Set<SlotId>();
  #cron: ReturnType<typeof schedule> | undefined;
  /** Rounds follow each other: two at once would clear the same orders. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: MarketplaceDutyOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { node, roundsCron, timeZone } = this.#options;
    node.listen(({ made }) => {
      for (const state of made) if (state.tag === "pool-order") this.#scheduleFinal(state);
    });
    for (const { state } of await node.states("pool-order")) this.#scheduleFinal(state);
    this.#cron = schedule(roundsCron, () => this.#round(), {
      timezone: timeZone,
      noOverlap: true,
      suppressMissedWarning: true,
    });
  }

  async stop(): Promise<void> {
    await this.#cron?.destroy();
    await this.#last;
  }

  #gateMs(slot: SlotId): number {
    return slotOf(slot).startMs - this.#options.gateLeadMs;
  }

  /** Late orders have a final round of their own, as soon as there is one. */
  #scheduleFinal({ slot, marketplace }: Pick<PoolOrder, "slot" | "marketplace">, notBeforeMs = 0): void {
    const { node, timers, finalRoundLeadMs } = this.#options;
    if (marketplace !== node.party || this.#finals.has(slot)) return;
    this.#finals.add(slot);
    const atMs = Math.max(this.#gateMs(slot) - finalRoundLeadMs, notBeforeMs);
    timers.at(atMs, {
      priority: PRIORITY,
      source: `final round ${slot}`,
      run: () => this.#final(slot, marketplace),
    });
  }

  async #final(slot: SlotId, marketplace: PoolOrder["marketplace"]): Promise<void> {
    this.#finals.delete(slot);
    const { clock } = this.#options;
    if (clock.nowMs() >= this.#gateMs(slot)) return; // Its orders lapse by themselves.
    const problems = await this.#clear([slot], true);
    if (problems.length > 0) this.#scheduleFinal({ slot, marketplace }, clock.nowMs() + RETRY_MS);
  }

  async #round(): Promise<void> {
    const { node, clock, finalRoundLeadMs } = this.#options;
    const orders = await node.states("pool-order");
    const open = orders
      .filter(({ state }) => state.marketplace === node.party)
      .map(({ state }) => state.slot)
      .filter((slot) => clock.nowMs() < this.#gateMs(slot) - finalRoundLeadMs);
    await this.#clear([...new Set(open)].sort(), false);
  }

  #clear(slots: readonly SlotId[], isFinal: boolean): Promise<readonly RoundProblem[]> {
    const cleared = this.#last.then(() => this.#options.marketplace.clearSlots(slots, isFinal));
    const reported = cleared.then(
      (problems) => {
        for (const { slot, refusal } of problems) this.#options.report(`round of ${slot} was refused: ${refusal.tag}`);
        return problems;
      },
      (error: unknown) => {
        this.#options.report(`round failed: ${error instanceof Error ? error.message : String(error)}`);
        return slots.map((slot): RoundProblem => ({ slot, refusal: { tag: "node_unreachable" } }));
      },
    );
    this.#last = reported;
    return reported;
  }
}
