/** The processes of a chaos run: started, killed at once, paused, and given other clocks and smaller stores. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { invariant } from "#core";
import { type HostProcess, type NetworkParty, ProcessNetwork } from "../process-network.ts";
import type { Community } from "./community.ts";
import type { StageClock } from "./stage-clock.ts";

export type StageOptions = {
  readonly community: Community;
  readonly seed: string;
  readonly host: HostProcess;
  /** The script of the `dream` command. */
  readonly program: string;
  readonly clock: StageClock;
};

/** What a node is started with, besides what never changes. */
export type NodeSetting = {
  /** How far its clock is from that of the others. */
  readonly skewMs: number;
  /** The most that its store may grow to; null: no limit. */
  readonly megabytesMax: number | null;
};

type Seat = {
  readonly party: NetworkParty;
  readonly port: number;
  setting: NodeSetting;
  child: ChildProcess | undefined;
};

/** As `dream network up` starts them. */
const NODE_FLAGS: readonly string[] = ["--max-semi-space-size=2", "--max-old-space-size=1024"];
const HEALTH_POLL_MS = 60;
const HEALTH_TIMEOUT_MS = 1_000;
const START_TIMEOUT_MS = 120_000;
const OUTPUT_FILE = "node.out.log";
const OUTPUT_SHOWN_MAX = 1_500;
const RESTFUL: NodeSetting = { skewMs: 0, megabytesMax: null };

/** What all nodes are set to, so that time-outs, retries and settlements fit into a run of minutes. */
const CHANGED = { peers: { timeoutMs: 1_500 }, settlement: { retrySeconds: 2 } };

export class Stage {
  readonly network: ProcessNetwork;
  /** Processes that ended though nobody killed them, with what they said. */
  readonly deaths: string[] = [];
  readonly #options: StageOptions;
  readonly #seats: ReadonlyMap<string, Seat>;

  static async make(options: StageOptions): Promise<Stage> {
    const { community, host, seed } = options;
    const network = await ProcessNetwork.init({ members: community.members, host, seed });
    const parties = network.parties;
    const ports = await freePorts(parties.length);
    return new Stage(
      options,
      network,
      parties.map((party, index): Seat => {
        const port = ports[index];
        invariant(port !== undefined, "each node has a port of its own behind its address");
        return { party, port, setting: RESTFUL, child: undefined };
      }),
    );
  }

  private constructor(options: StageOptions, network: ProcessNetwork, seats: readonly Seat[]) {
    this.#options = options;
    this.network = network;
    this.#seats = new Map(seats.map((seat) => [seat.party.name, seat]));
  }

  get parties(): readonly NetworkParty[] {
    return [...this.#seats.values()].map(({ party }) => party);
  }

  /** Where the node listens, behind the address that the directory gives. */
  port(name: string): number {
    return this.#seat(name).port;
  }

  running(): readonly string[] {
    return [...this.#seats].flatMap(([name, { child }]) => (child === undefined ? [] : [name]));
  }

  isRunning(name: string): boolean {
    return this.#seat(name).child !== undefined;
  }

  /** Starts a node and waits until it answers. */
  async start(name: string, setting: NodeSetting = RESTFUL): Promise<void> {
    const seat = this.#seat(name);
    invariant(seat.child === undefined, `${name} does not run`);
    seat.setting = setting;
    this.#configure(seat);
    const output = openSync(join(this.network.folder, name, OUTPUT_FILE), "a");
    const { host, program } = this.#options;
    const config = join(this.network.folder, name, "config.yaml");
    const child = spawn(host.execPath, [...NODE_FLAGS, program, "node", "--config", config], {
      stdio: ["ignore", output, output],
      env: { PATH: host.env["PATH"] ?? "", HOME: "/nonexistent", TZ: "UTC" },
    });
    closeSync(output);
    seat.child = child;
    child.once("exit", (code, signal) => {
      if (seat.child !== child) return;
      seat.child = undefined;
      this.deaths.push(`${name} ended with ${code ?? signal}: ${this.#saidBy(name)}`);
    });
    await this.#untilHealthy(seat, child);
  }

  async startAll(settingOf: (name: string) => NodeSetting = () => RESTFUL): Promise<void> {
    const names = [...this.#seats.keys()].filter((name) => !this.isRunning(name));
    await Promise.all(names.map((name) => this.start(name, settingOf(name))));
  }

  /** As a power cut ends it: at once, whatever it does. */
  async kill(name: string): Promise<void> {
    const seat = this.#seat(name);
    const { child } = seat;
    if (child === undefined) return;
    seat.child = undefined;
    await gone(child, "SIGKILL");
  }

  async killAll(): Promise<void> {
    await Promise.all(this.running().map((name) => this.kill(name)));
  }

  /** As an operator ends it. */
  async stopAll(): Promise<void> {
    await Promise.all(
      this.running().map(async (name) => {
        const seat = this.#seat(name);
        const { child } = seat;
        seat.child = undefined;
        if (child !== undefined) await gone(child, "SIGTERM");
      }),
    );
  }

  /** Stops a process for a while in the middle of what it does. */
  async pause(name: string, forMs: number): Promise<void> {
    const { child } = this.#seat(name);
    if (child === undefined) return;
    child.kill("SIGSTOP");
    await sleep(forMs);
    child.kill("SIGCONT");
  }

  /** Size of a node's store in bytes; zero where it has none. */
  storeBytes(name: string): number {
    return statSync(join(this.network.folder, name, `${name}.sqlite`), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** The log of a node, line by line. */
  logOf(name: string): readonly string[] {
    const file = join(this.network.folder, name, "node.log");
    return statSync(file, { throwIfNoEntry: false }) === undefined ? [] : readFileSync(file, "utf8").split("\n");
  }

  #seat(name: string): Seat {
    const seat = this.#seats.get(name);
    invariant(seat !== undefined, `the network has a node ${name}`);
    return seat;
  }

  #configure({ party: { name }, port, setting }: Seat): void {
    const file = join(this.network.folder, name, "config.yaml");
    const config = parse(readFileSync(file, "utf8")) as Record<string, Record<string, unknown>>;
    const { megabytesMax: _, ...store } = config["store"] ?? {};
    const offsetMs = this.#options.clock.offsetMs + setting.skewMs;
    writeFileSync(
      file,
      stringify({
        ...config,
        ...CHANGED,
        listen: { ...config["listen"], port },
        clock: { offsetMs },
        store: setting.megabytesMax === null ? store : { ...store, megabytesMax: setting.megabytesMax },
      }),
    );
  }

  async #untilHealthy({ party: { name }, port }: Seat, child: ChildProcess): Promise<void> {
    const untilMs = Date.now() + START_TIMEOUT_MS;
    while (this.#seat(name).child === child) {
      if (await isHealthy(port)) return;
      invariant(Date.now() < untilMs, `${name} answers within ${START_TIMEOUT_MS} ms: ${this.#saidBy(name)}`);
      await sleep(HEALTH_POLL_MS);
    }
  }

  #saidBy(name: string): string {
    return readFileSync(join(this.network.folder, name, OUTPUT_FILE), "utf8")
      .trim()
      .slice(-OUTPUT_SHOWN_MAX);
  }
}

/** Ends a process and waits until it is gone. */
function gone(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill(signal);
    // A paused process takes no other signal.
    if (signal !== "SIGKILL") child.kill("SIGCONT");
  });
}

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      { host: "127.0.0.1", port, path: "/health", timeout: HEALTH_TIMEOUT_MS, agent: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(false));
  });
}

/** Ports that nobody listens on now. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    invariant(typeof address === "object" && address !== null, "a server that listens has a port");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
