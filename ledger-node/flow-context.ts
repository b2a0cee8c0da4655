/** What a flow may use while it drafts a transaction. */

import type {
  Auction,
  ClientCommandTag,
  Command,
  Dependency,
  LedgerRefusal,
  NetworkParameters,
  PeerReply,
  PeerRequest,
  ResolvedState,
  State,
  TimeWindow,
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
  return context.vault.all("member").find(({ state }) => state.key === key);
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
  const members = new Map(context.vault.all("member").map(({ state }) => [state.key, state]));
  const able = verifiers.filter((key) => {
    const member = members.get(key);
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

/** The mandate under which the signing key acts, when it is a delegate's: one that is not over and allows the flow. */
export function mandateOf(context: FlowContext): VaultState<"mandate"> | undefined {
  return context.vault
    .all("mandate")
    .find(
      ({ state }) =>
        state.principal === context.party &&
        state.delegate === context.signingKey &&
        state.expiresMs > context.nowMs &&
        (state.flows as readonly string[]).includes(context.commandTag),
    );
}

/** Parameters, the given members and the mandate in use: what nearly every draft cites. */
export function citations(context: FlowContext, members: readonly PublicKey[]): readonly ResolvedState[] {
  const cited = new Set(members);
  const mandate = context.signingKey === context.party ? undefined : mandateOf(context);
  const states = context.vault.all("member").filter(({ state }) => cited.has(state.key));
  return [context.parameters, ...states, ...(mandate === undefined ? [] : [mandate])];
}

/** The end of the mandate in use, or no limit. */
export function mandateUntilMs(context: FlowContext): number {
  if (context.signingKey === context.party) return Number.MAX_SAFE_INTEGER;
  return mandateOf(context)?.state.expiresMs ?? 0;
}

export function sumOf(states: readonly VaultState<"funds">[]): bigint {
  return states.reduce((sum, { state }) => sum + state.amount, 0n);
}
