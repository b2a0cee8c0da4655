/** The configuration of one node, `config.yaml` in its folder. Secrets stand in files that it names, never in it. */
import { isAbsolute, join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import type { PublicKey, Result } from "#core";
import type { Durability } from "#ledger-node";
import { host, memberName, port, publicKeyText, wholeNumber } from "./config-values.ts";
import { type MarketplaceEntry, marketplaceSchema } from "./marketplace-config.ts";
import { type PlantEntry, plantsSchema } from "./plants-config.ts";
import { type ConfigProblem, parseYaml } from "./yaml-config.ts";

/** Funds that the payment provider issues when it starts, once. */
export type OpeningFunds = {
  readonly member: string;
  readonly key: PublicKey;
  readonly micros: bigint;
  readonly pieces: number;
};

/** Paths are relative to the file. */
export type NodeConfig = {
  readonly name: string;
  readonly network: { readonly id: string; readonly gridAuthority: PublicKey; readonly directory: string };
  readonly key: string;
  readonly certificate: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly store: {
    readonly file: string;
    readonly durability: Durability;
    readonly megabytesMax?: number | undefined;
  };
  readonly log: { readonly file: string; readonly level: (typeof LOG_LEVELS)[number] };
  readonly clients: { readonly owners: readonly PublicKey[]; readonly auditors: readonly PublicKey[] };
  /** Pages that explain the client interface, at /docs: some megabytes of memory. */
  readonly docs: boolean;
  readonly peers: { readonly timeoutMs: number };
  readonly clock: { readonly offsetMs: number };
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string } | undefined;
  readonly marketplace?: MarketplaceEntry | undefined;
  readonly settlement: { readonly retrySeconds: number };
  /** What a meter operator reports: readings in a file that grows. */
  readonly meterReadings?: { readonly file: string; readonly pollSeconds: number } | undefined;
  /** What a verification agency certifies. */
  readonly plants?: readonly PlantEntry[] | undefined;
  /** Of a node that serves members: the file of the secret that its keys for them are derived from, and how much it signs. */
  readonly aggregator?: { readonly seed: string; readonly signedPerHourMax: number } | undefined;
  readonly openingFunds: readonly OpeningFunds[];
};

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "silent"] as const;
export const CONFIG_FILE = "config.yaml";
const path = z.string().min(1).max(4_096);
/** Transactions that an aggregator signs for one member: one a second. */
export const SIGNED_PER_HOUR_MAX = 3_600;
/** For rehearsals of the days to come. */
const CLOCK_OFFSET_MS_MAX = 31 * 86_400_000;

const schema = z.strictObject({
  name: memberName,
  network: z.strictObject({
    id: z.string().min(1).max(40),
    gridAuthority: publicKeyText,
    directory: path,
  }),
  key: path,
  certificate: path,
  listen: z.strictObject({ host: host.default("127.0.0.1"), port }),
  store: z.strictObject({
    file: path,
    durability: z.enum(["power-loss", "process-crash"]).default("power-loss"),
    megabytesMax: z.int().min(1).max(1_000_000).optional(),
  }),
  log: z.strictObject({ file: path.default("node.log"), level: z.enum(LOG_LEVELS).default("info") }).prefault({}),
  clients: z
    .strictObject({
      owners: z.array(publicKeyText).max(100).default([]),
      auditors: z.array(publicKeyText).max(100).default([]),
    })
    .prefault({}),
  docs: z.boolean().default(false),
  peers: z.strictObject({ timeoutMs: z.int().min(100).max(60_000).default(5_000) }).prefault({}),
  clock: z
    .strictObject({ offsetMs: z.int().min(-CLOCK_OFFSET_MS_MAX).max(CLOCK_OFFSET_MS_MAX).default(0) })
    .prefault({}),
  tls: z.strictObject({ ca: path, certificate: path, key: path }).optional(),
  marketplace: marketplaceSchema.optional(),
  settlement: z.strictObject({ retrySeconds: z.int().min(1).max(86_400).default(30) }).prefault({}),
  meterReadings: z.strictObject({ file: path, pollSeconds: z.int().min(1).max(86_400).default(10) }).optional(),
  plants: plantsSchema.optional(),
  aggregator: z
    .strictObject({ seed: path, signedPerHourMax: z.int().min(1).max(1_000_000).default(SIGNED_PER_HOUR_MAX) })
    .optional(),
  openingFunds: z
    .array(
      z.strictObject({
        member: memberName,
        key: publicKeyText,
        micros: wholeNumber(1n),
        pieces: z.int().min(1).max(500).default(1),
      }),
    )
    .max(10_000)
    .default([]),
});

export function parseNodeConfig(file: string, text: string): Result<NodeConfig, readonly ConfigProblem[]> {
  return parseYaml<NodeConfig>(file, text, { schema: schema as z.ZodType<NodeConfig>, section: "Node" });
}

/** The file as it is written by `dream network init`. Bigints are written as text of digits. */
export function nodeConfigText(config: NodeConfig): string {
  const openingFunds = config.openingFunds.map((funds) => ({ ...funds, micros: funds.micros.toString() }));
  const written = { ...config, openingFunds };
  return `# A node of the network ${config.network.id}; docs/config.md explains the keys.\n${stringify(written)}`;
}

/** A path of the configuration as one that can be opened. */
export function resolvePath(folder: string, named: string): string {
  return isAbsolute(named) ? named : join(folder, named);
}
