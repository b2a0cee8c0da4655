/** What the running nodes show, against the notary's log: what is in memory must be what a restart would read. */
import { type NetworkParameters, refKey, STATE_KINDS, type State } from "#contracts";
import { invariant } from "#core";
import type { Clients } from "./clients.ts";
import { isConcerned } from "./knowledge.ts";
import type { NodeRecord } from "./record.ts";
import type { Stage } from "./stage.ts";

/** By name of the node: the states that it shows, by reference. */
export type Views = ReadonlyMap<string, ReadonlySet<string>>;

export async function readViews(stage: Stage, clients: Clients): Promise<Views> {
  const views = new Map<string, ReadonlySet<string>>();
  for (const { name, roles } of stage.parties) {
    if (roles.every((role) => role === "notary")) continue;
    const shown = await Promise.all(STATE_KINDS.map((kind) => clients.owner(name).states(kind)));
    views.set(name, new Set(shown.flat().map(({ ref }) => refKey(ref))));
  }
  return views;
}

/** Each node must show what concerns it and is unspent, and nothing that is spent. */
export function viewProblems(
  views: Views,
  unspent: ReadonlyMap<string, State>,
  nodes: readonly NodeRecord[],
): { readonly problems: readonly string[]; readonly compared: number } {
  const parameters = parametersIn(unspent);
  const problems: string[] = [];
  let compared = 0;
  for (const { name, key } of nodes) {
    const view = views.get(name) ?? new Set();
    compared += view.size;
    for (const ref of view) if (!unspent.has(ref)) problems.push(`${name} shows ${ref}, which is spent`);
    for (const [ref, state] of unspent)
      if (isConcerned(key, state, parameters) && !view.has(ref))
        problems.push(`${name} does not show ${state.tag} ${ref}, which concerns it`);
  }
  return { problems, compared };
}

function parametersIn(unspent: ReadonlyMap<string, State>): NetworkParameters {
  for (const state of unspent.values()) if (state.tag === "network-parameters") return state;
  invariant(false, "a network has parameters");
}
