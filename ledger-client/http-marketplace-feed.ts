/** A marketplace's rounds over HTTP: those so far are fetched at the start, new ones are told as they come. */
import { claimsText, type MarketplaceFeed, type PoolRound } from "#contracts";
import { API_PATHS, decodeJson, poolRoundListSchema, poolRoundSchema } from "#ledger-api";
import { type HttpClientOptions, HttpRequests } from "./http-requests.ts";
import { followStream } from "./http-stream.ts";

export interface HttpMarketplaceFeed extends MarketplaceFeed {
  /** Resolves when the rounds so far are known, from which on none is missed. */
  readonly ready: Promise<void>;
  close(): void;
}

/** @param options - `party` is the marketplace's. */
export function httpMarketplaceFeed(options: HttpClientOptions): HttpMarketplaceFeed {
  return new RemoteFeed(options);
}

class RemoteFeed implements HttpMarketplaceFeed {
  readonly ready: Promise<void>;
  readonly #requests: HttpRequests;
  readonly #listeners = new Set<(round: PoolRound) => void>();
  /** By slot and instant: a marketplace that was started anew tells all its rounds again. */
  readonly #known = new Set<string>();
  #rounds: readonly PoolRound[] = [];
  readonly #stop: () => void;

  constructor(options: HttpClientOptions) {
    this.#requests = new HttpRequests(options);
    let isHeard = (): void => undefined;
    // Only at first: what was cleared while the connection was gone is told by the stream when it is back.
    this.ready = new Promise<void>((resolve) => {
      isHeard = resolve;
    }).then(() => this.#fetch());
    this.#stop = followStream({
      requests: this.#requests,
      path: API_PATHS.poolRoundEvents,
      onReady: isHeard,
      onMessage: ({ data }) => {
        const round = decodeJson(poolRoundSchema, data);
        if (round.ok && this.#add([round.value])) for (const listener of [...this.#listeners]) listener(round.value);
      },
      onProblem: (problem) => options.onProblem?.(problem),
    });
  }

  rounds(): readonly PoolRound[] {
    return this.#rounds;
  }

  listen(listener: (round: PoolRound) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#stop();
    this.#requests.close();
  }

  async #fetch(): Promise<void> {
    const answer = await this.#requests.ask("GET", API_PATHS.poolRounds);
    const list = answer.tag === "answered" ? decodeJson(poolRoundListSchema, answer.text) : undefined;
    if (list?.ok === true) this.#add(list.value.rounds);
  }

  /** Whether there was anything new. */
  #add(rounds: readonly PoolRound[]): boolean {
    const fresh = rounds.filter((round) => !this.#known.has(keyOf(round)));
    for (const round of fresh) this.#known.add(keyOf(round));
    this.#rounds = [...this.#rounds, ...fresh].sort((left, right) => left.clearedAtMs - right.clearedAtMs);
    return fresh.length > 0;
  }
}

function keyOf({ slot, requires, clearedAtMs, isFinal }: PoolRound): string {
  return `${slot}/${clearedAtMs}/${isFinal}/${claimsText(requires)}`;
}
