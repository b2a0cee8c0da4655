/**
 * A real agent on a real small network, with a strategy that returns what the test tells it to. Between the test and the
 * ledger stand the whole agent, its mandate and its risk gate; forecasts are the same in every slot.
 */

import { z } from "zod";
import { Agent, type Claimed, type Decision, MemberForecasts, type RiskLimits } from "#agents";
import { type ClientCommand, DELEGABLE_FLOWS, type LedgerRefusal, type Receipt, type Role } from "#contracts";
import {
  localDayAt,
  micros,
  type PublicKey,
  type Result,
  type Signer,
  type SlotId,
  seededPrng,
  slotOf,
  wattHours,
  zone,
} from "#core";
import { createKnownView, type DataStore } from "#data";
import type { Forecaster } from "#forecast";
import { delegateClient, type LedgerClient } from "#ledger-client";
import type { LedgerNode } from "#ledger-node";
import type {
  AuctionEvent,
  BatteryState,
  DeliveryEvent,
  Intent,
  Strategy,
  StrategyContext,
  TradeEvent,
} from "#strategies";
import { NEXT_SLOT, SLOT, SLOT_END_MS, signerOf } from "./builders.ts";
import { SmallNetwork, type SmallNetworkOptions } from "./small-network.ts";

/** What the strategy was told, in the order of its calls. */
export type Told =
  | { readonly hook: "onForecast" | "onGate" | "onPoolsCleared"; readonly nowMs: number }
  | { readonly hook: "onTrade"; readonly trade: TradeEvent }
  | { readonly hook: "onDelivery"; readonly delivery: DeliveryEvent }
  | { readonly hook: "onAuction"; readonly event: AuctionEvent };

export type AgentStageOptions = SmallNetworkOptions & {
  readonly limits?: Partial<RiskLimits>;
  /** What the agent's owner may hold; nobody's limit by default. */
  readonly holdingCapPerSlot?: bigint;
  readonly roles?: readonly Role[];
  readonly battery?: BatteryState;
  /** What alice claims of her energy. A member "agency" joins, which certifies whatever it is asked to. */
  readonly claims?: Claimed;
};

export type HookCall = "onForecast" | "onGate" | "onPoolsCleared";

const OPEN_LIMITS: RiskLimits = {
  isHalted: false,
  isReducingOnly: false,
  intentsPerHourMax: 1_000,
  reserve: micros(0n),
  forecastAgeMsMax: 36 * 3_600_000,
};
const PRODUCTION_WH = 1_000;
const NO_DATA: DataStore = {
  meters: new Map([
    ["pv", { name: "pv", kind: "pv", slotMinutes: 15, startMs: 0, energyWh: new Float64Array(0), telemetryDelayMs: 0 }],
  ]),
  weather: new Map(),
  tariffs: [],
};

/** The same for every slot: 1 kWh of production, surely. */
const STEADY: Forecaster = {
  name: "steady",
  forecast: (view, _target, slots) =>
    slots.map((slot) => ({
      slot,
      issuedAtMs: view.nowMs,
      model: "steady",
      quantilesWh: new Float64Array(19).fill(PRODUCTION_WH),
    })),
};

/** Alice and her agent; bob and carol act by themselves. Each has 100 coins in two pieces. */
export class AgentStage {
  readonly network: SmallNetwork;
  readonly agent: Agent;
  readonly delegate: Signer;
  /** The agent's own way to the ledger: used by a test, it goes around the risk gate. */
  readonly client: LedgerClient;
  readonly decisions: Decision[] = [];
  readonly told: Told[] = [];
  /** Plans that reached the inverter. */
  readonly plans: Map<SlotId, number> = new Map();
  /** What the strategy returns at its next call; once. */
  next: readonly Intent[] = [];
  /** Called with the context of every call. */
  look: (context: StrategyContext<unknown, unknown>) => void = () => undefined;

  static async open(options: AgentStageOptions = {}): Promise<AgentStage> {
    const network = await SmallNetwork.found(options);
    const alice = await network.join("alice", {
      ...(options.roles === undefined ? {} : { roles: options.roles }),
      ...(options.holdingCapPerSlot === undefined ? {} : { holdingCapPerSlot: wattHours(options.holdingCapPerSlot) }),
    });
    for (const name of ["bob", "carol"]) await network.join(name);
    if (options.claims !== undefined)
      await network.join("agency", { roles: ["verification-agency"], capacityPerSlot: wattHours(0) });
    for (const name of ["alice", "bob", "carol"]) await network.fund(name, 50_000_000, 50_000_000);
    for (const name of ["grid-authority", "power-company"]) await network.fund(name, 50_000_000);
    return new AgentStage(network, alice, options);
  }

  private constructor(network: SmallNetwork, alice: LedgerNode, options: AgentStageOptions) {
    const { clock } = network;
    const view = createKnownView(NO_DATA, clock);
    this.network = network;
    this.delegate = signerOf("agent of alice");
    this.client = delegateClient(alice, { signer: this.delegate, networkId: network.ledger.networkId });
    const production = { series: "pv", kind: "pv", capacityWh: 20_000 } as const;
    this.agent = new Agent({
      name: "alice",
      client: this.client,
      delegate: this.delegate.publicKey,
      strategy: this.#strategy(),
      config: {},
      clock,
      prng: seededPrng(1, "agent of alice"),
      view,
      forecasts: new MemberForecasts({ forecaster: STEADY, view, production, load: undefined }),
      marketplace: network.key("marketplace"),
      feed: { rounds: () => [], listen: () => () => true },
      battery: { state: () => options.battery, plan: (slotId, energyWh) => void this.plans.set(slotId, energyWh) },
      limits: { ...OPEN_LIMITS, ...options.limits },
      journal: { record: (decision) => void this.decisions.push(decision) },
      ...(options.claims === undefined ? {} : { claims: options.claims, agency: network.key("agency") }),
    });
  }

  /** The owner lets the agent act, in all that may be delegated, up to 10 kWh per slot. */
  async grantMandate(expiresMs: number = SLOT_END_MS): Promise<void> {
    await this.network.run("alice", {
      tag: "grant-mandate",
      commandId: "mandate of alice",
      mandateId: "mandate of alice",
      delegate: this.delegate.publicKey,
      flows: DELEGABLE_FLOWS,
      energyPerSlotMax: wattHours(10_000),
      expiresMs,
    });
  }

  async revokeMandate(): Promise<void> {
    await this.network.run("alice", { tag: "revoke-mandate", commandId: "revoked", mandateId: "mandate of alice" });
  }

  /** Calls a hook and lets the strategy return the intents. Gives what the agent recorded, if it did. */
  async wants(intents: readonly Intent[], hook: HookCall = "onForecast"): Promise<Decision | undefined> {
    const before = this.decisions.length;
    this.next = intents;
    const slots = [SLOT, NEXT_SLOT].map(slotOf);
    const day = localDayAt(zone("Europe/Berlin"), slotOf(SLOT).startMs);
    if (hook === "onForecast") await this.agent.onForecast(day, slots);
    else if (hook === "onGate") await this.agent.onGate(slotOf(SLOT));
    else await this.agent.onPoolsCleared(day, [SLOT, NEXT_SLOT]);
    return this.decisions[before];
  }

  /** What became of each intent of a decision: its tag and `accepted`, or the code that it was denied or rejected with. */
  async outcomes(intents: readonly Intent[], hook: HookCall = "onForecast"): Promise<readonly string[]> {
    const decision = await this.wants(intents, hook);
    return (decision?.outcomes ?? []).map((each) => {
      const { tag } = each.intent;
      if (each.outcome === "accepted") return `${tag}: accepted`;
      return `${tag}: ${each.outcome === "denied" ? `denied ${each.denial.tag}` : `rejected ${each.refusal.tag}`}`;
    });
  }

  /** Sends a command with the agent's own key, as if there were no gate. */
  aroundTheGate(command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>> {
    return this.client.submit(command);
  }

  /** Transactions that the notary has made final. */
  get transactions(): number {
    return this.network.ledger.moneyHeld().transactions;
  }

  get marketplace(): PublicKey {
    return this.network.key("marketplace");
  }

  close(): void {
    this.network.close();
  }

  #answer(context: StrategyContext<unknown, unknown>, told: Told): readonly Intent[] {
    this.told.push(told);
    this.look(context);
    const intents = this.next;
    this.next = [];
    return intents;
  }

  #strategy(): Strategy {
    return {
      name: "scripted",
      description: "Returns what the test says.",
      config: z.unknown(),
      warmup: { days: 0 },
      initialMemory: () => ({}),
      onForecast: (context) => this.#answer(context, { hook: "onForecast", nowMs: context.nowMs }),
      onGate: (context) => this.#answer(context, { hook: "onGate", nowMs: context.nowMs }),
      onPoolsCleared: (context) => this.#answer(context, { hook: "onPoolsCleared", nowMs: context.nowMs }),
      onTrade: (context, trade) => this.#answer(context, { hook: "onTrade", trade }),
      onDelivery: (context, delivery) => this.#answer(context, { hook: "onDelivery", delivery }),
      onAuction: (context, event) => this.#answer(context, { hook: "onAuction", event }),
    };
  }
}
