/**
 * Flows that a node begins by itself. The seller ends its auction, the winner settles it, and takes its bid back if that fails;
 * who is silent is waited for until the grace period is over, and then those who must not wait go on without it.
 * Nothing of it is kept: it follows from the states, after a restart too.
 */

import {
  type Auction,
  type ClientCommand,
  correctableUntilMs,
  type Dispute,
  type DisputeVote,
  type LedgerRefusal,
  type LedgerRefusalCode,
  type NetworkParameters,
  type NodeEndpoint,
  type PoolOrder,
  type StandingVote,
  type State,
  standingQuorum,
} from "#contracts";
import { type Clock, canonicalJson, compareText, hashOf, type PublicKey, slotOf, type Timers } from "#core";
import type { AggregatorHost } from "./aggregator/index.ts";

export const LEDGER_PRIORITY = 1;

/** Refusals that pass: somebody was away, or something else happened at the same time. */
const PASSING: readonly LedgerRefusalCode[] = [
  "node_unreachable",
  "store_full",
  "member_not_served",
  "notary_outdated",
  "state_conflict",
  "dependency_unknown",
  "time_window_invalid",
  // A decision waits until the slot is settled by the reading that its delivery was checked by.
  "reading_recorded",
];
/** The pause before the first retry; each later one is twice as long, up to the other. */
const RETRY_MS = 5_000;
const RETRY_MS_MAX = 600_000;
const ORDERS_MAX = 1_000;

/** A flow that is due at an instant: `command` gives what is to be done then, or nothing where it is done already. */
type DueFlow = { readonly name: string; readonly command: () => Promise<ClientCommand | undefined> };

/** Schedules what is due now, after a restart too, and whatever later events bring. */
export async function scheduleFlows(
  node: NodeEndpoint,
  timers: Timers,
  name: string,
  report: (problem: string) => void,
  clock: Clock,
): Promise<void> {
  const parameters = (await node.states("network-parameters"))[0]?.state;
  if (parameters === undefined) return;
  const consider = considering(new Schedule(node, timers, name, report, clock), node, parameters);
  for (const tag of ["auction", "pool-order", "standing-vote", "dispute", "dispute-vote"] as const)
    for (const { state } of await node.states(tag)) consider(state);
  node.listen(({ made }) => made.forEach(consider));
}

/**
 * The same for all members of an aggregator, those that come later too. What is public is considered once, for whom it concerns,
 * and not by each of them.
 */
export async function scheduleHostFlows(
  host: Pick<AggregatorHost, "node" | "seat" | "onSeat">,
  timers: Timers,
  report: (problem: string) => void,
  clock: Clock,
): Promise<void> {
  const parameters = (await host.node.states("network-parameters"))[0]?.state;
  if (parameters === undefined) return;
  const members = new Map<PublicKey, (state: State) => void>();
  host.onSeat((seat) => {
    const schedule = new Schedule(seat, timers, seat.party.slice(0, 16), report, clock);
    const consider = considering(schedule, seat, parameters);
    members.set(seat.party, consider);
    seat.unspent("pool-order").forEach(consider);
    seat.listenToOwn(({ made }) => made.forEach(consider));
  });
  const dispatch = (state: State): void => {
    if (state.tag !== "auction") return;
    for (const party of new Set([state.seller, state.highestBidder]))
      if (party !== null && host.seat(party) !== undefined) members.get(party)?.(state);
  };
  host.node.unspent("auction").forEach(dispatch);
  host.node.listen(({ made }) => made.forEach(dispatch));
}

/** What a node does about a state when it sees it. */
function considering(schedule: Schedule, node: NodeEndpoint, parameters: NetworkParameters): (state: State) => void {
  let votesSeen = 0;
  return (state) => {
    if (state.tag === "auction") considerAuction(schedule, node, state, parameters);
    if (state.tag === "pool-order" && state.owner === node.party) considerOrder(schedule, node, state, parameters);
    if (state.tag === "standing-vote") considerVote(schedule, node, state);
    const isGridAuthority = node.party === parameters.gridAuthority;
    if (state.tag === "dispute" && isGridAuthority) considerDispute(schedule, node, state, parameters);
    if (state.tag === "dispute-vote" && isGridAuthority) considerDisputeVote(schedule, node, state, votesSeen++);
  };
}

/** Runs each flow once at its instant, and again with growing pauses while what refuses it may pass. */
class Schedule {
  readonly #node: NodeEndpoint;
  readonly #timers: Timers;
  readonly #name: string;
  readonly #report: (problem: string) => void;
  readonly #clock: Clock;
  readonly #scheduled = new Set<string>();

  constructor(node: NodeEndpoint, timers: Timers, name: string, report: (problem: string) => void, clock: Clock) {
    this.#node = node;
    this.#timers = timers;
    this.#name = name;
    this.#report = report;
    this.#clock = clock;
  }

  add(atMs: number, flow: DueFlow): void {
    if (this.#scheduled.has(flow.name)) return;
    this.#scheduled.add(flow.name);
    this.#try(atMs, flow, RETRY_MS, undefined);
  }

  /** @param told - The refusal that was reported before: one that stays the same is reported once. */
  #try(dueMs: number, flow: DueFlow, pauseMs: number, told: string | undefined): void {
    const run = async (): Promise<void> => {
      const command = await flow.command();
      const result = command === undefined ? undefined : await this.#node.submit(command);
      if (result === undefined || result.ok) return;
      const reason = reasonOf(result.error);
      if (reason !== told) this.#report(`${this.#name}: ${flow.name} was refused: ${reason}`);
      // From now on, not from when it was due: that may be long ago, and the tries would be used up at once.
      const nextMs = Math.max(dueMs, this.#clock.nowMs()) + pauseMs;
      if (PASSING.includes(reason)) this.#try(nextMs, flow, Math.min(2 * pauseMs, RETRY_MS_MAX), reason);
    };
    this.#timers.at(dueMs, { priority: LEDGER_PRIORITY, source: flow.name, run });
  }
}

function reasonOf(refusal: LedgerRefusal): LedgerRefusalCode {
  return refusal.tag === "counterparty_refused" ? refusal.reason : refusal.tag;
}

type AuctionFlow = "end-auction" | "settle-auction" | "lapse-auction";

function considerAuction(
  schedule: Schedule,
  node: NodeEndpoint,
  auction: Auction,
  { gateLeadMs, settlementGraceMs }: NetworkParameters,
): void {
  const { auctionId, deadlineMs, seller, marketplace, slot } = auction;
  const overdueMs = deadlineMs + settlementGraceMs;
  const flow = (tag: AuctionFlow, when: string, isDue: (open: Auction) => boolean): DueFlow => ({
    name: `${tag} of ${auctionId}${when}`,
    command: async () => {
      const open = (await node.states("auction")).find(({ state }) => state.auctionId === auctionId)?.state;
      return open !== undefined && isDue(open) ? { tag, commandId: `${tag}/${auctionId}`, auctionId } : undefined;
    },
  });
  const isActive = ({ status }: Auction): boolean => status === "active";
  const isWon = ({ highestBidder }: Auction): boolean => highestBidder === node.party;
  if (seller === node.party) schedule.add(deadlineMs, flow("end-auction", "", isActive));
  // A winner settles also what its seller never ended; what nobody bid for is ended by the marketplace.
  const isUnsold = (open: Auction): boolean => isActive(open) && open.highestBidder === null;
  if (marketplace === node.party && seller !== node.party)
    schedule.add(overdueMs, flow("end-auction", " for its seller", isUnsold));
  if (!isWon(auction)) return;
  if (!isActive(auction)) schedule.add(deadlineMs, flow("settle-auction", "", isWon));
  schedule.add(overdueMs, flow("settle-auction", " after the grace period", isWon));
  schedule.add(slotOf(slot).startMs - gateLeadMs, flow("lapse-auction", "", isWon));
}

/** Orders that nobody released by the end of the grace period after their gate: their owner takes them back alone. */
function considerOrder(
  schedule: Schedule,
  node: NodeEndpoint,
  { slot, marketplace }: PoolOrder,
  { gateLeadMs, settlementGraceMs }: NetworkParameters,
): void {
  schedule.add(slotOf(slot).startMs - gateLeadMs + settlementGraceMs, {
    name: `cancel-orders of ${slot} at ${marketplace.slice(0, 16)}`,
    command: async () => {
      const orderIds = (await node.states("pool-order"))
        .map(({ state }) => state)
        .filter((order) => order.owner === node.party && order.slot === slot && order.marketplace === marketplace)
        .map(({ orderId }) => orderId)
        .sort(compareText)
        .slice(0, ORDERS_MAX);
      const commandId = `cancel-orders/${hashOf(canonicalJson(orderIds))}`;
      return orderIds.length === 0 ? undefined : { tag: "cancel-orders", commandId, orderIds };
    },
  });
}

/** A verifier that has voted proposes the amendment as soon as enough others have. Who is late is refused, and done. */
function considerVote(
  schedule: Schedule,
  node: NodeEndpoint,
  { member, standing, voter, expiresMs }: StandingVote,
): void {
  const vote = `${voter} ${expiresMs}`;
  schedule.add(0, {
    name: `amend-member ${member.slice(0, 16)} to ${standing} by vote ${hashOf(vote).slice(0, 16)}`,
    command: async () => {
      const parameters = (await node.states("network-parameters"))[0]?.state;
      const current = (await node.states("member")).find(({ state }) => state.key === member)?.state;
      const votes = (await node.states("standing-vote"))
        .map(({ state }) => state)
        .filter((each) => each.member === member && each.standing === standing);
      const isMine = votes.some((each) => each.voter === node.party);
      if (parameters === undefined || current === undefined || current.standing === standing || !isMine)
        return undefined;
      if (new Set(votes.map((each) => each.voter)).size < standingQuorum(parameters)) return undefined;
      const commandId = `amend-member/${hashOf(canonicalJson(votes.map((each) => `${each.voter} ${each.expiresMs}`).sort(compareText)))}`;
      return { tag: "amend-member", commandId, member, standing };
    },
  });
}

/** A dispute that nobody decided in time is closed. */
function considerDispute(
  schedule: Schedule,
  node: NodeEndpoint,
  { disputeId, slot }: Dispute,
  parameters: NetworkParameters,
): void {
  schedule.add(correctableUntilMs(slot, parameters), {
    name: `decide-dispute of ${disputeId} at the end`,
    command: async () => {
      const isOpen = (await node.states("dispute")).some(({ state }) => state.disputeId === disputeId);
      const commandId = `decide-dispute/${hashOf(disputeId)}/end`;
      return isOpen ? { tag: "decide-dispute", commandId, disputeId } : undefined;
    },
  });
}

/** The grid authority decides as soon as enough verifiers have voted alike. */
function considerDisputeVote(
  schedule: Schedule,
  node: NodeEndpoint,
  { disputeId, produced, consumed }: DisputeVote,
  number: number,
): void {
  schedule.add(0, {
    name: `decide-dispute of ${disputeId} by vote ${number}`,
    command: async () => {
      const parameters = (await node.states("network-parameters"))[0]?.state;
      const isOpen = (await node.states("dispute")).some(({ state }) => state.disputeId === disputeId);
      const alike = (await node.states("dispute-vote"))
        .map(({ state }) => state)
        .filter((each) => each.disputeId === disputeId && each.produced === produced && each.consumed === consumed);
      const voters = [...new Set(alike.map((each) => each.voter))].sort(compareText);
      if (parameters === undefined || !isOpen || voters.length < standingQuorum(parameters)) return undefined;
      const commandId = `decide-dispute/${hashOf(canonicalJson([disputeId, produced, consumed, voters]))}`;
      return { tag: "decide-dispute", commandId, disputeId };
    },
  });
}
