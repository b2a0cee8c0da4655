/**
 * The grid authority's duty after a slot: once its meters, or their operators' reports, are on the ledger, make readings of the
 * reports, check every supplier's delivery, settle every member, and correct what was settled by an earlier reading. What
 * can't be done now is tried again until it is done; after a restart the ledger says what is left.
 */
import type { LedgerRefusalCode, NodeEndpoint, StateAndRef } from "#contracts";
import { type Clock, compareText, type SlotId, slotOf, type Timers } from "#core";
import {
  closeSlotCertificates,
  commandOf,
  isReadByOperators,
  quorumSufficesFromMs,
  recordFromReports,
  type SlotStep,
  settlementsDue,
} from "#ledger-node";

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
/** Why reports stay unused until there are others, once the grace period is over. */
const UNUSED: readonly LedgerRefusalCode[] = ["reports_missing", "meters_disagree", "correction_closed"];

/** Takes up the duty for what is recorded now and later. */
export async function settleRecordedSlots(options: SettlementDutyOptions): Promise<void> {
  const { node, timers } = options;
  /** Slots under way, and whether something has come up since the last pass began. */
  const underWay = new Map<SlotId, boolean>();
  const schedule = (slot: SlotId, atMs: number, retryMs: number): void =>
    timers.at(atMs, {
      priority: PRIORITY,
      source: `settlement ${slot}`,
      run: () => pass(slot, retryMs),
    });
  const pass = async (slot: SlotId, retryMs: number): Promise<void> => {
    underWay.set(slot, false);
    const isDone = await settleWhatCanBe(options, slot).catch((error: unknown) => {
      options.report(`settlement of ${slot} failed: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    });
    if (isDone && underWay.get(slot) !== true) underWay.delete(slot);
    else schedule(slot, options.clock.nowMs() + retryMs, Math.min(2 * retryMs, RETRY_MS_MAX));
  };
  const begin = (slot: SlotId): void => {
    const isUnderWay = underWay.has(slot);
    underWay.set(slot, true);
    if (!isUnderWay) schedule(slot, slotOf(slot).endMs, options.retryMs);
  };
  node.listen(({ made }) => {
    for (const state of made) if (state.tag === "meter-reading" || state.tag === "meter-report") begin(state.slot);
  });
  for (const tag of ["meter-reading", "meter-report", "certificate"] as const)
    for (const { state } of await node.states(tag)) begin(state.slot);
}

/** One pass over a slot. Deliveries come first: a member is settled when what it holds and what it owes is checked. */
async function settleWhatCanBe(options: SettlementDutyOptions, slot: SlotId): Promise<boolean> {
  const { node } = options;
  const isRead = await readWhatCanBe(options, slot);
  const read = new Set((await settlementsDue(node, slot)).map(({ member }) => member));
  const suppliers = [...new Set((await openPromises(node, slot)).map(({ state }) => state.supplier))]
    .filter((supplier) => read.has(supplier))
    .sort(compareText);
  await inTurns(suppliers, (supplier) => submit(options, { tag: "check-delivery", supplier, slot }));
  const waiting = new Set((await openPromises(node, slot)).flatMap(({ state }) => [state.supplier, state.owner]));
  const due = await settlementsDue(node, slot);
  const ready = due.filter(({ member }) => !waiting.has(member));
  const settled = await inTurns(ready, (step) => submit(options, step));
  const unclosed = await closeSlotCertificates(node, slot);
  for (const { agency, refusal } of unclosed)
    options.report(`close-certificates of ${agency.slice(0, 16)} for ${slot} was refused: ${refusal.tag}`);
  return isRead && ready.length === due.length && settled.every((each) => each) && unclosed.length === 0;
}

/** Makes readings of the reports; false where more may follow from those that there are. */
async function readWhatCanBe({ node, clock, report }: SettlementDutyOptions, slot: SlotId): Promise<boolean> {
  if (!(await isReadByOperators(node))) return true;
  const refusal = await recordFromReports(node, slot);
  if (refusal === undefined) return true;
  if (clock.nowMs() < (await quorumSufficesFromMs(node, slot))) return false;
  report(`record-meters for ${slot} was refused: ${refusal.tag}`);
  return UNUSED.includes(refusal.tag);
}

async function openPromises(node: NodeEndpoint, slot: SlotId): Promise<readonly StateAndRef<"power-promise">[]> {
  const promises = await node.states("power-promise");
  return promises.filter(({ state }) => state.slot === slot && state.delivered === null);
}

/** Command ids are those of `settleWholeSlot`: whoever does a step, it is done once. */
async function submit({ node, report }: SettlementDutyOptions, step: SlotStep): Promise<boolean> {
  const done = await node.submit(commandOf(step));
  const of = step.tag === "check-delivery" ? step.supplier : step.member;
  if (!done.ok) report(`${step.tag} of ${of.slice(0, 16)} for ${step.slot} was refused: ${done.error.tag}`);
  return done.ok;
}

async function inTurns<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let index = 0; index < items.length; index += AT_ONCE_MAX)
    results.push(...(await Promise.all(items.slice(index, index + AT_ONCE_MAX).map(run))));
  return results;
}
