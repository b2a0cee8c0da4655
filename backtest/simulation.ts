/**
 * A simulation: a community lives through a period on a real ledger. Nodes, notary, marketplace, agents and strategies are the
 * ones of live use; only the clock is virtual, messages stay in the process, and meters come from data.
 */

import type { Decision } from "#agents";
import type { NodeEvent, PoolRound } from "#contracts";
import {
  addLocalDays,
  err,
  invariant,
  type LocalDay,
  localInstantMs,
  localMidnightMs,
  NO_ENERGY,
  nextLocalDay,
  ok,
  type PublicKey,
  type Result,
  type Slot,
  type SlotId,
  seededEntropy,
  slotsOfLocalDay,
} from "#core";
import { type Community, type CommunityMember, createKnownView, type KnownView, type TariffVintage } from "#data";
import type { Forecaster } from "#forecast";
import { ownerClient } from "#ledger-client";
import {
  type CommitLog,
  certificationPolicy,
  LocalNetwork,
  type NetworkRules,
  type NodeStore,
  quorumSufficesFromMs,
  type RegisteredPlant,
  type SettlementProblem,
  type SlotReading,
  scheduleFlows,
  settleWholeSlot,
} from "#ledger-node";
import { admissionPolicy, Marketplace, payAsClear, type TradingMethod } from "#marketplace";
import type { Strategy } from "#strategies";
import type { EventLog } from "./event-log.ts";
import { ForecastScores } from "./forecast-scores.ts";
import { PRIORITIES, VirtualClock } from "./kernel/virtual-clock.ts";
import { type DailySchedule, DEFAULT_SCHEDULE } from "./network-rules.ts";
import { addParticipant, fund, type Participant } from "./participants.ts";
import { plantClaims } from "./plant-claims.ts";
import { ServiceBook } from "./service-book.ts";
import { type CommunityServices, hireServices, OperatorMeters } from "./services.ts";
import { SettlementBook } from "./settlement-book.ts";

export type SimulationOptions = CommunityServices & {
  readonly community: Community;
  readonly firstDay: LocalDay;
  readonly days: number;
  readonly seed: number;
  readonly rules: NetworkRules;
  readonly schedule?: DailySchedule;
  readonly method?: TradingMethod;
  readonly forecaster: Forecaster;
  readonly strategyOf: (member: CommunityMember) => { readonly strategy: Strategy; readonly config: unknown };
  readonly commitLog: CommitLog;
  readonly openStore: (name: string) => NodeStore;
  /** Runs a task once what is ready now has run. */
  readonly defer: (task: () => void) => void;
  readonly events: EventLog;
  /** Ends the run at this instant: what is due later is not done. For checks that need only the beginning. */
  readonly stopAtMs?: number;
  readonly onProgress?: (slotsDone: number, slotsTotal: number) => void;
};

export type SimulationRefusal =
  | { readonly tag: "days_not_covered"; readonly firstDay: LocalDay; readonly lastDay: LocalDay }
  | { readonly tag: "tariff_missing"; readonly day: LocalDay };

export type SimulationResult = {
  readonly slots: readonly Slot[];
  readonly participants: readonly Participant[];
  readonly network: LocalNetwork;
  readonly book: SettlementBook;
  readonly rounds: readonly PoolRound[];
  readonly decisions: readonly Decision[];
  readonly scores: ForecastScores;
  readonly services: ServiceBook;
  readonly auctions: { readonly opened: number; readonly sold: number; readonly bids: number };
  readonly estimatedReadings: number;
  readonly problems: readonly string[];
};

/** Agents answer each other's actions at one instant at most this often: a bound on bidding wars within it. */
const REACTION_ROUNDS_MAX = 200;
const DAY_MS = 86_400_000;

/** Whether the community has data and prices for all days of a run; undefined when it has. */
export function coverageRefusal({
  community,
  firstDay,
  days,
}: Pick<SimulationOptions, "community" | "firstDay" | "days">): SimulationRefusal | undefined {
  const lastDay = addLocalDays(firstDay, days - 1);
  if (firstDay < community.firstDay || lastDay > community.lastDay)
    return { tag: "days_not_covered", firstDay: community.firstDay, lastDay: community.lastDay };
  const { timeZone, slotMinutes, data } = community;
  for (let day = firstDay; day <= lastDay; day = nextLocalDay(day)) {
    const hasPrices = ({ startMs }: Slot): boolean => data.tariffs.some((tariff) => covers(tariff, startMs));
    if (!slotsOfLocalDay(timeZone, day, slotMinutes).every(hasPrices)) return { tag: "tariff_missing", day };
  }
  return undefined;
}

export async function simulate(options: SimulationOptions): Promise<Result<SimulationResult, SimulationRefusal>> {
  const refusal = coverageRefusal(options);
  if (refusal !== undefined) return err(refusal);
  const lastDay = addLocalDays(options.firstDay, options.days - 1);
  const simulation = new Simulation(options, lastDay);
  return ok(await simulation.run());
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #schedule: DailySchedule;
  readonly #lastDay: LocalDay;
  readonly #clock: VirtualClock;
  readonly #view: KnownView;
  readonly #slots: readonly Slot[];
  readonly #book = new SettlementBook();
  readonly #decisions: Decision[] = [];
  readonly #problems: string[] = [];
  readonly #scores: ForecastScores;
  readonly #services = new ServiceBook();
  readonly #meters: OperatorMeters;
  readonly #auctions = { opened: 0, sold: 0, bids: 0 };
  /** What the agency knows of the members' plants. */
  readonly #plants = new Map<PublicKey, RegisteredPlant>();
  #estimatedReadings = 0;
  #slotsDone = 0;

  constructor(options: SimulationOptions, lastDay: LocalDay) {
    const { community, firstDay } = options;
    this.#options = options;
    this.#lastDay = lastDay;
    this.#schedule = options.schedule ?? DEFAULT_SCHEDULE;
    this.#clock = new VirtualClock(localMidnightMs(community.timeZone, addLocalDays(firstDay, -1)));
    this.#view = createKnownView(community.data, this.#clock);
    this.#slots = this.#days().flatMap((day) => slotsOfLocalDay(community.timeZone, day, community.slotMinutes));
    this.#scores = new ForecastScores(community.data);
    this.#meters = new OperatorMeters(options.meterOperators ?? [], options.seed);
  }

  async run(): Promise<SimulationResult> {
    const network = await this.#found();
    const marketplace = this.#marketplace(network);
    const participants = await this.#join(network, marketplace);
    this.#listen(network, participants);
    for (const participant of participants)
      await scheduleFlows(
        participant.node,
        this.#clock,
        participant.member.name,
        (problem) => this.#problems.push(problem),
        this.#clock,
      );
    this.#scheduleTariffs(network);
    this.#scheduleDays(participants, marketplace);
    this.#scheduleSlots(network, participants, marketplace);
    const lastMs = (this.#slots.at(-1)?.endMs ?? 0) + DAY_MS;
    const endMs = Math.min(lastMs, this.#options.stopAtMs ?? lastMs);
    while (await this.#clock.step(endMs)) await this.#settleDown(participants);
    return {
      slots: this.#slots,
      participants,
      network,
      book: this.#book,
      rounds: marketplace.rounds(),
      decisions: this.#decisions,
      scores: this.#scores,
      services: this.#services,
      auctions: this.#auctions,
      estimatedReadings: this.#estimatedReadings,
      problems: this.#problems,
    };
  }

  #days(): readonly LocalDay[] {
    const days: LocalDay[] = [];
    for (let day = this.#options.firstDay; day <= this.#lastDay; day = nextLocalDay(day)) days.push(day);
    return days;
  }

  async #found(): Promise<LocalNetwork> {
    const { rules, seed, commitLog, openStore, defer, agency } = this.#options;
    // The policy looks at the marketplace's own node, which is founded with it.
    let openOrders: Parameters<typeof admissionPolicy>[0] = () => [];
    let openCertificates: Parameters<typeof certificationPolicy>[1] = () => [];
    const network = await LocalNetwork.found({
      rules,
      clock: this.#clock,
      entropy: seededEntropy(seed, "ledger"),
      commitLog,
      openStore,
      defer,
      marketplacePolicy: admissionPolicy((order) => openOrders(order)),
      policyOf: (name) => (name === agency ? certificationPolicy(this.#plants, () => openCertificates()) : undefined),
    });
    const marketplace = network.node("marketplace");
    openOrders = ({ owner, orderId }) => marketplace.unspentOf("pool-order", { owner, id: orderId });
    for (const name of ["power-company", "grid-authority"]) await fund(network, network.node(name).party, name);
    await hireServices(network, this.#options);
    if (agency === undefined) return network;
    const member = { name: agency, capacityPerSlot: NO_ENERGY, holdingCapPerSlot: null };
    const node = await network.join({ ...member, roles: ["verification-agency"] });
    openCertificates = () => node.unspent("certificate");
    return network;
  }

  #marketplace(network: LocalNetwork): Marketplace {
    const marketplace = new Marketplace({
      client: ownerClient(network.node("marketplace")),
      method: this.#options.method ?? payAsClear,
      nowMs: () => this.#clock.nowMs(),
    });
    marketplace.listen((round) => this.#options.events.append(this.#clock.nowMs(), "pool-round", round));
    return marketplace;
  }

  async #join(network: LocalNetwork, feed: Marketplace): Promise<readonly Participant[]> {
    const { community, seed, forecaster, strategyOf, agency } = this.#options;
    const participants: Participant[] = [];
    const parts = {
      network,
      clock: this.#clock,
      entropy: seededEntropy(seed, "mandates"),
      seed,
      view: this.#view,
      data: community.data,
      forecaster,
      feed,
      journal: { record: (decision: Decision) => this.#note(decision) },
      mandateUntilMs: localMidnightMs(community.timeZone, addLocalDays(this.#lastDay, 2)),
      strategyOf,
      aggregator: this.#options.aggregator,
    };
    for (const member of community.members) {
      const claims = agency === undefined ? undefined : plantClaims(member, community);
      const certified = claims && agency && { claims, agency: network.node(agency).party };
      const participant = await addParticipant(parts, member, certified || {});
      // The agency knows the plant as it is: no more than it can put into the grid.
      if (claims !== undefined)
        this.#plants.set(participant.node.party, { ...claims, capacityPerSlot: member.capacityPerSlot });
      participants.push(participant);
    }
    return participants;
  }

  #note(decision: Decision): void {
    this.#decisions.push(decision);
    const inputs = decision.inputs.map(({ slotId, forecast, tariff, position }) => ({
      slotId,
      tariff,
      position,
      forecast: forecast && {
        issuedAtMs: forecast.issuedAtMs,
        surplusWh: [...forecast.surplusWh].map((value) => Math.round(value)),
      },
    }));
    this.#options.events.append(decision.atMs, "decision", { ...decision, inputs });
  }

  #listen(network: LocalNetwork, participants: readonly Participant[]): void {
    const [gridAuthority, powerCompany, marketplace] = (
      ["grid-authority", "power-company", "marketplace"] as const
    ).map((name) => network.node(name));
    invariant(
      gridAuthority !== undefined && powerCompany !== undefined && marketplace !== undefined,
      "a network has its infrastructure",
    );
    for (const name of ["grid-authority", "power-company", "marketplace"])
      this.#book.addMember({ name, key: network.node(name).party, roles: [name] });
    for (const { member, node } of participants)
      this.#book.addMember({ name: member.name, key: node.party, roles: member.roles });
    marketplace.listen((event) => this.#book.addPoolRound(event));
    gridAuthority.listen((event) => {
      this.#book.addDelivery(event, gridAuthority.party, powerCompany.party);
      this.#book.addAuction(event);
      this.#book.addCorrection(event, gridAuthority.party, powerCompany.party);
      this.#countAuction(event);
      this.#services.addWatched(event);
      this.#logTransaction(event);
    });
    for (const { node } of participants) node.listen((event) => this.#addOwn(event, node.party, powerCompany.party));
  }

  /** A settlement is the member's own matter. */
  #addOwn(event: NodeEvent, party: PublicKey, powerCompany: PublicKey): void {
    this.#book.addSettlement(event, powerCompany);
    this.#services.addSettlement(party, event);
  }

  #countAuction({ command }: NodeEvent): void {
    if (command?.tag === "create-auction") this.#auctions.opened += 1;
    if (command?.tag === "bid") this.#auctions.bids += 1;
    if (command?.tag === "settle-auction") this.#auctions.sold += 1;
  }

  #logTransaction({ txId, command }: NodeEvent): void {
    this.#options.events.append(this.#clock.nowMs(), "transaction", { txId, command: command?.tag ?? "clear-pool" });
  }

  #scheduleTariffs(network: LocalNetwork): void {
    const { community, firstDay } = this.#options;
    for (const tariff of community.data.tariffs) {
      const [first] = slotsWithin(tariff, this.#slots);
      if (first === undefined) continue;
      const day = this.#days().find((each) => localMidnightMs(community.timeZone, each) === tariff.startMs) ?? firstDay;
      this.#clock.at(tariff.knownAtMs, {
        priority: PRIORITIES.data,
        source: `tariff ${day}`,
        run: () => this.#publish(network, day, tariff),
      });
    }
  }

  async #publish(network: LocalNetwork, day: LocalDay, { feedIn, retail }: TariffVintage): Promise<void> {
    const published = await network
      .node("power-company")
      .submit({ tag: "publish-tariff", commandId: `tariff/${day}`, day, feedIn, retail });
    if (!published.ok) this.#problems.push(`tariff of ${day} was not published: ${published.error.tag}`);
  }

  #scheduleDays(participants: readonly Participant[], marketplace: Marketplace): void {
    const { timeZone, slotMinutes } = this.#options.community;
    const { forecastAt, dayAheadRoundAt } = this.#schedule;
    for (const day of this.#days()) {
      const slots = slotsOfLocalDay(timeZone, day, slotMinutes);
      const slotIds = slots.map(({ id }) => id);
      const eve = addLocalDays(day, -1);
      const forecastMs = localInstantMs(timeZone, eve, forecastAt.hour, forecastAt.minute);
      const roundMs = localInstantMs(timeZone, eve, dayAheadRoundAt.hour, dayAheadRoundAt.minute);
      this.#clock.at(forecastMs, {
        priority: PRIORITIES.agents,
        source: `forecast ${day}`,
        run: () => this.#dayAhead(participants, day, slots),
      });
      this.#clock.at(roundMs, {
        priority: PRIORITIES.market,
        source: `day-ahead ${day}`,
        run: () => this.#dayAheadRound(participants, marketplace, day, slotIds),
      });
    }
  }

  async #dayAhead(participants: readonly Participant[], day: LocalDay, slots: readonly Slot[]): Promise<void> {
    await inParallel(participants, ({ agent }) => agent.onForecast(day, slots));
    for (const { targets, forecasts } of participants)
      this.#scores.addForecasts(
        targets,
        slots.map(({ id }) => forecasts.get(id)),
        this.#view,
        slots,
      );
  }

  async #dayAheadRound(
    participants: readonly Participant[],
    marketplace: Marketplace,
    day: LocalDay,
    slotIds: readonly SlotId[],
  ): Promise<void> {
    await this.#round(marketplace, slotIds, false);
    await inParallel(participants, ({ agent }) => agent.onPoolsCleared(day, slotIds));
  }

  async #round(marketplace: Marketplace, slotIds: readonly SlotId[], isFinal: boolean): Promise<void> {
    for (const { slot, refusal } of await marketplace.clearSlots(slotIds, isFinal))
      this.#problems.push(`pool of ${slot} was not cleared: ${refusal.tag}`);
  }

  #scheduleSlots(network: LocalNetwork, participants: readonly Participant[], marketplace: Marketplace): void {
    const { gateCallLeadMs, finalRoundLeadMs } = this.#schedule;
    const { gateLeadMs } = this.#options.rules;
    const telemetryDelayMs = Math.max(
      0,
      ...[...this.#options.community.data.meters.values()].map((meter) => meter.telemetryDelayMs),
    );
    for (const slot of this.#slots) {
      const gateMs = slot.startMs - gateLeadMs;
      this.#clock.at(gateMs - gateCallLeadMs, {
        priority: PRIORITIES.agents,
        source: `gate ${slot.id}`,
        run: () => inParallel(participants, ({ agent }) => agent.onGate(slot)),
      });
      this.#clock.at(gateMs - finalRoundLeadMs, {
        priority: PRIORITIES.market,
        source: `final ${slot.id}`,
        run: () => this.#round(marketplace, [slot.id], true),
      });
      this.#clock.at(slot.endMs, {
        priority: PRIORITIES.data,
        source: `physics ${slot.id}`,
        run: () => this.#live(network, participants, slot, telemetryDelayMs),
      });
    }
  }

  /** The slot is over: what was measured reaches the grid authority after the telemetry delay. */
  #live(network: LocalNetwork, participants: readonly Participant[], slot: Slot, telemetryDelayMs: number): void {
    const tariff = this.#view.tariffAt(slot.id);
    const readings = participants.map(({ node, plant }): SlotReading => {
      const { baseline, isEstimated, ...metered } = plant.measure(slot);
      if (isEstimated) this.#estimatedReadings += 1;
      if (tariff !== undefined) this.#book.addBaseline(node.party, slot.id, baseline, tariff);
      return { member: node.party, ...metered };
    });
    this.#clock.at(slot.endMs + telemetryDelayMs, {
      priority: PRIORITIES.data,
      source: `meters ${slot.id}`,
      run: () => this.#settle(network, slot, readings),
    });
  }

  async #settle(network: LocalNetwork, slot: Slot, readings: readonly SlotReading[]): Promise<void> {
    await this.#meters.report(network, slot.id, readings);
    const gridAuthority = network.node("grid-authority");
    const problems = await settleWholeSlot(gridAuthority, slot.id, readings);
    // A silent operator is waited for, and then no longer: what could not be done until then is done all at once.
    if (problems.some(({ refusal }) => refusal.tag === "reports_missing"))
      this.#clock.at(await quorumSufficesFromMs(gridAuthority, slot.id), {
        priority: PRIORITIES.data,
        source: `late meters ${slot.id}`,
        run: () => this.#settleLate(network, slot, readings),
      });
    else this.#addProblems(slot, problems);
    this.#slotsDone += 1;
    this.#options.onProgress?.(this.#slotsDone, this.#slots.length);
  }

  async #settleLate(network: LocalNetwork, slot: Slot, readings: readonly SlotReading[]): Promise<void> {
    this.#addProblems(slot, await settleWholeSlot(network.node("grid-authority"), slot.id, readings));
  }

  #addProblems(slot: Slot, problems: readonly SettlementProblem[]): void {
    for (const { step, refusal } of problems) this.#problems.push(`${step} of ${slot.id} was refused: ${refusal.tag}`);
  }

  /** The third phase of a step: agents answer what has happened until nothing happens any more. */
  async #settleDown(participants: readonly Participant[]): Promise<void> {
    for (let round = 0; round < REACTION_ROUNDS_MAX; round++) {
      let isQuiet = true;
      for (const { agent } of participants) if (await agent.react()) isQuiet = false;
      if (isQuiet) return;
    }
    this.#problems.push(
      `agents were still answering each other after ${REACTION_ROUNDS_MAX} rounds at ${new Date(this.#clock.nowMs()).toISOString()}`,
    );
  }
}

/** Starts all at once: their transactions meet in the notary's batches. Their order is that of the list, the same every time. */
async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  await Promise.all(items.map(run));
}

function slotsWithin(tariff: TariffVintage, slots: readonly Slot[]): readonly Slot[] {
  return slots.filter(({ startMs }) => covers(tariff, startMs));
}

function covers({ startMs, retail, slotMinutes }: TariffVintage, atMs: number): boolean {
  return atMs >= startMs && atMs < startMs + retail.length * slotMinutes * 60_000;
}
