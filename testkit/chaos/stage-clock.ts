/**
 * The clock of a chaos run: the machine's, moved so that the run begins in the last slot of a day, and moved on by nearly a
 * slot whenever all nodes are stopped, so that gates, deliveries and settlements happen during the run.
 */
import { type LocalDay, localDay, type Slot, slotStartingAt } from "#core";

const SLOT_MINUTES = 15;
const SLOT_MS: number = SLOT_MINUTES * 60_000;
const DAY_MS = 86_400_000;

export class StageClock {
  readonly #midnightMs: number;
  readonly #leadMs: number;
  #era = -1;
  #offsetMs: number;

  /** @param leadMs - From the start of an era to the gate that falls into it. */
  constructor(leadMs: number) {
    // The nearest midnight: a node's clock may be wrong by a day at most.
    this.#midnightMs = Math.round(Date.now() / DAY_MS) * DAY_MS;
    this.#leadMs = leadMs;
    this.#offsetMs = this.#eraMs(leadMs) - Date.now();
  }

  #eraMs(leadMs: number): number {
    return this.#midnightMs + this.#era * SLOT_MS - leadMs;
  }

  get offsetMs(): number {
    return this.#offsetMs;
  }

  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Moves on to shortly before the next slot, or after its start where `leadMs` is negative; to be called while no node runs. */
  nextEra(leadMs: number = this.#leadMs): void {
    const nowMs = this.nowMs();
    do this.#era += 1;
    while (this.#eraMs(leadMs) <= nowMs);
    this.#offsetMs = this.#eraMs(leadMs) - Date.now();
  }

  /** The day whose slots are traded, and those after it. */
  day(add = 0): LocalDay {
    return localDay(new Date(this.#midnightMs + add * DAY_MS).toISOString().slice(0, 10));
  }

  /** A slot by its number in the day. */
  slot(index: number): Slot {
    return slotStartingAt(this.#midnightMs + index * SLOT_MS, SLOT_MINUTES);
  }

  /** The first slot of the day whose gate stays open for so long. */
  firstOpenSlot(forMs: number): number {
    return Math.max(0, Math.ceil((this.nowMs() + forMs - this.#midnightMs) / SLOT_MS));
  }

  /** How many slots of the day are over. */
  get slotsOver(): number {
    return Math.max(0, Math.floor((this.nowMs() - this.#midnightMs) / SLOT_MS));
  }
}
