/** A small cache for results that depend on nothing but their key; the oldest make way. */

const RESULTS_KEPT_MAX = 128;

export class KeptResults<T> {
  readonly #results = new Map<string, T>();
  readonly #max: number;

  constructor(max: number = RESULTS_KEPT_MAX) {
    this.#max = max;
  }

  /** The result kept under `key`, else that of `compute`. The key must hold everything that the result rests on. */
  get(key: string, compute: () => T): T {
    if (this.#results.has(key)) return this.#results.get(key) as T;
    const result = compute();
    this.#results.set(key, result);
    if (this.#results.size > this.#max) {
      for (const oldest of this.#results.keys()) {
        this.#results.delete(oldest);
        break;
      }
    }
    return result;
  }
}
