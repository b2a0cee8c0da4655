/** Flows that a node begins by itself: the seller ends its auction at the deadline, the winner settles it. */

import type { Auction, NodeEndpoint, State } from "#contracts";
import type { Timers } from "#core";

export const LEDGER_PRIORITY = 1;

/** Schedules what is due now, after a restart too, and whatever later events bring. */
export async function scheduleFlows(
  node: NodeEndpoint,
  timers: Timers,
  name: string,
  report: (problem: string) => void,
): Promise<void> {
  const run = async (tag: "end-auction" | "settle-auction", auction: Auction): Promise<void> => {
    const result = await node.submit({ tag, commandId: `${tag}/${auction.auctionId}`, auctionId: auction.auctionId });
    if (!result.ok) report(`${name}: ${tag} of ${auction.auctionId} refused: ${result.error.tag}`);
  };
  const scheduled = new Set<string>();
  const consider = (state: State): void => {
    if (state.tag !== "auction" || scheduled.has(`${state.auctionId} ${state.status}`)) return;
    if (state.status === "active" && state.seller === node.party) {
      scheduled.add(`${state.auctionId} ${state.status}`);
      timers.at(state.deadlineMs, {
        priority: LEDGER_PRIORITY,
        source: `end ${state.auctionId}`,
        run: () => run("end-auction", state),
      });
    }
    if (state.status === "ended" && state.highestBidder === node.party) {
      scheduled.add(`${state.auctionId} ${state.status}`);
      timers.at(state.deadlineMs, {
        priority: LEDGER_PRIORITY,
        source: `settle ${state.auctionId}`,
        run: () => run("settle-auction", state),
      });
    }
  };
  for (const { state } of await node.states("auction")) consider(state);
  node.listen(({ made }) => made.forEach(consider));
}
