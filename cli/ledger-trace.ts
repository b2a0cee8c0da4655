/** The body of `dream ledger trace`. */
import { type PublicKey, toJson } from "#core";
import { type HistoryStep, memberNames, promiseIdsIn, type Trace, type TraceRow, traceOf } from "#ledger-node";
import { claimsInWords } from "./claims-text.ts";
import { CommandFailure, EXIT } from "./exit.ts";
import { readHistory } from "./history-folder.ts";
import { nearNames } from "./near-names.ts";
import { renderTable } from "./table.ts";

export type TraceFlags = { readonly run: string; readonly json?: boolean };

/** Prints where a promise's energy came from and who used it. @throws CommandFailure for an unknown folder or promise. */
export function ledgerTrace(promiseId: string, flags: TraceFlags, stdout: NodeJS.WritableStream): void {
  const history = readHistory(flags.run);
  const trace = traceOf(history, promiseId);
  if (trace === undefined) throw unknownPromise(promiseId, flags.run, history);
  const nameOf = namesIn(history);
  stdout.write(flags.json === true ? `${toJson(asJson(trace, nameOf), 2)}\n` : rendered(trace, nameOf));
}

function unknownPromise(promiseId: string, folder: string, history: readonly HistoryStep[]): CommandFailure {
  const near = nearNames(promiseId, promiseIdsIn(history));
  const mend = near.length === 0 ? "it has no promises" : `nearest: ${near.join(", ")}`;
  return new CommandFailure(EXIT.notFound, `${folder}: there is no promise ${promiseId}; ${mend}`);
}

function namesIn(history: readonly HistoryStep[]): (key: PublicKey) => string {
  const names = memberNames(history);
  return (key) => names.get(key) ?? key.slice(0, 16);
}

function asJson({ promiseIds, rows }: Trace, nameOf: (key: PublicKey) => string): unknown {
  return {
    promiseIds,
    steps: rows.map(({ from, to, supplier, claims, contradictedBy, ...row }) => ({
      ...row,
      from: from.map(nameOf),
      to: to === null ? null : nameOf(to),
      supplier: nameOf(supplier),
      contradictedBy: contradictedBy === null ? null : nameOf(contradictedBy),
      claims: claims && { ...claims, certifiedBy: claims.certifiedBy === null ? null : nameOf(claims.certifiedBy) },
    })),
  };
}

const COLUMNS = ["step", "promise", "slot", "Wh", "from", "to", "delivered", "used", "claims", "transaction"] as const;

function rendered({ rows }: Trace, nameOf: (key: PublicKey) => string): string {
  const cells = rows.map((row: TraceRow) => [
    row.step ?? "?",
    row.promiseId,
    row.slot,
    `${row.energyWh}`,
    row.from.map(nameOf).join(" + ") || "-",
    row.to === null ? "-" : nameOf(row.to),
    `${row.deliveredWh ?? "-"}`,
    `${row.usedWh ?? "-"}`,
    claimsInWords(row.claims, nameOf) +
      (row.contradictedBy === null ? "" : `, contradicted by ${nameOf(row.contradictedBy)}`),
    row.txId.slice(0, 16),
  ]);
  return renderTable(COLUMNS, cells, new Set([3, 6, 7]));
}
