/** A small cache for results that depend on nothing but their key; those not asked for longest make way. */

const RESULTS_KEPT_MAX = 128;

export class KeptResults<T> {
  readonly #results = new Map<string, T>();
  readonly #max: number;

  constructor(max: number = RESULTS_KEPT_MAX) {
    this.#max = max;
  }

  /** The result kept under `key`, else that of `compute`. The key must hold everything that the result rests on. */
  get(key: string, compute: () => T): T {
    if (this.#results.has(key)) {
      const kept = this.#results.get(key) as T;
      this.#results.delete(key); // A map lists its keys in the order of entry: to the end with what is in use.
      this.#results.set(key, kept);
      return kept;
    }
    const result = compute();
    this.#results.set(key, result);
    if (this.#results.size > this.#max) this.#results.delete(this.#results.keys().next().value as string);
    return result;
  }
}
