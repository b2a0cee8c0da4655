/** Asks peers over HTTP, in signed envelopes. */
import {
  type AddressedRequest,
  decodePeerReply,
  decodeReplyEnvelope,
  ENVELOPE_ID_BYTES,
  type Envelope,
  encodeAddressedRequest,
  isReplyTo,
  type PeerReply,
  type PeerRequest,
  sealEnvelope,
  type Transport,
} from "#contracts";
import { type Clock, type Entropy, InvariantError, type PublicKey, type Signer } from "#core";
import { LANE_OF, Lane, type LaneName, type LaneTiming, UNREACHABLE } from "./lane.ts";
import type { PeerCounters, PeerDirectory } from "./peer-directory.ts";
import { PeerPost, type PeerTls } from "./peer-post.ts";
import { type PeerTimers, systemTimers } from "./peer-timers.ts";

export type PeerTiming = LaneTiming & {
  /** How long an envelope may take from its first try to its answer. */
  readonly answerMsMax: number;
};
const USUAL_TIMING: PeerTiming = { answerMsMax: 5_000, waitMsMax: 10_000, restMsMin: 100, restMsMax: 2_000 };
/** Pauses before further tries when a connection broke. */
const RETRY_AFTER_MS: readonly number[] = [0, 50, 250];

export type HttpTransportOptions = {
  readonly networkId: string;
  /** The party that asks, or the aggregator of those that do. */
  readonly signer: Signer;
  readonly directory: PeerDirectory;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly counters: PeerCounters;
  readonly tls?: PeerTls;
  readonly timing?: Partial<PeerTiming>;
  readonly timers?: PeerTimers;
};

/** What is known of a peer that was asked before. */
export type PeerState = {
  readonly party: PublicKey;
  readonly address: string;
  /** Whether the last envelopes to it were answered. */
  readonly isReached: boolean;
  /** Why the last envelope that failed did: a status or a system's code; undefined when none has. */
  readonly lastFailure: string | undefined;
  /** Requests that wait to be sent. */
  readonly waiting: number;
};

type Link = {
  readonly address: string;
  readonly post: PeerPost;
  readonly lanes: Readonly<Record<LaneName, Lane>>;
  lastFailure: string | undefined;
};

type Tried =
  | { readonly tag: "answered"; readonly replies: readonly (PeerReply | null)[] }
  | { readonly tag: "interrupted" }
  | { readonly tag: "failed"; readonly reason: string };

export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions;
  readonly #timing: PeerTiming;
  readonly #timers: PeerTimers;
  readonly #links = new Map<PublicKey, Link>();
  #isClosed = false;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
    this.#timing = { ...USUAL_TIMING, ...options.timing };
    this.#timers = options.timers ?? systemTimers;
  }

  /**
   * Asks for the party of this process, or for a member that it serves. Members of one aggregator share a link.
   * Never throws and never hangs: who can't be reached in time answers `node_unreachable`.
   */
  async request(from: PublicKey, to: PublicKey, request: PeerRequest): Promise<PeerReply> {
    const { signer, directory } = this.#options;
    const host = directory.hostOf?.(to) ?? to;
    const link = this.#linkTo(host);
    if (link === undefined) return UNREACHABLE;
    // Whoever asks, the notary answers the same: it need not know who serves whom.
    const isOwn = from === signer.publicKey || request.tag === "notarise";
    const message = encoded({ as: isOwn ? null : from, to: host === to ? null : to, request });
    return message === undefined
      ? { tag: "refused", refusal: { tag: "command_malformed" } }
      : link.lanes[LANE_OF[request.tag]].ask(message);
  }

  /** Peers that were asked since the start. */
  peers(): readonly PeerState[] {
    return [...this.#links].map(([party, { address, lanes, lastFailure }]) => ({
      party,
      address,
      isReached: !lanes.leaf.hasFailed && !lanes.asking.hasFailed,
      lastFailure,
      waiting: lanes.leaf.waiting + lanes.asking.waiting,
    }));
  }

  /** Ends all connections; what is on its way, and all that is asked later, is answered `node_unreachable`. */
  close(): void {
    this.#isClosed = true;
    for (const { post } of this.#links.values()) post.close();
  }

  /** The link to a party at its present address. */
  #linkTo(party: PublicKey): Link | undefined {
    const address = this.#options.directory.addressOf(party);
    if (address === undefined || this.#isClosed) return undefined;
    const known = this.#links.get(party);
    if (known?.address === address) return known;
    known?.post.close();
    const made = this.#newLink(party, address);
    this.#links.set(party, made);
    return made;
  }

  #newLink(party: PublicKey, address: string): Link {
    const post = new PeerPost(address, this.#options.tls);
    const laneOf = (name: LaneName): Lane =>
      new Lane(name, (messages) => this.#exchange(party, link, messages), this.#timing, this.#timers);
    const link: Link = {
      address,
      post,
      lanes: { leaf: laneOf("leaf"), asking: laneOf("asking") },
      lastFailure: undefined,
    };
    return link;
  }

  async #exchange(
    to: PublicKey,
    link: Link,
    messages: readonly Uint8Array[],
  ): Promise<readonly (PeerReply | null)[] | undefined> {
    const untilMs = this.#timers.elapsedMs() + this.#timing.answerMsMax;
    let reason = "interrupted";
    for (const pauseMs of RETRY_AFTER_MS) {
      if (pauseMs > 0) await this.#timers.pause(pauseMs);
      const leftMs = untilMs - this.#timers.elapsedMs();
      if (leftMs <= 0 || this.#isClosed) break;
      const tried = await this.#try(to, link.post, messages, leftMs);
      if (tried.tag === "answered") return tried.replies;
      this.#options.counters.envelopesFailed += 1;
      if (tried.tag === "failed") {
        reason = tried.reason;
        break;
      }
    }
    link.lastFailure = reason;
    return undefined;
  }

  /** Each try has an envelope of its own: the peer may have opened the one before, and opens none twice. */
  async #try(to: PublicKey, post: PeerPost, messages: readonly Uint8Array[], leftMs: number): Promise<Tried> {
    const { networkId, signer, clock, entropy, counters } = this.#options;
    const id = entropy.bytes(ENVELOPE_ID_BYTES);
    const envelope: Envelope = { networkId, from: signer.publicKey, to, id, sentMs: clock.nowMs(), messages };
    const sealed = sealEnvelope(envelope, signer);
    counters.envelopesSent += 1;
    counters.messagesSent += messages.length;
    const outcome = await post.post(sealed.bytes, leftMs);
    if (outcome.tag !== "answered") return outcome;
    const received = decodeReplyEnvelope(outcome.bytes);
    if (!received.ok || !isReplyTo(received.value, envelope, sealed.digest))
      return { tag: "failed", reason: "answer_not_sealed_by_peer" };
    return { tag: "answered", replies: received.value.content.replies.map(decoded) };
  }
}

/** What cannot be read is no answer. */
function decoded(reply: Uint8Array | null): PeerReply | null {
  if (reply === null) return null;
  const read = decodePeerReply(reply);
  return read.ok ? read.value : UNREACHABLE;
}

function encoded(request: AddressedRequest): Uint8Array | undefined {
  try {
    return encodeAddressedRequest(request);
  } catch (error) {
    if (error instanceof InvariantError) return undefined;
    throw error;
  }
}
