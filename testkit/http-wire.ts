/** Real HTTP between the parties of a small network: each has a server of its own on a free port, and links to all others. */
import Fastify, { type FastifyInstance } from "fastify";
import type { PeerReply, PeerRequest } from "#contracts";
import { type Clock, invariant, type PublicKey, type Signer, seededEntropy } from "#core";
import {
  HttpTransport,
  newPeerCounters,
  type PeerCounters,
  type PeerHandler,
  type PeerReceiverOptions,
  type PeerTiming,
  servePeers,
} from "#ledger-node";
import type { SmallNetwork } from "./small-network.ts";

/** The clock of the machine: links measure their time-outs by it too. */
export const systemClock: Clock = { nowMs: () => Date.now() };

type Serving = Pick<PeerHandler, "handleFor"> & Pick<PeerReceiverOptions, "servedBy">;
type Receiving = Pick<PeerReceiverOptions, "servedBy"> & { readonly signer: Signer; readonly handler: PeerHandler };
type Party = Receiving & {
  readonly transport: HttpTransport;
  server: FastifyInstance;
  address: string;
};

export type HttpPartiesOptions = {
  readonly networkId: string;
  readonly timing?: Partial<PeerTiming>;
  readonly clock?: Clock;
  /** The aggregator that answers for a party. */
  readonly hostOf?: (party: PublicKey) => PublicKey | undefined;
};

/** Parties that reach each other over HTTP on this machine, whatever they answer. */
export class HttpParties {
  readonly counters: PeerCounters = newPeerCounters();
  /** Errors of handlers. */
  readonly faults: unknown[] = [];
  readonly #options: HttpPartiesOptions;
  readonly #parties = new Map<PublicKey, Party>();

  constructor(options: HttpPartiesOptions) {
    this.#options = options;
  }

  /** Starts a server and links for a party. @param serving - For an aggregator's members, and of what it knows who serves whom. */
  async add(signer: Signer, handle: PeerHandler["handle"], serving: Serving = {}): Promise<HttpTransport> {
    const { networkId, timing, clock = systemClock } = this.#options;
    const transport = new HttpTransport({
      networkId,
      signer,
      directory: this,
      clock,
      entropy: seededEntropy("envelopes", signer.publicKey),
      counters: this.counters,
      ...(timing === undefined ? {} : { timing }),
    });
    const { handleFor, servedBy } = serving;
    const handler = { party: signer.publicKey, handle, ...(handleFor === undefined ? {} : { handleFor }) };
    const receiving = { signer, handler, ...(servedBy === undefined ? {} : { servedBy }) };
    const server = this.#server(receiving);
    const address = await listening(server, 0);
    this.#parties.set(signer.publicKey, { ...receiving, transport, server, address });
    return transport;
  }

  has(key: PublicKey): boolean {
    return this.#parties.has(key);
  }

  addressOf(key: PublicKey): string | undefined {
    return this.#parties.get(key)?.address;
  }

  hostOf(party: PublicKey): PublicKey | undefined {
    return this.#options.hostOf?.(party);
  }

  transport(key: PublicKey): HttpTransport {
    return this.#party(key).transport;
  }

  /** Stops a party's server; its port stays free for it. */
  async stop(key: PublicKey): Promise<void> {
    await stopped(this.#party(key).server);
  }

  /** Starts a stopped party's server again, on the same port, with nothing remembered. */
  async restart(key: PublicKey): Promise<void> {
    const party = this.#party(key);
    party.server = this.#server(party);
    await listening(party.server, Number(new URL(party.address).port));
  }

  async close(): Promise<void> {
    for (const { transport } of this.#parties.values()) transport.close();
    await Promise.all([...this.#parties.values()].map(({ server }) => stopped(server)));
  }

  #server({ signer, handler, servedBy }: Receiving): FastifyInstance {
    const server = Fastify({ forceCloseConnections: true });
    const { networkId, clock = systemClock } = this.#options;
    const onFault = (fault: unknown): void => {
      this.faults.push(fault);
    };
    servePeers(server, {
      networkId,
      parties: [{ signer, handler }],
      directory: this,
      clock,
      counters: this.counters,
      onFault,
      ...(servedBy === undefined ? {} : { servedBy }),
    });
    return server;
  }

  #party(key: PublicKey): Party {
    const party = this.#parties.get(key);
    invariant(party !== undefined, "the party was added");
    return party;
  }
}

function listening(server: FastifyInstance, port: number): Promise<string> {
  return server.listen({ host: "127.0.0.1", port });
}

async function stopped(server: FastifyInstance): Promise<void> {
  server.server.closeAllConnections();
  await server.close();
}

/** From here on, all that the network's processes ask each other goes over HTTP: an aggregator's members are in its own. */
export function overHttp(small: SmallNetwork, timing?: Partial<PeerTiming>): HttpParties {
  const { networkId } = small.ledger;
  const hostOf = (party: PublicKey): PublicKey | undefined => small.ledger.hostOf(party);
  const parties = new HttpParties({ networkId, hostOf, ...(timing === undefined ? {} : { timing }) });
  const starting = new Map<PublicKey, Promise<unknown>>();
  const started = async (key: PublicKey): Promise<void> => {
    const name = ["notary", ...small.ledger.nodeNames].find((candidate) => small.key(candidate) === key);
    if (name === undefined) return;
    const handleFor = (to: PublicKey, from: PublicKey, request: PeerRequest): Promise<PeerReply> =>
      small.wire.transport.request(from, to, request);
    const handle: PeerHandler["handle"] = (from, request) => handleFor(key, from, request);
    const servedBy = (member: PublicKey): PublicKey | undefined =>
      name === "notary" ? undefined : small.node(name).aggregatorOf(member);
    const start = starting.get(key) ?? parties.add(small.signer(name), handle, { handleFor, servedBy });
    starting.set(key, start);
    await start;
  };
  small.wire.intercept = async (from, to, request, next) => {
    const [asking, asked] = [hostOf(from) ?? from, hostOf(to) ?? to];
    const isWithinHost = asking === asked && (asking !== from || asked !== to);
    if (isWithinHost) return next(request);
    await Promise.all([started(asking), started(asked)]);
    return parties.transport(asking).request(from, to, request);
  };
  return parties;
}
