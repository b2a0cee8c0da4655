/**
 * What the grid authority has signed in slots that it has curtailed, while it is not final: two promises that together pass the
 * cap are not both signed.
 */
import type { ResolvedTransaction, WireTransaction } from "#contracts";
import type { Hash, SlotId } from "#core";
import { PROPOSAL_MS_MAX } from "./flow-context.ts";
import type { Vault } from "./vault.ts";

type Signed = { readonly energyOf: ReadonlyMap<SlotId, bigint>; readonly untilMs: number };

/** Caps of curtailed slots, the lowest where there are several. */
export function capsOf(vault: Vault): ReadonlyMap<SlotId, bigint> {
  const caps = new Map<SlotId, bigint>();
  for (const { state } of vault.all("curtailment")) {
    const known = caps.get(state.slot);
    if (known === undefined || state.cap < known) caps.set(state.slot, state.cap);
  }
  return caps;
}

/** Whether the transaction cites a curtailment of each slot that is known to be curtailed and in which it promises. */
export function citesCurtailments(resolved: ResolvedTransaction, vault: Vault): boolean {
  const cited = new Set(resolved.references.flatMap(({ state }) => (state.tag === "curtailment" ? [state.slot] : [])));
  const caps = capsOf(vault);
  return [...promisedIn(resolved).keys()].every((slot) => !caps.has(slot) || cited.has(slot));
}

export class CurtailedSlots {
  readonly #signed = new Map<Hash, Signed>();

  /** Takes the transaction's promises into account where they are within all caps; gives false where they are not. */
  take({ id, content }: WireTransaction, vault: Vault, nowMs: number, isFinal: (txId: Hash) => boolean): boolean {
    const caps = capsOf(vault);
    const asked = promisedIn({ content });
    if (![...asked.keys()].some((slot) => caps.has(slot))) return true;
    for (const [txId, { untilMs }] of this.#signed) if (untilMs <= nowMs || isFinal(txId)) this.#signed.delete(txId);
    const others = [...this.#signed].filter(([txId]) => txId !== id).map(([, each]) => each);
    const isWithin = [...asked].every(([slot, energy]) => {
      const cap = caps.get(slot);
      const pledged = others.reduce((sum, { energyOf }) => sum + (energyOf.get(slot) ?? 0n), 0n);
      return cap === undefined || promisedSoFar(vault, slot) + pledged + energy <= cap;
    });
    // What the notary made final at the last moment may be told of a little later.
    if (isWithin)
      this.#signed.set(id, { energyOf: asked, untilMs: (content.window.untilMs ?? nowMs) + PROPOSAL_MS_MAX });
    return isWithin;
  }
}

function promisedSoFar(vault: Vault, slot: SlotId): bigint {
  return vault
    .all("power-promise")
    .reduce((sum, { state }) => sum + (state.slot === slot && state.delivered === null ? state.energy : 0n), 0n);
}

function promisedIn({ content }: Pick<ResolvedTransaction, "content">): ReadonlyMap<SlotId, bigint> {
  const energyOf = new Map<SlotId, bigint>();
  for (const state of content.outputs)
    if (state.tag === "power-promise") energyOf.set(state.slot, (energyOf.get(state.slot) ?? 0n) + state.energy);
  return energyOf;
}
