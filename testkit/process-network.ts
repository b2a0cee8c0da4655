/**
 * A network of real processes in a temporary folder, on free ports, run by the real command from dist/. A test asks its nodes
 * as their owners over HTTP, kills and restarts them, and stops them all. For what needs no processes take `SmallNetwork`.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ClientCommand, Receipt, StateOf, StateTag } from "#contracts";
import {
  canonicalJson,
  type Entropy,
  fromHex,
  invariant,
  type PublicKey,
  publicKey,
  type Signer,
  seededEntropy,
  signerFromSeed,
} from "#core";
import { type HttpEndpoint, httpEndpoint } from "#ledger-client";
import { type AuditResult, auditFolder } from "#ledger-node";

/** What a test kit may not read by itself. */
export type HostProcess = {
  readonly execPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  kill(pid: number, signal: NodeJS.Signals | 0): unknown;
};

export type ProcessNetworkOptions = {
  /** The members file, YAML. */
  readonly members: string;
  /** `process` of the test. */
  readonly host: HostProcess;
  /** The same keys each time; random ones without it. */
  readonly seed?: string;
  /** Encrypted connections, with certificates on both sides. */
  readonly hasTls?: boolean;
  /** Changes the configuration of a node before it starts first, as text of YAML. */
  readonly configure?: (name: string, config: string) => string;
};

export type NetworkParty = {
  readonly name: string;
  readonly key: PublicKey;
  readonly roles: readonly string[];
  readonly address: string;
};
export type CommandEnd = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

type WrittenDirectory = {
  readonly networkId: string;
  readonly parties: readonly (Omit<NetworkParty, "key"> & { readonly key: string })[];
  readonly served?: readonly { readonly name: string; readonly key: string; readonly by: string }[];
};

const POLL_MS = 25;

export class ProcessNetwork {
  /** Of the network; it is in a temporary folder that goes with it. */
  readonly folder: string;
  readonly #host: HostProcess;
  readonly #root: string;
  readonly #clients = new Map<string, HttpEndpoint>();
  #clockOffsetMs = 0;
  readonly #entropy: Entropy = seededEntropy(Date.now(), "process network");

  /** Makes the network and starts all its nodes. @throws when one does not start. */
  static async start(options: ProcessNetworkOptions): Promise<ProcessNetwork> {
    const network = await ProcessNetwork.init(options);
    await network.up();
    return network;
  }

  /** Makes the network, and starts nothing. */
  static async init({ members, host, seed, hasTls, configure }: ProcessNetworkOptions): Promise<ProcessNetwork> {
    const root = mkdtempSync(join(tmpdir(), "dream-network-"));
    const file = join(root, "members.yaml");
    writeFileSync(file, members);
    const network = new ProcessNetwork(root, host);
    const choices = [...(seed === undefined ? [] : ["--seed", seed]), ...(hasTls === true ? ["--tls"] : [])];
    await network.#must(["init", network.folder, "--members", file, ...choices]);
    if (configure !== undefined)
      for (const { name } of network.parties) network.configure(name, (config) => configure(name, config));
    return network;
  }

  private constructor(root: string, host: HostProcess) {
    this.#root = root;
    this.#host = host;
    this.folder = join(root, "network");
  }

  /** All with processes that are in the directory now. */
  get parties(): readonly NetworkParty[] {
    return this.#directory().parties.map(({ name, key, roles, address }) => ({
      name,
      key: publicKey(key),
      roles,
      address,
    }));
  }

  get networkId(): string {
    return this.#directory().networkId;
  }

  #directory(): WrittenDirectory {
    return JSON.parse(readFileSync(join(this.folder, "network.json"), "utf8")) as WrittenDirectory;
  }

  /** The aggregator that a member without a node joined under. */
  hostOf(name: string): NetworkParty | undefined {
    const by = this.#directory().served?.find((each) => each.name === name)?.by;
    return this.parties.find(({ key }) => key === by);
  }

  /** A member without a node is found at its aggregator's address. */
  party(name: string): NetworkParty {
    const served = this.#directory().served?.find((each) => each.name === name);
    const host = this.hostOf(name);
    if (served !== undefined && host !== undefined)
      return { name, key: publicKey(served.key), roles: [], address: host.address };
    const party = this.parties.find((each) => each.name === name);
    invariant(party !== undefined, `the network has a party ${name}`);
    return party;
  }

  key(name: string): PublicKey {
    return this.party(name).key;
  }

  /** The name of the first party with a role. */
  holder(role: string): string {
    const party = this.parties.find(({ roles }) => roles.includes(role));
    invariant(party !== undefined, `the network has a ${role}`);
    return party.name;
  }

  /** A client of a party's node, with its owner's key; of a member without a node, with its aggregator's owner's key. */
  client(name: string): HttpEndpoint {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const made = this.clientWith(name, this.signer(this.hostOf(name)?.name ?? name, "owner.key"));
    this.#clients.set(name, made);
    return made;
  }

  /** A client of a party's node with any key; whoever makes it closes it. */
  clientWith(name: string, signer: Signer): HttpEndpoint {
    const { address, key } = this.party(name);
    return httpEndpoint({
      url: address,
      party: key,
      networkId: this.networkId,
      signer,
      clock: { nowMs: () => this.nowMs() },
      entropy: this.#entropy,
      after,
      ...this.#tls(),
    });
  }

  #tls(): { readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } } {
    const read = (file: string): string => readFileSync(join(this.folder, file), "utf8");
    if (!existsSync(join(this.folder, "tls-authority.pem"))) return {};
    return { tls: { ca: read("tls-authority.pem"), cert: read("tls.pem"), key: read("tls.key") } };
  }

  /** The own key of a member without a node. */
  principal(name: string): Signer {
    return this.signer(join("members", name));
  }

  /** The signer of a key file in a node's folder: for tests in which a party is dishonest, too. */
  signer(name: string, file: "key" | "owner.key" = "key"): Signer {
    return signerFromSeed(fromHex(readFileSync(join(this.folder, name, file), "latin1").trim()));
  }

  /**
   * Carries out a command that must succeed: asks again, with its id, while somebody that is needed can't be reached.
   * @throws InvariantError with the refusal.
   */
  async run(name: string, command: ClientCommand): Promise<Receipt> {
    return this.eventually(`${name} carries out ${command.commandId}`, async () => {
      const result = await this.client(name).submit(command);
      const isAway =
        !result.ok &&
        (result.error.tag === "node_unreachable" ||
          (result.error.tag === "counterparty_refused" && result.error.reason === "node_unreachable"));
      if (isAway) return undefined;
      invariant(result.ok, `${name} carries out ${command.commandId}, was refused: ${canonicalJson(result)}`);
      return result.value;
    });
  }

  async states<T extends StateTag>(name: string, tag: T): Promise<readonly StateOf<T>[]> {
    return (await this.client(name).states(tag)).map(({ state }) => state);
  }

  /** Asks until there is an answer other than undefined or false. @throws after the time, with what was waited for. */
  async eventually<T>(what: string, ask: () => Promise<T | undefined | false>, timeoutMs: number = 60_000): Promise<T> {
    const untilMs = Date.now() + timeoutMs;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      invariant(Date.now() < untilMs, `within ${timeoutMs} ms: ${what}`);
      await sleep(4 * POLL_MS);
    }
  }

  /** Waits until the opening funds of a member are there. */
  async funded(name: string): Promise<void> {
    const key = this.key(name);
    await this.eventually(`${name} has its opening funds`, async () =>
      (await this.states(name, "funds")).some(({ owner }) => owner === key),
    );
  }

  /** Runs `dream network COMMAND FOLDER …`. */
  command(name: string, ...args: readonly string[]): Promise<CommandEnd> {
    return this.#dream(["network", name, this.folder, ...args]);
  }

  /** The time by the clocks of the nodes. */
  nowMs(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  /** Sets the clocks of all nodes, and of the clients, wrong by `offsetMs`: stops what runs and starts it again. */
  async setClocks(offsetMs: number): Promise<void> {
    await this.down();
    for (const { name } of this.parties)
      this.configure(name, (config) => config.replace(/offsetMs: -?\d+/, `offsetMs: ${Math.round(offsetMs)}`));
    this.#clockOffsetMs = Math.round(offsetMs);
    await this.up();
  }

  /** Changes the configuration of a node, as text of YAML; it holds from its next start. */
  configure(name: string, change: (config: string) => string): void {
    const file = join(this.folder, name, "config.yaml");
    writeFileSync(file, change(readFileSync(file, "utf8")));
  }

  /** Starts what does not run. @throws when a node does not start. */
  async up(): Promise<void> {
    await this.#must(["up", this.folder]);
  }

  async down(): Promise<void> {
    await this.#must(["down", this.folder]);
  }

  /** Lets a member join. @param member - YAML of one member. */
  async add(member: string): Promise<void> {
    const file = join(this.#root, "member.yaml");
    writeFileSync(file, member);
    await this.#must(["add", this.folder, "--member", file]);
  }

  /** The process id that a node left in its folder; undefined when it does not run. */
  pid(name: string): number | undefined {
    const file = join(this.folder, name, "node.pid");
    const pid = existsSync(file) ? Number(readFileSync(file, "latin1")) : Number.NaN;
    return Number.isSafeInteger(pid) && this.#isRunning(pid) ? pid : undefined;
  }

  /** Ends or interrupts a node's process; waits until it is gone when the signal ends it. */
  async kill(name: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const pid = this.pid(name);
    invariant(pid !== undefined, `${name} runs`);
    this.#host.kill(pid, signal);
    if (signal === "SIGSTOP" || signal === "SIGCONT") return;
    while (this.#isRunning(pid)) await sleep(POLL_MS);
  }

  /** Kills all nodes at the same instant. */
  async killAll(): Promise<void> {
    await Promise.all(this.#running().map((name) => this.kill(name)));
  }

  /** Starts a node that does not run, and waits until it answers. */
  async restart(name: string): Promise<void> {
    if (this.pid(name) !== undefined) await this.kill(name, "SIGTERM");
    await this.up();
  }

  /** Audits the stores of all nodes as they are on disk; the nodes should not run. */
  audit(): AuditResult {
    const stores = join(this.#root, "stores");
    rmSync(stores, { recursive: true, force: true });
    mkdirSync(stores);
    for (const { name, roles } of this.parties)
      for (const store of storeNames(name, roles))
        symlinkSync(join(this.folder, name, `${store}.sqlite`), join(stores, `${store}.sqlite`));
    return auditFolder(stores);
  }

  /** Stops all nodes, those that don't obey too, and removes the folder. */
  async stop(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    await this.command("down", "--timeout-seconds", "10");
    rmSync(this.#root, { recursive: true, force: true });
  }

  #running(): readonly string[] {
    return this.parties.filter(({ name }) => this.pid(name) !== undefined).map(({ name }) => name);
  }

  #isRunning(pid: number): boolean {
    try {
      this.#host.kill(pid, 0);
    } catch {
      return false;
    }
    // A process that has ended and that nobody has taken leave of has no command line.
    const file = `/proc/${pid}/cmdline`;
    return !existsSync("/proc/self/cmdline") || (existsSync(file) && readFileSync(file, "latin1") !== "");
  }

  async #must(args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#dream(["network", ...args]);
    invariant(code === 0, `dream network ${args[0]} succeeds, ended with ${code}: ${stderr}`);
  }

  #dream(args: readonly string[]): Promise<CommandEnd> {
    const { execPath, env } = this.#host;
    return new Promise((resolve) => {
      const child = execFile(
        execPath,
        [program(), ...args],
        { env: { PATH: env["PATH"] ?? "", HOME: "/nonexistent", TZ: "UTC" }, maxBuffer: 64 * 1_024 * 1_024 },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  }
}

/** Who only is the notary has a commit log and no store. */
function storeNames(name: string, roles: readonly string[]): readonly string[] {
  return [...(roles.includes("notary") ? ["notary"] : []), ...(roles.some((role) => role !== "notary") ? [name] : [])];
}

/** The script of the command, from here or from dist/. */
function program(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "bin", "dream"))) {
    invariant(folder !== dirname(folder), "the test kit stands in the repository");
    folder = dirname(folder);
  }
  return join(folder, "bin", "dream");
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
