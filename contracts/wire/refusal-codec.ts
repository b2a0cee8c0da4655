/** How a ledger's refusal is written between nodes: its code, then its data at fixed positions. */
import {
  type Codec,
  energyCodec,
  hashCodec,
  instantMs,
  integer,
  listOf,
  moneyCodec,
  oneOf,
  priceCodec,
  publicKeyCodec,
  slotCodec,
  struct,
  text,
  variant,
} from "#core";
import { PARTIES_MAX } from "../state-codec.ts";
import { INPUTS_MAX, REFERENCES_MAX } from "../transaction.ts";
import { LEDGER_REFUSALS, type LedgerRefusal, type LedgerRefusalCode } from "./refusals.ts";

type RefusalOf<T extends LedgerRefusalCode> = Extract<LedgerRefusal, { readonly tag: T }>;
/** Codes that come with data: those that no other code shares a shape with. */
type DetailedCode = { [T in LedgerRefusalCode]: [RefusalOf<T>] extends [never] ? never : T }[LedgerRefusalCode];
/** A codec for each field of a tagged record; a field or a tag without one is a type error. */
export type FieldCodecs<M extends { readonly tag: string }> = {
  readonly [T in M["tag"]]: {
    readonly [K in Exclude<keyof Extract<M, { readonly tag: T }>, "tag">]-?: Codec<Extract<M, { readonly tag: T }>[K]>;
  };
};

/** More than there are clauses. */
const CLAUSES_MAX = 256;
/** `TRANSACTION_ID:INDEX`. */
const REF_LENGTH_MAX = 80;
const clauses = listOf(text(120), CLAUSES_MAX);
const shareOfSlot = { slot: slotCodec, asked: energyCodec, free: energyCodec };

const DETAILED = {
  insufficient_funds: { needed: moneyCodec, margin: moneyCodec, available: moneyCodec },
  margin_in_use: { needed: moneyCodec, locked: moneyCodec },
  slot_curtailed: { slot: slotCodec, cap: energyCodec },
  storage_exceeded: { slot: slotCodec, asked: energyCodec, stored: energyCodec },
  energy_out_of_range: { asked: energyCodec, min: energyCodec, max: energyCodec },
  capacity_exceeded: shareOfSlot,
  holding_cap_exceeded: shareOfSlot,
  promise_not_held: { slot: slotCodec, asked: energyCodec, held: energyCodec },
  nothing_to_cover: { slot: slotCodec, asked: energyCodec, sold: energyCodec },
  cover_unsuitable: { slot: slotCodec, asked: energyCodec, suitable: energyCodec },
  bid_below_best: { best: priceCodec, leastNext: priceCodec },
  bid_below_base: { base: priceCodec },
  gate_closed: { slot: slotCodec, gateMs: instantMs },
  reports_missing: { needed: integer(0, PARTIES_MAX), reported: integer(0, PARTIES_MAX) },
  votes_missing: { needed: integer(0, PARTIES_MAX), cast: integer(0, PARTIES_MAX) },
  contract_violated: { clauses },
  counterparty_refused: { party: publicKeyCodec, reason: oneOf(...LEDGER_REFUSALS), clauses },
  state_conflict: {
    spent: listOf(struct({ ref: text(REF_LENGTH_MAX), consumedBy: hashCodec }), INPUTS_MAX + REFERENCES_MAX),
  },
} as const satisfies FieldCodecs<RefusalOf<DetailedCode>>;

type BareCode = Exclude<LedgerRefusalCode, keyof typeof DETAILED>;
const bare = Object.fromEntries(LEDGER_REFUSALS.map((code) => [code, {}])) as Record<BareCode, Record<never, never>>;

export const ledgerRefusalCodec: Codec<LedgerRefusal> = variant({ ...bare, ...DETAILED }) as Codec<LedgerRefusal>;
