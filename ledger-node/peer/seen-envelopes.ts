/**
 * Remembers which envelopes were opened, so that none is opened twice, in bounded memory. What is forgotten to make room is
 * the oldest of the same sender, and from then on nothing as old is taken from it: no sender can make room by crowding out
 * another's, and none has one of its own opened again.
 *
 * A process that starts remembers nothing: an envelope of the last minutes may be opened once more after a restart. Requests
 * are idempotent, so that changes nothing.
 */
import { ENVELOPE_AGE_MS_MAX, type Envelope, type EnvelopeRefusal } from "#contracts";
import { type PublicKey, toHex } from "#core";

type Sender = {
  /** When each envelope was sent, by its id. */
  readonly sentMs: Map<string, number>;
  /** Envelopes sent at this instant or before are taken no more. */
  floorMs: number;
};

/** At 500 envelopes a second, those of 12 seconds or more: none is on its way for so long. */
const IDS_PER_SENDER_MAX = 8_192;
const SWEEP_EVERY_MS = 60_000;

export class SeenEnvelopes {
  readonly #senders = new Map<PublicKey, Sender>();
  readonly #idsMax: number;
  #sweptMs = 0;

  constructor(idsPerSenderMax: number = IDS_PER_SENDER_MAX) {
    this.#idsMax = idsPerSenderMax;
  }

  /** Takes note of an envelope that is about to be opened; says why not, if it was seen or may have been. */
  admit(
    { from, id, sentMs }: Pick<Envelope, "from" | "id" | "sentMs">,
    nowMs: number,
  ): Extract<EnvelopeRefusal, "envelope_expired" | "envelope_replayed"> | undefined {
    if (Math.abs(nowMs - this.#sweptMs) >= SWEEP_EVERY_MS) this.#sweep(nowMs);
    const sender = this.#senders.get(from) ?? { sentMs: new Map<string, number>(), floorMs: -1 };
    this.#senders.set(from, sender);
    const key = toHex(id);
    if (sender.sentMs.has(key)) return "envelope_replayed";
    if (sentMs <= sender.floorMs) return "envelope_expired";
    if (sender.sentMs.size >= this.#idsMax) this.#makeRoom(sender);
    if (sentMs <= sender.floorMs) return "envelope_expired";
    sender.sentMs.set(key, sentMs);
    return undefined;
  }

  /** Envelopes that are remembered. */
  get size(): number {
    return [...this.#senders.values()].reduce((sum, { sentMs }) => sum + sentMs.size, 0);
  }

  /** Forgets what would be refused for its age anyway. */
  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    for (const sender of this.#senders.values()) forgetUntil(sender, nowMs - ENVELOPE_AGE_MS_MAX - 1);
  }

  /** Forgets the oldest quarter, and all that were sent in the same millisecond as its last. */
  #makeRoom(sender: Sender): void {
    const sent = [...sender.sentMs.values()].sort((left, right) => left - right);
    forgetUntil(sender, sent[Math.floor(sent.length / 4)] ?? 0);
  }
}

/** The floor stands even if our clock is set back later. */
function forgetUntil(sender: Sender, limitMs: number): void {
  for (const [key, sentMs] of sender.sentMs) if (sentMs <= limitMs) sender.sentMs.delete(key);
  sender.floorMs = Math.max(sender.floorMs, limitMs);
}
