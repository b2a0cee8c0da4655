/** Who must know of which state: need-to-know, in one place. */

import { type NetworkParameters, participantsOf, type State, type StateTag } from "#contracts";
import type { PublicKey } from "#core";

/** States that every member may see: rules, members, tariffs and auctions (paper section 3.4: all parties observe auctions). */
export const PUBLIC_TAGS: readonly StateTag[] = ["network-parameters", "member", "tariff", "auction"];

export function isPublic(state: State): boolean {
  return PUBLIC_TAGS.includes(state.tag);
}

/** Parties that a state concerns, besides its signers. The grid authority watches promises, deposits and deliveries. */
export function concernedBy(state: State, parameters: Pick<NetworkParameters, "gridAuthority">): readonly PublicKey[] {
  const participants = participantsOf(state);
  const isGridMatter = ["power-promise", "deposit", "meter-reading", "delivery-record"].includes(state.tag);
  return isGridMatter ? [...participants, parameters.gridAuthority] : participants;
}
