/**
 * A node's events with their numbers in its store, so that a listener can resume where it was: once somebody has listened, the
 * newest are kept in memory as the text that is sent; what is older is made anew from the store. A node that was restarted tells
 * no other events.
 */
import type { NodeEndpoint, NodeEvent } from "#contracts";
import type { Hash, PublicKey } from "#core";
import { encodeJson, nodeEventSchema, type SseMessage, TRANSACTION_EVENT } from "#ledger-api";
import type { NodeStore } from "../stores/node-store.ts";
import { EventReplay } from "./event-replay.ts";
import type { LiveSource } from "./live-source.ts";

export type EventHistoryOptions = {
  readonly node: Pick<NodeEndpoint, "party" | "listen">;
  readonly gridAuthority: PublicKey;
  readonly store: Pick<NodeStore, "scanAfter" | "count" | "proofs">;
  /** Runs a task once what is ready now has run. */
  readonly defer: (task: () => void) => void;
  /** The most text of new events that is kept in memory, in UTF-16 units; 4 million by default. */
  readonly keptLengthMax?: number;
};

type Kept = { readonly sequence: number; readonly message: SseMessage };

const KEPT_LENGTH_MAX = 4_000_000;
/** Between two of these, others get their turn. */
const ROWS_PER_PAGE = 16;
const SEQUENCE = /^(?:0|[1-9]\d{0,15})$/;

export class EventHistory implements LiveSource {
  readonly #options: EventHistoryOptions;
  /** All events after the number `#keptAfter`. */
  #kept: Kept[] = [];
  #keptAfter: number;
  #keptLength = 0;
  #newest: number;
  /** Events whose number is not known yet. */
  readonly #unnumbered = new Map<Hash, NodeEvent>();
  #isNumbering = false;
  readonly #listeners = new Set<() => void>();
  /** Making the text of every event was a tenth of a busy node's time, for nobody. */
  #hasBeenListenedTo = false;
  #replaying: Promise<void> = Promise.resolve();
  readonly #stop: () => void;

  /** To be made when the node has started and is idle. */
  constructor(options: EventHistoryOptions) {
    this.#options = options;
    this.#newest = newestOf(options.store);
    this.#keptAfter = this.#newest;
    this.#stop = options.node.listen((event) => this.#add(event));
  }

  newest(): string {
    return String(this.#newest);
  }

  knows(id: string): boolean {
    return SEQUENCE.test(id) && Number(id) <= this.#newest;
  }

  onNews(listener: () => void): () => void {
    this.#hasBeenListenedTo = true;
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async *since(id: string): AsyncIterable<readonly SseMessage[]> {
    let from = Number(id);
    while (from < this.#newest) {
      if (from >= this.#keptAfter) {
        const first = this.#kept.findLastIndex(({ sequence }) => sequence <= from) + 1;
        const page = this.#kept.slice(first, first + ROWS_PER_PAGE);
        from = page.at(-1)?.sequence ?? this.#newest;
        yield page.map(({ message }) => message);
      } else {
        for await (const { upTo, messages } of this.#replayed(from)) {
          from = upTo;
          yield messages;
        }
      }
    }
  }

  /** Events after `from` up to those that are kept in memory, from the store. */
  async *#replayed(from: number): AsyncIterable<{ readonly upTo: number; readonly messages: readonly SseMessage[] }> {
    const leave = await this.#enterReplay();
    try {
      const { node, gridAuthority, store, defer } = this.#options;
      const replay = new EventReplay({ party: node.party, gridAuthority, store });
      let upTo = 0;
      while (upTo < Math.max(this.#keptAfter, from)) {
        const messages: SseMessage[] = [];
        const rows = store.scanAfter(upTo, ROWS_PER_PAGE);
        for (const row of rows) {
          const event = replay.next(row);
          if (event !== undefined && row.sequence > from) messages.push(messageOf(row.sequence, event));
        }
        upTo = rows.at(-1)?.sequence ?? Math.max(this.#newest, upTo + 1);
        if (messages.length > 0 || upTo > from) yield { upTo: Math.max(upTo, from), messages };
        await new Promise<void>(defer);
      }
    } finally {
      leave();
    }
  }

  /** Old events are made anew for one listener after the other: each pass holds as much as the node's vault. */
  async #enterReplay(): Promise<() => void> {
    const before = this.#replaying;
    let leave = (): void => undefined;
    this.#replaying = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    return leave;
  }

  close(): void {
    this.#stop();
  }

  #add(event: NodeEvent): void {
    const before = this.#unnumbered.get(event.txId);
    this.#unnumbered.set(event.txId, before === undefined ? event : joined(before, event));
    if (this.#isNumbering) return;
    this.#isNumbering = true;
    this.#options.defer(() => {
      this.#isNumbering = false;
      this.#number();
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /**
   * Finds the numbers of new events. An event is told right after its transaction was stored, in the same order; should one be
   * missing nevertheless, what is in memory starts after it, and it is made anew from the store for whoever asks.
   */
  #number(): void {
    while (this.#unnumbered.size > 0) {
      const rows = this.#options.store.scanAfter(this.#newest, ROWS_PER_PAGE);
      if (rows.length === 0) this.#unnumbered.clear();
      for (const { sequence, txId } of rows) {
        const event = this.#unnumbered.get(txId);
        if (event === undefined && this.#unnumbered.size === 0) return;
        if (event !== undefined && this.#hasBeenListenedTo)
          this.#keep({ sequence, message: messageOf(sequence, event) });
        else this.#keepOnlyAfter(sequence);
        this.#unnumbered.delete(txId);
        this.#newest = sequence;
      }
    }
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept);
    this.#keptLength += kept.message.data.length;
    while (this.#keptLength > (this.#options.keptLengthMax ?? KEPT_LENGTH_MAX)) {
      const oldest = this.#kept.shift();
      if (oldest === undefined) break;
      this.#keptLength -= oldest.message.data.length;
      this.#keptAfter = oldest.sequence;
    }
  }

  #keepOnlyAfter(sequence: number): void {
    this.#kept = [];
    this.#keptLength = 0;
    this.#keptAfter = sequence;
  }
}

/** A part of a transaction and the rest of it, told before the store was asked for its number. */
function joined(part: NodeEvent, rest: NodeEvent): NodeEvent {
  return {
    txId: rest.txId,
    command: rest.command ?? part.command,
    consumed: [...part.consumed, ...rest.consumed],
    made: [...part.made, ...rest.made],
  };
}

function messageOf(sequence: number, event: NodeEvent): SseMessage {
  return { id: String(sequence), event: TRANSACTION_EVENT, data: encodeJson(nodeEventSchema, event) };
}

/** The number of the last transaction stored; there are at least as many as were counted. */
function newestOf(store: EventHistoryOptions["store"]): number {
  let newest = store.count();
  for (;;) {
    const last = store.scanAfter(newest, ROWS_PER_PAGE).at(-1);
    if (last === undefined) return newest;
    newest = last.sequence;
  }
}
