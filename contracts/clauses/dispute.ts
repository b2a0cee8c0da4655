/** Clauses of disputes about what meters measured: raised by a party of the delivery, decided by the verifiers' votes. */
import type { Facts } from "../resolved.ts";
import type { Dispute, DisputeVote, MeterReading } from "../states.ts";
import { type Clause, citedMember, clause, isAfterSlot, mayVerify } from "./clause.ts";
import { standingQuorum } from "./membership.ts";
import { correctableUntilMs, isCorrectable, readSoFar } from "./meters.ts";

export function raiseDisputeClauses(facts: Facts): readonly Clause[] {
  const { disputeId } = facts.commandOf("raise-dispute");
  const [dispute] = facts.made("dispute");
  const ofIt = (holds: (dispute: Dispute) => boolean): boolean => dispute === undefined || holds(dispute);
  return [
    clause("raise_one", () => facts.made("dispute").length === 1 && dispute?.disputeId === disputeId),
    clause("raise_on_a_member", () => ofIt(({ member }) => citedMember(facts, member) !== undefined)),
    clause("raise_by_a_party", () =>
      ofIt(({ member, raisedBy }) => raisedBy === member || raisedBy === facts.parameters.powerCompany),
    ),
    clause("raise_after_the_slot", () => ofIt(({ slot }) => isAfterSlot(facts, slot))),
    clause("raise_in_time", () => ofIt(({ slot }) => isCorrectable(facts, slot))),
    clause("raise_signed_by_the_party", () => ofIt(({ raisedBy }) => facts.isSigner(raisedBy))),
  ];
}

export function voteDisputeClauses(facts: Facts): readonly Clause[] {
  const { disputeId, voter } = facts.commandOf("vote-dispute");
  const cited = facts.cited("dispute");
  const before = facts.consumed("dispute-vote");
  const after = facts.made("dispute-vote");
  return [
    clause("dispute_vote_one", () => after.length === 1),
    clause("dispute_vote_of_the_voter", () =>
      [...before, ...after].every((vote) => vote.voter === voter && vote.disputeId === disputeId),
    ),
    clause("dispute_vote_on_an_open_dispute", () => cited.length === 1 && cited[0]?.disputeId === disputeId),
    clause("dispute_vote_by_a_verifier", () => facts.parameters.verifiers.includes(voter) && mayVerify(facts, voter)),
    clause("dispute_vote_signed_by_the_voter", () => facts.isSigner(voter)),
  ];
}

export function decideDisputeClauses(facts: Facts): readonly Clause[] {
  const { disputeId } = facts.commandOf("decide-dispute");
  const [dispute] = facts.consumed("dispute");
  const votes = facts.consumed("dispute-vote");
  const isOver = dispute !== undefined && facts.isFrom(correctableUntilMs(dispute.slot, facts.parameters));
  return [
    clause("decide_one_dispute", () => facts.consumed("dispute").length === 1 && dispute?.disputeId === disputeId),
    clause("decide_votes_of_the_dispute", () => votes.every((vote) => vote.disputeId === disputeId)),
    clause("decide_one_vote_per_verifier", () => new Set(votes.map(({ voter }) => voter)).size === votes.length),
    clause("decide_by_most_verifiers", () => isOver || decidedReading(facts, votes) !== undefined),
    clause("decide_in_time", () => isOver || (dispute !== undefined && isCorrectable(facts, dispute.slot))),
    clause("decide_replaces_what_was_read", () =>
      [...facts.consumed("meter-reading"), ...facts.cited("meter-reading"), ...facts.cited("slot-settlement")].every(
        ({ member, slot }) => member === dispute?.member && slot === dispute.slot,
      ),
    ),
    clause("decide_makes_the_reading", () =>
      isDecided(facts, dispute, isOver ? undefined : decidedReading(facts, votes)),
    ),
    clause("decide_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
  ];
}

type Measured = Pick<MeterReading, "produced" | "consumed">;

/** What more than half of the verifiers voted for, to the watt-hour. Those that may not act do not count. */
function decidedReading(facts: Facts, votes: readonly DisputeVote[]): Measured | undefined {
  const able = votes.filter(({ voter }) => facts.parameters.verifiers.includes(voter) && mayVerify(facts, voter));
  return able.find((vote) => able.filter((other) => isSame(vote, other)).length >= standingQuorum(facts.parameters));
}

function isSame(left: Measured, right: Measured): boolean {
  return left.produced === right.produced && left.consumed === right.consumed;
}

/** The next reading as decided; none where the decision is what was read, or none was made in time. */
function isDecided(facts: Facts, dispute: Dispute | undefined, decided: Measured | undefined): boolean {
  const made = facts.made("meter-reading");
  if (dispute === undefined) return true;
  const before = readSoFar(facts, dispute.member, dispute.slot);
  if (decided === undefined || (before !== undefined && isSame(before, decided)))
    return made.length === 0 && facts.consumed("meter-reading").length === 0;
  const [reading] = made;
  return (
    made.length === 1 &&
    reading !== undefined &&
    facts.cited("meter-reading").length === 0 &&
    isSame(reading, decided) &&
    reading.member === dispute.member &&
    reading.slot === dispute.slot &&
    reading.revision === (before === undefined ? 0 : before.revision + 1) &&
    reading.agreed.length === 0 &&
    reading.disagreed.length === 0
  );
}
