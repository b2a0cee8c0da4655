/** Webhooks that are owed: kept until the receiver has taken them, over restarts, or until they were tried often enough. */
import type { PaymentDatabase } from "./database.ts";

export type OutgoingEvent = { readonly eventId: string; readonly url: string; readonly body: string };
export type DueEvent = OutgoingEvent & { readonly sequence: number; readonly attempts: number };
export type DeadEvent = OutgoingEvent & { readonly attempts: number; readonly problem: string };

export class Outbox {
  readonly #database: PaymentDatabase;

  constructor(database: PaymentDatabase) {
    this.#database = database;
  }

  /** Once for each receiver, however often it is put. */
  put({ eventId, url, body }: OutgoingEvent, nowMs: number): void {
    this.#database
      .prepare("INSERT OR IGNORE INTO outbox VALUES (NULL, ?, ?, ?, 'due', 0, ?, NULL)")
      .run(eventId, url, body, nowMs);
  }

  /** What is to be tried at an instant, oldest first. */
  due(nowMs: number): readonly DueEvent[] {
    const rows = this.#database
      .prepare(
        "SELECT sequence, event_id AS eventId, url, body, attempts FROM outbox WHERE status = 'due' AND due_ms <= ? ORDER BY sequence",
      )
      .all(nowMs);
    return rows as DueEvent[];
  }

  /** The instant of the next try; undefined when nothing is owed. */
  nextDueMs(): number | undefined {
    const { next } = this.#database.prepare("SELECT min(due_ms) AS next FROM outbox WHERE status = 'due'").get() as {
      readonly next: number | null;
    };
    return next ?? undefined;
  }

  markDelivered({ sequence, attempts }: DueEvent): void {
    this.#database
      .prepare("UPDATE outbox SET status = 'delivered', attempts = ?, problem = NULL WHERE sequence = ?")
      .run(attempts + 1, sequence);
  }

  /** @param nextMs - When to try again; null: never. */
  markFailed({ sequence, attempts }: DueEvent, problem: string, nextMs: number | null): void {
    this.#database
      .prepare("UPDATE outbox SET status = ?, attempts = ?, due_ms = ?, problem = ? WHERE sequence = ?")
      .run(nextMs === null ? "dead" : "due", attempts + 1, nextMs ?? 0, problem, sequence);
  }

  /** What was given up. */
  dead(): readonly DeadEvent[] {
    const rows = this.#database
      .prepare(
        "SELECT event_id AS eventId, url, body, attempts, problem FROM outbox WHERE status = 'dead' ORDER BY sequence",
      )
      .all();
    return rows as DeadEvent[];
  }

  /** Tries what was given up from the beginning. Gives how many there are. */
  revive(nowMs: number): number {
    return this.#database
      .prepare("UPDATE outbox SET status = 'due', attempts = 0, due_ms = ? WHERE status = 'dead'")
      .run(nowMs).changes;
  }
}
