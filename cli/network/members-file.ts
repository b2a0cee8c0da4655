/** The members file of `dream network init`: who is in the network, with which roles, and the rules. */
import { z } from "zod";
import { defaultRules } from "#backtest";
import { CORRECTION_MS_MAX, ROLES, type Role, STATE_KINDS, type StateTag, type Storage } from "#contracts";
import { microsPerKwh, type Result, type SlotMinutes, wattHours, zone } from "#core";
import type { NetworkRules } from "#ledger-node";
import { host, memberName, port, timeZone, wholeNumber } from "./config-values.ts";
import { type MarketplaceEntry, marketplaceSchema } from "./marketplace-config.ts";
import { type MandateEntry, mandateSchema, servedFindings } from "./served-config.ts";
import { type ConfigProblem, type Finding, parseYaml } from "./yaml-config.ts";

/** Energy in watt-hours, money in micros. */
export type MemberEntry = {
  readonly name: string;
  readonly roles: readonly Role[];
  /** The most that it may promise in one slot. */
  readonly capacityWhPerSlot: bigint;
  /** The most that it may hold and bid for in one slot; null: no cap. */
  readonly holdingCapWhPerSlot: bigint | null;
  /** What it can store, move in one slot, and get back of what it stored; null: it stores nothing. */
  readonly storage: StorageEntry | null;
  /** Issued to it by the payment provider when the network starts. */
  readonly openingFundsMicros: bigint;
  /** In so many pieces: each transaction that is under way needs one. */
  readonly openingFundsPieces: number;
  /** Kinds of states that it is shown whomever they concern, such as a regulator is. */
  readonly sees: readonly StateTag[];
  /** The name of the aggregator whose process acts for it; without it the member has a node of its own. */
  readonly servedBy?: string | undefined;
  /** What it allows that aggregator. */
  readonly mandate?: MandateEntry | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
};

export type StorageEntry = {
  readonly capacityWh: bigint;
  readonly powerWhPerSlot: bigint;
  /** In thousandths. */
  readonly efficiencyPerMille: bigint;
};

export type RuleName =
  | "emergencyMicrosPerKwh"
  | "gridFeeMicrosPerKwh"
  | "surplusMicrosPerKwh"
  | "marketFeeMicrosPerKwh"
  | "bidRiseMicrosPerKwh"
  | "priceMicrosPerKwhMin"
  | "priceMicrosPerKwhMax"
  | "promiseWhMin"
  | "promiseWhMax"
  | "gateLeadSeconds"
  | "settlementGraceSeconds"
  | "correctionSeconds"
  | "meterQuorum"
  | "meterToleranceWh"
  | "verifierQuorum";

export type MembersFile = {
  readonly network: {
    readonly id: string;
    readonly currency: string;
    readonly slotMinutes: SlotMinutes;
    readonly timeZone: string;
    readonly host: string;
    /** Ports from here on; free ones otherwise. */
    readonly basePort?: number | undefined;
  };
  readonly rules: Readonly<Partial<Record<RuleName, bigint | undefined>>>;
  readonly marketplace: MarketplaceEntry;
  readonly members: readonly MemberEntry[];
};

const SECTION = "Members file";
const PRICE_MAX = 10n ** 12n;
const OPENING_FUNDS_MICROS = 1_000_000_000n;
const OPENING_FUNDS_PIECES = 100;

const memberSchema: z.ZodType<MemberEntry> = z.strictObject({
  name: memberName,
  roles: z
    .array(z.enum(ROLES, `is no role; the roles are ${ROLES.join(", ")}`))
    .min(1, "names no role; give one or more")
    .refine((roles) => new Set(roles).size === roles.length, "names a role twice; name each once"),
  capacityWhPerSlot: wholeNumber(0n).default(0n),
  holdingCapWhPerSlot: wholeNumber(0n).nullable().default(null),
  storage: z
    .strictObject({
      capacityWh: wholeNumber(0n),
      powerWhPerSlot: wholeNumber(0n),
      efficiencyPerMille: wholeNumber(0n, 1_000n).default(900n),
    })
    .nullable()
    .default(null),
  openingFundsMicros: wholeNumber(0n).default(OPENING_FUNDS_MICROS),
  openingFundsPieces: z.int().min(1).max(500).default(OPENING_FUNDS_PIECES),
  sees: z.array(z.enum(STATE_KINDS, `is no kind of state; the kinds are ${STATE_KINDS.join(", ")}`)).default([]),
  servedBy: memberName.optional(),
  mandate: mandateSchema.optional(),
  host: host.optional(),
  port: port.optional(),
});

const rulesSchema = z.strictObject({
  emergencyMicrosPerKwh: wholeNumber(0n).optional(),
  gridFeeMicrosPerKwh: wholeNumber(0n).optional(),
  surplusMicrosPerKwh: wholeNumber(0n).optional(),
  marketFeeMicrosPerKwh: wholeNumber(0n).optional(),
  bidRiseMicrosPerKwh: wholeNumber(1n).optional(),
  priceMicrosPerKwhMin: wholeNumber(-PRICE_MAX, PRICE_MAX).optional(),
  priceMicrosPerKwhMax: wholeNumber(-PRICE_MAX, PRICE_MAX).optional(),
  promiseWhMin: wholeNumber(1n).optional(),
  promiseWhMax: wholeNumber(1n).optional(),
  gateLeadSeconds: wholeNumber(0n, 86_400n).optional(),
  settlementGraceSeconds: wholeNumber(0n, 86_400n).optional(),
  correctionSeconds: wholeNumber(0n, BigInt(CORRECTION_MS_MAX / 1_000)).optional(),
  meterQuorum: wholeNumber(1n, 64n).optional(),
  meterToleranceWh: wholeNumber(0n).optional(),
  verifierQuorum: wholeNumber(1n, 100n).optional(),
});

const schema = z.strictObject({
  network: z.strictObject({
    id: z.string().regex(/^[\x21-\x7e]{1,40}$/, "is no network id; use 1 to 40 printable characters without spaces"),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, "is no currency; give three capital letters")
      .default("EUR"),
    slotMinutes: z.union([z.literal(15), z.literal(30), z.literal(60)], "must be 15, 30 or 60; choose one").default(15),
    timeZone: timeZone.default("UTC"),
    host: host.default("127.0.0.1"),
    basePort: port.optional(),
  }),
  rules: rulesSchema.prefault({}),
  marketplace: marketplaceSchema.prefault({}),
  members: z.array(memberSchema).max(1_000),
});

export function parseMembersFile(file: string, text: string): Result<MembersFile, readonly ConfigProblem[]> {
  return parseYaml<MembersFile>(file, text, { schema: schema as z.ZodType<MembersFile>, section: SECTION, check });
}

/** A file with one member, for `dream network add`. */
export function parseMemberFile(file: string, text: string): Result<MemberEntry, readonly ConfigProblem[]> {
  return parseYaml(file, text, {
    schema: memberSchema,
    section: SECTION,
    check: (member) => [
      ...memberFindings(member, []),
      ...(member.servedBy === undefined
        ? []
        : [
            {
              path: ["servedBy"],
              problem: "a member joins under an aggregator when its network is founded",
              mend: "leave it out, and let the member move to the aggregator when it has joined",
            },
          ]),
      ...(member.roles.some((role) => FOUNDERS_ONLY.includes(role))
        ? [
            {
              path: ["roles"],
              problem: "has a role that is given when a network is founded",
              mend: `leave out ${FOUNDERS_ONLY.join(", ")}`,
            },
          ]
        : []),
    ],
  });
}

/** A process that the file does not name: neither supplies nor holds. */
export const USUAL_MEMBER: MemberEntry = {
  name: "",
  roles: [],
  capacityWhPerSlot: 0n,
  holdingCapWhPerSlot: null,
  storage: null,
  openingFundsMicros: OPENING_FUNDS_MICROS,
  openingFundsPieces: OPENING_FUNDS_PIECES,
  sees: [],
};

/** Exactly one party of a network has each of these. */
export const SINGLE_ROLES: readonly Role[] = ["grid-authority", "power-company", "payment-provider", "notary"];
/** At least one party has each of these. */
export const SHARED_ROLES: readonly Role[] = ["verifier", "marketplace"];
const FOUNDERS_ONLY: readonly Role[] = [...SINGLE_ROLES, "verifier"];

function check({ members, rules, network, marketplace }: MembersFile): readonly Finding[] {
  const usual = networkRules({ network, rules, marketplace, members });
  return [
    ...members.flatMap((member, index) => memberFindings(member, ["members", index])),
    ...twice(
      members.map(({ name }) => name),
      "name",
    ),
    ...twice(
      members.map((member) => (member.port === undefined ? undefined : `${member.host ?? ""}:${member.port}`)),
      "port",
    ),
    ...roleFindings(members),
    ...servedFindings(members),
    ...pairFindings(rules, usual),
    ...quorumFindings(members, rules),
    ...meterFindings(members, rules),
    ...portFindings(members.length, network),
  ];
}

function memberFindings(member: MemberEntry, path: Finding["path"]): readonly Finding[] {
  const isUncapped = member.roles.includes("speculator") && member.holdingCapWhPerSlot === null;
  const uncapped: Finding = {
    path: [...path, "holdingCapWhPerSlot"],
    problem: "a speculator has a cap on what it holds",
    mend: "give holdingCapWhPerSlot",
  };
  return [...(isUncapped ? [uncapped] : []), ...storageFindings(member, path)];
}

/** The member's storage as the ledger keeps it. */
export function storageOf({ storage }: Pick<MemberEntry, "storage">): Storage | null {
  if (storage === null) return null;
  const { capacityWh, powerWhPerSlot, efficiencyPerMille } = storage;
  return {
    capacity: wattHours(capacityWh),
    powerPerSlot: wattHours(powerWhPerSlot),
    efficiencyPerMille: Number(efficiencyPerMille),
  };
}

/** The network could not be founded with such a member, nor the member join one. */
function storageFindings(member: MemberEntry, path: Finding["path"]): readonly Finding[] {
  const { storage, roles, capacityWhPerSlot } = member;
  if (storage === null)
    return roles.includes("storage-provider")
      ? [{ path: [...path, "storage"], problem: "a storage provider says what it can store", mend: "give storage" }]
      : [];
  return storage.powerWhPerSlot <= capacityWhPerSlot
    ? []
    : [
        {
          path: [...path, "storage", "powerWhPerSlot"],
          problem: `is ${storage.powerWhPerSlot} and capacityWhPerSlot is ${capacityWhPerSlot}`,
          mend: "give a power that is not above the capacity",
        },
      ];
}

function twice(values: readonly (string | undefined)[], key: string): readonly Finding[] {
  return values.flatMap((value, index) =>
    value !== undefined && values.indexOf(value) < index
      ? [{ path: ["members", index, key], problem: `two members have the ${key} ${value}`, mend: "give each its own" }]
      : [],
  );
}

function roleFindings(members: readonly MemberEntry[]): readonly Finding[] {
  const doubled = SINGLE_ROLES.flatMap((role): readonly Finding[] => {
    const holders = members.flatMap(({ roles }, index) => (roles.includes(role) ? [index] : []));
    return holders.slice(1).map((index) => ({
      path: ["members", index, "roles"],
      problem: `two members have the role ${role}`,
      mend: "give it to one of them",
    }));
  });
  const held = new Set(members.flatMap(({ roles }) => roles));
  const misnamed = members.flatMap(({ name }, index): readonly Finding[] => {
    const role = [...SINGLE_ROLES, ...SHARED_ROLES].find((each) => each === name);
    return role === undefined || held.has(role)
      ? []
      : [
          {
            path: ["members", index, "name"],
            problem: `the name ${name} is kept for a process with that role`,
            mend: `give a member the role ${role}, or choose another name`,
          },
        ];
  });
  return [...doubled, ...misnamed];
}

/** A network with such parameters could not be founded. */
function pairFindings(rules: MembersFile["rules"], usual: NetworkRules): readonly Finding[] {
  const pairs = [
    ["promiseWhMin", usual.promiseMin, "promiseWhMax", usual.promiseMax],
    ["gridFeeMicrosPerKwh", usual.gridFee, "emergencyMicrosPerKwh", usual.emergencyPrice],
    ["priceMicrosPerKwhMin", usual.priceMin, "priceMicrosPerKwhMax", usual.priceMax],
  ] as const;
  return pairs.flatMap(([low, least, high, most]) =>
    least <= most
      ? []
      : [
          {
            path: ["rules", rules[low] === undefined ? high : low],
            problem: `${low} is ${least} and ${high} is ${most}`,
            mend: `give a ${low} that is not above ${high}`,
          },
        ],
  );
}

function quorumFindings(members: readonly MemberEntry[], { verifierQuorum }: MembersFile["rules"]): readonly Finding[] {
  const verifiers = Math.max(1, members.filter(({ roles }) => roles.includes("verifier")).length);
  return (verifierQuorum ?? 1n) <= BigInt(verifiers)
    ? []
    : [
        {
          path: ["rules", "verifierQuorum"],
          problem: `${verifierQuorum} of ${verifiers} verifiers can't sign`,
          mend: "name more verifiers, or give a smaller quorum",
        },
      ];
}

/** Members that read meters and report; a grid authority with that role reads them alone where there are none. */
export function readsMeters({ roles }: Pick<MemberEntry, "roles">): boolean {
  return roles.includes("meter-operator") && !roles.includes("grid-authority");
}

/** How many of the operators must agree: as the file says, or more than half of them. */
function meterQuorum(members: readonly MemberEntry[], rules: MembersFile["rules"]): number {
  const operators = members.filter(readsMeters).length;
  return operators === 0 ? 0 : Number(rules.meterQuorum ?? BigInt(Math.floor(operators / 2) + 1));
}

function meterFindings(members: readonly MemberEntry[], rules: MembersFile["rules"]): readonly Finding[] {
  const operators = members.filter(readsMeters).length;
  const quorum = Number(rules.meterQuorum ?? 0n);
  if (rules.meterQuorum === undefined || (2 * quorum > operators && quorum <= operators)) return [];
  return [
    {
      path: ["rules", "meterQuorum"],
      problem: `${quorum} of ${operators} meter operators are no quorum`,
      mend: "give a number of more than half of them, or name other members meter-operator",
    },
  ];
}

function portFindings(count: number, { basePort }: MembersFile["network"]): readonly Finding[] {
  const last = (basePort ?? 1) + count + SINGLE_ROLES.length + SHARED_ROLES.length;
  return last <= 65_535
    ? []
    : [{ path: ["network", "basePort"], problem: "leaves too few ports", mend: "give a smaller one" }];
}

/** The rules of the network, with the usual values where the file says nothing. */
export function networkRules({ network, rules, members }: MembersFile): NetworkRules {
  const usual = defaultRules(
    { name: network.id, timeZone: zone(network.timeZone), slotMinutes: network.slotMinutes },
    network.currency,
  );
  const price = (own: bigint | undefined, otherwise: NetworkRules["gridFee"]): NetworkRules["gridFee"] =>
    own === undefined ? otherwise : microsPerKwh(own);
  return {
    ...usual,
    networkId: network.id,
    emergencyPrice: price(rules.emergencyMicrosPerKwh, usual.emergencyPrice),
    gridFee: price(rules.gridFeeMicrosPerKwh, usual.gridFee),
    surplusPrice: price(rules.surplusMicrosPerKwh, usual.surplusPrice ?? microsPerKwh(0n)),
    marketFee: price(rules.marketFeeMicrosPerKwh, usual.marketFee),
    bidRiseMin: price(rules.bidRiseMicrosPerKwh, usual.bidRiseMin),
    priceMin: price(rules.priceMicrosPerKwhMin, usual.priceMin),
    priceMax: price(rules.priceMicrosPerKwhMax, usual.priceMax),
    promiseMin: rules.promiseWhMin === undefined ? usual.promiseMin : wattHours(rules.promiseWhMin),
    promiseMax: rules.promiseWhMax === undefined ? usual.promiseMax : wattHours(rules.promiseWhMax),
    gateLeadMs: rules.gateLeadSeconds === undefined ? usual.gateLeadMs : Number(rules.gateLeadSeconds) * 1_000,
    ...(rules.settlementGraceSeconds === undefined
      ? {}
      : { settlementGraceMs: Number(rules.settlementGraceSeconds) * 1_000 }),
    ...(rules.correctionSeconds === undefined ? {} : { correctionMs: Number(rules.correctionSeconds) * 1_000 }),
    ...(rules.meterToleranceWh === undefined ? {} : { meterTolerance: wattHours(rules.meterToleranceWh) }),
    meterQuorum: meterQuorum(members, rules),
    verifierQuorum: Number(rules.verifierQuorum ?? 1n),
  };
}
