/** Who takes part in a chaos run: the members file of its network, and the clients that load it. */
import type { DelegableFlow } from "#contracts";

/** What a client asks for; each kind is drawn by its weight. */
export type LoadKind =
  | "create-promises"
  | "offer"
  | "order-energy"
  | "cancel-orders"
  | "create-auction"
  | "bid"
  | "replace-mandate"
  | "revoke-mandate"
  | "redeem-funds"
  | "issue-funds"
  | "record-meters"
  | "amend-member"
  | "amend-parameters"
  | "reinstate"
  | "vote-standing"
  | "publish-tariff"
  | "idle";
export type Weights = readonly (readonly [weight: number, kind: LoadKind])[];

/** One client: works off one command after the other. */
export type LoadClient = {
  readonly name: string;
  readonly party: string;
  /** Who signs: the party's own node, or a delegate under a mandate. */
  readonly as: "owner" | "delegate";
  readonly weights: Weights;
};

export type Community = {
  /** The members file, YAML. */
  readonly members: string;
  readonly clients: readonly LoadClient[];
  /** Members with meters. */
  readonly metered: readonly string[];
  /** Members with a delegate. */
  readonly principals: readonly string[];
};

/** What delegates may do. */
export const DELEGATED: readonly DelegableFlow[] = [
  "create-promises",
  "create-auction",
  "bid",
  "settle-auction",
  "place-orders",
  "cancel-orders",
];
export const SPECULATOR_CAP_WH = 6_000;
const SETTLEMENT_GRACE_SECONDS = 6;

const SELLING: Weights = [
  [8, "create-promises"],
  [6, "offer"],
  [5, "create-auction"],
  [3, "cancel-orders"],
  [2, "bid"],
  [1, "order-energy"],
  [0.5, "redeem-funds"],
];
const BUYING: Weights = [
  [8, "order-energy"],
  [9, "bid"],
  [3, "cancel-orders"],
  [2, "offer"],
  [2, "create-auction"],
  [0.5, "redeem-funds"],
];
const OWNING: Weights = [
  [1, "replace-mandate"],
  [1, "revoke-mandate"],
];
const GRID: Weights = [
  [4, "record-meters"],
  [1, "amend-member"],
  [0.3, "amend-parameters"],
  [3, "reinstate"],
  [6, "idle"],
];

type Trader = { readonly name: string; readonly role: string; readonly more: string; readonly weights: Weights };

const TRADERS: readonly Trader[] = [
  { name: "solar", role: "prosumer", more: "capacityWhPerSlot: 40000", weights: SELLING },
  { name: "trader", role: "speculator", more: `holdingCapWhPerSlot: ${SPECULATOR_CAP_WH}`, weights: BUYING },
  { name: "wind", role: "producer", more: "capacityWhPerSlot: 90000", weights: SELLING },
  { name: "home", role: "consumer", more: "capacityWhPerSlot: 0", weights: BUYING },
];

function traders(count: number): readonly Trader[] {
  return Array.from({ length: count }, (_, index): Trader => {
    const usual = TRADERS[index];
    if (usual !== undefined) return usual;
    const isSelling = index % 2 === 0;
    return isSelling
      ? { name: `roof-${index}`, role: "prosumer", more: "capacityWhPerSlot: 20000", weights: SELLING }
      : { name: `home-${index}`, role: "consumer", more: "capacityWhPerSlot: 0", weights: BUYING };
  });
}

const HEAD = `network: { id: dream/chaos, slotMinutes: 15, timeZone: UTC }
rules: { settlementGraceSeconds: ${SETTLEMENT_GRACE_SECONDS}, verifierQuorum: 2 }
marketplace: { method: pay-as-clear, roundsCron: "*/3 * * * * *", finalRoundLeadSeconds: 3 }
members:
`;

/** Every part has a process of its own. */
const APART = `  - { name: grid, roles: [grid-authority, meter-operator] }
  - { name: supplier, roles: [power-company] }
  - { name: bank, roles: [payment-provider] }
  - { name: market, roles: [marketplace] }
  - { name: notary, roles: [notary] }
  - { name: verifier-1, roles: [verifier] }
  - { name: verifier-2, roles: [verifier] }
  - { name: verifier-3, roles: [verifier] }
  - { name: regulator, roles: [observer], openingFundsMicros: 0, sees: [power-promise, slot-settlement] }
`;

/** Few processes that hold several roles: for short runs. */
const TOGETHER = `  - { name: grid, roles: [grid-authority, meter-operator, payment-provider] }
  - { name: supplier, roles: [power-company, verifier] }
  - { name: market, roles: [marketplace, verifier] }
  - { name: verifier-1, roles: [verifier] }
  - { name: notary, roles: [notary] }
`;

/** @param isSmall - Puts roles together, so that fewer processes are needed. */
export function communityOf(memberCount: number, isSmall: boolean): Community {
  const members = traders(memberCount);
  const entries = members.map(
    ({ name, role, more }) => `  - { name: ${name}, roles: [${role}], openingFundsPieces: 12, ${more} }\n`,
  );
  const names = members.map(({ name }) => name);
  return {
    members: `${HEAD}${isSmall ? TOGETHER : APART}${entries.join("")}`,
    clients: [...infrastructure(isSmall), ...members.flatMap(clientsOf)],
    metered: names,
    principals: names.slice(0, 2),
  };
}

function infrastructure(isSmall: boolean): readonly LoadClient[] {
  const owner = (name: string, party: string, weights: Weights): LoadClient => ({ name, party, as: "owner", weights });
  const voters = isSmall ? ["supplier", "market", "verifier-1"] : ["verifier-1", "verifier-2", "verifier-3"];
  return [
    owner("grid", "grid", GRID),
    owner("bank", isSmall ? "grid" : "bank", [
      [1, "issue-funds"],
      [4, "idle"],
    ]),
    owner("supplier", "supplier", [
      [1, "publish-tariff"],
      [5, "idle"],
    ]),
    ...voters.map((voter) =>
      owner(`vote of ${voter}`, voter, [
        [1, "vote-standing"],
        [12, "idle"],
      ]),
    ),
  ];
}

function clientsOf({ name, weights }: Trader, index: number): readonly LoadClient[] {
  const first: LoadClient = { name: `${name} 1`, party: name, as: "owner", weights };
  const hasDelegate = index < 2;
  return [
    { ...first, weights: hasDelegate ? [...weights, ...OWNING] : weights },
    hasDelegate ? { ...first, name: `${name} delegate`, as: "delegate" } : { ...first, name: `${name} 2` },
  ];
}
