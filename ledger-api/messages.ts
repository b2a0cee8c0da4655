/** What requests and answers hold besides commands and states. */
import { z } from "zod";
import {
  type ClientCommand,
  type Command,
  LEDGER_REFUSALS,
  type LedgerRefusal,
  type LedgerRefusalCode,
  type NodeEvent,
  type PoolRound,
  type Proposal,
  type Receipt,
  ROLES,
  type Role,
  type StateAndRef,
  type StateTag,
} from "#contracts";
import type { Hash, PublicKey } from "#core";
import { clientCommandSchema, ledgerCommandSchema } from "./commands.ts";
import { recordSchema, taggedSchema } from "./records.ts";
import {
  booleanSchema,
  bytesSchema,
  countTextSchema,
  energySchema,
  hashSchema,
  instantSchema,
  keySchema,
  listSchema,
  moneySchema,
  nullableSchema,
  oneOfSchema,
  optionalSchema,
  priceSchema,
  type Schema,
  slotSchema,
  textSchema,
  wholeSchema,
} from "./scalars.ts";
import { requirementSchema, stateAndRefSchema, stateSchema, stateTagSchema } from "./states.ts";

/** A transaction is at most a CBOR value of a mebibyte; so is a notice. */
const TRANSACTION_BYTES_MAX = 1_048_576;
const CLAUSES_MAX = 256;
const SPENT_MAX = 8_192;
const STATES_MAX = 1_000_000;
const OUTPUTS_MAX = 8_192;
export const TRANSACTIONS_PER_PAGE_MAX = 200;
const COUNT_MAX = Number.MAX_SAFE_INTEGER;
const countSchema = wholeSchema(0, COUNT_MAX);

/** How a node is. */
export type NodeStatus = {
  readonly name: string;
  readonly party: PublicKey;
  readonly roles: readonly Role[];
  readonly networkId: string;
  /** Of the network parameters that the node knows; null while it knows none. */
  readonly epoch: number | null;
  /** Transactions stored; at a notary, transactions made final. */
  readonly height: number;
  /** Commands accepted and not concluded. */
  readonly pending: number;
  /** Messages that are still to be delivered. */
  readonly outbox: number;
  /** The same by recipient. */
  readonly undelivered: readonly { readonly recipient: PublicKey; readonly messages: number }[];
  /** Members that an aggregator serves in this process; null where it is none. */
  readonly membersServed: number | null;
  readonly peersReachable: number;
  readonly peersKnown: number;
  readonly uptimeMs: number;
  readonly residentBytes: number;
};
/** As many as a network has members. */
const UNDELIVERED_MAX = 100_000;

export const nodeStatusSchema: Schema<NodeStatus> = recordSchema<NodeStatus>({
  name: textSchema(64),
  party: keySchema,
  roles: listSchema(oneOfSchema(ROLES), ROLES.length),
  networkId: textSchema(40),
  epoch: nullableSchema(countSchema),
  height: countSchema,
  pending: countSchema,
  outbox: countSchema,
  undelivered: listSchema(recordSchema({ recipient: keySchema, messages: countSchema }), UNDELIVERED_MAX),
  membersServed: nullableSchema(countSchema),
  peersReachable: countSchema,
  peersKnown: countSchema,
  uptimeMs: countSchema,
  residentBytes: countSchema,
});

export type Health = { readonly status: "ok" };
export const healthSchema: Schema<Health> = recordSchema<Health>({ status: oneOfSchema(["ok"]) });

export const receiptSchema: Schema<Receipt> = recordSchema<Receipt>({
  status: oneOfSchema(["created", "exists"]),
  txId: hashSchema,
});

/** Asks for the transaction of a command that a delegate will sign. */
export type ProposalRequest = { readonly command: ClientCommand; readonly delegate: PublicKey };
export const proposalRequestSchema: Schema<ProposalRequest> = recordSchema<ProposalRequest>({
  command: clientCommandSchema,
  delegate: keySchema,
});

/** Asks a node to make final what a principal has signed alone; proofs of the states that it names are notices. */
export type CarryRequest = { readonly transaction: Uint8Array; readonly proofs: readonly Uint8Array[] };
/** The states that a member's move names: its rules, its membership, its mandates and two aggregators; mandates may be many. */
export const CARRIED_PROOFS_MAX = 200;
export const carryRequestSchema: Schema<CarryRequest> = recordSchema<CarryRequest>({
  transaction: bytesSchema(1, TRANSACTION_BYTES_MAX),
  proofs: listSchema(bytesSchema(1, TRANSACTION_BYTES_MAX), CARRIED_PROOFS_MAX),
});

/** All of a member's data (docs/member-export.md). */
export type ExportAnswer = { readonly lines: readonly string[] };
const EXPORT_LINES_MAX = 2_000_000;
/** A transaction in hexadecimal, its signatures and what stands around it. */
const EXPORT_LINE_LENGTH_MAX = 3 * TRANSACTION_BYTES_MAX;
export const exportAnswerSchema: Schema<ExportAnswer> = recordSchema<ExportAnswer>({
  lines: listSchema(textSchema(EXPORT_LINE_LENGTH_MAX, 1), EXPORT_LINES_MAX),
});

const proposalIdSchema: Schema<string> = hashSchema;
export const proposalSchema: Schema<Proposal> = recordSchema<Proposal>({
  proposalId: proposalIdSchema,
  transaction: bytesSchema(1, TRANSACTION_BYTES_MAX),
});
/** A proposal, or the receipt of a command that was carried out before. */
export const proposedSchema: Schema<Proposal | Receipt> = z.union([receiptSchema, proposalSchema]);

export type ProposalParameters = { readonly proposalId: string };
export const proposalParametersSchema: Schema<ProposalParameters> = recordSchema<ProposalParameters>({
  proposalId: proposalIdSchema,
});

/** An answer that says no more than that it was done. */
export type Empty = Readonly<Record<never, never>>;
export const emptySchema: Schema<Empty> = recordSchema<Empty>({});

export type Approval = { readonly signature: Uint8Array };
export const approvalSchema: Schema<Approval> = recordSchema<Approval>({ signature: bytesSchema(64, 64) });

export type StateParameters = { readonly tag: StateTag };
export const stateParametersSchema: Schema<StateParameters> = recordSchema<StateParameters>({ tag: stateTagSchema });
export type StateList = { readonly states: readonly StateAndRef[] };
export const stateListSchema: Schema<StateList> = recordSchema<StateList>({
  states: listSchema(stateAndRefSchema, STATES_MAX),
});

/** A transaction or notice as it is stored, for audits. */
export type ShownTransaction = {
  readonly sequence: number;
  readonly txId: Hash;
  readonly kind: "full" | "notice";
  readonly bytes: Uint8Array;
};
/** `next`: what to ask for after this page; null when it is the last. */
export type TransactionPage = { readonly transactions: readonly ShownTransaction[]; readonly next: number | null };
export const transactionPageSchema: Schema<TransactionPage> = recordSchema<TransactionPage>({
  transactions: listSchema(
    recordSchema<ShownTransaction>({
      sequence: countSchema,
      txId: hashSchema,
      kind: oneOfSchema(["full", "notice"]),
      bytes: bytesSchema(0, TRANSACTION_BYTES_MAX),
    }),
    TRANSACTIONS_PER_PAGE_MAX,
  ),
  next: nullableSchema(countSchema),
});

/** Both may be left out: from the beginning, and as many as a page holds. */
export type TransactionQuery = { readonly after?: number; readonly limit?: number };
export const transactionQuerySchema: Schema<TransactionQuery> = recordSchema<TransactionQuery>({
  after: optionalSchema(countTextSchema(COUNT_MAX)),
  limit: optionalSchema(countTextSchema(TRANSACTIONS_PER_PAGE_MAX)),
});

/** Where a listener was: an event's id. Without it, from now on. */
export type ListeningQuery = { readonly after?: string };
export const listeningQuerySchema: Schema<ListeningQuery> = recordSchema<ListeningQuery>({
  after: optionalSchema(textSchema(40, 1)),
});
/** One event of a stream, as it is framed. */
export const eventStreamSchema: Schema<string> = z
  .string()
  .meta({ description: "Server-sent events with `id`, `event` and one line of JSON as `data`." });

const EVENT_FIELDS = {
  txId: hashSchema,
  consumed: listSchema(stateSchema, OUTPUTS_MAX),
  made: listSchema(stateSchema, OUTPUTS_MAX),
};
type EventOnWire = Omit<NodeEvent, "command"> & { readonly command: Command | null };
const eventOnWireSchema = recordSchema<EventOnWire>({ ...EVENT_FIELDS, command: nullableSchema(ledgerCommandSchema) });
/** An event; a command that was not shown travels as null. */
export const nodeEventSchema: Schema<NodeEvent> = z.codec(eventOnWireSchema, z.custom<NodeEvent>(), {
  decode: ({ command, ...event }) => ({ ...event, command: command ?? undefined }),
  encode: ({ command, ...event }) => ({ ...event, command: command ?? null }),
});

export const poolRoundSchema: Schema<PoolRound> = recordSchema<PoolRound>({
  slot: slotSchema,
  requires: nullableSchema(requirementSchema),
  clearedAtMs: instantSchema,
  isFinal: booleanSchema,
  price: nullableSchema(priceSchema),
  volume: energySchema,
});
export type PoolRoundList = { readonly rounds: readonly PoolRound[] };
export const poolRoundListSchema: Schema<PoolRoundList> = recordSchema<PoolRoundList>({
  rounds: listSchema(poolRoundSchema, STATES_MAX),
});

type RefusalOf<T extends LedgerRefusalCode> = Extract<LedgerRefusal, { readonly tag: T }>;
/** Codes that come with data: those that no other code shares a shape with. */
type DetailedCode = { [T in LedgerRefusalCode]: [RefusalOf<T>] extends [never] ? never : T }[LedgerRefusalCode];
type BareCode = Exclude<LedgerRefusalCode, DetailedCode>;
type Detailed = { readonly tag: BareCode } | RefusalOf<DetailedCode>;
const clausesSchema = listSchema(textSchema(120), CLAUSES_MAX);
const shareOfSlot = { slot: slotSchema, asked: energySchema, free: energySchema };
const bare = Object.fromEntries(LEDGER_REFUSALS.map((code) => [code, {}])) as Record<BareCode, Record<never, never>>;

export const ledgerRefusalSchema: Schema<LedgerRefusal> = taggedSchema<Detailed>({
  ...bare,
  insufficient_funds: { needed: moneySchema, margin: moneySchema, available: moneySchema },
  margin_in_use: { needed: moneySchema, locked: moneySchema },
  slot_curtailed: { slot: slotSchema, cap: energySchema },
  storage_exceeded: { slot: slotSchema, asked: energySchema, stored: energySchema },
  energy_out_of_range: { asked: energySchema, min: energySchema, max: energySchema },
  capacity_exceeded: shareOfSlot,
  holding_cap_exceeded: shareOfSlot,
  promise_not_held: { slot: slotSchema, asked: energySchema, held: energySchema },
  nothing_to_cover: { slot: slotSchema, asked: energySchema, sold: energySchema },
  cover_unsuitable: { slot: slotSchema, asked: energySchema, suitable: energySchema },
  bid_below_best: { best: priceSchema, leastNext: priceSchema },
  bid_below_base: { base: priceSchema },
  gate_closed: { slot: slotSchema, gateMs: instantSchema },
  reports_missing: { needed: countSchema, reported: countSchema },
  votes_missing: { needed: countSchema, cast: countSchema },
  contract_violated: { clauses: clausesSchema },
  counterparty_refused: { party: keySchema, reason: oneOfSchema(LEDGER_REFUSALS), clauses: clausesSchema },
  state_conflict: { spent: listSchema(recordSchema({ ref: textSchema(80), consumedBy: hashSchema }), SPENT_MAX) },
});

/** The body of an answer in which the ledger refuses. */
export type LedgerRefused = { readonly refusal: LedgerRefusal };
export const ledgerRefusedSchema: Schema<LedgerRefused> = recordSchema<LedgerRefused>({ refusal: ledgerRefusalSchema });
