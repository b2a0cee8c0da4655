/** `dream network status`: how each node of a network is. */
import Table from "cli-table3";
import type { Clock, PublicKey } from "#core";
import type { NodeStatus } from "#ledger-api";
import type { Certificate } from "./certificate.ts";
import type { Directory } from "./directory.ts";
import { runningPid } from "./folder.ts";
import { operatorOf } from "./late-member.ts";
import { clientOf } from "./operator-client.ts";
import { operatorTls } from "./tls-files.ts";

export type NodeReport = {
  readonly name: string;
  readonly roles: readonly string[];
  readonly address: string;
  readonly pid: number | null;
  /** Null for a node that does not answer. */
  readonly status: NodeStatus | null;
  /** Final transactions that concern the node and wait for it at the nodes that answer. */
  readonly lag: number;
};
export type NetworkReport = { readonly networkId: string; readonly nodes: readonly NodeReport[] };

export async function networkStatus(folder: string, directory: Directory, clock: Clock): Promise<NetworkReport> {
  const parts = { signer: operatorOf(folder), clock, tls: operatorTls(folder) };
  const report = async (party: Certificate): Promise<Omit<NodeReport, "lag"> & { readonly key: PublicKey }> => {
    const { name, roles, address, key } = party;
    const pid = runningPid(folder, name) ?? null;
    if (pid === null) return { name, roles, address, key, pid, status: null };
    const client = clientOf(party, parts);
    try {
      const fetched = await client.status();
      return { name, roles, address, key, pid, status: fetched.ok ? fetched.value : null };
    } finally {
      client.close();
    }
  };
  const reports = await Promise.all(directory.parties.map(report));
  const waiting = reports.flatMap(({ status }) => status?.undelivered ?? []);
  const lagOf = (key: PublicKey): number =>
    waiting.reduce((sum, { recipient, messages }) => (recipient === key ? sum + messages : sum), 0);
  return {
    networkId: directory.networkId,
    nodes: reports.map(({ key, ...rest }) => ({ ...rest, lag: lagOf(key) })),
  };
}

const MEGABYTE = 1_000_000;

/** An aggregator's members have no nodes: they are told with its own. */
function rolesOf(roles: readonly string[], status: NodeStatus | null): string {
  const served = status?.membersServed ?? null;
  return served === null ? roles.join(", ") : `${roles.join(", ")} of ${served} members`;
}

export function renderStatus({ networkId, nodes }: NetworkReport): string {
  const table = new Table({
    head: ["node", "roles", "pid", "address", "height", "lag", "under way", "to deliver", "MB", "peers"],
    colAligns: ["left", "left", "right", "left", "right", "right", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, roles, pid, address, status, lag } of nodes) {
    const figures =
      status === null
        ? [pid === null ? "not running" : "does not answer", lag, "", "", "", ""]
        : [
            status.height,
            lag,
            status.pending,
            status.outbox,
            Math.round(status.residentBytes / MEGABYTE),
            `${status.peersReachable} of ${status.peersKnown}`,
          ];
    table.push([name, rolesOf(roles, status), pid ?? "", address.replace(/^https?:\/\//, ""), ...figures]);
  }
  const running = nodes.filter(({ status }) => status !== null).length;
  return `${networkId}: ${running} of ${nodes.length} nodes answer\n${table.toString()}\n`;
}
