/**
 * An agent: runs a strategy for one member. It reconciles with the ledger, shows the strategy what is known, passes each
 * intent through the risk gate, and acts through the ledger client under the member's mandate. It decides nothing itself.
 */

import type { Auction, ExposureEntry, MarketplaceFeed, NetworkParameters, NodeEvent, PoolOrder } from "#contracts";
import {
  type Clock,
  compareText,
  type LocalDay,
  localDayAt,
  micros,
  NO_ENERGY,
  type Prng,
  type PublicKey,
  type Slot,
  type SlotId,
  slotOf,
  wattHours,
  zone,
} from "#core";
import type { KnownView } from "#forecast";
import type { LedgerClient } from "#ledger-client";
import type { BatteryState, Intent, PoolResult, Strategy, StrategyContext } from "#strategies";
import {
  type Claimed,
  certificationFor,
  commandFor,
  groupIntents,
  type IntentGroup,
  type LedgerIntent,
} from "./commands.ts";
import { asPoolResult, buildContext, marketRulesOf } from "./context.ts";
import type { Decision, DecisionJournal, HookName, IntentOutcome } from "./journal.ts";
import { deliveriesIn, tradesIn } from "./member-events.ts";
import type { MemberForecasts } from "./member-forecasts.ts";
import {
  asOpenAuction,
  dayTotalsIn,
  entriesIn,
  marginIn,
  type Portfolio,
  positionIn,
  readPortfolio,
} from "./portfolio.ts";
import { checkRisk, type DayTotals, type RiskLimits, type RiskUse, type RiskView } from "./risk-gate.ts";

/** The inverter: takes plans for the battery and tells its state. */
export interface BatteryControl {
  state(): BatteryState | undefined;
  /** Positive charges, negative discharges, in watt-hours at the member's connection. */
  plan(slotId: SlotId, energyWh: number): void;
}

export type AgentOptions = {
  readonly name: string;
  readonly client: LedgerClient;
  readonly delegate: PublicKey;
  readonly strategy: Strategy;
  readonly config: unknown;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly view: KnownView;
  readonly forecasts: MemberForecasts;
  readonly marketplace: PublicKey;
  readonly feed: MarketplaceFeed;
  readonly battery: BatteryControl;
  readonly limits: RiskLimits;
  readonly journal: DecisionJournal;
  /** What the member claims of its energy; promises claim nothing without it. */
  readonly claims?: Claimed;
  /** The agency that is asked to certify each promise before it is offered. */
  readonly agency?: PublicKey;
};

const HOUR_MS = 3_600_000;
/** What the gate sees that no intent of a group changes. */
type BaseView = Omit<RiskView, "funds" | "position" | "day" | "entries" | "lockedMargin" | "intentsLastHour"> & {
  dayOf(slotId: SlotId): LocalDay;
};

/** Intents that one hook call may return; more is a runaway strategy. */
export const INTENTS_PER_CALL_MAX = 1_000;

type Hook = (context: StrategyContext<unknown, unknown>) => readonly Intent[];

export class Agent {
  readonly name: string;
  readonly #options: AgentOptions;
  readonly #memory: unknown;
  readonly #poolResults: PoolResult[] = [];
  /** Events of the ledger that the strategy has not been told of. */
  #inbox: NodeEvent[] = [];
  #limits: RiskLimits;
  #decisions = 0;
  #commands = 0;
  #intentTimes: number[] = [];
  /** Of the decision that is being carried out. */
  #notes: string[] = [];

  constructor(options: AgentOptions) {
    this.name = options.name;
    this.#options = options;
    this.#limits = options.limits;
    this.#memory = options.strategy.initialMemory();
    options.client.listen((event) => this.#inbox.push(event));
    // What certified energy costs says little of what energy costs: strategies learn from the pools of any energy.
    options.feed.listen((round) => {
      if (round.requires === null) this.#poolResults.push(asPoolResult(round));
    });
  }

  /** The owner's or the operator's switch: no further promise, order or bid passes until it is lifted. */
  halt(): void {
    this.#limits = { ...this.#limits, isHalted: true };
  }

  resume(): void {
    this.#limits = { ...this.#limits, isHalted: false };
  }

  /** Forecasts and tariffs for a local day are out. */
  async onForecast(day: LocalDay, slots: readonly Slot[]): Promise<void> {
    this.#options.forecasts.update(slots);
    const { onForecast } = this.#options.strategy;
    const event = { day, slotIds: slots.map(({ id }) => id) };
    if (onForecast !== undefined)
      await this.#decide("onForecast", (context) => onForecast.call(this.#options.strategy, context, event));
  }

  /** The slot's gate is about to close. */
  async onGate(slot: Slot): Promise<void> {
    const { onGate } = this.#options.strategy;
    if (onGate === undefined) return;
    this.#options.forecasts.update([slot]);
    await this.#decide("onGate", (context) => onGate.call(this.#options.strategy, context, slot.id));
  }

  async onPoolsCleared(day: LocalDay, slotIds: readonly SlotId[]): Promise<void> {
    const { onPoolsCleared } = this.#options.strategy;
    if (onPoolsCleared !== undefined)
      await this.#decide("onPoolsCleared", (context) =>
        onPoolsCleared.call(this.#options.strategy, context, { day, slotIds }),
      );
  }

  /** Tells the strategy of what has happened since; gives false when there was nothing. */
  async react(): Promise<boolean> {
    const events = this.#inbox;
    this.#inbox = [];
    for (const event of events) await this.#tell(event);
    return events.length > 0;
  }

  async #tell(event: NodeEvent): Promise<void> {
    const { strategy, client } = this.#options;
    const { onTrade, onDelivery, onAuction } = strategy;
    if (onTrade !== undefined)
      for (const trade of tradesIn(event, client.party))
        await this.#decide("onTrade", (context) => onTrade.call(strategy, context, trade));
    if (onDelivery !== undefined)
      for (const delivery of deliveriesIn(event, client.party))
        await this.#decide("onDelivery", (context) => onDelivery.call(strategy, context, delivery));
    if (onAuction === undefined) return;
    for (const state of event.made) if (state.tag === "auction") await this.#tellAuction(state);
  }

  async #tellAuction(auction: Auction): Promise<void> {
    const { strategy } = this.#options;
    const tag = auction.status === "ended" ? "ended" : auction.highestBidder === null ? "opened" : "bid";
    await this.#decide(
      "onAuction",
      (context, portfolio) => strategy.onAuction?.(context, { tag, auction: asOpenAuction(portfolio, auction) }) ?? [],
    );
  }

  async #decide(
    hook: HookName,
    call: (context: Parameters<Hook>[0], portfolio: Portfolio) => readonly Intent[],
  ): Promise<void> {
    const { client, clock, strategy } = this.#options;
    const portfolio = await readPortfolio(client);
    const member = portfolio.members.get(client.party);
    const parameters = (await client.states("network-parameters"))[0]?.state;
    if (member === undefined || parameters === undefined) return; // Not a member yet: nothing may be done.
    const marketFee = portfolio.members.get(this.#options.marketplace)?.marketFee ?? parameters.gridFee;
    const nowMs = clock.nowMs();
    const { context, inputs, notes } = buildContext({
      ...this.#options,
      nowMs,
      member,
      memory: this.#memory,
      rules: marketRulesOf(parameters, marketFee, zone(parameters.timeZone)),
      portfolio,
      poolResults: this.#poolResults,
      battery: () => this.#options.battery.state(),
      reserve: this.#limits.reserve,
    });
    const intents = call(context, portfolio).slice(0, INTENTS_PER_CALL_MAX);
    if (intents.length === 0) return;
    const decisionId = `${this.name}/${this.#decisions++}`;
    const outcomes = await this.#act(
      intents,
      this.#riskView(portfolio, member, parameters, marketFee, nowMs),
      portfolio,
      zone(parameters.timeZone),
    );
    const decision: Decision = {
      decisionId,
      agent: this.name,
      strategy: strategy.name,
      atMs: nowMs,
      hook,
      inputs: inputs(),
      outcomes,
      notes: [...notes, ...this.#notes],
    };
    this.#notes = [];
    this.#options.journal.record(decision);
  }

  #riskView(
    portfolio: Portfolio,
    member: RiskView["member"],
    parameters: NetworkParameters,
    marketFee: RiskView["marketFee"],
    nowMs: number,
  ): BaseView {
    const { delegate, client, forecasts, strategy } = this.#options;
    return {
      nowMs,
      member,
      parameters,
      marketFee,
      strategy: strategy.name,
      dayOf: (slotId) => localDayAt(zone(parameters.timeZone), slotOf(slotId).startMs),
      mandate: portfolio.mandates.find(
        (mandate) => mandate.principal === client.party && mandate.delegate === delegate,
      ),
      forecastAgeMs(slotId) {
        const issuedAtMs = forecasts.get(slotId)?.issuedAtMs;
        return issuedAtMs === undefined ? undefined : nowMs - issuedAtMs;
      },
      auction(auctionId) {
        const auction = portfolio.auctions.find((each) => each.auctionId === auctionId && each.status === "active");
        return auction && { slotId: auction.slot, energy: auction.energy, deadlineMs: auction.deadlineMs };
      },
    };
  }

  /** Runs each stretch of intents of a kind through the gate and the ledger before the next is judged, so that each sees the last. */
  async #act(
    intents: readonly Intent[],
    base: BaseView,
    first: Portfolio,
    timeZone: ReturnType<typeof zone>,
  ): Promise<readonly IntentOutcome[]> {
    const outcomes: IntentOutcome[] = [];
    let portfolio = first;
    for (const { intents: group } of groupIntents(
      intents.filter((intent): intent is LedgerIntent => intent.tag !== "charge-battery"),
      timeZone,
    )) {
      const judged = this.#judge(group, base, portfolio);
      outcomes.push(...judged.denied);
      if (judged.passed.length === 0) continue;
      outcomes.push(...(await this.#submit({ intents: judged.passed }, portfolio.orders)));
      portfolio = await readPortfolio(this.#options.client);
    }
    return [...outcomes, ...this.#planBattery(intents, this.#viewOf(portfolio, base))];
  }

  #planBattery(intents: readonly Intent[], view: RiskView): readonly IntentOutcome[] {
    return intents.flatMap((intent): readonly IntentOutcome[] => {
      if (intent.tag !== "charge-battery") return [];
      const verdict = checkRisk(intent, view, this.#limits);
      if (!verdict.ok) return [{ intent, outcome: "denied", denial: verdict.error }];
      this.#options.battery.plan(intent.slotId, intent.energyWh);
      return [{ intent, outcome: "accepted", commandId: "battery" }];
    });
  }

  #judge(
    group: readonly LedgerIntent[],
    base: BaseView,
    portfolio: Portfolio,
  ): { readonly passed: readonly LedgerIntent[]; readonly denied: readonly IntentOutcome[] } {
    const uses = new Map<SlotId, RiskUse[]>();
    let funds: bigint = portfolio.funds;
    const sameDay = (slotId: SlotId): readonly (readonly [SlotId, readonly RiskUse[]])[] =>
      [...uses].filter(([other]) => base.dayOf(other) === base.dayOf(slotId));
    const usesOfDay = (slotId: SlotId): readonly RiskUse[] => sameDay(slotId).flatMap(([, each]) => each);
    const passed: LedgerIntent[] = [];
    const denied: IntentOutcome[] = [];
    for (const intent of group) {
      const view = this.#viewOf(portfolio, base);
      const judged: RiskView = {
        ...view,
        funds: micros(funds),
        position: (slotId) => afterUses(view.position(slotId), uses.get(slotId) ?? []),
        day: (slotId) => dayAfterUses(view.day(slotId), usesOfDay(slotId)),
        entries: (slotId) => entriesAfterUses(view.entries(slotId), sameDay(slotId)),
        lockedMargin: (slotId) =>
          usesOfDay(slotId).reduce((sum, { margin }) => sum + margin, view.lockedMargin(slotId)),
      };
      const verdict = checkRisk(intent, judged, this.#limits);
      if (!verdict.ok) {
        denied.push({ intent, outcome: "denied", denial: verdict.error });
        continue;
      }
      funds -= verdict.value.funds;
      const slotId = intent.tag === "bid" ? base.auction(intent.auctionId)?.slotId : intent.slotId;
      if (slotId !== undefined) uses.set(slotId, [...(uses.get(slotId) ?? []), verdict.value]);
      this.#intentTimes.push(base.nowMs);
      passed.push(intent);
    }
    return { passed, denied };
  }

  /** What the gate sees while nothing of a group is let through yet. */
  #viewOf(portfolio: Portfolio, base: BaseView): RiskView {
    this.#intentTimes = this.#intentTimes.filter((atMs) => atMs > base.nowMs - HOUR_MS);
    return {
      ...base,
      funds: portfolio.funds,
      intentsLastHour: this.#intentTimes.length,
      position: (slotId) => positionIn(portfolio, slotId),
      day: (slotId) => dayTotalsIn(portfolio, base.dayOf(slotId)),
      entries: (slotId) => entriesIn(portfolio, base.dayOf(slotId)),
      lockedMargin: (slotId) => marginIn(portfolio, base.dayOf(slotId)),
    };
  }

  async #submit(group: IntentGroup, openOrders: readonly PoolOrder[]): Promise<readonly IntentOutcome[]> {
    const commandId = `${this.name}/${this.#options.strategy.name}/${this.#commands++}`;
    const { client, marketplace, claims } = this.#options;
    const command = commandFor(group, commandId, marketplace, openOrders, claims);
    if (command === undefined) return [];
    const result = await client.submit(command);
    if (result.ok) await this.#certify(group, `${commandId}/certify`);
    return group.intents.map((intent) =>
      result.ok ? { intent, outcome: "accepted", commandId } : { intent, outcome: "rejected", refusal: result.error },
    );
  }

  /** Has new promises certified, which must be before they are offered. What the agency does not sign is sold as it is. */
  async #certify(group: IntentGroup, commandId: string): Promise<void> {
    const { client, claims, agency } = this.#options;
    if (claims === undefined || agency === undefined) return;
    const command = certificationFor(group, commandId, agency);
    if (command === undefined) return;
    const certified = await client.submit(command);
    if (!certified.ok) this.#notes.push(`not certified: ${certified.error.tag}`);
  }
}

/** A position after intents that were let through but are not on the ledger yet. */
function afterUses(position: ReturnType<typeof positionIn>, uses: readonly RiskUse[]): ReturnType<typeof positionIn> {
  const sum = (pick: (use: RiskUse) => bigint): bigint => uses.reduce((total, use) => total + pick(use), 0n);
  return {
    ...position,
    promised: wattHours(position.promised + sum(({ promised }) => promised)),
    held: wattHours(position.held - sum(({ taken }) => taken)),
    bidding: wattHours(position.bidding + sum(({ bidding }) => bidding)),
  };
}

function entriesAfterUses(
  entries: readonly ExposureEntry[],
  uses: readonly (readonly [SlotId, readonly RiskUse[]])[],
): readonly ExposureEntry[] {
  const bySlot = new Map(entries.map((entry) => [entry.slot, entry]));
  for (const [slot, each] of uses) {
    const entry = bySlot.get(slot) ?? { slot, promised: NO_ENERGY, bought: NO_ENERGY, bidding: NO_ENERGY };
    bySlot.set(slot, {
      ...entry,
      promised: wattHours(each.reduce((sum, { promised }) => sum + promised, entry.promised as bigint)),
      bidding: wattHours(each.reduce((sum, { bidding }) => sum + bidding, entry.bidding as bigint)),
    });
  }
  return [...bySlot.values()].sort((left, right) => compareText(left.slot, right.slot));
}

function dayAfterUses({ promised, buying }: DayTotals, uses: readonly RiskUse[]): DayTotals {
  return uses.reduce(
    (totals, use) => ({ promised: totals.promised + use.promised, buying: totals.buying + use.bidding }),
    { promised, buying },
  );
}
