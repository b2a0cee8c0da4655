/** The operator's way to the nodes of a network: over HTTP, like any client, with keys that stand in the network's folder. */
import type { Clock, Signer } from "#core";
import { type HttpEndpoint, httpEndpoint } from "#ledger-client";
import type { PeerTls } from "#ledger-node";
import type { Certificate } from "./certificate.ts";
import { systemEntropy } from "./keys.ts";

export type ClientParts = {
  readonly signer: Signer;
  readonly clock: Clock;
  readonly tls: Required<PeerTls> | undefined;
  /** How long to try to reach the node, where a person waits. */
  readonly retryMs?: number;
};

export function clientOf(
  { address, key, networkId }: Certificate,
  { signer, clock, tls, retryMs }: ClientParts,
): HttpEndpoint {
  return httpEndpoint({
    url: address,
    party: key,
    networkId,
    signer,
    clock,
    entropy: systemEntropy,
    after,
    ...(retryMs === undefined ? {} : { retryMs }),
    ...(tls === undefined ? {} : { tls: { ca: tls.ca, cert: tls.certificate, key: tls.key } }),
  });
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
