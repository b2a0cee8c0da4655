/**
 * A round that is too large for one transaction is cleared in several, one after the other, at the same price. Who trades with
 * whom stays as the trading method chose it; an order whose trades are cut apart goes on from one to the next.
 */
import {
  CLEARED_PARTIES_MAX,
  type ClientCommandOf,
  type LedgerRefusal,
  type PoolOrder,
  type PoolTrade,
  type Receipt,
} from "#contracts";
import type { Result } from "#core";
import type { LedgerClient } from "#ledger-client";

type Clearing = ClientCommandOf<"clear-pool">;
type Answer = Result<Receipt, LedgerRefusal>;

/** The trades in their order, cut so that no part has trades of more than `partiesMax` owners. */
export function cutTrades(
  trades: readonly PoolTrade[],
  orders: readonly Pick<PoolOrder, "orderId" | "owner">[],
  partiesMax: number = CLEARED_PARTIES_MAX,
): readonly (readonly PoolTrade[])[] {
  const ownerOf = new Map(orders.map(({ orderId, owner }) => [orderId, owner]));
  const parts: PoolTrade[][] = [];
  let part: PoolTrade[] = [];
  let parties = new Set<string>();
  for (const trade of trades) {
    const traders = [trade.bid, trade.offer].map((id) => ownerOf.get(id) ?? id);
    const grown = new Set([...parties, ...traders]);
    if (part.length > 0 && (grown.size > partiesMax || part.length >= TRADES_MAX)) {
      parts.push(part);
      [part, parties] = [[trade], new Set(traders)];
    } else {
      part.push(trade);
      parties = grown;
    }
  }
  return part.length > 0 ? [...parts, part] : parts;
}

/** Trades of few owners with many orders: as much as surely fits in a transaction. */
const TRADES_MAX = 500;

/**
 * Clears a round, in one transaction if it fits. What one part is refused for does not hold up the others; the first refusal is
 * given.
 * @param orders - Those that may trade.
 * @param open - All orders of the slot: in a final round, what does not trade is given back.
 */
export async function clearInSteps(
  client: LedgerClient,
  clearing: Clearing,
  orders: readonly PoolOrder[],
  open: readonly PoolOrder[],
): Promise<Answer> {
  const { commandId, isFinal, trades } = clearing;
  const traded = new Set(trades.flatMap(({ bid, offer }) => [bid, offer]));
  const left = isFinal ? open.filter(({ orderId }) => !traded.has(orderId)).length : 0;
  const parts = cutTrades(trades, orders);
  if (parts.length <= 1 && left <= CLEARED_PARTIES_MAX) return clearPart(client, clearing);
  const answers: Answer[] = [];
  for (const [index, part] of parts.entries())
    answers.push(
      await clearPart(client, { ...clearing, commandId: `${commandId}/${index}`, isFinal: false, trades: part }),
    );
  for (let given = 0; isFinal && given < open.length; given += CLEARED_PARTIES_MAX) {
    const rest: Clearing = { ...clearing, commandId: `${commandId}/rest/${given}`, trades: [] };
    const answer = await client.submit(rest);
    if (!answer.ok && answer.error.tag === "order_unknown") break;
    answers.push(answer);
  }
  const [first] = answers;
  return answers.find(({ ok }) => !ok) ?? first ?? clearPart(client, clearing);
}

/** Trades that are too much for one transaction, because so much hangs on them, are halved until they fit. */
async function clearPart(client: LedgerClient, clearing: Clearing): Promise<Answer> {
  const { commandId, trades } = clearing;
  const answer = await client.submit(clearing);
  if (answer.ok || answer.error.tag !== "transaction_malformed" || trades.length < 2) return answer;
  const middle = Math.ceil(trades.length / 2);
  const first = await clearPart(client, {
    ...clearing,
    commandId: `${commandId}/a`,
    isFinal: false,
    trades: trades.slice(0, middle),
  });
  const second = await clearPart(client, { ...clearing, commandId: `${commandId}/b`, trades: trades.slice(middle) });
  return first.ok ? second : first;
}
