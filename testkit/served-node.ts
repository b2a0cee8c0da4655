/**
 * A node of a small network behind real HTTP on this machine, with clients of owners and delegates. The server can be stopped and
 * started again on the same port, over the same store, as after a crash of its process.
 */
import type { MarketplaceFeed } from "#contracts";
import { invariant, type PublicKey, type Signer, seededEntropy } from "#core";
import { type NodeStatus, signRequest } from "#ledger-api";
import { type HttpClientOptions, type HttpEndpoint, httpEndpoint } from "#ledger-client";
import { type ClientServerOptions, createHttpApp, EventHistory, type NodeStore, serveClients } from "#ledger-node";
import type { SmallNetwork } from "./small-network.ts";

export type ServedOptions = {
  readonly owners?: readonly PublicKey[];
  readonly auditors?: readonly PublicKey[];
  readonly feed?: MarketplaceFeed;
  readonly docs?: boolean;
  readonly nonces?: NodeStore;
  readonly readsMax?: number;
  readonly streams?: Partial<ClientServerOptions["streams"]>;
  readonly keptLengthMax?: number;
};

/** An answer as it came, with its JSON where it is some. */
export type RawAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
};
/** What a test may do wrong with a request. */
export type RequestFaults = {
  readonly body?: string;
  readonly contentType?: string;
  readonly authorization?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly issuedMs?: number;
  readonly nonce?: Uint8Array;
  readonly networkId?: string;
  readonly node?: PublicKey;
};

export class ServedNode {
  readonly small: SmallNetwork;
  readonly name: string;
  readonly faults: unknown[] = [];
  readonly #options: ServedOptions;
  readonly #clients: HttpEndpoint[] = [];
  #close: () => Promise<void> = async () => undefined;
  #port = 0;
  #nonces = 0;

  static async start(small: SmallNetwork, name: string, options: ServedOptions = {}): Promise<ServedNode> {
    const served = new ServedNode(small, name, options);
    await served.listen();
    return served;
  }

  private constructor(small: SmallNetwork, name: string, options: ServedOptions) {
    this.small = small;
    this.name = name;
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get store(): NodeStore {
    return this.small.ledger.store(this.name);
  }

  /** Starts the server, on the port that it had before. */
  async listen(): Promise<void> {
    const { small, name } = this;
    const { owners = [], auditors = [], feed, docs = false, streams, keptLengthMax, nonces, readsMax } = this.#options;
    const node = small.node(name);
    const { store } = this;
    const onFault = (error: unknown): void => void this.faults.push(error);
    const app = createHttpApp({ onFault });
    const events = new EventHistory({
      node,
      store,
      gridAuthority: small.key("grid-authority"),
      defer: (task) => void setImmediate(task),
      ...(keptLengthMax === undefined ? {} : { keptLengthMax }),
    });
    await serveClients(app, {
      networkId: small.ledger.networkId,
      party: node.party,
      clock: small.clock,
      nonces: nonces ?? store,
      ...(readsMax === undefined ? {} : { readsMax }),
      owners,
      auditors,
      status: () => statusOf(small, name, store),
      ledger: { node, events, transactions: (after, limit) => store.scanAfter(after, limit) },
      ...(feed === undefined ? {} : { feed }),
      docs,
      streams: { after, ...streams },
      onFault,
    });
    await app.listen({ host: "127.0.0.1", port: this.#port });
    const address = app.server.address();
    invariant(typeof address === "object" && address !== null, "a server that listens has an address");
    this.#port = address.port;
    this.#close = async () => {
      events.close();
      app.server.closeAllConnections();
      await app.close();
    };
  }

  /** Stops the server; its clients find nobody there. */
  async stop(): Promise<void> {
    await this.#close();
    this.#close = async () => undefined;
  }

  /** Stops server and node, and starts both from the node's store. */
  async restart(): Promise<void> {
    await this.stop();
    await this.small.ledger.restart(this.name);
    await this.listen();
  }

  /** The node as a client with this key sees it. */
  client(signer: Signer, options: Partial<HttpClientOptions> = {}): HttpEndpoint {
    const { clock, ledger } = this.small;
    this.#nonces += 1;
    const endpoint = httpEndpoint({
      url: this.url,
      party: this.small.key(this.name),
      signer,
      networkId: ledger.networkId,
      clock,
      entropy: seededEntropy(`client ${this.#nonces}`, this.name),
      after,
      ...options,
    });
    this.#clients.push(endpoint);
    return endpoint;
  }

  /** The node as its owner sees it. */
  owner(options: Partial<HttpClientOptions> = {}): HttpEndpoint {
    return this.client(this.small.signer(this.name), options);
  }

  /** The header of a request, signed by a key. */
  signed(signer: Signer, method: string, path: string, faults: RequestFaults = {}): string {
    this.#nonces += 1;
    return signRequest(
      signer,
      { networkId: faults.networkId ?? this.small.ledger.networkId, node: faults.node ?? this.small.key(this.name) },
      { method, path, body: faults.body ?? "" },
      {
        issuedMs: faults.issuedMs ?? this.small.clock.nowMs(),
        nonce: faults.nonce ?? seededEntropy("raw", `${this.#nonces}`).bytes(16),
      },
    );
  }

  /** Sends one request, signed by a key unless said otherwise, and gives the answer as it came. */
  async send(signer: Signer, method: string, path: string, faults: RequestFaults = {}): Promise<RawAnswer> {
    const authorization =
      faults.authorization === undefined ? this.signed(signer, method, path, faults) : faults.authorization;
    const { body } = faults;
    const init: RequestInit = {
      method,
      headers: {
        ...(authorization === null ? {} : { authorization }),
        ...(body === undefined ? {} : { "content-type": faults.contentType ?? "application/json" }),
        ...faults.headers,
      },
      ...(body === undefined ? {} : { body }),
    };
    const ask = (): Promise<Response> => fetch(`${this.url}${path}`, init);
    // A connection of before a restart is found to be closed: nothing was read from it.
    const answer = await ask().catch(ask);
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: parsed(text) };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.stop();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

function statusOf(small: SmallNetwork, name: string, store: NodeStore): NodeStatus {
  return {
    name,
    party: small.key(name),
    roles:
      small
        .node(name)
        .unspent("member")
        .find(({ key }) => key === small.key(name))?.roles ?? [],
    networkId: small.ledger.networkId,
    epoch: small.node(name).unspent("network-parameters")[0]?.epoch ?? null,
    height: store.count(),
    pending: 0,
    outbox: 0,
    undelivered: [],
    membersServed: null,
    peersReachable: 0,
    peersKnown: 0,
    uptimeMs: 0,
    residentBytes: 0,
  };
}
