/** A marketplace's rounds for listeners. They are kept in memory only: after a restart a listener is told all rounds anew. */
import type { MarketplaceFeed, PoolRound } from "#contracts";
import { encodeJson, POOL_ROUND_EVENT, poolRoundSchema, type SseMessage } from "#ledger-api";
import type { LiveSource } from "./live-source.ts";

const ROUNDS_PER_PAGE = 64;

export class PoolRoundHistory implements LiveSource {
  readonly #feed: MarketplaceFeed;
  /** Tells the numbers of this process from those of others. */
  readonly #run: string;

  constructor(feed: MarketplaceFeed, startedMs: number) {
    this.#feed = feed;
    this.#run = String(startedMs);
  }

  newest(): string {
    return this.#idOf(this.#feed.rounds().length);
  }

  /** Any id: what is of another run goes on at the beginning of this one. */
  knows(): boolean {
    return true;
  }

  async *since(id: string): AsyncIterable<readonly SseMessage[]> {
    const rounds = this.#feed.rounds();
    for (let from = this.#countOf(id); from < rounds.length; from += ROUNDS_PER_PAGE) {
      yield rounds.slice(from, from + ROUNDS_PER_PAGE).map((round, index) => this.#messageOf(round, from + index + 1));
    }
  }

  onNews(listener: () => void): () => void {
    return this.#feed.listen(listener);
  }

  #messageOf(round: PoolRound, count: number): SseMessage {
    return { id: this.#idOf(count), event: POOL_ROUND_EVENT, data: encodeJson(poolRoundSchema, round) };
  }

  #idOf(count: number): string {
    return `${this.#run}-${count}`;
  }

  #countOf(id: string): number {
    const [run, count = ""] = id.split("-");
    return run === this.#run && /^\d{1,15}$/.test(count) ? Number(count) : 0;
  }
}
