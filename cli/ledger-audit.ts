/** The body of `dream ledger audit`. */
import { existsSync } from "node:fs";
import { toJson } from "#core";
import { type AuditReport, auditFolder } from "#ledger-node";
import { CommandFailure, EXIT, type ExitCode } from "./exit.ts";
import type { LiveAuditFlags } from "./ledger-audit-live.ts";
import { progressBar } from "./progress.ts";

const VIOLATIONS_SHOWN_MAX = 20;

/** Audits a run directory, a folder of stores or of a network, or a node that runs; gives the exit code: 1 if there is any violation. */
export async function ledgerAudit(
  target: string,
  flags: LiveAuditFlags & { readonly json?: boolean },
  io: { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream },
): Promise<ExitCode> {
  const isLive = /^https?:\/\//.test(target);
  const report = isLive ? await auditRunning(target, flags, io) : auditStored(target, flags, io);
  // What is owed is part of what is held: other programs read the sums.
  const { moneyOwedMicros: _, ...sums } = report;
  io.stdout.write(flags.json === true ? `${toJson(sums, 2)}\n` : render(report, isLive));
  return report.violations.length === 0 ? EXIT.ok : EXIT.error;
}

async function auditRunning(
  url: string,
  flags: LiveAuditFlags & { readonly json?: boolean },
  io: { readonly stderr: NodeJS.WriteStream },
): Promise<AuditReport> {
  const { auditUrl } = await import("./ledger-audit-live.ts");
  const progress = progressBar(io.stderr, "transactions", flags.json === true);
  try {
    // How many there are is known at the end only.
    return await auditUrl(url, flags, (done) => progress.update(done, done));
  } finally {
    progress.stop();
  }
}

function auditStored(
  folder: string,
  flags: { readonly json?: boolean },
  io: { readonly stderr: NodeJS.WriteStream },
): AuditReport {
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
  return audited.value;
}

const SOUND = "Sound: every id, signature, contract and spent state checks, and money is conserved.";
const SOUND_AS_SHOWN =
  "Sound as far as it is shown: every id and signature checks, and each contract and spent state of which all is shown.";

function render(
  { transactions, signatures, violations, moneyIssuedMicros, moneyHeldMicros, moneyOwedMicros }: AuditReport,
  isLive: boolean,
): string {
  const lines = [
    violations.length === 0 ? (isLive ? SOUND_AS_SHOWN : SOUND) : `NOT SOUND: ${violations.length} violations.`,
    `transactions   ${transactions}`,
    `signatures     ${signatures} of parties`,
    `money issued   ${moneyIssuedMicros} micros`,
    `money held     ${moneyHeldMicros} micros`,
    ...(moneyOwedMicros === 0n ? [] : [`of it owed     ${moneyOwedMicros} micros, redeemed and not paid out yet`]),
    ...violations
      .slice(0, VIOLATIONS_SHOWN_MAX)
      .map(({ store, txId, problem }) => `${store}: transaction ${txId} ${problem}`),
    ...(violations.length > VIOLATIONS_SHOWN_MAX
      ? [`… and ${violations.length - VIOLATIONS_SHOWN_MAX} more (--json lists all)`]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}
