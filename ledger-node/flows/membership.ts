/** Membership, funds, tariffs and mandates. */

import { type ClientCommandOf, type Member, newMandate, standingQuorum, wholeCents } from "#contracts";
import { err, localDay, NO_MONEY, ok, type PublicKey, slotsOfLocalDay, zone } from "#core";
import { citations, type Drafted, type FlowContext, memberOf, network, sumOf, windowUntil } from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { fundsFor, payFrom } from "./money.ts";

/** The account that a member has with the payment provider, where it has one only. */
const MAIN_ACCOUNT = "main";

/** By the grid authority; or, where standing alone changes, by a verifier once enough of them have voted for it. */
export async function draftAmendMember(
  context: FlowContext,
  command: ClientCommandOf<"amend-member">,
): Promise<Drafted> {
  const { gridAuthority, verifiers } = network(context);
  const isByVotes = context.party !== gridAuthority && verifiers.includes(context.party);
  if (context.party !== gridAuthority && !isByVotes) return err({ tag: "role_not_allowed" });
  const current = memberOf(context, command.member);
  if (current === undefined) return err({ tag: "member_unknown" });
  const { standing, holdingCapPerSlot, capacityPerSlot, storage } = { ...current.state, ...definedOf(command) };
  const votes = isByVotes ? votesFor(context, command.member, standing) : [];
  const needed = standingQuorum(network(context));
  if (isByVotes && votes.length < needed) return err({ tag: "votes_missing", needed, cast: votes.length });
  return ok({
    consumed: [current, ...votes],
    cited: citations(
      context,
      votes.map(({ state }) => state.voter),
    ),
    made: [{ ...current.state, standing, holdingCapPerSlot, capacityPerSlot, storage }],
    command: { tag: "amend-member" },
    window: windowUntil(context, ...votes.map(({ state }) => state.expiresMs)),
    signers: [context.signingKey],
  });
}

/** Votes that count: one of each verifier that may act, not over. */
function votesFor(
  context: FlowContext,
  member: PublicKey,
  standing: Member["standing"],
): readonly VaultState<"standing-vote">[] {
  const votes = new Map<PublicKey, VaultState<"standing-vote">>();
  for (const vote of context.vault.free("standing-vote")) {
    const { voter, expiresMs } = vote.state;
    const isFor = vote.state.member === member && vote.state.standing === standing && expiresMs > context.nowMs;
    if (isFor && voter !== member && isAbleVerifier(context, voter)) votes.set(voter, vote);
  }
  return [...votes.values()];
}

export function isAbleVerifier(context: FlowContext, key: PublicKey): boolean {
  const member = memberOf(context, key)?.state;
  const isVerifier = network(context).verifiers.includes(key) && member?.roles.includes("verifier") === true;
  return isVerifier && member.standing !== "suspended";
}

/** A verifier's vote, in the place of what it voted before on the member; with no standing it takes that back. */
export async function draftVoteStanding(
  context: FlowContext,
  { member, standing, expiresMs }: ClientCommandOf<"vote-standing">,
): Promise<Drafted> {
  const voter = context.party;
  if (memberOf(context, member) === undefined) return err({ tag: "member_unknown" });
  if (!isAbleVerifier(context, voter)) return err({ tag: "role_not_allowed" });
  if (standing !== null && expiresMs <= context.nowMs) return err({ tag: "deadline_out_of_range" });
  const before = context.vault
    .free("standing-vote")
    .filter(({ state }) => state.voter === voter && state.member === member);
  if (standing === null && before.length === 0) return err({ tag: "votes_missing", needed: 1, cast: 0 });
  return ok({
    consumed: before,
    cited: citations(context, [voter, member]),
    made: standing === null ? [] : [{ tag: "standing-vote", voter, member, standing, expiresMs }],
    command: { tag: "vote-standing", voter, member },
    window: windowUntil(context),
    signers: [context.signingKey],
  });
}

/** Replaces the network's rules. What others have proposed under the old ones, and is not final yet, is refused. */
export async function draftAmendParameters(
  context: FlowContext,
  { changes }: ClientCommandOf<"amend-parameters">,
): Promise<Drafted> {
  const before = network(context);
  if (context.party !== before.gridAuthority) return err({ tag: "role_not_allowed" });
  return ok({
    consumed: [context.parameters],
    cited: [],
    made: [{ ...before, ...changes, epoch: before.epoch + 1 }],
    command: { tag: "amend-parameters" },
    window: windowUntil(context),
    signers: [context.signingKey],
  });
}

/** The owner's cents become a debt of the payment provider, which countersigns; what is below a cent stays funds. */
export async function draftRedeemFunds(
  context: FlowContext,
  { amount, account = MAIN_ACCOUNT, commandId }: ClientCommandOf<"redeem-funds">,
): Promise<Drafted> {
  const cents = wholeCents(amount);
  if (cents === NO_MONEY) return err({ tag: "amount_below_cent" });
  const payment = payFrom(context, amount);
  if (!payment.ok) return payment;
  const { party } = context;
  const provider = network(context).paymentProvider;
  return ok({
    consumed: payment.value.consumed,
    cited: [context.parameters],
    made: [
      { tag: "redemption", redemptionId: commandId, owner: party, provider, amount: cents, account },
      ...fundsFor(party, sumOf(payment.value.consumed) - cents),
    ],
    command: { tag: "redeem-funds" },
    window: windowUntil(context),
    signers: [context.signingKey, provider],
  });
}

/** The payment provider has paid what it owed: the money leaves the ledger. */
export async function draftConfirmPayout(
  context: FlowContext,
  { owner, redemptionId, messageId, endToEndId }: ClientCommandOf<"confirm-payout">,
): Promise<Drafted> {
  if (context.party !== network(context).paymentProvider) return err({ tag: "role_not_allowed" });
  const redemption = context.vault
    .free("redemption")
    .find(({ state }) => state.owner === owner && state.redemptionId === redemptionId);
  if (redemption === undefined) return err({ tag: "redemption_unknown" });
  return ok({
    consumed: [redemption],
    cited: [context.parameters],
    made: [],
    command: { tag: "confirm-payout", redemptionId, messageId, endToEndId },
    window: windowUntil(context),
    signers: [context.signingKey],
  });
}

function definedOf({
  standing,
  holdingCapPerSlot,
  capacityPerSlot,
  storage,
}: ClientCommandOf<"amend-member">): Partial<
  Pick<Member, "standing" | "holdingCapPerSlot" | "capacityPerSlot" | "storage">
> {
  return {
    ...(standing === undefined ? {} : { standing }),
    ...(holdingCapPerSlot === undefined ? {} : { holdingCapPerSlot }),
    ...(capacityPerSlot === undefined ? {} : { capacityPerSlot }),
    ...(storage === undefined ? {} : { storage }),
  };
}

export async function draftIssueFunds(
  context: FlowContext,
  { to, amounts }: ClientCommandOf<"issue-funds">,
): Promise<Drafted> {
  if (context.party !== network(context).paymentProvider) return err({ tag: "role_not_allowed" });
  return ok({
    consumed: [],
    cited: [context.parameters],
    made: amounts.map((amount) => ({ tag: "funds" as const, owner: to, amount })),
    command: { tag: "issue-funds" },
    window: windowUntil(context),
    signers: [context.signingKey],
  });
}

export async function draftPublishTariff(
  context: FlowContext,
  command: ClientCommandOf<"publish-tariff">,
): Promise<Drafted> {
  if (context.party !== network(context).powerCompany) return err({ tag: "role_not_allowed" });
  const day = localDay(command.day);
  const slots = slotsOfLocalDay(zone(network(context).timeZone), day, network(context).slotMinutes);
  const [first] = slots;
  if (first === undefined || command.feedIn.length !== slots.length || command.retail.length !== slots.length)
    return err({ tag: "command_malformed" });
  if (first.startMs <= context.nowMs) return err({ tag: "gate_closed", slot: first.id, gateMs: first.startMs });
  const replaced = context.vault.all("tariff").filter(({ state }) => state.day === day);
  return ok({
    consumed: replaced,
    cited: [context.parameters],
    made: [{ tag: "tariff", day, slots: slots.map(({ id }) => id), feedIn: command.feedIn, retail: command.retail }],
    command: { tag: "publish-tariff", day },
    window: windowUntil(context, first.startMs),
    signers: [context.signingKey],
  });
}

export async function draftGrantMandate(
  context: FlowContext,
  command: ClientCommandOf<"grant-mandate">,
): Promise<Drafted> {
  const { mandateId, expiresMs } = command;
  if (memberOf(context, context.party) === undefined) return err({ tag: "member_unknown" });
  if (expiresMs <= context.nowMs) return err({ tag: "deadline_out_of_range" });
  const replaced = context.vault
    .all("mandate")
    .filter(({ state }) => state.principal === context.party && state.mandateId === mandateId);
  return ok({
    consumed: replaced,
    cited: citations(context, [context.party]),
    made: [newMandate(context.party, command, network(context))],
    command: { tag: "grant-mandate" },
    window: windowUntil(context),
    signers: [context.signingKey],
  });
}

export async function draftRevokeMandate(
  context: FlowContext,
  { mandateId }: ClientCommandOf<"revoke-mandate">,
): Promise<Drafted> {
  const mandate = context.vault
    .all("mandate")
    .find(({ state }) => state.principal === context.party && state.mandateId === mandateId);
  if (mandate === undefined) return err({ tag: "mandate_missing" });
  return ok({
    consumed: [mandate],
    cited: [context.parameters],
    made: [],
    command: { tag: "revoke-mandate" },
    window: windowUntil(context),
    signers: [context.signingKey],
  });
}
