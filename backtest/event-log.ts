/** The run's event log: one JSON object a line, each with the hash of the line before it, so that nothing can be changed unseen. */
import { canonicalJson, type Hash, hashOf } from "#core";

export type LoggedEvent = {
  readonly sequence: number;
  readonly previous: string;
  readonly atMs: number;
  readonly kind: string;
  readonly data: unknown;
};

export class EventLog {
  #sequence = 0;
  #previous: Hash | "" = "";
  readonly #write: (line: string) => void;

  /** @param write - Takes each line, without its end. */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  append(atMs: number, kind: string, data: unknown): void {
    const line = canonicalJson({ sequence: this.#sequence++, previous: this.#previous, atMs, kind, data });
    this.#previous = hashOf(line);
    this.#write(line);
  }

  /** Hash of the last line: it covers the whole log. */
  get head(): Hash | "" {
    return this.#previous;
  }

  get length(): number {
    return this.#sequence;
  }
}

/**
 * Number of the first line that does not follow from the one before it; undefined when the chain holds.
 * @param head - Hash of the last line, from the run's manifest: without it a changed or missing last line can't be seen.
 */
export function brokenLink(lines: readonly string[], head?: string): number | undefined {
  let previous = "";
  for (const [index, line] of lines.entries()) {
    if (!isLink(line, index, previous)) return index + 1;
    previous = hashOf(line);
  }
  return head === undefined || previous === head ? undefined : Math.max(1, lines.length);
}

/** Whether the line is in the one form that the log writes, with the number and the hash that belong there. */
function isLink(line: string, index: number, previous: string): boolean {
  const event = parsedLine(line);
  return event?.sequence === index && event.previous === previous && canonicalJson(event) === line;
}

function parsedLine(line: string): Partial<LoggedEvent> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
