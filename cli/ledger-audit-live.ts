/**
 * Audits nodes that run, by what they show to an auditor: the same checks as for a folder of stores, without the notary's log.
 * Reads only. Two nodes are compared: whom a transaction concerns must have it.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { NetworkParameters } from "#contracts";
import type { Hash, PublicKey, Result } from "#core";
import { TRANSACTIONS_PER_PAGE_MAX, type TransactionPage } from "#ledger-api";
import type { HttpProblem } from "#ledger-client";
import { type AuditedEntry, type AuditReport, auditSources, type StoreSource } from "#ledger-node";
import { CommandFailure, EXIT } from "./exit.ts";
import type { Certificate } from "./network/certificate.ts";
import { DIRECTORY_FILE, type Directory, directoryOf, genesisOf } from "./network/directory.ts";
import { readKeyFile } from "./network/keys.ts";
import { clientOf } from "./network/operator-client.ts";
import { operatorTls } from "./network/tls-files.ts";

export type LiveAuditFlags = {
  /** File with the auditor's key. */
  readonly key?: string;
  /** Copy of the network's directory; beside the key where it is not given. */
  readonly network?: string;
  /** Another node of the network, to compare with. */
  readonly against?: string;
};

/** A node as an auditor sees it. */
export type LiveNode = {
  readonly name: string;
  readonly party: PublicKey;
  readonly transactions: (after: number, limit: number) => Promise<Result<TransactionPage, HttpProblem>>;
};
export type LiveFounding = { readonly networkId: string; readonly notaries: readonly PublicKey[] };

/** More than any node has; what a node shows beyond that is not read. */
const TRANSACTIONS_MAX = 20_000_000;
/** What two nodes show is read again this often where they differ: news travels for a moment. */
const READINGS_MAX = 3;
const NEWS_MS = 1_500;

/** Audits the nodes that the flags name. @throws CommandFailure for what is missing, unknown or unreachable. */
export async function auditUrl(
  url: string,
  flags: LiveAuditFlags,
  onProgress: (done: number) => void,
): Promise<AuditReport> {
  const { key, against } = flags;
  if (key === undefined)
    throw new CommandFailure(EXIT.badInput, `${url}: a node shows its transactions to auditors only; give --key FILE`);
  const signer = readKeyFile(key);
  if (!signer.ok) throw new CommandFailure(EXIT.badInput, `${key}: ${signer.error.problem}; ${signer.error.mend}`);
  const file = flags.network ?? join(dirname(key), DIRECTORY_FILE);
  const directory = readDirectory(file);
  const clock = { nowMs: () => Date.now() };
  // Where the network's connections are encrypted, its certificates stand beside its directory.
  const tls = operatorTls(dirname(file));
  const clients = [url, ...(against === undefined ? [] : [against])].map((each) => {
    const certificate = partyAt(each, directory, file);
    const client = clientOf(certificate, { signer: signer.value, clock, tls });
    return { ...certificate, client };
  });
  const nodes = clients.map(
    ({ name, key: party, client }): LiveNode => ({
      name,
      party,
      transactions: (after, limit) => client.transactions(after, limit),
    }),
  );
  try {
    return await auditNodes(nodes, foundingOf(directory, file), { onProgress, pause: () => sleep(NEWS_MS) });
  } finally {
    for (const { client } of clients) client.close();
  }
}

/**
 * Reads all that the nodes show, and audits it. Where they differ they are read again: it may have been on its way.
 * @throws CommandFailure when a node can't be read.
 */
export async function auditNodes(
  nodes: readonly LiveNode[],
  founding: LiveFounding,
  { onProgress, pause }: { readonly onProgress: (done: number) => void; readonly pause: () => Promise<unknown> },
): Promise<AuditReport> {
  let report: AuditReport | undefined;
  for (let reading = 0; reading < READINGS_MAX; reading++) {
    report = await auditOnce(nodes, founding, onProgress);
    if (report.violations.length === 0 || nodes.length === 1) return report;
    if (reading < READINGS_MAX - 1) await pause();
  }
  return report as AuditReport;
}

async function auditOnce(
  nodes: readonly LiveNode[],
  founding: LiveFounding,
  onProgress: (done: number) => void,
): Promise<AuditReport> {
  let done = 0;
  const stores: StoreSource[] = [];
  for (const node of nodes)
    stores.push(
      await readNode(node, (count) => {
        done += count;
        onProgress(done);
      }),
    );
  const audited = auditSources({ log: undefined, founding, stores }, nodes.map(({ name }) => name).join());
  if (!audited.ok) throw new CommandFailure(EXIT.error, `${audited.error.path}: shows no network's parameters`);
  return audited.value;
}

/**
 * What a node shows, by the transaction. Numbers rise, and have gaps: of a transaction of which more was shown later, only what
 * came last stands there; if that came while the pages were read, it is shown twice.
 */
class Shelf {
  readonly #name: string;
  readonly #entries = new Map<Hash, AuditedEntry>();
  #last = 0;
  #count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add({ sequence, txId, kind, bytes }: TransactionPage["transactions"][number]): void {
    if (sequence <= this.#last)
      throw new CommandFailure(EXIT.error, `${this.#name}: shows its transactions out of order; it can't be audited`);
    if (++this.#count > TRANSACTIONS_MAX)
      throw new CommandFailure(EXIT.error, `${this.#name}: shows pages without an end; it can't be audited`);
    this.#last = sequence;
    this.#entries.delete(txId);
    this.#entries.set(txId, { txId, kind, bytes });
  }

  get entries(): readonly AuditedEntry[] {
    return [...this.#entries.values()];
  }
}

async function readNode(node: LiveNode, onPage: (count: number) => void): Promise<StoreSource> {
  const { name, party } = node;
  const shelf = new Shelf(name);
  for (let after: number | null = 0; after !== null; ) {
    const page: Result<TransactionPage, HttpProblem> = await node.transactions(after, TRANSACTIONS_PER_PAGE_MAX);
    if (!page.ok) throw unreadable(name, page.error);
    const { transactions, next } = page.value;
    for (const each of transactions) shelf.add(each);
    onPage(transactions.length);
    if (next !== null && (next <= after || transactions.length === 0))
      throw new CommandFailure(EXIT.error, `${name}: shows pages without an end; it can't be audited`);
    after = next;
  }
  const { entries } = shelf;
  return { name, party, count: entries.length, entries: () => entries, proofs: () => [], underWay: () => [] };
}

function unreadable(name: string, problem: HttpProblem): CommandFailure {
  if (problem.tag === "unreachable")
    return new CommandFailure(
      EXIT.notRunning,
      `${name}: can't be reached (${problem.cause}); see 'dream network status'`,
    );
  const mend =
    problem.refusal.code === "request_forbidden"
      ? "the key is no auditor's: its owner names auditors in config.yaml, under clients"
      : "a notary shows no transactions: audit its folder instead";
  return new CommandFailure(EXIT.error, `${name}: refused with ${problem.refusal.code}; ${mend}`);
}

function readDirectory(file: string): Directory {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(
      EXIT.notFound,
      `${file}: can't be read; give the network's directory with --network FILE`,
      { cause },
    );
  }
  const read = directoryOf(text);
  if (read.ok) return read.value;
  throw new CommandFailure(EXIT.badInput, `${file}: is no signed directory of a network; take a copy from any node`);
}

function partyAt(url: string, { parties }: Directory, file: string): Certificate {
  const found = parties.find(({ address }) => sameAddress(address, url));
  if (found !== undefined) return found;
  throw new CommandFailure(
    EXIT.notFound,
    `${url}: no node of ${file} answers there; it names ${parties.map(({ address }) => address).join(", ")}`,
  );
}

function sameAddress(left: string, right: string): boolean {
  return URL.canParse(left) && URL.canParse(right) && new URL(left).href === new URL(right).href;
}

/** Which network the directory's founding transaction founds: what a node says of that is not believed. */
function foundingOf(directory: Directory, file: string): LiveFounding {
  const genesis = genesisOf(directory);
  const parameters = genesis.ok
    ? genesis.value.transaction.content.outputs.find(
        (state): state is NetworkParameters => state.tag === "network-parameters",
      )
    : undefined;
  if (parameters === undefined)
    throw new CommandFailure(EXIT.badInput, `${file}: holds no founding transaction; take a copy from any node`);
  return { networkId: parameters.networkId, notaries: parameters.notaries };
}
