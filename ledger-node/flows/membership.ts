/** Membership, funds, tariffs and mandates. */

import type { ClientCommandOf, Mandate, Member } from "#contracts";
import { err, localDay, ok, slotsOfLocalDay, zone } from "#core";
import { citations, type Drafted, type FlowContext, memberOf, network, windowUntil } from "../flow-context.ts";

export async function draftJoin(context: FlowContext, command: ClientCommandOf<"join">): Promise<Drafted> {
  if (context.party !== network(context).gridAuthority) return err({ tag: "role_not_allowed" });
  const { name, key, roles, capacityPerSlot, holdingCapPerSlot, marketFee } = command;
  const isTaken = context.vault.all("member").some(({ state }) => state.key === key || state.name === name);
  if (isTaken) return err({ tag: "command_malformed" });
  const member: Member = {
    tag: "member",
    name,
    key,
    roles,
    standing: "good",
    capacityPerSlot,
    holdingCapPerSlot,
    marketFee,
  };
  return ok({
    consumed: [],
    cited: [context.parameters],
    made: [member, { tag: "exposure-index", member: key, openedDays: [] }],
    command: { tag: "join" },
    window: windowUntil(context),
    signers: [context.signingKey, key],
  });
}

export async function draftAmendMember(
  context: FlowContext,
  command: ClientCommandOf<"amend-member">,
): Promise<Drafted> {
  if (context.party !== network(context).gridAuthority) return err({ tag: "role_not_allowed" });
  const current = memberOf(context, command.member);
  if (current === undefined) return err({ tag: "member_unknown" });
  const { standing, holdingCapPerSlot, capacityPerSlot } = { ...current.state, ...definedOf(command) };
  return ok({
    consumed: [current],
    cited: [context.parameters],
    made: [{ ...current.state, standing, holdingCapPerSlot, capacityPerSlot }],
    command: { tag: "amend-member" },
    window: windowUntil(context),
    signers: [context.signingKey],
  });
}

function definedOf({
  standing,
  holdingCapPerSlot,
  capacityPerSlot,
}: ClientCommandOf<"amend-member">): Partial<Pick<Member, "standing" | "holdingCapPerSlot" | "capacityPerSlot">> {
  return {
    ...(standing === undefined ? {} : { standing }),
    ...(holdingCapPerSlot === undefined ? {} : { holdingCapPerSlot }),
    ...(capacityPerSlot === undefined ? {} : { capacityPerSlot }),
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
  const { mandateId, delegate, flows, energyPerSlotMax, expiresMs } = command;
  if (memberOf(context, context.party) === undefined) return err({ tag: "member_unknown" });
  if (expiresMs <= context.nowMs) return err({ tag: "deadline_out_of_range" });
  const mandate: Mandate = {
    tag: "mandate",
    mandateId,
    principal: context.party,
    delegate,
    flows,
    energyPerSlotMax,
    expiresMs,
  };
  const replaced = context.vault
    .all("mandate")
    .filter(({ state }) => state.principal === context.party && state.mandateId === mandateId);
  return ok({
    consumed: replaced,
    cited: citations(context, [context.party]),
    made: [mandate],
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
