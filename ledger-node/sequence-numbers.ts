/**
 * Arrival numbers for orders, one after the other. They are reserved in the store many at a time, since each reservation waits
 * for the disk; those that are left when the node is stopped are never given.
 */
import type { NodeStore } from "./stores/node-store.ts";

const BLOCK = 256;

export class SequenceNumbers {
  readonly #store: Pick<NodeStore, "reserveSequence">;
  #next = 0;
  #end = 0;

  constructor(store: Pick<NodeStore, "reserveSequence">) {
    this.#store = store;
  }

  /** Takes `count` numbers that follow each other, and gives the first. */
  take(count: number): number {
    if (this.#end - this.#next < count) {
      const size = Math.max(count, BLOCK);
      const first = this.#store.reserveSequence(size);
      if (first !== this.#end) this.#next = first;
      this.#end = first + size;
    }
    const first = this.#next;
    this.#next += count;
    return first;
  }
}
