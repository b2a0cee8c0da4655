/** Check delivery (paper algorithm A2) and the settlement of a slot. Initiated by the grid authority. */

import {
  type ClientCommandOf,
  type DeliveryRecord,
  deliveryOutcome,
  type Exposure,
  injectedOf,
  type LedgerRefusal,
  type Margin,
  type MarginUse,
  marginAfterSlot,
  marginNeeded,
  type PowerPromise,
  type ResolvedState,
  refKey,
  type SettlementOutcome,
  type SlotSettlement,
  type State,
  settlementOutcome,
  type Tariff,
  withOpenedDays,
  withSettled,
} from "#contracts";
import {
  err,
  micros,
  ok,
  type PublicKey,
  type Result,
  type SlotId,
  slotOf,
  sumEnergy,
  type WattHours,
  wattHours,
} from "#core";
import { type Agreement, agreementOf, type Drafted, dayOf, type FlowContext, network } from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { positionOf } from "./member-position.ts";
import { latestReading } from "./meters.ts";
import { fundsFor, payFrom } from "./money.ts";

/** The latest reading of a member's slot, unless it is being replaced just now. */
function readingOf(context: FlowContext, member: PublicKey, slot: SlotId): VaultState<"meter-reading"> | undefined {
  const latest = latestReading(context, member, slot);
  return latest !== undefined && context.vault.isFree(latest.ref) ? latest : undefined;
}

function inOrder<T extends { readonly ref: Parameters<typeof refKey>[0] }>(states: readonly T[]): readonly T[] {
  return [...states].sort((left, right) => (refKey(left.ref) < refKey(right.ref) ? -1 : 1));
}

export async function draftCheckDelivery(
  context: FlowContext,
  { supplier, slot }: ClientCommandOf<"check-delivery">,
): Promise<Drafted> {
  const { gridAuthority, powerCompany } = network(context);
  if (context.party !== gridAuthority) return err({ tag: "role_not_allowed" });
  const reading = readingOf(context, supplier, slot);
  const position = await positionOf(context, supplier, dayOf(context, slot));
  const exposure = position.ok ? position.value.exposure : undefined;
  if (reading === undefined) return err({ tag: "reading_unknown" });
  if (exposure === undefined) return position.ok ? err({ tag: "dependency_unknown" }) : position;
  const promises = inOrder(
    context.vault
      .of("power-promise", supplier)
      .filter(({ state }) => state.supplier === supplier && state.slot === slot && state.delivered === null),
  );
  const deposits = inOrder(context.vault.of("deposit", supplier).filter(({ state }) => state.slot === slot));
  const deposit = micros(deposits.reduce((sum, { state }) => sum + state.amount, 0n));
  const outcome = deliveryOutcome(
    network(context),
    promises.map(({ state }) => state),
    deposit,
    injectedOf(reading.state),
  );
  const checked = promises.map(
    ({ state }, index): PowerPromise => ({
      ...state,
      lock: null,
      delivered: outcome.deliveredParts[index] ?? wattHours(0n),
    }),
  );
  const { promised, delivered, depositLost, gridFee } = outcome;
  const unsold = energyHeld(
    promises.filter(({ state }) => state.owner === supplier),
    supplier,
  );
  // Algorithm A2: the supplier signs what it kept, the power company what it must deliver instead.
  const counterparty = outcome.shortfall > 0n ? powerCompany : supplier;
  const isAlone = await isOverdueWithout(context, counterparty, slot);
  const agreed = isAlone ? NOBODY : agreementOf(context, counterparty, "check-delivery");
  return ok({
    consumed: [...promises, ...deposits],
    cited: [context.parameters, reading, exposure, ...agreed.cited],
    made: [
      ...checked,
      { tag: "delivery-record", supplier, slot, promised, delivered, unsold, depositLost, gridFee },
      ...fundsFor(supplier, outcome.returned),
      ...fundsFor(powerCompany, outcome.toPowerCompany),
      ...fundsFor(gridAuthority, outcome.toGridAuthority),
    ],
    command: { tag: "check-delivery", supplier, slot },
    window: { fromMs: isAlone ? overdueMs(context, slot) : slotOf(slot).endMs, untilMs: agreed.untilMs },
    signers: [gridAuthority, ...agreed.signers],
  });
}

/** Where the grid authority goes on alone. */
export const NOBODY: Agreement = { signers: [], cited: [], untilMs: null };

/** After this instant nobody is waited for any longer to sign what happened in the slot. */
export function overdueMs(context: FlowContext, slot: SlotId): number {
  return slotOf(slot).endMs + network(context).settlementGraceMs;
}

/** Whether the party has been waited for and still does not answer, or refused to sign. */
export async function isOverdueWithout(context: FlowContext, party: PublicKey, slot: SlotId): Promise<boolean> {
  if (party === context.party || context.nowMs < overdueMs(context, slot)) return false;
  if (context.avoid.has(party)) return true;
  const reply = await context.ask(party, { tag: "position", member: party, day: dayOf(context, slot) });
  return reply.tag !== "position";
}

/** What the settlement of one member's slot is made of. */
type SlotFacts = {
  readonly reading: VaultState<"meter-reading">;
  readonly tariff: NonNullable<ReturnType<typeof tariffFor>>;
  /** Consumed: record of delivery and exposure of the day, where the member has them. */
  readonly closed: readonly ResolvedState[];
  readonly exposure: Exposure | undefined;
  /** Consumed where the day was never opened: proof that nothing was promised or bought. */
  readonly index: VaultState<"exposure-index"> | undefined;
  readonly record: DeliveryRecord | undefined;
  readonly held: readonly VaultState<"power-promise">[];
};

/** Settles one member's slot: use of held energy, feed-in and retail with the power company. */
export async function draftSettleSlot(
  context: FlowContext,
  { member, slot }: ClientCommandOf<"settle-slot">,
): Promise<Drafted> {
  const { gridAuthority } = network(context);
  if (context.party !== gridAuthority) return err({ tag: "role_not_allowed" });
  const gathered = await gatherSlot(context, member, slot);
  if (!gathered.ok) return gathered;
  const { reading, tariff, closed, exposure, index, record, held } = gathered.value;
  const outcome = settlementOutcome({
    reading: reading.state,
    delivered: record?.delivered ?? wattHours(0n),
    held: held.map(({ state }) => state),
    surplusPrice: network(context).surplusPrice,
    ...tariff.prices,
  });
  const paid = await payForSlot(context, member, slot, outcome, exposure);
  if (!paid.ok) return paid;
  const { consumed, made, absent } = paid.value;
  const agreed = settledBy(context, member, absent);
  return ok({
    consumed: [reading, ...closed, ...held, ...consumed],
    cited: [context.parameters, tariff.cited, ...agreed.cited],
    made: [
      {
        tag: "slot-settlement",
        member,
        slot,
        produced: reading.state.produced,
        consumed: reading.state.consumed,
        ...outcome,
        revision: reading.state.revision,
        ...settledPosition(record, held, member),
      },
      ...closedDay(context, member, slot, exposure, index),
      ...made,
    ],
    command: { tag: "settle-slot", member, slot },
    window: { fromMs: absent.length > 0 ? overdueMs(context, slot) : slotOf(slot).endMs, untilMs: agreed.untilMs },
    signers: [gridAuthority, ...agreed.signers],
  });
}

type SlotPayment = {
  readonly consumed: readonly ResolvedState[];
  readonly made: readonly State[];
  /** Who need not sign, and is silent. */
  readonly absent: readonly PublicKey[];
};

/** The one payment between the member and the power company, out of the member's margin first. */
async function payForSlot(
  context: FlowContext,
  member: PublicKey,
  slot: SlotId,
  { feedInAmount, retailAmount, surplusAmount }: SettlementOutcome,
  exposure: Exposure | undefined,
): Promise<Result<SlotPayment, LedgerRefusal>> {
  const { powerCompany } = network(context);
  const net = member === powerCompany ? 0n : feedInAmount - retailAmount - surplusAmount;
  const [payer, payee, amount] = net < 0n ? [member, powerCompany, -net] : [powerCompany, member, net];
  const margin = marginOf(context, member, slot, exposure, net < 0n ? -net : 0n);
  const payment = await reserve(context, payer, amount - margin.paid);
  if (!payment.ok) return payment;
  // Who pays must sign; who is silent and only gains need not, nor whose margin pays the surplus cost.
  const isWithoutPayee = await isOverdueWithout(context, payee, slot);
  const isCovered = amount === margin.paid && (amount === 0n || feedInAmount >= retailAmount);
  const isWithoutPayer = isCovered && (await isOverdueWithout(context, payer, slot));
  return ok({
    consumed: [...margin.consumed, ...payment.value.consumed],
    made: [
      ...margin.made,
      ...fundsFor(payee, amount + (payee === member ? margin.returned : 0n)),
      ...fundsFor(member, payee === member ? 0n : margin.returned),
      ...payment.value.change,
    ],
    absent: [...(isWithoutPayee ? [payee] : []), ...(isWithoutPayer ? [payer] : [])],
  });
}

/** What a correction starts from. */
function settledPosition(
  record: DeliveryRecord | undefined,
  held: readonly VaultState<"power-promise">[],
  member: PublicKey,
): Omit<SlotSettlement, keyof SettlementOutcome | "tag" | "member" | "slot" | "produced" | "consumed" | "revision"> {
  const unsold = energyHeld(held, member);
  const delivered = record?.delivered ?? wattHours(0n);
  return {
    promised: record?.promised ?? wattHours(0n),
    delivered,
    unsold,
    bought: wattHours(sumEnergy(held.map(({ state }) => state.energy)) - unsold),
    depositLost: record?.depositLost ?? micros(0n),
    gridFee: record?.gridFee ?? micros(0n),
    deliveredFirst: delivered,
    keptFirst: deliveredOnKept(held, member),
  };
}

/** The member's margins of the day: what the rest of the day needs stays, of the rest `due` is paid. */
function marginOf(
  context: FlowContext,
  member: PublicKey,
  slot: SlotId,
  exposure: Exposure | undefined,
  due: bigint,
): MarginUse & { readonly consumed: readonly VaultState<"margin">[]; readonly made: readonly Margin[] } {
  const day = dayOf(context, slot);
  const consumed = context.vault.of("margin", member).filter(({ state }) => state.day === day);
  const locked = micros(consumed.reduce((sum, { state }) => sum + state.amount, 0n));
  const rest = exposure === undefined ? [] : withoutSlot(exposure, slot).entries;
  const use = marginAfterSlot(locked, marginNeeded(rest, network(context).surplusPrice), due);
  const made: readonly Margin[] = use.kept === 0n ? [] : [{ tag: "margin", owner: member, day, amount: use.kept }];
  return { ...use, consumed, made };
}

/** Who signs beside the grid authority: the member and the power company, but for those who are absent. */
export function settledBy(context: FlowContext, member: PublicKey, absent: readonly PublicKey[]): Agreement {
  const { powerCompany } = network(context);
  const agreed = absent.includes(member) ? NOBODY : agreementOf(context, member, "settle-slot");
  return absent.includes(powerCompany) ? agreed : { ...agreed, signers: [...agreed.signers, powerCompany] };
}

async function gatherSlot(
  context: FlowContext,
  member: PublicKey,
  slot: SlotId,
): Promise<Result<SlotFacts, LedgerRefusal>> {
  const reading = readingOf(context, member, slot);
  const tariff = tariffFor(context, slot);
  const position = await positionOf(context, member, dayOf(context, slot));
  if (reading === undefined) return err({ tag: "reading_unknown" });
  if (tariff === undefined) return err({ tag: "tariff_unknown" });
  if (!position.ok) return position;
  const { exposure, index } = position.value;
  if (exposure === undefined && index === undefined) return err({ tag: "dependency_unknown" });
  if (exposure?.state.settled.includes(slot)) return err({ tag: "slot_settled" });
  const records = context.vault.of("delivery-record", member).filter(({ state }) => state.slot === slot);
  const held = context.vault
    .of("power-promise", member)
    .filter(({ state }) => state.owner === member && state.slot === slot && state.delivered !== null);
  return ok({
    reading,
    tariff,
    closed: [...records, ...[exposure ?? index].flatMap((known) => known ?? [])],
    exposure: exposure?.state,
    index: exposure === undefined ? index : undefined,
    record: records[0]?.state,
    held: inOrder(held),
  });
}

/** The exposure of the day without the slot, which is settled from then on; where there was none the day is opened. */
function closedDay(
  context: FlowContext,
  member: PublicKey,
  slot: SlotId,
  exposure: Exposure | undefined,
  index: VaultState<"exposure-index"> | undefined,
): readonly State[] {
  const day = dayOf(context, slot);
  const open: Exposure = exposure ?? { tag: "exposure", member, day, entries: [], settled: [] };
  const closed = { ...withoutSlot(open, slot), settled: withSettled(open.settled, slot) };
  if (index === undefined) return [closed];
  return [closed, { ...index.state, openedDays: withOpenedDays(index.state.openedDays, [day]) }];
}

/** What was delivered on own promises that nobody bought. */
function deliveredOnKept(held: readonly VaultState<"power-promise">[], member: PublicKey): WattHours {
  return sumEnergy(held.flatMap(({ state }) => (state.supplier === member ? (state.delivered ?? []) : [])));
}

/** Energy of the promises that the member itself supplies. */
function energyHeld(held: readonly VaultState<"power-promise">[], member: PublicKey): WattHours {
  return sumEnergy(held.filter(({ state }) => state.supplier === member).map(({ state }) => state.energy));
}

function withoutSlot(exposure: Exposure, slot: SlotId): Exposure {
  return { ...exposure, entries: exposure.entries.filter((entry) => entry.slot !== slot) };
}

export function tariffFor(
  context: FlowContext,
  slot: SlotId,
):
  | {
      readonly cited: ResolvedState;
      readonly prices: Pick<Parameters<typeof settlementOutcome>[0], "feedIn" | "retail">;
    }
  | undefined {
  for (const cited of context.vault.all("tariff")) {
    const tariff: Tariff = cited.state;
    const index = tariff.slots.indexOf(slot);
    const feedIn = tariff.feedIn[index];
    const retail = tariff.retail[index];
    if (feedIn !== undefined && retail !== undefined) return { cited, prices: { feedIn, retail } };
  }
  return undefined;
}

type Reserved =
  | {
      readonly ok: true;
      readonly value: { readonly consumed: readonly ResolvedState[]; readonly change: ReturnType<typeof fundsFor> };
    }
  | Extract<Drafted, { readonly ok: false }>;

/** Asks the payer's node to reserve funds; the payer signs the whole transaction afterwards. */
export async function reserve(context: FlowContext, payer: PublicKey, amount: bigint): Promise<Reserved> {
  if (amount === 0n) return ok({ consumed: [], change: [] });
  if (payer === context.party) return payFrom(context, amount);
  // By the name of the command: what an attempt before this one reserved is given up.
  const reply = await context.ask(payer, { tag: "fund", flowId: context.commandId, amount: micros(amount) });
  if (reply.tag !== "proved") return err(reply.tag === "refused" ? reply.refusal : { tag: "node_unreachable" });
  const funds = reply.dependencies.map((dependency) => context.learn(dependency));
  if (!funds.every((each) => each !== undefined)) return err({ tag: "dependency_unknown" });
  const sum = funds.reduce(
    (total, { state }) => total + (state.tag === "funds" && state.owner === payer ? state.amount : 0n),
    0n,
  );
  if (sum < amount) return err({ tag: "dependency_unknown" });
  return ok({ consumed: funds, change: fundsFor(payer, sum - amount) });
}
