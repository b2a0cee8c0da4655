/**
 * Slow answers to what a clearing must be, found without sorting, merit order or margins: by trying everything.
 * For small books only.
 */
import type { Book, Order } from "../../marketplace/clearing/index.ts";

/** The largest welfare of any allocation in whole watt-hours, and the largest volume that reaches it. */
export function bestOutcome(book: Book): { readonly welfare: bigint; readonly volume: bigint } {
  const worth = extremesByVolume(book.bids, (left, right) => left > right);
  const cost = extremesByVolume(book.offers, (left, right) => left < right);
  let best = { welfare: 0n, volume: 0n };
  for (const [volume, value] of worth) {
    const spent = cost.get(volume);
    if (spent === undefined) continue;
    const welfare = value - spent;
    if (welfare > best.welfare || (welfare === best.welfare && volume > best.volume)) best = { welfare, volume };
  }
  return best;
}

/** For each reachable total of energy, the best sum of `energy × limit` over all ways to fill the orders. */
function extremesByVolume(
  orders: readonly Order[],
  isBetter: (left: bigint, right: bigint) => boolean,
): Map<bigint, bigint> {
  let reached = new Map<bigint, bigint>([[0n, 0n]]);
  for (const { energy, limit } of orders) {
    const next = new Map<bigint, bigint>();
    for (const [volume, value] of reached) {
      for (let filled = 0n; filled <= energy; filled++) {
        const total = volume + filled;
        const sum = value + filled * limit;
        const known = next.get(total);
        if (known === undefined || isBetter(sum, known)) next.set(total, sum);
      }
    }
    reached = next;
  }
  return reached;
}

/**
 * All whole prices at which `volume` is an equilibrium: who must trade at that price (limit strictly better) is not more
 * than the volume, and who may trade (limit at least as good) is not less; on both sides.
 */
export function equilibriumPrices(book: Book, volume: bigint): readonly bigint[] {
  const limits = [...book.bids, ...book.offers].map(({ limit }) => BigInt(limit));
  const prices: bigint[] = [];
  if (volume === 0n) return prices;
  const lowest = limits.reduce((left, right) => (left < right ? left : right)) - 1n;
  const highest = limits.reduce((left, right) => (left > right ? left : right)) + 1n;
  for (let price = lowest; price <= highest; price++) {
    const mustBuy = energyOf(book.bids, (limit) => limit > price);
    const mayBuy = energyOf(book.bids, (limit) => limit >= price);
    const mustSell = energyOf(book.offers, (limit) => limit < price);
    const maySell = energyOf(book.offers, (limit) => limit <= price);
    if (mustBuy <= volume && volume <= mayBuy && mustSell <= volume && volume <= maySell) prices.push(price);
  }
  return prices;
}

function energyOf(orders: readonly Order[], isIn: (limit: bigint) => boolean): bigint {
  return orders.filter(({ limit }) => isIn(limit)).reduce((sum, { energy }) => sum + energy, 0n);
}

/** The largest number that is not above the half of `sum`, by trying. */
export function halfRoundedDown(sum: bigint): bigint {
  let half = sum > 0n ? 0n : sum - 1n;
  while ((half + 1n) * 2n <= sum) half += 1n;
  return half;
}
