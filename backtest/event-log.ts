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

/** Number of the first line whose link to the line before is broken; undefined when the chain holds. */
export function brokenLink(lines: readonly string[]): number | undefined {
  let previous = "";
  for (const [index, line] of lines.entries()) {
    if (!line.includes(`"previous":"${previous}"`) || !line.includes(`"sequence":${index}}`)) return index + 1;
    previous = hashOf(line);
  }
  return undefined;
}
