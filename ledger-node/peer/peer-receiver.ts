/** Opens envelopes for the parties of a process, lets them answer, and seals the answers. Nothing that is sent makes it throw. */
import {
  type AddressedRequest,
  decodeAddressedRequest,
  decodeEnvelope,
  type Envelope,
  type EnvelopeRefusal,
  encodePeerReply,
  envelopeRefusal,
  PEER_MESSAGE_BYTES_MAX,
  type PeerReply,
  type PeerRequest,
  sealReplyEnvelope,
} from "#contracts";
import { type Clock, err, type Hash, invariant, ok, type PublicKey, type Result, type Signer } from "#core";
import { UNREACHABLE } from "./lane.ts";
import type { PeerCounters, PeerDirectory } from "./peer-directory.ts";
import { SeenEnvelopes } from "./seen-envelopes.ts";

/** Answers what peers ask of a party: its node, or the notary. */
export interface PeerHandler {
  readonly party: PublicKey;
  handle(from: PublicKey, request: PeerRequest): Promise<PeerReply>;
  /** Answers for a member that the party serves; left out where it serves none. */
  handleFor?(member: PublicKey, from: PublicKey, request: PeerRequest): Promise<PeerReply>;
}

/** A party that this process answers for, and the key that it answers with. */
export type ServedParty = { readonly signer: Signer; readonly handler: PeerHandler };

export type PeerReceiverOptions = {
  readonly networkId: string;
  readonly parties: readonly ServedParty[];
  /** Who is in it may ask. */
  readonly directory: PeerDirectory;
  /** The aggregator that serves a member, by what is on the ledger: it alone asks for the member. Without it nobody does. */
  readonly servedBy?: (member: PublicKey) => PublicKey | undefined;
  readonly clock: Clock;
  readonly counters: PeerCounters;
  /** Told of errors in our own code while a message was answered: never of anything that a peer can cause. */
  readonly onFault?: (fault: unknown) => void;
};

/** Envelopes of one sender that are answered at the same time: four times what a node of ours sends. */
const IN_HAND_MAX = 32;

export class PeerReceiver {
  readonly #options: PeerReceiverOptions;
  readonly #parties: ReadonlyMap<PublicKey, ServedParty>;
  readonly #seen = new SeenEnvelopes();
  readonly #inHand = new Map<PublicKey, number>();

  constructor(options: PeerReceiverOptions) {
    this.#options = options;
    this.#parties = new Map(options.parties.map((party) => [party.handler.party, party]));
    for (const { signer, handler } of options.parties)
      invariant(signer.publicKey === handler.party, "a party answers with its own key");
  }

  /** The sealed answers to a sealed envelope, or why it was not opened. */
  async receive(bytes: Uint8Array): Promise<Result<Uint8Array, EnvelopeRefusal>> {
    const opened = this.#open(bytes);
    if (!opened.ok) {
      this.#options.counters.envelopesRefused += 1;
      return opened;
    }
    const { envelope, digest, party } = opened.value;
    const { from } = envelope;
    this.#inHand.set(from, (this.#inHand.get(from) ?? 0) + 1);
    try {
      return ok(await this.#answer(party, envelope, digest));
    } finally {
      const left = (this.#inHand.get(from) ?? 1) - 1;
      if (left === 0) this.#inHand.delete(from);
      else this.#inHand.set(from, left);
    }
  }

  #open(bytes: Uint8Array): Result<{ envelope: Envelope; digest: Hash; party: ServedParty }, EnvelopeRefusal> {
    const { networkId, directory, clock } = this.#options;
    const received = decodeEnvelope(bytes);
    if (!received.ok) return received;
    const { content: envelope, digest } = received.value;
    const party = this.#parties.get(envelope.to);
    const nowMs = clock.nowMs();
    const refusal = envelopeRefusal(received.value, {
      networkId,
      party: party?.handler.party,
      nowMs,
      isKnown: (key) => directory.addressOf(key) !== undefined,
    });
    if (refusal !== undefined) return err(refusal);
    // What is not taken now may be sent again, so it is not remembered.
    if ((this.#inHand.get(envelope.from) ?? 0) >= IN_HAND_MAX) return err("sender_busy");
    const seen = this.#seen.admit(envelope, nowMs);
    if (seen !== undefined || party === undefined) return err(seen ?? "envelope_misdirected");
    return ok({ envelope, digest, party });
  }

  async #answer({ signer, handler }: ServedParty, envelope: Envelope, digest: Hash): Promise<Uint8Array> {
    const { networkId, counters } = this.#options;
    counters.envelopesReceived += 1;
    counters.messagesReceived += envelope.messages.length;
    const replies = await Promise.all(
      envelope.messages.map((message) => this.#answerMessage(handler, envelope.from, message)),
    );
    const reply = { networkId, from: signer.publicKey, to: envelope.from, request: digest, replies: fitting(replies) };
    return sealReplyEnvelope(reply, signer).bytes;
  }

  async #answerMessage(handler: PeerHandler, from: PublicKey, message: Uint8Array): Promise<Uint8Array> {
    const addressed = decodeAddressedRequest(message);
    if (!addressed.ok) return encodePeerReply({ tag: "refused", refusal: { tag: "command_malformed" } });
    try {
      return encodePeerReply(await this.#answerRequest(handler, from, addressed.value));
    } catch (fault) {
      this.#options.onFault?.(fault);
      return encodePeerReply({ tag: "refused", refusal: { tag: "node_unreachable" } });
    }
  }

  /** The signature on the envelope is its sender's: for a member it stands if the ledger says that the sender serves it. */
  async #answerRequest(
    handler: PeerHandler,
    from: PublicKey,
    { as, to, request }: AddressedRequest,
  ): Promise<PeerReply> {
    if (as !== null && this.#options.servedBy?.(as) !== from)
      return { tag: "refused", refusal: { tag: "member_not_served" } };
    if (to === null) return handler.handle(as ?? from, request);
    return handler.handleFor?.(to, as ?? from, request) ?? UNREACHABLE;
  }
}

/** The replies with null for those that have no room beside the ones before them. The first always has room. */
function fitting(replies: readonly Uint8Array[]): readonly (Uint8Array | null)[] {
  let room = PEER_MESSAGE_BYTES_MAX;
  return replies.map((reply) => {
    if (reply.length > room) return null;
    room -= reply.length;
    return reply;
  });
}
