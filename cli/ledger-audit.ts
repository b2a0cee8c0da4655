/** The body of `dream ledger audit`. */
import { existsSync } from "node:fs";
import { toJson } from "#core";
import { type AuditReport, auditFolder } from "#ledger-node";
import { CommandFailure, EXIT, type ExitCode } from "./exit.ts";
import { progressBar } from "./progress.ts";

const VIOLATIONS_SHOWN_MAX = 20;

/** Audits a run directory or a folder of stores; gives the exit code: 1 if there is any violation. */
export function ledgerAudit(
  folder: string,
  flags: { readonly json?: boolean },
  io: { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream },
): ExitCode {
  if (!existsSync(folder))
    throw new CommandFailure(EXIT.notFound, `${folder}: there is no such folder; give a run directory`);
  const progress = progressBar(io.stderr, "transactions", flags.json === true);
  const audited = auditFolder(folder, (done, total) => progress.update(done, total));
  progress.stop();
  if (!audited.ok) {
    const { tag, path } = audited.error;
    const reasons = {
      no_stores: `${path}: holds no ledger stores (*.sqlite); give a run directory or its folder ledger/`,
      no_commit_log: `${path}: has no notary.sqlite, without which nothing is final`,
      store_unreadable: `${path}: a store can't be read; restore it from a copy`,
      no_genesis: `${path}: the commit log founds no network: its first transaction is missing or damaged`,
    };
    throw new CommandFailure(tag === "no_stores" || tag === "no_commit_log" ? EXIT.notFound : EXIT.error, reasons[tag]);
  }
  io.stdout.write(flags.json === true ? `${toJson(audited.value, 2)}\n` : render(audited.value));
  return audited.value.violations.length === 0 ? EXIT.ok : EXIT.error;
}

function render({ transactions, signatures, violations, moneyIssuedMicros, moneyHeldMicros }: AuditReport): string {
  const lines = [
    violations.length === 0
      ? "Sound: every id, signature, contract and spent state checks, and money is conserved."
      : `NOT SOUND: ${violations.length} violations.`,
    `transactions   ${transactions}`,
    `signatures     ${signatures} of parties`,
    `money issued   ${moneyIssuedMicros} micros`,
    `money held     ${moneyHeldMicros} micros`,
    ...violations
      .slice(0, VIOLATIONS_SHOWN_MAX)
      .map(({ store, txId, problem }) => `${store}: transaction ${txId} ${problem}`),
    ...(violations.length > VIOLATIONS_SHOWN_MAX
      ? [`… and ${violations.length - VIOLATIONS_SHOWN_MAX} more (--json lists all)`]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}
