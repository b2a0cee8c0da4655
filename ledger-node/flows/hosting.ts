/** Members join, alone or under an aggregator, and move from one aggregator to another. */

import {
  type ClientCommandOf,
  type Member,
  type NewMember,
  newAgencyRecords,
  newMandate,
  type State,
} from "#contracts";
import { err, type PublicKey } from "#core";
import { citations, type Drafted, type FlowContext, memberOf, network, windowUntil } from "../flow-context.ts";

export function draftJoin(context: FlowContext, command: ClientCommandOf<"join">): Promise<Drafted> {
  return draftEnrolment(context, [command]);
}

export function draftEnrol(context: FlowContext, { members }: ClientCommandOf<"enrol">): Promise<Drafted> {
  return draftEnrolment(context, members);
}

/** By the grid authority; each member signs, and with that grants the mandate of the aggregator that serves it. */
async function draftEnrolment(context: FlowContext, newcomers: readonly NewMember[]): Promise<Drafted> {
  if (context.party !== network(context).gridAuthority) return err({ tag: "role_not_allowed" });
  if (areTaken(context, newcomers)) return err({ tag: "command_malformed" });
  const hosts = newcomers.flatMap(({ served }) => (served === undefined ? [] : [served.by]));
  if (!hosts.every((host) => isAggregator(context, host))) return err({ tag: "member_unknown" });
  const isOver = newcomers.some(({ served }) => served !== undefined && served.mandate.expiresMs <= context.nowMs);
  if (isOver) return err({ tag: "deadline_out_of_range" });
  return {
    ok: true,
    value: {
      consumed: [],
      cited: citations(context, hosts),
      made: newcomers.flatMap((newcomer) => statesOf(context, newcomer)),
      command: { tag: "join" },
      window: windowUntil(context),
      signers: [context.signingKey, ...newcomers.map(({ key }) => key)],
    },
  };
}

function areTaken(context: FlowContext, newcomers: readonly NewMember[]): boolean {
  const names = new Set(newcomers.map(({ name }) => name));
  const keys = new Set(newcomers.map(({ key }) => key));
  if (names.size < newcomers.length || keys.size < newcomers.length) return true;
  return context.vault.all("member").some(({ state }) => keys.has(state.key) || names.has(state.name));
}

function statesOf(context: FlowContext, newcomer: NewMember): readonly State[] {
  const { name, key, roles, capacityPerSlot, holdingCapPerSlot, marketFee, storage = null, served } = newcomer;
  const member: Member = {
    tag: "member",
    name,
    key,
    roles,
    standing: "good",
    capacityPerSlot,
    holdingCapPerSlot,
    marketFee,
    storage,
    servedBy: served?.by ?? null,
  };
  const mandates = served === undefined ? [] : [newMandate(key, served.mandate, network(context))];
  return [member, { tag: "exposure-index", member: key, openedDays: [] }, ...newAgencyRecords([member]), ...mandates];
}

/** By the member itself: all its mandates end, and the new aggregator gets one of its own. */
export async function draftMoveMember(
  context: FlowContext,
  { served }: ClientCommandOf<"move-member">,
): Promise<Drafted> {
  const { party } = context;
  const member = memberOf(context, party);
  if (member === undefined) return err({ tag: "member_unknown" });
  if (served !== null && !isAggregator(context, served.by)) return err({ tag: "member_unknown" });
  if (served !== null && served.mandate.expiresMs <= context.nowMs) return err({ tag: "deadline_out_of_range" });
  const mandates = context.vault.of("mandate", party).filter(({ state }) => state.principal === party);
  return {
    ok: true,
    value: {
      consumed: [member, ...mandates],
      cited: citations(context, served === null ? [] : [served.by]),
      made: [
        { ...member.state, servedBy: served?.by ?? null },
        ...(served === null ? [] : [newMandate(party, served.mandate, network(context))]),
      ],
      command: { tag: "move-member", member: party },
      window: windowUntil(context),
      signers: [context.signingKey],
    },
  };
}

function isAggregator(context: FlowContext, key: PublicKey): boolean {
  const member = memberOf(context, key)?.state;
  return member?.roles.includes("aggregator") === true && member.standing !== "suspended";
}
