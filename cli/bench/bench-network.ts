/** A network of node processes in a temporary folder, made for one measurement and removed after it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientCommand } from "#contracts";
import { type HttpEndpoint, httpEndpoint } from "#ledger-client";
import { CommandFailure, EXIT } from "../exit.ts";
import type { Certificate } from "../network/certificate.ts";
import { OWNER_KEY_FILE, readNetwork, runningPid } from "../network/folder.ts";
import { initNetwork } from "../network/init.ts";
import { ownerOf } from "../network/late-member.ts";
import type { MemberEntry, MembersFile } from "../network/members-file.ts";
import { startNodes, stopNodes } from "../network/supervisor.ts";

/** The script of the `dream` command, and what a child process may know of this one's environment. */
export type BenchProgram = { readonly program: string; readonly nodeEnv: Readonly<Record<string, string>> };

/** Who sends, to which node. The key is named by its file, so that no secret travels between processes. */
export type Sender = {
  readonly url: string;
  readonly party: string;
  readonly networkId: string;
  readonly keyFile: string;
};

export interface BenchNetwork {
  readonly networkId: string;
  readonly parties: readonly Certificate[];
  party(name: string): Certificate;
  pidOf(name: string): number;
  /** A client of a node, with the key of its owner. */
  owner(name: string): HttpEndpoint;
  sender(name: string): Sender;
  /** Carries out commands of members, all at once. @throws CommandFailure when one is refused. */
  prepare(commands: readonly MemberCommand[]): Promise<void>;
  /** Waits until no node has anything under way. @throws CommandFailure when that takes longer than a minute. */
  quiet(): Promise<void>;
  /** Stops the processes and removes the folder. */
  close(): Promise<void>;
}

export type MemberCommand = { readonly member: string; readonly command: ClientCommand };

const START_MS_MAX = 90_000;
const STOP_MS_MAX = 20_000;
const FUNDED_MS_MAX = 60_000;
const QUIET_MS_MAX = 60_000;
const POLL_MS = 40;
/** Requests are waited for, however long they take. */
const ANSWER_MS_MAX = 300_000;
/** As a shell says that a process was ended by SIGTERM. */
const EXIT_TERMINATED = 143;

/** Founds the network, starts a process for each node, and waits until each member has its opening funds. */
export async function deployNetwork(
  name: string,
  members: readonly MemberEntry[],
  { program, nodeEnv }: BenchProgram,
): Promise<BenchNetwork> {
  const folder = mkdtempSync(join(tmpdir(), "dream-bench-"));
  try {
    await initNetwork({
      folder,
      members: membersFile(name, members),
      isForced: true,
      seed: undefined,
      nowMs: Date.now(),
    });
    const { networkId, parties } = readNetwork(folder);
    const network = new RunningNetwork(folder, networkId, parties);
    // Nodes outlive the command that started them; these must not, however it ends.
    process.once("exit", network.end);
    process.once("SIGTERM", terminate);
    try {
      const options = { folder, program, env: nodeEnv, onProgress: () => undefined };
      const [problem] = await startNodes(parties, START_MS_MAX, options);
      if (problem !== undefined) throw failure(`${problem.name} did not start: ${problem.problem}`);
      await network.funded(members);
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
}

/** What is just being killed may still write. */
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** Rules as usual; the marketplace's rounds are so rare that none falls into a measurement. */
function membersFile(name: string, members: readonly MemberEntry[]): MembersFile {
  return {
    network: { id: `dream/${name}`, currency: "EUR", slotMinutes: 15, timeZone: "UTC", host: "127.0.0.1" },
    rules: {},
    marketplace: { method: "pay-as-clear", roundsCron: "0 0 1 1 *", finalRoundLeadSeconds: 300 },
    members,
  };
}

class RunningNetwork implements BenchNetwork {
  readonly networkId: string;
  readonly parties: readonly Certificate[];
  readonly #folder: string;
  readonly #owners = new Map<string, HttpEndpoint>();

  constructor(folder: string, networkId: string, parties: readonly Certificate[]) {
    this.#folder = folder;
    this.networkId = networkId;
    this.parties = parties;
  }

  party(name: string): Certificate {
    const found = this.parties.find((party) => party.name === name);
    if (found === undefined) throw failure(`${name} is no node of the network`);
    return found;
  }

  pidOf(name: string): number {
    const pid = runningPid(this.#folder, name);
    if (pid === undefined) throw failure(`${name} has ended while it was measured`);
    return pid;
  }

  owner(name: string): HttpEndpoint {
    const kept = this.#owners.get(name);
    if (kept !== undefined) return kept;
    const { address: url, key: party } = this.party(name);
    const { networkId } = this;
    const signer = ownerOf(this.#folder, name);
    const times = { timeoutMs: ANSWER_MS_MAX, retryMs: ANSWER_MS_MAX };
    const endpoint = httpEndpoint({ url, party, signer, networkId, ...times });
    this.#owners.set(name, endpoint);
    return endpoint;
  }

  sender(name: string): Sender {
    const { address: url, key: party } = this.party(name);
    return { url, party, networkId: this.networkId, keyFile: join(this.#folder, name, OWNER_KEY_FILE) };
  }

  async prepare(commands: readonly MemberCommand[]): Promise<void> {
    await Promise.all(
      commands.map(async ({ member, command }) => {
        const result = await this.owner(member).submit(command);
        if (!result.ok) throw failure(`${member} could not prepare by ${command.tag}: ${result.error.tag}`);
      }),
    );
  }

  async funded(members: readonly MemberEntry[]): Promise<void> {
    await this.#until(FUNDED_MS_MAX, "have its opening funds", async (party) => {
      const member = members.find(({ name }) => name === party.name);
      if (member === undefined || member.openingFundsMicros === 0n || isOnlyNotary(party)) return true;
      const funds = await this.owner(party.name).states("funds");
      return funds.some(({ state }) => state.owner === party.key);
    });
    await this.quiet();
  }

  quiet(): Promise<void> {
    return this.#until(QUIET_MS_MAX, "become quiet", async ({ name }) => {
      const status = await this.owner(name).status();
      return status.ok && status.value.pending === 0 && status.value.outbox === 0;
    });
  }

  async #until(limitMs: number, what: string, isSo: (party: Certificate) => Promise<boolean>): Promise<void> {
    const deadlineMs = Date.now() + limitMs;
    await Promise.all(
      this.parties.map(async (party) => {
        while (!(await isSo(party))) {
          if (Date.now() >= deadlineMs)
            throw failure(`${party.name} did not ${what} within ${limitMs / 1_000} seconds`);
          await sleep(POLL_MS);
        }
      }),
    );
  }

  async close(): Promise<void> {
    for (const endpoint of this.#owners.values()) endpoint.close();
    const names = this.parties.map(({ name }) => name);
    await stopNodes(names, STOP_MS_MAX, { folder: this.#folder, onProgress: () => undefined });
    removeFolder(this.#folder);
    process.removeListener("exit", this.end);
    process.removeListener("SIGTERM", terminate);
  }

  /** At once, without waiting. */
  readonly end = (): void => {
    for (const { name } of this.parties) {
      const pid = runningPid(this.#folder, name);
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    }
    removeFolder(this.#folder);
  };
}

function terminate(): void {
  process.stderr.write("dream: bench: ended by SIGTERM; its networks are stopped\n");
  process.exit(EXIT_TERMINATED);
}

function isOnlyNotary({ roles }: Certificate): boolean {
  return roles.every((role) => role === "notary");
}

function failure(problem: string): CommandFailure {
  return new CommandFailure(
    EXIT.error,
    `bench: ${problem}; run it again, or look at a network with 'dream network up'`,
  );
}
