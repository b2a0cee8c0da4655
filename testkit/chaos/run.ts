/**
 * A chaos run: a network of real processes under a mixed load, of which nodes are killed, paused, filled up and set wrong, and
 * messages are lost, doubled and delayed; all by a seed. Then everything heals, and the stores must tell one consistent story.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { invariant } from "#core";
import type { HostProcess } from "../process-network.ts";
import { checkEverything } from "./checks.ts";
import { Clients, delegateKey } from "./clients.ts";
import { type Community, communityOf } from "./community.ts";
import { Dice } from "./dice.ts";
import { type FaultCounts, FaultRunner, plannedFaults } from "./faults.ts";
import { Load } from "./load.ts";
import { untilQuiet, useEverything } from "./quiet.ts";
import type { ChaosReport, Check } from "./result.ts";
import { Stage } from "./stage.ts";
import { StageClock } from "./stage-clock.ts";
import { readViews, type Views } from "./views.ts";
import { CALM, STORMY, type WireFault, WireProxy } from "./wire-proxy.ts";

export type ChaosOptions = {
  readonly seed: string;
  readonly kills: number;
  readonly wholeStops: number;
  /** Members that trade, besides the infrastructure. */
  readonly members: number;
  /** Puts roles together in few processes. */
  readonly isSmall: boolean;
  /** Slots that are settled after the storm, at least one. */
  readonly erasAfter: number;
  readonly host: HostProcess;
  /** The script of the `dream` command. */
  readonly program: string;
  /** Told how far the run is: faults done, of all, and what is being done. */
  readonly onProgress: (done: number, total: number, doing: string) => void;
};

const LEAD_MS = 11_000;
const CLIENT_PAUSE_MS_MAX = 350;
const FUNDED_MS_MAX = 120_000;
const QUIET_MS_MAX = 240_000;
const AFTER_GATE_MS = 3_000;
const DRAIN_MS_MAX = 240_000;

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const run = new ChaosRun(options, communityOf(options.members, options.isSmall));
  return run.run();
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #community: Community;
  readonly #clock = new StageClock(LEAD_MS);
  readonly #counts: FaultCounts = { killed: new Map(), wholeStops: 0, pauses: 0, storesFilled: 0 };
  readonly #wireFaults = new Map<WireFault, number>();
  readonly #checks: Check[] = [];
  readonly #startedMs = Date.now();
  #planned = 1;
  #isStormy = false;

  constructor(options: ChaosOptions, community: Community) {
    this.#options = options;
    this.#community = community;
  }

  async run(): Promise<ChaosReport> {
    const { seed, host, program } = this.#options;
    const stage = await Stage.make({ community: this.#community, seed, host, program, clock: this.#clock });
    const proxies = await this.#proxies(stage);
    const load = this.#load(stage);
    const clients = new Clients({ stage, clock: this.#clock, seed, load });
    let isSound = false;
    try {
      await this.#begin(stage, clients, load);
      await this.#storm(stage, clients);
      const views = await this.#heal(stage, clients, load);
      const report = this.#report(stage, clients, views);
      isSound = report.checks.every(({ problems }) => problems.length === 0);
      return isSound ? report : { ...report, folder: stage.network.folder };
    } finally {
      await stage.killAll();
      clients.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
      if (isSound) await stage.network.stop();
    }
  }

  #load(stage: Stage): Load {
    const { metered } = this.#community;
    return new Load({
      clock: this.#clock,
      keyOf: (name) => stage.network.key(name),
      delegateOf: (name) => delegateKey(this.#options.seed, name),
      metered,
      traders: metered,
    });
  }

  async #proxies(stage: Stage): Promise<readonly WireProxy[]> {
    const proxies = stage.parties.map(
      ({ name, address }) =>
        new WireProxy({
          port: Number(new URL(address).port),
          targetPort: stage.port(name),
          dice: new Dice(this.#options.seed, `wire of ${name}`),
          weather: () => (this.#isStormy ? STORMY : CALM),
          onFault: (fault) => this.#wireFaults.set(fault, (this.#wireFaults.get(fault) ?? 0) + 1),
        }),
    );
    await Promise.all(proxies.map((proxy) => proxy.open()));
    return proxies;
  }

  /** Starts the network in the last slot of the day before: prices are published, and everybody has funds and mandates. */
  async #begin(stage: Stage, clients: Clients, load: Load): Promise<void> {
    this.#tell(0, "starting the nodes");
    await stage.startAll();
    const supplier = stage.network.holder("power-company");
    await clients.carryOut({ party: supplier, as: "owner" }, load.tariff("first-tariff", 0));
    for (const name of this.#community.principals) {
      const command = load.firstMandate(name);
      await clients.carryOut({ party: name, as: "owner" }, command);
    }
    this.#tell(0, "waiting for the opening funds");
    const untilMs = Date.now() + FUNDED_MS_MAX;
    for (const name of [...this.#community.metered, supplier])
      while ((await clients.owner(name).states("funds")).length === 0) {
        invariant(Date.now() < untilMs, `${name} has its opening funds within ${FUNDED_MS_MAX} ms`);
        await sleep(200);
      }
  }

  async #storm(stage: Stage, clients: Clients): Promise<void> {
    const { seed, kills, wholeStops } = this.#options;
    const plan = plannedFaults(seed, kills, wholeStops);
    this.#planned = plan.length;
    const faults = new FaultRunner({
      stage,
      clock: this.#clock,
      seed,
      counts: this.#counts,
      answered: () => clients.outcomes.length,
      onFault: (done, { tag }) =>
        this.#tell(done, `${tag}, ${clients.outcomes.length} commands done, ${clients.openCommands.length} open`),
    });
    this.#isStormy = true;
    clients.start(this.#community.clients, CLIENT_PAUSE_MS_MAX);
    await faults.run(plan);
    this.#isStormy = false;
    this.#tell(plan.length, "the storm is over");
  }

  /** All nodes start with right clocks and a good wire: what is under way is finished, and slots are settled. */
  async #heal(stage: Stage, clients: Clients, load: Load): Promise<Views> {
    const { metered } = this.#community;
    const parts = { stage, clock: this.#clock, clients };
    const stopped = clients.stop();
    await this.#nextSlot(stage);
    const answered = await Promise.race([stopped.then(() => true), sleep(DRAIN_MS_MAX, false, { ref: false })]);
    this.#check("every command gets a definite answer", clients.outcomes.length, answered ? [] : clients.openCommands);
    await this.#reinstateAndMeter(stage, clients, load);
    for (let era = 1; era < this.#options.erasAfter; era++) {
      await this.#nextSlot(stage);
      await this.#reinstateAndMeter(stage, clients, load);
    }
    this.#tell(this.#planned, "waiting until nothing is under way");
    const busy = await untilQuiet(parts, QUIET_MS_MAX);
    this.#check("the healed network comes to rest", stage.parties.length, busy === undefined ? [] : [busy]);
    const { problems, used } = await useEverything(parts, metered);
    this.#check("every member can use all its funds and promises", used, problems);
    if (busy === undefined) await untilQuiet(parts, QUIET_MS_MAX);
    const views = await readViews(stage, clients);
    await stage.stopAll();
    this.#check("no node ended by itself", stage.parties.length, stage.deaths);
    return views;
  }

  /** Stops all nodes as an operator does, and starts them when a slot has just ended. */
  async #nextSlot(stage: Stage): Promise<void> {
    this.#tell(this.#planned, "settling a slot");
    await stage.stopAll();
    this.#clock.nextEra(-AFTER_GATE_MS);
    await stage.startAll();
  }

  async #reinstateAndMeter(stage: Stage, clients: Clients, load: Load): Promise<void> {
    const grid = { party: stage.network.holder("grid-authority"), as: "owner" } as const;
    for (const { state } of await clients.owner(grid.party).states("member"))
      if (state.standing !== "good")
        await clients.carryOut(grid, {
          tag: "amend-member",
          commandId: `reinstate-${state.name}-${this.#clock.slotsOver}`,
          member: state.key,
          standing: "good",
        });
    const dice = new Dice(this.#options.seed, `last readings ${this.#clock.slotsOver}`);
    for (let index = load.nextToMeter(); index !== undefined; index = load.nextToMeter())
      await clients.carryOut(grid, load.meters(`last-readings-${index}`, index, dice));
  }

  #report(stage: Stage, clients: Clients, views: Views): ChaosReport {
    const { seed } = this.#options;
    this.#tell(this.#planned, "checking the stores");
    const { checks, transactions } = checkEverything({ network: stage.network, outcomes: clients.outcomes, views });
    return {
      seed,
      seconds: (Date.now() - this.#startedMs) / 1_000,
      nodes: stage.parties.length,
      kills: Object.fromEntries([...this.#counts.killed].sort()),
      wholeStops: this.#counts.wholeStops,
      pauses: this.#counts.pauses,
      storesFilled: this.#counts.storesFilled,
      wireFaults: Object.fromEntries([...this.#wireFaults].sort()),
      outcomes: clients.outcomes,
      transactions,
      checks: [...this.#checks, ...checks],
      folder: undefined,
    };
  }

  #check(name: string, compared: number, problems: readonly string[]): void {
    this.#checks.push({ name, compared, problems });
  }

  #tell(done: number, doing: string): void {
    this.#options.onProgress(done, this.#planned, doing);
  }
}
