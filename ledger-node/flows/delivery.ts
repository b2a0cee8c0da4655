/** Meters, check delivery (paper algorithm A2) and the settlement of a slot. Initiated by the grid authority. */

import {
  type ClientCommandOf,
  deliveryOutcome,
  type Exposure,
  injectedOf,
  type LedgerRefusal,
  type PowerPromise,
  type ResolvedState,
  refKey,
  settlementOutcome,
  type Tariff,
} from "#contracts";
import { err, micros, ok, type PublicKey, type Result, type SlotId, slotOf, type WattHours, wattHours } from "#core";
import { type Drafted, dayOf, type FlowContext, network } from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { positionOf } from "./member-position.ts";
import { fundsFor, payFrom } from "./money.ts";

export async function draftRecordMeters(
  context: FlowContext,
  { slot, readings }: ClientCommandOf<"record-meters">,
): Promise<Drafted> {
  if (context.party !== network(context).gridAuthority) return err({ tag: "role_not_allowed" });
  if (readings.some(({ member }) => readingOf(context, member, slot) !== undefined))
    return err({ tag: "reading_recorded" });
  return ok({
    consumed: [],
    cited: [context.parameters],
    made: readings.map(({ member, produced, consumed }) => ({
      tag: "meter-reading" as const,
      member,
      slot,
      produced,
      consumed,
    })),
    command: { tag: "record-meters", slot },
    window: { fromMs: slotOf(slot).endMs, untilMs: null },
    signers: [context.signingKey],
  });
}

function readingOf(context: FlowContext, member: PublicKey, slot: SlotId): VaultState<"meter-reading"> | undefined {
  return context.vault.all("meter-reading").find(({ state }) => state.member === member && state.slot === slot);
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
      .all("power-promise")
      .filter(({ state }) => state.supplier === supplier && state.slot === slot && state.delivered === null),
  );
  const deposits = inOrder(
    context.vault.all("deposit").filter(({ state }) => state.supplier === supplier && state.slot === slot),
  );
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
  // Algorithm A2: the supplier signs what it kept, the power company what it must deliver instead.
  const counterparty = outcome.shortfall > 0n ? powerCompany : supplier;
  const isAlone = await isOverdueWithout(context, counterparty, slot);
  return ok({
    consumed: [...promises, ...deposits],
    cited: [context.parameters, reading, exposure],
    made: [
      ...checked,
      { tag: "delivery-record", supplier, slot, promised, delivered, depositLost, gridFee },
      ...fundsFor(supplier, outcome.returned),
      ...fundsFor(powerCompany, outcome.toPowerCompany),
      ...fundsFor(gridAuthority, outcome.toGridAuthority),
    ],
    command: { tag: "check-delivery", supplier, slot },
    window: { fromMs: isAlone ? overdueMs(context, slot) : slotOf(slot).endMs, untilMs: null },
    signers: isAlone ? [gridAuthority] : [gridAuthority, counterparty],
  });
}

/** After this instant nobody is waited for any longer to sign what happened in the slot. */
function overdueMs(context: FlowContext, slot: SlotId): number {
  return slotOf(slot).endMs + network(context).settlementGraceMs;
}

/** Whether the party has been waited for and still does not answer, or refused to sign. */
async function isOverdueWithout(context: FlowContext, party: PublicKey, slot: SlotId): Promise<boolean> {
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
  /** Cited where the day was never opened: proof that nothing was promised or bought. */
  readonly index: ResolvedState | undefined;
  readonly delivered: WattHours;
  readonly held: readonly VaultState<"power-promise">[];
};

/** Settles one member's slot: use of held energy, feed-in and retail with the power company. */
export async function draftSettleSlot(
  context: FlowContext,
  { member, slot }: ClientCommandOf<"settle-slot">,
): Promise<Drafted> {
  const { gridAuthority, powerCompany } = network(context);
  if (context.party !== gridAuthority) return err({ tag: "role_not_allowed" });
  const gathered = await gatherSlot(context, member, slot);
  if (!gathered.ok) return gathered;
  const { reading, tariff, closed, exposure, index, delivered, held } = gathered.value;
  const { produced, consumed } = reading.state;
  const outcome = settlementOutcome({
    reading: reading.state,
    delivered,
    held: held.map(({ state }) => state),
    ...tariff.prices,
  });
  const net = member === powerCompany ? 0n : outcome.feedInAmount - outcome.retailAmount;
  const [payer, payee, amount] = net < 0n ? [member, powerCompany, -net] : [powerCompany, member, net];
  const payment = await reserve(context, payer, amount);
  if (!payment.ok) return payment;
  // Who pays must sign; who is silent and only gains need not.
  const isWithoutPayee = await isOverdueWithout(context, payee, slot);
  const isWithoutPayer = amount === 0n && (await isOverdueWithout(context, payer, slot));
  const absent = [...(isWithoutPayee ? [payee] : []), ...(isWithoutPayer ? [payer] : [])];
  return ok({
    consumed: [reading, ...closed, ...held, ...payment.value.consumed],
    cited: [context.parameters, tariff.cited, ...(index === undefined ? [] : [index])],
    made: [
      { tag: "slot-settlement", member, slot, produced, consumed, ...outcome },
      ...(exposure === undefined ? [] : [withoutSlot(exposure, slot)]),
      ...fundsFor(payee, amount),
      ...payment.value.change,
    ],
    command: { tag: "settle-slot", member, slot },
    window: { fromMs: absent.length > 0 ? overdueMs(context, slot) : slotOf(slot).endMs, untilMs: null },
    signers: [gridAuthority, member, powerCompany].filter((key) => !absent.includes(key)),
  });
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
  const records = context.vault
    .all("delivery-record")
    .filter(({ state }) => state.supplier === member && state.slot === slot);
  const held = context.vault
    .all("power-promise")
    .filter(({ state }) => state.owner === member && state.slot === slot && state.delivered !== null);
  return ok({
    reading,
    tariff,
    closed: [...records, ...(exposure === undefined ? [] : [exposure])],
    exposure: exposure?.state,
    index: exposure === undefined ? index : undefined,
    delivered: records[0]?.state.delivered ?? wattHours(0n),
    held: inOrder(held),
  });
}

function withoutSlot(exposure: Exposure, slot: SlotId): Exposure {
  return { ...exposure, entries: exposure.entries.filter((entry) => entry.slot !== slot) };
}

function tariffFor(
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
async function reserve(context: FlowContext, payer: PublicKey, amount: bigint): Promise<Reserved> {
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
