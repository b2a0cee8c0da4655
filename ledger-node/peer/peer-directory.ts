/** Where the parties of a network are, and what passed between them. */
import type { PublicKey } from "#core";

/** Addresses of all parties, this node's own included: who is not in it is no party of the network. */
export interface PeerDirectory {
  /** The base URL of the process that acts for a party, such as `https://10.0.0.7:7001`. */
  addressOf(key: PublicKey): string | undefined;
  /** The aggregator whose process answers for a party; undefined for one with a process of its own. */
  hostOf?(party: PublicKey): PublicKey | undefined;
}

/** What passed between this process and others, for its status. Counted from its start. */
export type PeerCounters = {
  /** Requests that were sent, and the envelopes that they travelled in; a second try counts again. */
  messagesSent: number;
  envelopesSent: number;
  /** Envelopes that came back without an answer that holds. */
  envelopesFailed: number;
  /** Requests that were answered, and the envelopes that they came in. */
  messagesReceived: number;
  envelopesReceived: number;
  /** Envelopes that were not opened. */
  envelopesRefused: number;
};

export function newPeerCounters(): PeerCounters {
  return {
    messagesSent: 0,
    envelopesSent: 0,
    envelopesFailed: 0,
    messagesReceived: 0,
    envelopesReceived: 0,
    envelopesRefused: 0,
  };
}
