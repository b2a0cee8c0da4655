/** Who must know of which state: need-to-know, in one place. */

import {
  isPublicKind,
  type NetworkParameters,
  type NodeEvent,
  PUBLIC_TAGS,
  participantsOf,
  type State,
  type StateTag,
} from "#contracts";
import type { PublicKey } from "#core";
import type { Vault } from "./vault.ts";

export { PUBLIC_TAGS };

/**
 * What others need of a party that is silent, or to ask its delegate for a signature: the grid authority keeps it, as a witness.
 */
const WITNESSED_TAGS: readonly StateTag[] = ["bid", "exposure", "exposure-index", "mandate", "standing-vote"];
/** What the grid authority watches: promises, what is certified of them, their delivery, and what it witnesses. */
const GRID_TAGS: readonly StateTag[] = [
  "power-promise",
  "deposit",
  "margin",
  "certificate",
  "meter-report",
  "meter-reading",
  "delivery-record",
  "slot-settlement",
  "dispute",
  "dispute-vote",
  ...WITNESSED_TAGS,
];

/** What the verifiers decide on together. */
const VERIFIERS_TAGS: readonly StateTag[] = ["standing-vote", "dispute", "dispute-vote"];

export function isPublic(state: State): boolean {
  return isPublicKind(state.tag);
}

/** What everybody may know of an event; undefined where it is nothing. */
export function publicPartOf({ txId, command, consumed, made }: NodeEvent): NodeEvent | undefined {
  const part = { consumed: consumed.filter(isPublic), made: made.filter(isPublic) };
  return part.consumed.length + part.made.length > 0 ? { txId, command, ...part } : undefined;
}

/** Parties that a state concerns, besides its signers. */
export function concernedBy(
  state: State,
  parameters: Pick<NetworkParameters, "gridAuthority" | "verifiers">,
): readonly PublicKey[] {
  const concerned = new Set(participantsOf(state));
  if (GRID_TAGS.includes(state.tag)) concerned.add(parameters.gridAuthority);
  if (VERIFIERS_TAGS.includes(state.tag)) for (const verifier of parameters.verifiers) concerned.add(verifier);
  return [...concerned];
}

/** Whether the party keeps the state for others alone. */
export function isWitnessed(state: State, party: PublicKey): boolean {
  return WITNESSED_TAGS.includes(state.tag) && !participantsOf(state).includes(party);
}

/** Whether the network lets the party see states of this kind, whomever they concern. */
export function isGranted(key: PublicKey, tag: StateTag, { observers }: Pick<NetworkParameters, "observers">): boolean {
  return observers.some((observer) => observer.key === key && observer.sees.includes(tag));
}

/** Whether a node keeps a state that it is shown, by what it holds already. `gridAuthority` is the one that it was set up with. */
export function concernsNode(
  state: State,
  { party, gridAuthority, vault }: { party: PublicKey; gridAuthority: PublicKey; vault: KnownMembers },
): boolean {
  if (isPublic(state)) return true;
  // A marketplace keeps the promises that are locked for its orders.
  if (state.tag === "power-promise" && state.lock?.kind === "order" && isMarketplace(vault, party)) return true;
  const parameters = vault.parameters?.state;
  if (parameters === undefined) return concernedBy(state, { gridAuthority, verifiers: [] }).includes(party);
  return concernedBy(state, parameters).includes(party) || isGranted(party, state.tag, parameters);
}

/** The order for which alone a marketplace keeps a promise of others; undefined for every other state. */
export function orderKeeping(state: State, node: Parameters<typeof concernsNode>[1]): string | undefined {
  if (state.tag !== "power-promise" || state.lock?.kind !== "order") return undefined;
  return concernsNode({ ...state, lock: null }, node) ? undefined : state.lock.id;
}

type KnownMembers = Pick<Vault, "member" | "parameters">;

function isMarketplace(vault: KnownMembers, party: PublicKey): boolean {
  return vault.member(party)?.state.roles.includes("marketplace") ?? false;
}
