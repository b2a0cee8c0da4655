/** Something that goes on and can be resumed: messages in an order, each of which says where to go on after it. */
import type { SseMessage } from "#ledger-api";

export interface LiveSource {
  /** Where the source is now: what comes after this is new. */
  newest(): string;
  /** Whether the source can go on after it. */
  knows(id: string): boolean;
  /** What came after `id`, some at a time, until there is no more; asking again goes on. */
  since(id: string): AsyncIterable<readonly SseMessage[]>;
  /** Calls back when there may be something new; the function returned stops that. */
  onNews(listener: () => void): () => void;
}
