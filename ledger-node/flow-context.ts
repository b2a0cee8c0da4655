/** What a flow may use while it drafts a transaction. */

import {
  type Auction,
  type ClientCommandTag,
  type Command,
  type DelegableFlow,
  type Dependency,
  type LedgerRefusal,
  type NetworkParameters,
  type PeerReply,
  type PeerRequest,
  type ResolvedState,
  refKey,
  type State,
  type TimeWindow,
} from "#contracts";
import {
  compareText,
  hashOf,
  type LocalDay,
  localDayAt,
  type PublicKey,
  type Result,
  type SlotId,
  slotOf,
  zone,
} from "#core";
import type { Vault, VaultState } from "./vault.ts";

/** A transaction before it is built: what it consumes, cites and makes, and whose signatures it needs. */
export type Draft = {
  readonly consumed: readonly ResolvedState[];
  readonly cited: readonly ResolvedState[];
  readonly made: readonly State[];
  readonly command: Command;
  readonly window: TimeWindow;
  /** All keys that must sign, the notary's aside. */
  readonly signers: readonly PublicKey[];
};
export type Drafted = Result<Draft, LedgerRefusal>;

export interface FlowContext {
  /** The party that the node acts for. */
  readonly party: PublicKey;
  /** The key that signs for the party in this flow: its own, or a delegate's. */
  readonly signingKey: PublicKey;
  readonly flowId: string;
  readonly commandId: string;
  readonly commandTag: ClientCommandTag;
  readonly nowMs: number;
  readonly vault: Vault;
  readonly parameters: VaultState<"network-parameters">;
  /** Parties that did not answer or sign, or proved what was spent, in the attempt before this one. */
  readonly avoid: ReadonlySet<PublicKey>;
  ask(to: PublicKey, request: PeerRequest): Promise<PeerReply>;
  /** Checks what a peer proved. */
  learn(dependency: Dependency): ResolvedState | undefined;
  /** Numbers for orders, durable. */
  reserveSequence(count: number): number;
}

/** How long a proposal may take from its draft to the notary. */
export const PROPOSAL_MS_MAX: number = 5 * 60_000;

export function network(context: FlowContext): NetworkParameters {
  return context.parameters.state;
}

export function memberOf(context: FlowContext, key: PublicKey): VaultState<"member"> | undefined {
  return context.vault.member(key);
}

export function dayOf(context: FlowContext, slot: SlotId): LocalDay {
  return localDayAt(zone(network(context).timeZone), slotOf(slot).startMs);
}

export function gateMs(context: FlowContext, slot: SlotId): number {
  return slotOf(slot).startMs - network(context).gateLeadMs;
}

/** After this instant the seller of an auction is waited for no longer. */
export function overdueMs(context: FlowContext, { deadlineMs }: Pick<Auction, "deadlineMs">): number {
  return deadlineMs + network(context).settlementGraceMs;
}

/** From now until the earliest of the limits and the longest time of a proposal. */
export function windowUntil(context: FlowContext, ...limitsMs: readonly number[]): TimeWindow {
  return { fromMs: null, untilMs: Math.min(context.nowMs + PROPOSAL_MS_MAX, ...limitsMs) };
}

/**
 * As many verifiers as the network's quorum asks for, spread over all of them by the command's id. Suspended ones are left out.
 * Those to be avoided, and the party itself, come last: they are asked only if there are not enough others.
 */
export function verifiersOf(context: FlowContext): readonly PublicKey[] {
  const { verifiers, verifierQuorum } = network(context);
  const able = verifiers.filter((key) => {
    const member = memberOf(context, key)?.state;
    return member?.roles.includes("verifier") === true && member.standing !== "suspended";
  });
  if (able.length <= verifierQuorum) return able;
  const lastness = (key: PublicKey): number => (context.avoid.has(key) ? 2 : 0) + (key === context.party ? 1 : 0);
  return able
    .map((key) => ({ key, order: `${lastness(key)} ${hashOf(`${context.commandId} ${key}`)}` }))
    .sort((left, right) => compareText(left.order, right.order))
    .slice(0, verifierQuorum)
    .map(({ key }) => key);
}

/** Who may begin something may also end it: for what follows by itself no mandate needs to be made out. */
const IMPLIED_BY: Readonly<Partial<Record<ClientCommandTag, DelegableFlow>>> = {
  "end-auction": "create-auction",
  "lapse-auction": "bid",
};

/** The mandate under which the signing key acts, when it is a delegate's: one that is not over and allows the flow. */
export function mandateOf(context: FlowContext): VaultState<"mandate"> | undefined {
  const flow = IMPLIED_BY[context.commandTag] ?? context.commandTag;
  return context.vault
    .of("mandate", context.party)
    .find(
      ({ state }) =>
        state.principal === context.party &&
        state.delegate === context.signingKey &&
        state.expiresMs > context.nowMs &&
        (state.flows as readonly string[]).includes(flow),
    );
}

/**
 * Parameters, the given members, and, where a delegate signs, its mandate, its principal and the aggregator that serves it: what
 * nearly every draft cites.
 */
export function citations(context: FlowContext, members: readonly PublicKey[]): readonly ResolvedState[] {
  const isDelegated = context.signingKey !== context.party;
  const host = isDelegated ? hostOf(context, context.party) : null;
  const cited = new Set([...members, ...(isDelegated ? [context.party] : []), ...(host === null ? [] : [host])]);
  const mandate = isDelegated ? mandateOf(context) : undefined;
  const states = [...cited].flatMap((key) => memberOf(context, key) ?? []);
  return [context.parameters, ...states, ...(mandate === undefined ? [] : [mandate])];
}

/** The aggregator that serves a member; null where it has a node of its own. */
export function hostOf(context: FlowContext, member: PublicKey): PublicKey | null {
  return memberOf(context, member)?.state.servedBy ?? null;
}

/** How a party agrees: who signs for it, and what the transaction cites and until when it holds, so that this counts. */
export type Agreement = {
  readonly signers: readonly PublicKey[];
  readonly cited: readonly ResolvedState[];
  readonly untilMs: number | null;
};

/**
 * A party agrees by its own key; or, where an aggregator serves it, by its delegate's and the aggregator's, under the mandate that
 * allows most of those that are known here and allow the flow.
 */
export function agreementOf(
  context: FlowContext,
  party: PublicKey,
  flow: DelegableFlow,
  known: readonly VaultState<"mandate">[] = context.vault.of("mandate", party),
): Agreement {
  const host = hostOf(context, party);
  const mandate = host === null ? undefined : widestMandate(known, party, flow, context.nowMs);
  if (host === null || mandate === undefined) return { signers: [party], cited: [], untilMs: null };
  const members = [party, host].flatMap((key) => memberOf(context, key) ?? []);
  const { delegate, expiresMs } = mandate.state;
  const { untilMs } = windowUntil(context, expiresMs);
  return { signers: [delegate, host], cited: [...members, mandate], untilMs };
}

/** Of a party's mandates for a flow the one with the most flows; of several the first by its id. */
export function widestMandate(
  known: readonly VaultState<"mandate">[],
  party: PublicKey,
  flow: DelegableFlow,
  nowMs: number,
): VaultState<"mandate"> | undefined {
  return known
    .filter(({ state }) => state.principal === party && state.flows.includes(flow) && state.expiresMs > nowMs)
    .sort(
      (left, right) =>
        right.state.flows.length - left.state.flows.length || compareText(left.state.mandateId, right.state.mandateId),
    )[0];
}

/** The end of the mandate in use, or no limit. */
export function mandateUntilMs(context: FlowContext): number {
  if (context.signingKey === context.party) return Number.MAX_SAFE_INTEGER;
  return mandateOf(context)?.state.expiresMs ?? 0;
}

/** The end of a window that needs none but where a mandate is in use, which must not be over by then; null where none is. */
export function mandateEndMs(context: FlowContext): number | null {
  return context.signingKey === context.party ? null : windowUntil(context, mandateUntilMs(context)).untilMs;
}

/** Each state once: a transaction cites none twice. */
export function distinct(states: readonly ResolvedState[]): readonly ResolvedState[] {
  return [...new Map(states.map((state) => [refKey(state.ref), state])).values()];
}

export function sumOf(states: readonly VaultState<"funds">[]): bigint {
  return states.reduce((sum, { state }) => sum + state.amount, 0n);
}
