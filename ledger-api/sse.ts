/** Server-sent events as these interfaces use them: one line of JSON each, numbered, so that a listener can resume. */

export type SseMessage = {
  /** Where to resume after this event. */
  readonly id: string;
  readonly event: string;
  /** One line. */
  readonly data: string;
};

export const SSE_CONTENT_TYPE = "text/event-stream";
/** Sent where there is nothing to tell, so that both ends notice a connection that is gone. */
export const SSE_HEARTBEAT = ":\n\n";
export const SSE_HEARTBEAT_MS = 15_000;
/** Told once, when a listener is heard: from here on it misses nothing. */
export const READY_EVENT = "ready";
export const TRANSACTION_EVENT = "transaction";
export const POOL_ROUND_EVENT = "pool-round";
/** The greatest event is a clearing of all trades that fit in a transaction. */
const MESSAGE_LENGTH_MAX = 16 * 1_048_576;

export function formatSse({ id, event, data }: SseMessage): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}

/** Collects what arrives in pieces. */
export class SseReader {
  #rest = "";

  /** The messages that are complete; undefined when the sender does not keep to the form or to its limits. */
  push(text: string): readonly SseMessage[] | undefined {
    this.#rest += text;
    const messages: SseMessage[] = [];
    let from = 0;
    for (;;) {
      const end = this.#rest.indexOf("\n\n", from);
      if (end < 0) break;
      const message = parseMessage(this.#rest.slice(from, end));
      if (message === undefined) return undefined;
      if (message !== null) messages.push(message);
      from = end + 2;
    }
    this.#rest = this.#rest.slice(from);
    return this.#rest.length > MESSAGE_LENGTH_MAX ? undefined : messages;
  }
}

/** Null for a comment alone. */
function parseMessage(block: string): SseMessage | null | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    if (line === "" || line.startsWith(":")) continue;
    const match = /^(id|event|data): (.*)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined || fields.has(match[1])) return undefined;
    fields.set(match[1], match[2]);
  }
  if (fields.size === 0) return null;
  const [id, event, data] = [fields.get("id"), fields.get("event"), fields.get("data")];
  return id === undefined || event === undefined || data === undefined ? undefined : { id, event, data };
}
