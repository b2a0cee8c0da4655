/** `dream bench ledger`: durable create-promise flows per second, beside what the signatures that they need would allow. */
import { cpus } from "node:os";
import { toJson } from "#core";
import { type Progress, progressBar } from "../progress.ts";
import { type AcrossProcessesResult, benchAcrossProcesses } from "./across-processes.ts";
import type { BenchProgram } from "./bench-network.ts";
import { benchOneProcess, type OneProcessResult } from "./one-process.ts";

export type BenchIo = BenchProgram & { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream };
export type BenchLedgerFlags = {
  readonly members: number;
  readonly flows: number;
  readonly rounds: number;
  readonly json?: boolean;
  readonly progress: boolean;
};

/** More nodes than this would stand in each other's way on a small machine. */
const NODES_MAX = 4;

export async function benchLedger(flags: BenchLedgerFlags, io: BenchIo): Promise<void> {
  const progress: Progress = progressBar(io.stderr, "rounds", flags.json === true || !flags.progress);
  const { members, rounds, flows: flowsPerMember } = flags;
  const onRound = (done: number): void => progress.update(done, 2 * rounds);
  try {
    const alone = await benchOneProcess({ members, flowsPerMember, rounds, onRound });
    const across = await benchAcrossProcesses({
      members: Math.min(members, NODES_MAX),
      flowsPerMember,
      rounds,
      program: io,
      onRound: (done) => onRound(rounds + done),
    });
    progress.stop();
    io.stdout.write(flags.json === true ? jsonOf(alone, across) : tableOf(alone, across));
  } finally {
    progress.stop();
  }
}

function jsonOf({ cost, signatureLimit, ...alone }: OneProcessResult, acrossProcesses: AcrossProcessesResult): string {
  return `${toJson({ ...alone, ...cost, signatureLimitPerSecond: signatureLimit, acrossProcesses }, 2)}\n`;
}

function tableOf(alone: OneProcessResult, across: AcrossProcessesResult): string {
  const { cost } = alone;
  const lines = [
    `DURABLE CREATE-PROMISE FLOWS  node ${process.version} · ${cpus().length} cores`,
    "",
    `one process, one thread   ${alone.flowsPerSecond.toFixed(0)} flows/s  (${alone.flows} flows)`,
    `  each flow needs         ${alone.signsPerFlow.toFixed(2)} signs · ${alone.verifiesPerFlow.toFixed(2)} verifies`,
    `  measured in this run    ${cost.signMicros.toFixed(0)} µs a sign · ${cost.verifyMicros.toFixed(0)} µs a verify`,
    `  signatures would allow  ${alone.signatureLimit.toFixed(0)} flows/s on the same core`,
    `  ratio                   ${alone.ratio.toFixed(2)}`,
    "",
    `across ${across.processes} processes       ${across.flowsPerSecond.toFixed(0)} flows/s  (${across.flows} flows by ${across.members} members)`,
    `  ratio to one process    ${(across.flowsPerSecond / alone.flowsPerSecond).toFixed(2)}`,
  ];
  return `${lines.join("\n")}\n`;
}
