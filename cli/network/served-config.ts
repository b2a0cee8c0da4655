/** What the members file says of members that an aggregator serves: they have no node, and join when the network is started first. */
import { z } from "zod";
import type { Role, StateTag } from "#contracts";
import { wholeNumber } from "./config-values.ts";
import type { Finding } from "./yaml-config.ts";

/** What a member allows the key that its aggregator has for it. */
export type MandateEntry = {
  readonly energyWhPerSlotMax: bigint;
  readonly energyWhPerDayMax: bigint;
  /** Null: the highest price of the network. */
  readonly bidMicrosPerKwhMax: bigint | null;
  readonly days: number;
};

const DAYS_MAX = 3_660;
export const mandateSchema: z.ZodType<MandateEntry> = z.strictObject({
  energyWhPerSlotMax: wholeNumber(0n).default(100_000n),
  energyWhPerDayMax: wholeNumber(0n).default(10_000_000n),
  bidMicrosPerKwhMax: wholeNumber(0n).nullable().default(null),
  days: z.int().min(1).max(DAYS_MAX).default(366),
});
export const USUAL_MANDATE: MandateEntry = mandateSchema.parse({});

/** Folder of the keys of members that are served: no node has them. */
export const SERVED_FOLDER = "members";
/** Roles of those who trade; all others are held by parties with nodes of their own. */
const SERVED_ROLES: readonly Role[] = ["prosumer", "producer", "consumer", "storage-provider", "speculator"];

/** What of an entry of the file says whether the member can be served. */
type Served = {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly sees: readonly StateTag[];
  readonly servedBy?: string | undefined;
  readonly mandate?: MandateEntry | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
};

export function servedFindings(members: readonly Served[]): readonly Finding[] {
  const isSome = members.some(({ servedBy }) => servedBy !== undefined);
  return members.flatMap((member, index) => {
    const at = (key: string, problem: string, mend: string): Finding => ({
      path: ["members", index, key],
      problem,
      mend,
    });
    if (member.servedBy !== undefined) return findingsOf(member, members, at);
    if (member.mandate !== undefined)
      return [at("mandate", "nobody serves the member", "give servedBy, or leave it out")];
    return isSome && member.name === SERVED_FOLDER
      ? [at("name", "is the folder of the members' keys", "choose another name")]
      : [];
  });
}

function findingsOf(
  { roles, sees, servedBy, host, port }: Served,
  members: readonly Served[],
  at: (key: string, problem: string, mend: string) => Finding,
): readonly Finding[] {
  const aggregator = members.find(({ name }) => name === servedBy);
  const others = roles.filter((role) => !SERVED_ROLES.includes(role));
  return [
    ...(aggregator?.roles.includes("aggregator") === true
      ? []
      : [at("servedBy", `${servedBy} is no aggregator`, "name a member with the role aggregator")]),
    ...(others.length === 0
      ? []
      : [at("roles", `${others.join(", ")}: a party with this role has a node of its own`, "leave out servedBy")]),
    ...(sees.length === 0 ? [] : [at("sees", "an observer has a node of its own", "leave out sees, or servedBy")]),
    ...(host === undefined && port === undefined
      ? []
      : [at(host === undefined ? "port" : "host", "a member that is served has no process", "leave it out")]),
  ];
}
