/** `dream network repair`: gives a notary's commit log back what the nodes' stores have and it lacks. */
import { join, resolve } from "node:path";
import { toJson } from "#core";
import {
  COMMIT_LOG_FILE,
  Notary,
  openSqliteCommitLog,
  type RecoveryReport,
  storesIn,
  wholeTransactionsIn,
} from "#ledger-node";
import { CommandFailure, EXIT, type ExitCode } from "../exit.ts";
import type { NetworkIo } from "./commands.ts";
import { holderOf } from "./directory.ts";
import { readNetwork, runningPid } from "./folder.ts";
import { CONFIG_FILE, resolvePath } from "./node-config.ts";
import { readIdentity } from "./node-identity.ts";

/** The nodes may run; the notary must not. Nothing in the stores of the nodes is changed. */
export async function repair(folder: string, flags: { readonly json?: boolean }, io: NetworkIo): Promise<ExitCode> {
  const directory = readNetwork(folder);
  const name = holderOf(directory, "notary")?.name;
  if (name === undefined) throw new CommandFailure(EXIT.notFound, `${folder}: the network names no notary`);
  if (runningPid(resolve(folder), name) !== undefined)
    throw new CommandFailure(EXIT.error, `${name}: is running; stop it first with: dream network down ${folder}`);
  const report = await recovered(resolve(folder), name, io);
  const { appended, known, refused } = report;
  io.stdout.write(
    flags.json === true
      ? `${toJson({ networkId: directory.networkId, notary: name, ...report }, 2)}\n`
      : `${name}: ${appended.length} transactions were missing and are back, ${known} were there.\n`,
  );
  for (const { txId, reason } of refused)
    io.stderr.write(`dream: ${txId}: can't be brought back: ${reason} (docs/refusals.md#${reason})\n`);
  return refused.length === 0 ? EXIT.ok : EXIT.error;
}

async function recovered(folder: string, name: string, { clock }: NetworkIo): Promise<RecoveryReport> {
  const { config, folder: own, signer } = readIdentity(join(folder, name, CONFIG_FILE));
  const commitLog = openSqliteCommitLog(resolvePath(own, COMMIT_LOG_FILE), config.store.durability);
  try {
    const notary = new Notary({
      networkId: config.network.id,
      signer,
      clock,
      log: commitLog,
      counters: { signatures: 0, verifications: 0 },
      defer: (task) => void setImmediate(task),
    });
    return await notary.recover(wholeTransactionsIn(storesIn(folder)));
  } finally {
    await commitLog.close();
  }
}
