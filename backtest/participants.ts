/** Sets up what a member needs to take part: node, funds, mandate, forecasts, agent. */

import { Agent, type AgentOptions, type DecisionJournal, MemberForecasts, type RiskLimits } from "#agents";
import { DELEGABLE_FLOWS, type MarketplaceFeed, type Role, type Storage } from "#contracts";
import {
  type Clock,
  type Entropy,
  invariant,
  micros,
  minEnergy,
  newSigner,
  type PublicKey,
  seededPrng,
  unwrap,
  wattHours,
} from "#core";
import type { CommunityMember, DataStore, KnownView } from "#data";
import type { Forecaster, ForecastTarget } from "#forecast";
import { delegateClient, type LedgerClient, ownerClient } from "#ledger-client";
import type { LedgerNode, LocalNetwork, MemberToServe } from "#ledger-node";
import type { Strategy } from "#strategies";
import { MemberPlant } from "./kernel/physics.ts";
import { isHome } from "./services.ts";

export type Participant = {
  readonly member: CommunityMember;
  readonly node: LedgerNode;
  readonly plant: MemberPlant;
  readonly agent: Agent;
  readonly strategy: Strategy;
  readonly targets: { readonly production: ForecastTarget | undefined; readonly load: ForecastTarget | undefined };
  readonly forecasts: MemberForecasts;
  /** By an aggregator; else the member has a node of its own. */
  readonly isServed: boolean;
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
  /** Name of the aggregator that serves the homes, if there is one. */
  readonly aggregator: string | undefined;
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

/** @param certified - What the member claims of its energy, and who is asked to certify it. */
export async function addParticipant(
  parts: ParticipantParts,
  member: CommunityMember,
  certified: Pick<AgentOptions, "claims" | "agency"> = {},
): Promise<Participant> {
  const { network, clock, data, view, aggregator } = parts;
  const isServed = aggregator !== undefined && isHome(member);
  const { node, client, delegate } = isServed
    ? await servedMember(parts, member, aggregator)
    : await ownNode(parts, member);
  const plant = new MemberPlant(member, data);
  const targets = targetsOf(member, data);
  const forecasts = new MemberForecasts({ forecaster: parts.forecaster, view, ...targets });
  const { strategy, config } = parts.strategyOf(member);
  const agent = new Agent({
    name: member.name,
    client,
    delegate,
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
    ...certified,
  });
  return { member, node, plant, agent, strategy, targets, forecasts, isServed };
}

/** A member's node, and how its agent acts there: by whose key. */
type Access = { readonly node: LedgerNode; readonly client: LedgerClient; readonly delegate: PublicKey };

/** A node of its own, and a mandate for the agent's key. */
async function ownNode(parts: ParticipantParts, member: CommunityMember): Promise<Access> {
  const { network, entropy } = parts;
  const node = await network.join(newcomerOf(member, network.slotMinutes));
  await fund(network, node.party, member.name);
  const signer = newSigner(entropy);
  unwrap(
    await node.submit({
      tag: "grant-mandate",
      commandId: `mandate/${member.name}`,
      mandateId: `agent/${member.name}`,
      delegate: signer.publicKey,
      flows: DELEGABLE_FLOWS,
      energyPerSlotMax: wattHours(1_000_000n),
      expiresMs: parts.mandateUntilMs,
    }),
  );
  const onSigned = (): void => {
    network.counters.signatures += 1;
  };
  const client = delegateClient(node, { signer, networkId: network.networkId, onSigned });
  return { node, client, delegate: signer.publicKey };
}

/** A seat at the aggregator, which acts by the key that it keeps for the member, under the mandate of the enrolment. */
async function servedMember(
  { network }: ParticipantParts,
  member: CommunityMember,
  aggregator: string,
): Promise<Access> {
  const [node] = await network.enrol(aggregator, [newcomerOf(member, network.slotMinutes)]);
  const mandate = node?.unspent("mandate").find(({ principal }) => principal === node.party);
  invariant(node !== undefined && mandate !== undefined, "who enrols has a seat and a mandate");
  await fund(network, node.party, member.name);
  return { node, client: ownerClient(node), delegate: mandate.delegate };
}

function newcomerOf(member: CommunityMember, slotMinutes: number): MemberToServe {
  const { name, roles, capacityPerSlot, speculatorCapPerSlot } = member;
  return {
    name,
    roles: roles as readonly Role[],
    capacityPerSlot,
    holdingCapPerSlot: speculatorCapPerSlot ?? null,
    ...storageOf(member, slotMinutes),
  };
}

/** What a storage provider's battery can store and move, rounded so that the battery itself can't do more. */
function storageOf(member: CommunityMember, slotMinutes: number): { readonly storage?: Storage } {
  const { battery, capacityPerSlot, roles } = member;
  if (battery === undefined || !roles.includes("storage-provider")) return {};
  const power = wattHours(Math.ceil((battery.powerW * slotMinutes) / 60));
  return {
    storage: {
      capacity: wattHours(Math.ceil(battery.capacityWh)),
      powerPerSlot: minEnergy(power, capacityPerSlot),
      efficiencyPerMille: Math.ceil(battery.roundTripEfficiency * 1_000),
    },
  };
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
