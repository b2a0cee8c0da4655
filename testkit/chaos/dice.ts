/** Decisions from a seed: each stream is its own, so that one more draw here changes nothing there. */
import { invariant, type Prng, seededPrng } from "#core";

export class Dice {
  readonly #prng: Prng;

  constructor(seed: string, stream: string) {
    this.#prng = seededPrng(seed, `chaos ${stream}`);
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.#prng.nextFloat() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.#prng.nextFloat() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)];
    invariant(item !== undefined, "there is something to pick from");
    return item;
  }

  /** Picks by weight. */
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T {
    let left = this.#prng.nextFloat() * items.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of items) {
      left -= weight;
      if (left < 0) return item;
    }
    return this.pick(items)[1];
  }

  /** The items in an order by chance. */
  shuffled<T>(items: readonly T[]): readonly T[] {
    return items
      .map((item) => ({ item, order: this.#prng.nextUint32() }))
      .sort((left, right) => left.order - right.order)
      .map(({ item }) => item);
  }
}
