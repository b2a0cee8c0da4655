/** A speculator's margin: what buying must lock, and giving back what is not needed. */

import { type ClientCommandOf, type ExposureEntry, type Margin, marginNeeded } from "#contracts";
import { err, type LocalDay, localDay, micros, ok, type SlotId, type WattHours, wattHours } from "#core";
import { type Drafted, dayOf, type FlowContext, memberOf, network } from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { fundsFor } from "./money.ts";

export type MarginDraft = {
  readonly consumed: readonly VaultState<"margin">[];
  readonly cited: readonly VaultState<"margin">[];
  readonly made: readonly Margin[];
  /** What has to be locked beyond what is. */
  readonly added: bigint;
};
type Purchase = { readonly slot: SlotId; readonly energy: WattHours };

const NO_MARGIN: MarginDraft = { consumed: [], cited: [], made: [], added: 0n };

/** The margins that the party needs to buy and bid for as much more: an older one is cited where it suffices, else it grows. */
export function marginFor(context: FlowContext, purchases: readonly Purchase[]): MarginDraft {
  const isSpeculator = memberOf(context, context.party)?.state.roles.includes("speculator") ?? false;
  if (!isSpeculator || network(context).surplusPrice === 0n) return NO_MARGIN;
  const days = [...new Set(purchases.map(({ slot }) => dayOf(context, slot)))].sort();
  return days
    .map((day) => marginOfDay(context, day, purchases))
    .reduce(
      (all, each) => ({
        consumed: [...all.consumed, ...each.consumed],
        cited: [...all.cited, ...each.cited],
        made: [...all.made, ...each.made],
        added: all.added + each.added,
      }),
      NO_MARGIN,
    );
}

function marginOfDay(context: FlowContext, day: LocalDay, purchases: readonly Purchase[]): MarginDraft {
  const { exposure } = context.vault.positionOf(context.party, day);
  const bought = purchases.filter(({ slot }) => dayOf(context, slot) === day);
  const needed = marginNeeded(entriesWith(exposure?.state.entries ?? [], bought), network(context).surplusPrice);
  const margins = marginsOf(context, day);
  const enough = margins.find(({ state }) => state.amount >= needed);
  if (enough !== undefined) return { ...NO_MARGIN, cited: [enough] };
  const locked = sumOfMargins(margins);
  const amount = locked > needed ? locked : needed;
  return {
    consumed: margins,
    cited: [],
    made: [{ tag: "margin", owner: context.party, day, amount: micros(amount) }],
    added: amount - locked,
  };
}

function entriesWith(
  entries: readonly ExposureEntry[],
  purchases: readonly Purchase[],
): readonly Pick<ExposureEntry, "bought" | "bidding">[] {
  const bySlot = new Map<SlotId, bigint>(entries.map(({ slot, bought, bidding }) => [slot, bought + bidding]));
  for (const { slot, energy } of purchases) bySlot.set(slot, (bySlot.get(slot) ?? 0n) + energy);
  return [...bySlot.values()].map((energy) => ({ bought: wattHours(energy), bidding: wattHours(0n) }));
}

/** The party's own margins of a day. One that another flow is about to spend counts too: one of the two is drafted again. */
function marginsOf(context: FlowContext, day: LocalDay): readonly VaultState<"margin">[] {
  return context.vault
    .of("margin", context.party)
    .filter(({ state }) => state.owner === context.party && state.day === day);
}

function sumOfMargins(margins: readonly VaultState<"margin">[]): bigint {
  return margins.reduce((sum, { state }) => sum + state.amount, 0n);
}

/** Gives back what the owner's holdings and bids of the day no longer need. */
export async function draftReleaseMargin(
  context: FlowContext,
  command: ClientCommandOf<"release-margin">,
): Promise<Drafted> {
  const day = localDay(command.day);
  const margins = marginsOf(context, day);
  const { exposure } = context.vault.positionOf(context.party, day);
  const needed = marginNeeded(exposure?.state.entries ?? [], network(context).surplusPrice);
  const locked = sumOfMargins(margins);
  if (exposure === undefined || locked <= needed) return err({ tag: "margin_in_use", needed, locked: micros(locked) });
  return ok({
    consumed: margins,
    cited: [context.parameters, exposure],
    made: [
      ...(needed === 0n ? [] : [{ tag: "margin" as const, owner: context.party, day, amount: needed }]),
      ...fundsFor(context.party, locked - needed),
    ],
    command: { tag: "release-margin", owner: context.party, day },
    window: { fromMs: null, untilMs: null },
    signers: [context.signingKey],
  });
}
