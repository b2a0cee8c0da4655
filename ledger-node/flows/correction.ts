/** The correction of a settled slot by a reading that was made since. Initiated by the grid authority. */

import {
  type ClientCommandOf,
  type Correction,
  correctionOutcome,
  type LedgerRefusal,
  type ResolvedState,
  type State,
} from "#contracts";
import { err, ok, type PublicKey, type Result, type SlotId, slotOf } from "#core";
import { type Drafted, type FlowContext, network } from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { isOverdueWithout, overdueMs, reserve, settledBy, tariffFor } from "./delivery.ts";
import { correctionEndMs, correctionWindow, latestReading, settlementOf } from "./meters.ts";
import { fundsFor } from "./money.ts";

export async function draftCorrectSettlement(
  context: FlowContext,
  { member, slot }: ClientCommandOf<"correct-settlement">,
): Promise<Drafted> {
  const { gridAuthority } = network(context);
  if (context.party !== gridAuthority) return err({ tag: "role_not_allowed" });
  const known = gatherCorrection(context, member, slot);
  if (!known.ok) return known;
  const { settlement, reading, tariff } = known.value;
  const outcome = correctionOutcome(network(context), settlement.state, reading.state, tariff.prices);
  const changes = changesOf(context, member, outcome);
  const moved = await moveMoney(context, changes);
  if (!moved.ok) return moved;
  const absent = await absentees(context, slot, changes);
  const agreed = settledBy(context, member, absent);
  const dueMs = absent.length > 0 ? overdueMs(context, slot) : slotOf(slot).endMs;
  const { fromMs, untilMs } = correctionWindow(context, slot, dueMs);
  return ok({
    consumed: [settlement, reading, ...moved.value.consumed],
    cited: [context.parameters, tariff.cited, ...agreed.cited],
    made: [outcome.settlement, ...moved.value.made],
    command: { tag: "correct-settlement", member, slot },
    window: { fromMs, untilMs: Math.min(untilMs, agreed.untilMs ?? untilMs) },
    signers: [...new Set([gridAuthority, ...agreed.signers])],
  });
}

type Known = {
  readonly settlement: VaultState<"slot-settlement">;
  readonly reading: VaultState<"meter-reading">;
  readonly tariff: NonNullable<ReturnType<typeof tariffFor>>;
};

function gatherCorrection(context: FlowContext, member: PublicKey, slot: SlotId): Result<Known, LedgerRefusal> {
  const settlement = settlementOf(context, member, slot);
  const reading = latestReading(context, member, slot);
  const tariff = tariffFor(context, slot);
  if (settlement === undefined) return err({ tag: "settlement_unknown" });
  if (reading === undefined || reading.state.revision <= settlement.state.revision)
    return err({ tag: "reading_unknown" });
  if (tariff === undefined) return err({ tag: "tariff_unknown" });
  if (context.nowMs >= correctionEndMs(context, slot)) return err({ tag: "correction_closed" });
  return ok({ settlement, reading, tariff });
}

/** What each party gets more or less; one may be two of them. */
function changesOf(context: FlowContext, member: PublicKey, outcome: Correction): ReadonlyMap<PublicKey, bigint> {
  const { gridAuthority, powerCompany } = network(context);
  const changes = new Map<PublicKey, bigint>([[member, outcome.toMember]]);
  changes.set(powerCompany, (changes.get(powerCompany) ?? 0n) + outcome.toPowerCompany);
  changes.set(gridAuthority, (changes.get(gridAuthority) ?? 0n) + outcome.toGridAuthority);
  return changes;
}

/** Who has been waited for, does not answer, and does not pay. */
async function absentees(
  context: FlowContext,
  slot: SlotId,
  changes: ReadonlyMap<PublicKey, bigint>,
): Promise<readonly PublicKey[]> {
  const absent: PublicKey[] = [];
  for (const [party, amount] of changes)
    if (amount >= 0n && (await isOverdueWithout(context, party, slot))) absent.push(party);
  return absent;
}

type Moved = { readonly consumed: readonly ResolvedState[]; readonly made: readonly State[] };

/** Takes from each party what it owes, and gives each what it gains. */
async function moveMoney(
  context: FlowContext,
  changes: ReadonlyMap<PublicKey, bigint>,
): Promise<Result<Moved, LedgerRefusal>> {
  const consumed: ResolvedState[] = [];
  const made: State[] = [];
  for (const [party, amount] of changes) {
    const payment = await reserve(context, party, amount < 0n ? -amount : 0n);
    if (!payment.ok) return payment;
    consumed.push(...payment.value.consumed);
    made.push(...payment.value.change, ...fundsFor(party, amount));
  }
  return ok({ consumed, made });
}
