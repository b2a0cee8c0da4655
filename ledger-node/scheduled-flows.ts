/** Flows that a node begins by itself: the seller ends its auction, the winner settles it, and takes its bid back if that fails. */

import type { Auction, NodeEndpoint, State } from "#contracts";
import { slotOf, type Timers } from "#core";

export const LEDGER_PRIORITY = 1;

type ScheduledFlow = "end-auction" | "settle-auction" | "lapse-auction";

/** Schedules what is due now, after a restart too, and whatever later events bring. */
export async function scheduleFlows(
  node: NodeEndpoint,
  timers: Timers,
  name: string,
  report: (problem: string) => void,
): Promise<void> {
  const gateLeadMs = (await node.states("network-parameters"))[0]?.state.gateLeadMs ?? 0;
  const scheduled = new Set<string>();
  const run = async (tag: ScheduledFlow, { auctionId }: Auction): Promise<void> => {
    const open = (await node.states("auction")).find(({ state }) => state.auctionId === auctionId);
    if (open === undefined) return; // Settled in the meantime.
    if (tag !== "end-auction" && open.state.highestBidder !== node.party) return; // Outbid in the meantime.
    const result = await node.submit({ tag, commandId: `${tag}/${auctionId}`, auctionId });
    if (!result.ok) report(`${name}: ${tag} of ${auctionId} was refused: ${result.error.tag}`);
  };
  const schedule = (tag: ScheduledFlow, auction: Auction, atMs: number): void => {
    const source = `${tag} ${auction.auctionId}`;
    if (scheduled.has(source)) return;
    scheduled.add(source);
    timers.at(atMs, { priority: LEDGER_PRIORITY, source, run: () => run(tag, auction) });
  };
  const consider = (state: State): void => {
    if (state.tag !== "auction") return;
    if (state.status === "active" && state.seller === node.party) schedule("end-auction", state, state.deadlineMs);
    if (state.highestBidder !== node.party) return;
    if (state.status === "ended") schedule("settle-auction", state, state.deadlineMs);
    // Whether or not its seller ever ends it.
    schedule("lapse-auction", state, slotOf(state.slot).startMs - gateLeadMs);
  };
  for (const { state } of await node.states("auction")) consider(state);
  node.listen(({ made }) => made.forEach(consider));
}
