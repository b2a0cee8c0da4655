/** The way to the other nodes of the network. */
import type { Clock } from "#core";
import { HttpTransport, newPeerCounters, type PeerCounters, type PeerDirectory } from "#ledger-node";
import { systemEntropy } from "./keys.ts";
import type { LiveDirectory } from "./live-directory.ts";
import type { NodeIdentity } from "./node-identity.ts";
import { readTls } from "./tls.ts";

export type Peers = { readonly transport: HttpTransport; readonly counters: PeerCounters };

/** @param hostOf - The aggregator that serves a party, as far as this node knows. */
export function openPeers(
  identity: NodeIdentity,
  directory: LiveDirectory,
  clock: Clock,
  hostOf: NonNullable<PeerDirectory["hostOf"]>,
): Peers {
  const { config, signer } = identity;
  const counters = newPeerCounters();
  const tls = readTls(identity);
  const transport = new HttpTransport({
    networkId: config.network.id,
    signer,
    directory: { addressOf: (key) => directory.addressOf(key), hostOf },
    clock,
    entropy: systemEntropy,
    counters,
    timing: { answerMsMax: config.peers.timeoutMs },
    ...(tls === undefined ? {} : { tls }),
  });
  return { transport, counters };
}
