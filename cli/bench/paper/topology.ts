/** The networks of the experiment: six nodes, and more by pairs of a consumer and a producer, as in the paper. */
import type { Role } from "#contracts";
import { invariant } from "#core";
import { type MemberEntry, USUAL_MEMBER } from "../../network/members-file.ts";
import type { UsageClass } from "./experiment.ts";

export const NODES_MIN = 6;
export const NODES_MAX = 40;
/** More than all requests to one member promise for one slot. */
const CAPACITY_WH_PER_SLOT = 1_000_000n;
/** Each transaction that is under way needs a piece. */
const FUNDS = { openingFundsMicros: 10_000_000_000n, openingFundsPieces: 200 } as const;

/** The paper's network has no payment provider, marketplace or verifier: its grid authority holds these roles. */
const GRID_AUTHORITY_ROLES: readonly Role[] = [
  "grid-authority",
  "meter-operator",
  "payment-provider",
  "verifier",
  "marketplace",
];

export type BenchMember = MemberEntry & { readonly usageClass: UsageClass };

/** @param nodes - How many, the notary's included; `NODES_MIN` at least. */
export function membersOf(nodes: number): readonly BenchMember[] {
  invariant(nodes >= NODES_MIN, "the paper's smallest network has six nodes");
  const more = Array.from({ length: nodes - NODES_MIN }, (_, index) => {
    const number = Math.floor(index / 2) + 2;
    return index % 2 === 0 ? member(`consumer-${number}`, "consumer") : member(`producer-${number}`, "producer");
  });
  return [
    { ...member("grid-authority", "grid-authority"), roles: GRID_AUTHORITY_ROLES },
    member("power-company", "power-company"),
    { ...member("notary", "notary"), openingFundsMicros: 0n },
    member("consumer-1", "consumer"),
    member("producer-1", "producer"),
    member("prosumer-1", "prosumer"),
    ...more,
  ];
}

function member(name: string, role: Exclude<UsageClass, "infrastructure" | "client">): BenchMember {
  const capacityWhPerSlot = ["producer", "prosumer", "power-company"].includes(role) ? CAPACITY_WH_PER_SLOT : 0n;
  return { ...USUAL_MEMBER, ...FUNDS, name, roles: [role], capacityWhPerSlot, usageClass: role };
}

/** Who may create promises and auctions of them. */
export function suppliersOf(members: readonly BenchMember[]): readonly string[] {
  return members.filter(({ capacityWhPerSlot }) => capacityWhPerSlot > 0n).map(({ name }) => name);
}

/** Who may bid: all but the grid authority and the notary. */
export function biddersOf(members: readonly BenchMember[]): readonly string[] {
  return members
    .filter(({ usageClass }) => usageClass !== "grid-authority" && usageClass !== "notary")
    .map(({ name }) => name);
}
