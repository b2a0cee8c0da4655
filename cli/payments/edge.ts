/** The payment provider's edge, opened for one command: its folder, its node, its journal. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { NetworkParameters } from "#contracts";
import type { Clock, PublicKey, Signer } from "#core";
import { EndpointError, type HttpEndpoint } from "#ledger-client";
import { type AccountDirectory, Outbox, openPaymentDatabase, type PaymentDatabase, Payouts, Receipts } from "#payments";
import { CommandFailure, EXIT } from "../exit.ts";
import { OWNER_KEY_FILE } from "../network/folder.ts";
import { readKeyFile } from "../network/keys.ts";
import { CONFIG_FILE } from "../network/node-config.ts";
import { type NodeIdentity, readIdentity } from "../network/node-identity.ts";
import { clientOf } from "../network/operator-client.ts";
import { operatorTls } from "../network/tls-files.ts";
import { describeConfigProblems } from "../network/yaml-config.ts";
import { type AccountsFile, accountDirectory, parseAccountsFile } from "./accounts-file.ts";
import { JOURNAL_FILE } from "./journal.ts";

/** A node that was just started answers within. */
const RETRY_MS_MAX = 5_000;
export const ACCOUNTS_FILE = "payments.yaml";

export type NodeFlags = {
  /** Address of the provider's node, or its folder. */
  readonly node: string;
  /** The provider's folder, where `node` is an address. */
  readonly home?: string;
};

/** What is in the provider's folder. */
export type Desk = {
  readonly home: string;
  readonly file: AccountsFile;
  readonly database: PaymentDatabase;
  readonly payouts: Payouts;
  readonly receipts: Receipts;
  readonly outbox: Outbox;
  /** The secret that is shared with the receiver of webhooks at an address. */
  readonly secretOf: (url: string) => string | undefined;
};

export type Edge = Desk & {
  readonly signer: Signer;
  readonly accounts: AccountDirectory;
  readonly client: HttpEndpoint;
  readonly parameters: NetworkParameters;
  readonly nameOf: (key: PublicKey) => string;
};

/** @throws CommandFailure for a folder that is not there or has no accounts. */
export function openDesk(home: string): Desk {
  if (statSync(home, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CommandFailure(
      EXIT.notFound,
      `${home}: there is no such folder; give that of the payment provider's node`,
    );
  const path = join(home, ACCOUNTS_FILE);
  if (!existsSync(path))
    throw new CommandFailure(EXIT.notFound, `${path}: there is no such file; docs/payments.md shows what stands in it`);
  const parsed = parseAccountsFile(path, readFileSync(path, "utf8"));
  if (!parsed.ok) throw new CommandFailure(EXIT.badInput, describeConfigProblems(parsed.error));
  const file = parsed.value;
  const secrets = new Map(file.webhooks.map(({ url, secretFile }) => [url, secretIn(join(home, secretFile))]));
  const database = openPaymentDatabase(join(home, JOURNAL_FILE));
  return {
    home,
    file,
    database,
    payouts: new Payouts(database),
    receipts: new Receipts(database),
    outbox: new Outbox(database),
    secretOf: (url) => secrets.get(url),
  };
}

const SECRET_LENGTH_MIN = 32;

function secretIn(file: string): string {
  if (!existsSync(file))
    throw new CommandFailure(EXIT.notFound, `${file}: there is no such file; put the shared secret there`);
  const secret = readFileSync(file, "utf8").trim();
  if (secret.length < SECRET_LENGTH_MIN)
    throw new CommandFailure(
      EXIT.badInput,
      `${file}: the secret is too short; give at least ${SECRET_LENGTH_MIN} characters, such as those of 'openssl rand -hex 32'`,
    );
  return secret;
}

/** Runs `work` at the provider's desk, with its node. @throws CommandFailure when the node does not answer. */
export async function atEdge<T>(flags: NodeFlags, clock: Clock, work: (edge: Edge) => Promise<T>): Promise<T> {
  const isAddress = /^https?:\/\//.test(flags.node);
  const home = flags.home ?? flags.node;
  if (isAddress && flags.home === undefined)
    throw new CommandFailure(EXIT.badInput, `${flags.node}: give --home DIR too, the payment provider's folder`);
  const desk = openDesk(home);
  try {
    const identity = providerIn(home);
    const address = isAddress ? flags.node.replace(/\/$/, "") : identity.certificate.address;
    const client = clientOf(
      { ...identity.certificate, address },
      { signer: ownerIn(home), clock, tls: operatorTls(dirname(identity.directoryFile)), retryMs: RETRY_MS_MAX },
    );
    try {
      return await work(await withNode(desk, client, identity.signer));
    } catch (error) {
      throw error instanceof EndpointError ? unreachable(address, error) : error;
    } finally {
      client.close();
    }
  } finally {
    desk.database.close();
  }
}

function providerIn(home: string): NodeIdentity {
  const identity = readIdentity(join(home, CONFIG_FILE));
  const { name, roles } = identity.certificate;
  if (!roles.includes("payment-provider"))
    throw new CommandFailure(EXIT.badInput, `${home}: ${name} is not the payment provider; give the folder of who is`);
  return identity;
}

function ownerIn(home: string): Signer {
  const file = join(home, OWNER_KEY_FILE);
  const key = readKeyFile(file);
  if (!key.ok) throw new CommandFailure(EXIT.badInput, `${file}: ${key.error.problem}; ${key.error.mend}`);
  return key.value;
}

function unreachable(address: string, error: EndpointError): CommandFailure {
  const isRefused = error.problem.tag === "refused";
  return new CommandFailure(
    isRefused ? EXIT.error : EXIT.notRunning,
    `${address}: ${error.message}; ${isRefused ? "see docs/refusals.md" : "start the node with 'dream network up'"}`,
    { cause: error },
  );
}

async function withNode(desk: Desk, client: HttpEndpoint, signer: Signer): Promise<Edge> {
  const [[parameters], members] = await Promise.all([client.states("network-parameters"), client.states("member")]);
  if (parameters === undefined)
    throw new CommandFailure(EXIT.error, "the node knows no network yet; wait until it has joined");
  const names = new Map(members.map(({ state }) => [state.key, state.name]));
  const keys = new Map(members.map(({ state }) => [state.name, state.key]));
  const accounts = accountDirectory(
    desk.file,
    (key) => names.get(key),
    (name) => keys.get(name),
  );
  return {
    ...desk,
    signer,
    accounts,
    client,
    parameters: parameters.state,
    nameOf: (key) => names.get(key) ?? key,
  };
}
