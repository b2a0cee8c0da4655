/** Sets up what a member needs to take part: node, funds, mandate, forecasts, agent. */

import { Agent, type DecisionJournal, MemberForecasts, type RiskLimits } from "#agents";
import { DELEGABLE_FLOWS, type MarketplaceFeed, type Role } from "#contracts";
import { type Clock, type Entropy, micros, newSigner, type PublicKey, seededPrng, unwrap, wattHours } from "#core";
import type { CommunityMember, DataStore, KnownView } from "#data";
import type { Forecaster, ForecastTarget } from "#forecast";
import { delegateClient } from "#ledger-client";
import type { LedgerNode, LocalNetwork } from "#ledger-node";
import type { Strategy } from "#strategies";
import { MemberPlant } from "./kernel/physics.ts";

export type Participant = {
  readonly member: CommunityMember;
  readonly node: LedgerNode;
  readonly plant: MemberPlant;
  readonly agent: Agent;
  readonly strategy: Strategy;
  readonly targets: { readonly production: ForecastTarget | undefined; readonly load: ForecastTarget | undefined };
  readonly forecasts: MemberForecasts;
};

export type ParticipantParts = {
  readonly network: LocalNetwork;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly seed: number;
  readonly view: KnownView;
  readonly data: DataStore;
  readonly forecaster: Forecaster;
  readonly feed: MarketplaceFeed;
  readonly journal: DecisionJournal;
  readonly mandateUntilMs: number;
  readonly strategyOf: (member: CommunityMember) => { readonly strategy: Strategy; readonly config: unknown };
};

/** What each member brings along, in whole coins so that it can pay several things at a time. */
const COIN = micros(10_000_000n);
const COINS = 100;
const LIMITS: RiskLimits = {
  isHalted: false,
  isReducingOnly: false,
  intentsPerHourMax: 2_000,
  reserve: micros(50_000_000n),
  forecastAgeMsMax: 36 * 3_600_000,
};
/** No household draws more: a bound for forecasts of load, in watts. */
const LOAD_LIMIT_W = 25_000;

export async function addParticipant(parts: ParticipantParts, member: CommunityMember): Promise<Participant> {
  const { network, clock, data, view, entropy } = parts;
  const node = await network.join({
    name: member.name,
    roles: member.roles as readonly Role[],
    capacityPerSlot: member.capacityPerSlot,
    holdingCapPerSlot: member.speculatorCapPerSlot ?? null,
  });
  await fund(network, node.party, member.name);
  const delegate = newSigner(entropy);
  unwrap(
    await node.submit({
      tag: "grant-mandate",
      commandId: `mandate/${member.name}`,
      mandateId: `agent/${member.name}`,
      delegate: delegate.publicKey,
      flows: DELEGABLE_FLOWS,
      energyPerSlotMax: wattHours(1_000_000n),
      expiresMs: parts.mandateUntilMs,
    }),
  );
  const plant = new MemberPlant(member, data);
  const targets = targetsOf(member, data);
  const forecasts = new MemberForecasts({ forecaster: parts.forecaster, view, ...targets });
  const { strategy, config } = parts.strategyOf(member);
  const onSigned = (): void => {
    network.counters.signatures += 1;
  };
  const agent = new Agent({
    name: member.name,
    client: delegateClient(node, { signer: delegate, networkId: network.networkId, onSigned }),
    delegate: delegate.publicKey,
    strategy,
    config,
    clock,
    prng: seededPrng(parts.seed, `agent ${member.name}`),
    view,
    forecasts,
    marketplace: network.node("marketplace").party,
    feed: parts.feed,
    battery: plant,
    limits: LIMITS,
    journal: parts.journal,
  });
  return { member, node, plant, agent, strategy, targets, forecasts };
}

/** Issues the opening funds of a party. */
export async function fund(network: LocalNetwork, to: PublicKey, name: string): Promise<void> {
  unwrap(
    await network.node("payment-provider").submit({
      tag: "issue-funds",
      commandId: `opening/${name}`,
      to,
      amounts: Array.from({ length: COINS }, () => COIN),
    }),
  );
}

function targetsOf(member: CommunityMember, data: DataStore): Participant["targets"] {
  const production = member.production === undefined ? undefined : data.meters.get(member.production);
  const load = member.load === undefined ? undefined : data.meters.get(member.load);
  const batteryWh = ((member.battery?.powerW ?? 0) * (production?.slotMinutes ?? 0)) / 60;
  const weather = member.weather === undefined ? undefined : data.weather.get(member.weather);
  return {
    production: production && {
      series: production.name,
      kind: production.kind,
      capacityWh: Number(member.capacityPerSlot) - batteryWh,
      ...(weather === undefined ? {} : { weather: weather.name, weatherSlotMinutes: weather.slotMinutes }),
      ...(member.site === undefined ? {} : { site: member.site }),
    },
    load: load && { series: load.name, kind: load.kind, capacityWh: (LOAD_LIMIT_W * load.slotMinutes) / 60 },
  };
}
