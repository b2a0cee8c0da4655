/** Disputes about what meters measured: raised by a party of the delivery, voted on by verifiers, decided by the grid authority. */

import {
  type ClientCommandOf,
  type Dispute,
  type DisputeVote,
  type LedgerRefusal,
  type MeterReading,
  standingQuorum,
} from "#contracts";
import { err, ok, type PublicKey, type Result } from "#core";
import {
  citations,
  type Draft,
  type Drafted,
  type FlowContext,
  memberOf,
  network,
  windowUntil,
} from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { isAbleVerifier } from "./membership.ts";
import { correctionEndMs, correctionWindow, readSoFar } from "./meters.ts";

export async function draftRaiseDispute(
  context: FlowContext,
  { commandId, member, slot, evidence, produced, consumed }: ClientCommandOf<"raise-dispute">,
): Promise<Drafted> {
  const raisedBy = context.party;
  if (memberOf(context, member) === undefined) return err({ tag: "member_unknown" });
  if (raisedBy !== member && raisedBy !== network(context).powerCompany) return err({ tag: "role_not_allowed" });
  if (context.nowMs >= correctionEndMs(context, slot)) return err({ tag: "correction_closed" });
  return ok({
    consumed: [],
    cited: citations(context, [member]),
    made: [{ tag: "dispute", disputeId: commandId, member, slot, raisedBy, evidence, produced, consumed }],
    command: { tag: "raise-dispute", disputeId: commandId },
    window: correctionWindow(context, slot),
    signers: [context.signingKey],
  });
}

function disputeOf(context: FlowContext, disputeId: string): VaultState<"dispute"> | undefined {
  return context.vault.all("dispute").find(({ state }) => state.disputeId === disputeId);
}

/** A verifier's vote, in the place of what it voted before. */
export async function draftVoteDispute(
  context: FlowContext,
  { disputeId, produced, consumed }: ClientCommandOf<"vote-dispute">,
): Promise<Drafted> {
  const voter = context.party;
  if (!isAbleVerifier(context, voter)) return err({ tag: "role_not_allowed" });
  const dispute = disputeOf(context, disputeId);
  if (dispute === undefined) return err({ tag: "dispute_unknown" });
  const before = context.vault
    .free("dispute-vote")
    .filter(({ state }) => state.voter === voter && state.disputeId === disputeId);
  return ok({
    consumed: before,
    cited: [...citations(context, [voter]), dispute],
    made: [{ tag: "dispute-vote", disputeId, voter, produced, consumed }],
    command: { tag: "vote-dispute", disputeId, voter },
    window: windowUntil(context, correctionEndMs(context, dispute.state.slot)),
    signers: [context.signingKey],
  });
}

/** What most verifiers voted for is the next reading, unless it is what was read; after the time for corrections none is made. */
export async function draftDecideDispute(
  context: FlowContext,
  { disputeId }: ClientCommandOf<"decide-dispute">,
): Promise<Drafted> {
  if (context.party !== network(context).gridAuthority) return err({ tag: "role_not_allowed" });
  const dispute = disputeOf(context, disputeId);
  if (dispute === undefined) return err({ tag: "dispute_unknown" });
  const votes = votesOn(context, disputeId);
  const { slot } = dispute.state;
  const isOver = context.nowMs >= correctionEndMs(context, slot);
  const made = isOver ? ok(NO_READING) : decidedReading(context, dispute.state, votes);
  if (!made.ok) return made;
  return ok({
    consumed: [dispute, ...votes, ...made.value.consumed],
    cited: [
      ...citations(
        context,
        votes.map(({ state }) => state.voter),
      ),
      ...made.value.cited,
    ],
    made: made.value.made,
    command: { tag: "decide-dispute", disputeId },
    window: isOver ? { fromMs: correctionEndMs(context, slot), untilMs: null } : correctionWindow(context, slot),
    signers: [context.signingKey],
  });
}

/** One vote of each verifier: a second that its other node cast is left. */
function votesOn(context: FlowContext, disputeId: string): readonly VaultState<"dispute-vote">[] {
  const votes = new Map<PublicKey, VaultState<"dispute-vote">>();
  for (const vote of context.vault.free("dispute-vote"))
    if (vote.state.disputeId === disputeId) votes.set(vote.state.voter, vote);
  return [...votes.values()];
}

type Decided = Pick<Draft, "consumed" | "cited" | "made">;
const NO_READING: Decided = { consumed: [], cited: [], made: [] };

function decidedReading(
  context: FlowContext,
  { member, slot }: Dispute,
  votes: readonly VaultState<"dispute-vote">[],
): Result<Decided, LedgerRefusal> {
  const winner = mostVotedFor(context, votes);
  if (!winner.ok) return winner;
  const { produced, consumed } = winner.value;
  const before = readSoFar(context, member, slot);
  if (!before.ok) return before;
  const { reading, settlement, latest } = before.value;
  const settled = settlement === undefined ? [] : [settlement];
  const read = reading === undefined ? [] : [reading];
  if (latest?.produced === produced && latest.consumed === consumed)
    return ok({ consumed: [], cited: [...read, ...settled], made: [] });
  const next: MeterReading = {
    tag: "meter-reading",
    member,
    slot,
    produced,
    consumed,
    revision: latest === undefined ? 0 : latest.revision + 1,
    agreed: [],
    disagreed: [],
  };
  return ok({ consumed: read, cited: settled, made: [next] });
}

/** The vote that enough verifiers cast alike. */
function mostVotedFor(
  context: FlowContext,
  votes: readonly VaultState<"dispute-vote">[],
): Result<DisputeVote, LedgerRefusal> {
  const able = votes.map(({ state }) => state).filter(({ voter }) => isAbleVerifier(context, voter));
  const needed = standingQuorum(network(context));
  let most = 0;
  for (const vote of able) {
    const alike = able.filter((other) => other.produced === vote.produced && other.consumed === vote.consumed).length;
    if (alike >= needed) return ok(vote);
    most = Math.max(most, alike);
  }
  return err({ tag: "votes_missing", needed, cast: most });
}
