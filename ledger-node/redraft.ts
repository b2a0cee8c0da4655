/** Whom the next draft of a flow does without, after a refusal that another draft may get around. */
import type { CommandTag, LedgerRefusal, NetworkParameters, State, StateRef, WireTransaction } from "#contracts";
import { refKey } from "#contracts";
import { type PublicKey, slotOf } from "#core";

type Refused = {
  readonly transaction: Pick<WireTransaction, "content">;
  /** The states that it consumes, in its order. */
  readonly inputs: readonly State[];
};

/**
 * A verifier that can't be reached, where there are more of them than must sign; who has been waited for long enough and does not
 * sign; and who proved states that were spent already. What is drafted anew without them may still need them.
 */
export function partiesToAvoid(
  refusal: LedgerRefusal,
  flow: Refused,
  parameters: Pick<NetworkParameters, "verifiers" | "verifierQuorum" | "settlementGraceMs">,
  nowMs: number,
): readonly PublicKey[] {
  if (refusal.tag === "state_conflict") return proversOf(flow, new Set(refusal.spent.map(({ ref }) => ref)));
  if (refusal.tag !== "counterparty_refused") return [];
  const { party, reason } = refusal;
  const { verifiers, verifierQuorum, settlementGraceMs } = parameters;
  const isSpare = verifiers.includes(party) && verifiers.length > verifierQuorum;
  if (isSpare && reason === "node_unreachable") return [party];
  const dueMs = dueOf(flow);
  return dueMs !== undefined && nowMs >= dueMs + settlementGraceMs ? [party] : [];
}

/** The members whose position or bid, as it was proved, is spent. */
function proversOf({ transaction, inputs }: Refused, spent: ReadonlySet<string>): readonly PublicKey[] {
  return transaction.content.inputs.flatMap((ref: StateRef, index) => {
    const state = inputs[index];
    if (state === undefined || !spent.has(refKey(ref))) return [];
    if (state.tag === "exposure" || state.tag === "exposure-index") return [state.member];
    return state.tag === "bid" ? [state.bidder] : [];
  });
}

const AFTER_THE_SLOT: readonly CommandTag[] = ["check-delivery", "settle-slot", "correct-settlement"];

/** When the parties of a flow that may go on without them were due to sign it. */
function dueOf({ transaction, inputs }: Refused): number | undefined {
  const { command } = transaction.content;
  if (AFTER_THE_SLOT.includes(command.tag) && "slot" in command) return slotOf(command.slot).endMs;
  if (command.tag !== "settle-auction") return undefined;
  return inputs.flatMap((state) => (state.tag === "auction" ? [state.deadlineMs] : []))[0];
}
