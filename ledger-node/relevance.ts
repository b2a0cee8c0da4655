/** Who must know of which state: need-to-know, in one place. */

import { type NetworkParameters, participantsOf, type State, type StateTag } from "#contracts";
import type { PublicKey } from "#core";
import type { Vault } from "./vault.ts";

/** States that every member may see: rules, members, tariffs and auctions (paper section 3.4: all parties observe auctions). */
export const PUBLIC_TAGS: readonly StateTag[] = ["network-parameters", "member", "tariff", "auction"];

/** What others need of a party that is silent: the grid authority keeps it, as a witness. */
const WITNESSED_TAGS: readonly StateTag[] = ["bid", "exposure", "exposure-index", "standing-vote"];
/** What the grid authority watches: promises and their delivery, and what it witnesses. */
const GRID_TAGS: readonly StateTag[] = [
  "power-promise",
  "deposit",
  "meter-reading",
  "delivery-record",
  ...WITNESSED_TAGS,
];

export function isPublic(state: State): boolean {
  return PUBLIC_TAGS.includes(state.tag);
}

/** Parties that a state concerns, besides its signers. */
export function concernedBy(
  state: State,
  parameters: Pick<NetworkParameters, "gridAuthority" | "verifiers">,
): readonly PublicKey[] {
  const concerned = new Set(participantsOf(state));
  if (GRID_TAGS.includes(state.tag)) concerned.add(parameters.gridAuthority);
  if (state.tag === "standing-vote") for (const verifier of parameters.verifiers) concerned.add(verifier);
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
  { party, gridAuthority, vault }: { party: PublicKey; gridAuthority: PublicKey; vault: Pick<Vault, "all"> },
): boolean {
  if (isPublic(state)) return true;
  // A marketplace keeps the promises that are locked for its orders.
  if (state.tag === "power-promise" && state.lock?.kind === "order" && isMarketplace(vault, party)) return true;
  const parameters = vault.all("network-parameters")[0]?.state;
  if (parameters === undefined) return concernedBy(state, { gridAuthority, verifiers: [] }).includes(party);
  return concernedBy(state, parameters).includes(party) || isGranted(party, state.tag, parameters);
}

/** The order for which alone a marketplace keeps a promise of others; undefined for every other state. */
export function orderKeeping(state: State, node: Parameters<typeof concernsNode>[1]): string | undefined {
  if (state.tag !== "power-promise" || state.lock?.kind !== "order") return undefined;
  return concernsNode({ ...state, lock: null }, node) ? undefined : state.lock.id;
}

function isMarketplace(vault: Pick<Vault, "all">, party: PublicKey): boolean {
  return vault.all("member").some(({ state }) => state.key === party && state.roles.includes("marketplace"));
}
