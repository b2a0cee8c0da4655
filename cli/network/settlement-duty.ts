/**
 * The grid authority's duty after a slot: once its meters are on the ledger, check every supplier's delivery and settle every
 * member. What can't be done now is tried again until it is done; after a restart the ledger says what is left.
 */
import type { NodeEndpoint, StateAndRef } from "#contracts";
import { type Clock, compareText, type PublicKey, type SlotId, slotOf, type Timers } from "#core";

export type SettlementDutyOptions = {
  readonly node: NodeEndpoint;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly retryMs: number;
  readonly report: (problem: string) => void;
};

const PRIORITY = 2;
const RETRY_MS_MAX = 3_600_000;
/** Delays that this or that member's node needs; the others are settled meanwhile. */
const AT_ONCE_MAX = 16;

/** Takes up the duty for what is recorded now and later. */
export async function settleRecordedSlots(options: SettlementDutyOptions): Promise<void> {
  const { node, timers } = options;
  const underWay = new Set<SlotId>();
  const schedule = (slot: SlotId, atMs: number, retryMs: number): void =>
    timers.at(atMs, {
      priority: PRIORITY,
      source: `settlement ${slot}`,
      run: () => pass(slot, retryMs),
    });
  const pass = async (slot: SlotId, retryMs: number): Promise<void> => {
    const isDone = await settleWhatCanBe(options, slot).catch((error: unknown) => {
      options.report(`settlement of ${slot} failed: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    });
    if (isDone) underWay.delete(slot);
    else schedule(slot, options.clock.nowMs() + retryMs, Math.min(2 * retryMs, RETRY_MS_MAX));
  };
  const begin = (slot: SlotId): void => {
    if (underWay.has(slot)) return;
    underWay.add(slot);
    schedule(slot, slotOf(slot).endMs, options.retryMs);
  };
  node.listen(({ made }) => {
    for (const state of made) if (state.tag === "meter-reading") begin(state.slot);
  });
  for (const { state } of await node.states("meter-reading")) begin(state.slot);
}

/** One pass over a slot. Deliveries come first: a member is settled when what it holds and what it owes is checked. */
async function settleWhatCanBe(options: SettlementDutyOptions, slot: SlotId): Promise<boolean> {
  const { node } = options;
  const suppliers = [...new Set((await openPromises(node, slot)).map(({ state }) => state.supplier))].sort(compareText);
  await inTurns(suppliers, (supplier) => submit(options, "check-delivery", supplier, slot));
  const waiting = new Set((await openPromises(node, slot)).flatMap(({ state }) => [state.supplier, state.owner]));
  const recorded = await membersWithReading(node, slot);
  const ready = recorded.filter((member) => !waiting.has(member));
  const settled = await inTurns(ready, (member) => submit(options, "settle-slot", member, slot));
  return ready.length === recorded.length && settled.every((each) => each);
}

async function openPromises(node: NodeEndpoint, slot: SlotId): Promise<readonly StateAndRef<"power-promise">[]> {
  const promises = await node.states("power-promise");
  return promises.filter(({ state }) => state.slot === slot && state.delivered === null);
}

async function membersWithReading(node: NodeEndpoint, slot: SlotId): Promise<readonly PublicKey[]> {
  const readings = await node.states("meter-reading");
  return readings
    .filter(({ state }) => state.slot === slot)
    .map(({ state }) => state.member)
    .sort(compareText);
}

/** Command ids are those of `settleWholeSlot`: whoever does a step, it is done once. */
async function submit(
  { node, report }: SettlementDutyOptions,
  step: "check-delivery" | "settle-slot",
  member: PublicKey,
  slot: SlotId,
): Promise<boolean> {
  const commandId = `${step}/${member.slice(0, 16)}/${slot}`;
  const done = await node.submit(
    step === "check-delivery"
      ? { tag: step, commandId, supplier: member, slot }
      : { tag: step, commandId, member, slot },
  );
  if (!done.ok) report(`${step} of ${member.slice(0, 16)} for ${slot} was refused: ${done.error.tag}`);
  return done.ok;
}

async function inTurns<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let index = 0; index < items.length; index += AT_ONCE_MAX)
    results.push(...(await Promise.all(items.slice(index, index + AT_ONCE_MAX).map(run))));
  return results;
}
