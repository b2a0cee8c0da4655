/**
 * The three critical levels of the market, in the newsvendor's manner (Arrow, Harris and Marschak 1951; Porteus 2002,
 * chapter 1): how much to promise, how much to order, how much of what was bought to keep.
 * All prices here are numbers in micros per kWh; the derivations are in the strategies' READMEs.
 */
import { clamp } from "./amounts.ts";
import { expectedWithin } from "./quantiles.ts";

/** What one promised kilowatt-hour brings and costs. */
export type SupplyPrices = {
  /** What a sale is expected to bring. */
  readonly salePrice: number;
  /** Probability, 0…1, that a promised kilowatt-hour is sold before its gate. */
  readonly saleChance: number;
  readonly feedIn: number;
  /** Kept from the deposit on what is delivered. */
  readonly gridFee: number;
  /** Lost from the deposit on what is not. */
  readonly shortfallPrice: number;
  /**
   * What it is worth not to promise a kilowatt-hour now that will be there: it can still be promised later, when more is known.
   * Nothing where this is the last chance.
   */
  readonly waitingValue: number;
};

/** What one bought kilowatt-hour costs and saves. */
export type NeedPrices = {
  readonly price: number;
  /** Paid by the buyer on top of the price. */
  readonly fee: number;
  readonly feedIn: number;
  readonly retail: number;
};

/**
 * The level of the injection's distribution up to which promising pays.
 *
 * One more Wh earns `a p` for sure; it costs `g + a f` where it is delivered and `e` where it is not. With `F` the
 * probability of not delivering it, `a p - (1 - F)(g + a f) - F e = (1 - F) w` gives
 * `F = (a (p - f) - g - w) / (e - g - a f - w)`, where `w` is the value of waiting for what will be there.
 *
 * @returns 0…1; 0 promises nothing.
 * @example promiseLevel({ salePrice: 200_000, saleChance: 0.8, feedIn: 60_000, gridFee: 5_000, shortfallPrice: 800_000, waitingValue: 0 }); // 0.1432
 */
export function promiseLevel(prices: SupplyPrices): number {
  const { salePrice, saleChance, feedIn, gridFee, shortfallPrice, waitingValue } = prices;
  const margin = saleChance * (salePrice - feedIn) - gridFee - waitingValue;
  if (margin <= 0) return 0;
  const swing = shortfallPrice - gridFee - saleChance * feedIn - waitingValue;
  return swing <= margin ? 1 : margin / swing; // No swing: failing costs no more than the sale brings.
}

/** Expected gain of a promise of `energyWh`, against feeding everything in or waiting, in micros. */
export function promiseGain(injection: Float64Array, energyWh: number, prices: SupplyPrices): number {
  const { salePrice, saleChance, feedIn, gridFee, shortfallPrice, waitingValue } = prices;
  const deliveredWh = expectedWithin(injection, energyWh);
  const earned = saleChance * salePrice * energyWh;
  const spent =
    deliveredWh * (gridFee + saleChance * feedIn + waitingValue) + (energyWh - deliveredWh) * shortfallPrice;
  return (earned - spent) / 1_000;
}

/**
 * The level of the need's distribution up to which buying pays.
 *
 * One more Wh costs `p + m`; it saves retail where it is used and earns feed-in where it is not:
 * `(r - f) P(need > bought) + f - p - m = 0` gives `P(need <= bought) = (r - p - m) / (r - f)`.
 */
export function orderLevel({ price, fee, feedIn, retail }: NeedPrices): number {
  return retail <= feedIn ? 0 : clamp((retail - price - fee) / (retail - feedIn), 0, 1);
}

/**
 * The level of the need's distribution above which selling bought energy at `price` pays: `(r - p) / (r - f)`.
 * It lies above `orderLevel` by the fee's share, so nothing is bought and sold in turn.
 */
export function keepLevel({ price, feedIn, retail }: Omit<NeedPrices, "fee">): number {
  return retail <= feedIn ? 0 : clamp((retail - price) / (retail - feedIn), 0, 1);
}

/** What covering one sold kilowatt-hour costs and saves. */
export type CoverPrices = Omit<NeedPrices, "retail"> & Pick<SupplyPrices, "gridFee" | "shortfallPrice">;

/**
 * The level of the injection's distribution down to which covering what is sold pays.
 *
 * One more covered Wh costs `p + m`; it saves the shortfall `e` where it would not have been delivered, and where it would have
 * been, it is fed in and pays no grid fee: with `F` the probability of not delivering it, `F e + (1 - F)(f + g) = p + m` gives
 * `F = (p + m - f - g) / (e - f - g)`. Above the level of a promise at the same price: nothing is promised and covered in turn.
 *
 * @returns 0…1; 1 covers nothing but what will surely not be there.
 * @example coverLevel({ price: 296_000, fee: 14_000, feedIn: 60_000, gridFee: 5_000, shortfallPrice: 800_000 }); // 0.3333
 */
export function coverLevel({ price, fee, feedIn, gridFee, shortfallPrice }: CoverPrices): number {
  const swing = shortfallPrice - feedIn - gridFee;
  return swing <= 0 ? 1 : clamp((price + fee - feedIn - gridFee) / swing, 0, 1);
}

/** What `energyWh` more is worth to a member that holds `coveredWh` already, in micros: used at retail, the rest at feed-in. */
export function worthOfEnergy(
  need: Float64Array,
  coveredWh: number,
  energyWh: number,
  feedIn: number,
  retail: number,
): number {
  const usedWh = expectedWithin(need, coveredWh + energyWh) - expectedWithin(need, coveredWh);
  return (usedWh * retail + (energyWh - usedWh) * feedIn) / 1_000;
}
