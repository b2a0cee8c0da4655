/**
 * A node over HTTP, with the interface that it has in process. What differs, because there is a network between:
 *
 * - An answer that does not come within the time for all tries is `node_unreachable`: it is not known whether the command took
 *   effect. Sent again with the same id it answers `exists` if it did.
 * - A key that the node refuses is `mandate_missing`; the node's own words go to `onProblem`.
 * - States that can't be read are an `EndpointError`: no list would be the truth.
 * - An event may arrive after the receipt of its command.
 */
import type {
  ClientCommand,
  LedgerRefusal,
  NodeEndpoint,
  NodeEvent,
  Proposal,
  Receipt,
  StateAndRef,
  StateTag,
} from "#contracts";
import { err, ok, type PublicKey, type Result } from "#core";
import {
  API_PATHS,
  approvalPath,
  approvalSchema,
  carryRequestSchema,
  clientCommandSchema,
  decodeJson,
  encodeJson,
  exportAnswerSchema,
  ledgerRefusedSchema,
  type NodeStatus,
  nodeEventSchema,
  nodeStatusSchema,
  proposalPath,
  proposalRequestSchema,
  proposedSchema,
  receiptSchema,
  type Schema,
  type SseMessage,
  stateListSchema,
  statesPath,
  type TransactionPage,
  transactionPageSchema,
  transactionsPath,
} from "#ledger-api";
import { type HttpAnswer, type HttpClientOptions, type HttpProblem, HttpRequests } from "./http-requests.ts";
import { followStream } from "./http-stream.ts";

/** A read that failed: what the node refused, or that it could not be reached. */
export class EndpointError extends Error {
  override readonly name = "EndpointError";
  readonly problem: HttpProblem;

  constructor(problem: HttpProblem) {
    super(problem.tag === "refused" ? problem.refusal.code : `${problem.path}: ${problem.cause}`);
    this.problem = problem;
  }
}

export interface HttpEndpoint extends NodeEndpoint {
  /** How the node is. */
  status(): Promise<Result<NodeStatus, HttpProblem>>;
  /** Transactions stored after a sequence number, for auditors. */
  transactions(after: number, limit: number): Promise<Result<TransactionPage, HttpProblem>>;
  /** Has the node make final what the signer has signed alone. */
  carry(transaction: Uint8Array, proofs: readonly Uint8Array[]): Promise<Result<Receipt, LedgerRefusal>>;
  /** All that the node keeps of its party, which the signer must be. */
  exported(): Promise<Result<string, HttpProblem>>;
  /** Ends what is under way, and all listening. */
  close(): void;
}

/** Commands and reads wait this long for a listener that was started before them to be heard. */
const HEARD_MS_MAX = 5_000;
const STATUS_MS_MAX = 3_000;

export function httpEndpoint(options: HttpClientOptions): HttpEndpoint {
  return new RemoteNode(options);
}

/** How a node is, asked once: for those who want no more of it. Asks again for a few seconds at most. */
export async function fetchStatus(options: HttpClientOptions): Promise<Result<NodeStatus, HttpProblem>> {
  const endpoint = httpEndpoint({ timeoutMs: STATUS_MS_MAX, retryMs: STATUS_MS_MAX, ...options });
  try {
    return await endpoint.status();
  } finally {
    endpoint.close();
  }
}

class RemoteNode implements HttpEndpoint {
  readonly party: PublicKey;
  readonly #options: HttpClientOptions;
  readonly #requests: HttpRequests;
  /** Listeners that are not heard yet. What is asked after `listen` waits for them, so that they miss nothing of it. */
  readonly #unheard = new Set<Promise<void>>();

  constructor(options: HttpClientOptions) {
    this.party = options.party;
    this.#options = options;
    this.#requests = new HttpRequests(options);
  }

  async submit(command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>> {
    const body = textOf(clientCommandSchema, command);
    if (body === undefined) return err({ tag: "command_malformed" });
    await this.#heard();
    return resultOf(receiptSchema, await this.#requests.ask("POST", API_PATHS.commands, body));
  }

  async propose(command: ClientCommand, delegate: PublicKey): Promise<Result<Proposal | Receipt, LedgerRefusal>> {
    const body = textOf(proposalRequestSchema, { command, delegate });
    if (body === undefined) return err({ tag: "command_malformed" });
    await this.#heard();
    return resultOf(proposedSchema, await this.#requests.ask("POST", API_PATHS.proposals, body));
  }

  async approve(proposalId: string, signature: Uint8Array): Promise<Result<Receipt, LedgerRefusal>> {
    const body = textOf(approvalSchema, { signature });
    if (body === undefined) return err({ tag: "signature_invalid" });
    return resultOf(receiptSchema, await this.#requests.ask("POST", approvalPath(proposalId), body));
  }

  /** A proposal that could not be withdrawn ends by itself within minutes. */
  async withdraw(proposalId: string): Promise<void> {
    await this.#requests.ask("DELETE", proposalPath(proposalId));
  }

  /** @throws EndpointError when they can't be read. */
  async states<T extends StateTag>(tag: T): Promise<readonly StateAndRef<T>[]> {
    await this.#heard();
    const read = readOf(stateListSchema, await this.#requests.ask("GET", statesPath(tag)), statesPath(tag));
    if (!read.ok) throw new EndpointError(read.error);
    // Compared by kind, which the compiler can't follow through a generic one.
    return read.value.states.filter(({ state }) => state.tag === tag) as unknown as readonly StateAndRef<T>[];
  }

  listen(listener: (event: NodeEvent) => void): () => void {
    let heard = (): void => undefined;
    const hearing = new Promise<void>((resolve) => {
      heard = resolve;
    });
    this.#unheard.add(hearing);
    const cancel = this.#requests.after(HEARD_MS_MAX, heard);
    void hearing.then(() => {
      cancel();
      this.#unheard.delete(hearing);
    });
    const stop = followStream({
      requests: this.#requests,
      path: API_PATHS.events,
      onReady: heard,
      onMessage: (message) => this.#tell(listener, message),
      onProblem: (problem) => this.#options.onProblem?.(problem),
    });
    return () => {
      heard();
      stop();
    };
  }

  async status(): Promise<Result<NodeStatus, HttpProblem>> {
    return readOf(nodeStatusSchema, await this.#requests.ask("GET", API_PATHS.status), API_PATHS.status);
  }

  async transactions(after: number, limit: number): Promise<Result<TransactionPage, HttpProblem>> {
    const path = transactionsPath(after, limit);
    return readOf(transactionPageSchema, await this.#requests.ask("GET", path), path);
  }

  async carry(transaction: Uint8Array, proofs: readonly Uint8Array[]): Promise<Result<Receipt, LedgerRefusal>> {
    const body = textOf(carryRequestSchema, { transaction, proofs });
    if (body === undefined) return err({ tag: "transaction_malformed" });
    return resultOf(receiptSchema, await this.#requests.ask("POST", API_PATHS.carried, body));
  }

  async exported(): Promise<Result<string, HttpProblem>> {
    const read = readOf(exportAnswerSchema, await this.#requests.ask("GET", API_PATHS.export), API_PATHS.export);
    return read.ok ? ok(`${read.value.lines.join("\n")}\n`) : read;
  }

  close(): void {
    this.#requests.close();
  }

  #tell(listener: (event: NodeEvent) => void, { data }: SseMessage): void {
    const event = decodeJson(nodeEventSchema, data);
    if (event.ok) listener(event.value);
    else this.#options.onProblem?.(notOfInterface(API_PATHS.events));
  }

  async #heard(): Promise<void> {
    await Promise.all(this.#unheard);
  }
}

/** What travels; undefined for what is no such value, which only a caller without types can give. */
function textOf<T>(schema: Schema<T>, value: T): string | undefined {
  try {
    return encodeJson(schema, value);
  } catch {
    return undefined;
  }
}

function resultOf<T>(schema: Schema<T>, answer: HttpAnswer): Result<T, LedgerRefusal> {
  if (answer.tag === "unreachable") return err({ tag: "node_unreachable" });
  if (answer.tag === "refused") return err(ledgerRefusalOf(answer.refusal.code));
  if (answer.status === 422) {
    const refused = decodeJson(ledgerRefusedSchema, answer.text);
    return refused.ok ? err(refused.value.refusal) : err({ tag: "node_unreachable" });
  }
  const value = decodeJson(schema, answer.text);
  // An answer that can't be read says as little as none.
  return value.ok ? ok(value.value) : err({ tag: "node_unreachable" });
}

/** The ledger's word for what the node's interface refused. */
function ledgerRefusalOf(code: string): LedgerRefusal {
  switch (code) {
    case "request_forbidden":
      return { tag: "mandate_missing" };
    case "request_malformed":
    case "body_too_large":
      return { tag: "command_malformed" };
    default:
      return { tag: "node_unreachable" };
  }
}

function readOf<T>(schema: Schema<T>, answer: HttpAnswer, path: string): Result<T, HttpProblem> {
  if (answer.tag !== "answered") return err(answer);
  const value = decodeJson(schema, answer.text);
  return answer.status === 200 && value.ok ? ok(value.value) : err(notOfInterface(path));
}

function notOfInterface(path: string): HttpProblem {
  return { tag: "unreachable", path, cause: "answered what is not of the interface" };
}
