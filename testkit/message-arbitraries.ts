/** fast-check arbitraries for what nodes ask and answer: all messages, and all refusals with what they say. */
import fc from "fast-check";
import {
  buildTransaction,
  type Dependency,
  HEADS_MAX,
  LEDGER_REFUSALS,
  type LedgerRefusal,
  type LedgerRefusalCode,
  type NotarySignature,
  type PeerReply,
  type PeerRequest,
  tearOff,
} from "#contracts";
import {
  arbDay,
  arbEnergy,
  arbHash,
  arbKey,
  arbMoney,
  arbPrice,
  arbSlot,
  arbStateOf,
  arbTransaction,
} from "./arbitraries.ts";

type TaggedArbitraries<M extends { readonly tag: string }> = {
  readonly [T in M["tag"]]: fc.Arbitrary<Omit<Extract<M, { readonly tag: T }>, "tag">>;
};

const arbBytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const arbId = fc.string({ unit: "grapheme-ascii", maxLength: 120 });
const arbPayload = fc.uint8Array({ minLength: 1, maxLength: 200 });
const arbNotarySignature: fc.Arbitrary<NotarySignature> = fc.record({
  by: arbKey,
  signature: arbBytes(64),
  position: fc.nat({ max: 4_095 }),
  path: fc.array(arbBytes(32), { maxLength: 12 }),
  batchSize: fc.integer({ min: 1, max: 4_096 }),
});
/** Proofs of states, several of which may be of one transaction, in any order. */
const arbDependencies: fc.Arbitrary<readonly Dependency[]> = fc
  .array(
    fc.record({
      content: arbTransaction,
      state: arbStateOf("funds"),
      salt: arbBytes(32),
      signatures: fc.array(arbNotarySignature, { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 3 },
  )
  .chain((proved) => {
    const all = proved.flatMap(({ content, state, salt, signatures }) => {
      const transaction = buildTransaction({ ...content, outputs: [...content.outputs, state] }, salt);
      return transaction.content.outputs.flatMap((_, index) =>
        signatures.map((notarySignature) => ({
          ref: { txId: transaction.id, index },
          tearOff: tearOff(transaction, [index]),
          notarySignature,
        })),
      );
    });
    return fc.shuffledSubarray(all);
  });
const arbDependency = arbDependencies.filter((all) => all.length > 0).map(([first]) => first as Dependency);
const arbClauses = fc.array(arbId, { maxLength: 4 });
const share = { slot: arbSlot, asked: arbEnergy };

const DETAILS = {
  insufficient_funds: fc.record({ needed: arbMoney, margin: arbMoney, available: arbMoney }),
  margin_in_use: fc.record({ needed: arbMoney, locked: arbMoney }),
  slot_curtailed: fc.record({ slot: arbSlot, cap: arbEnergy }),
  storage_exceeded: fc.record({ slot: arbSlot, asked: arbEnergy, stored: arbEnergy }),
  energy_out_of_range: fc.record({ asked: arbEnergy, min: arbEnergy, max: arbEnergy }),
  capacity_exceeded: fc.record({ ...share, free: arbEnergy }),
  holding_cap_exceeded: fc.record({ ...share, free: arbEnergy }),
  promise_not_held: fc.record({ ...share, held: arbEnergy }),
  nothing_to_cover: fc.record({ ...share, sold: arbEnergy }),
  cover_unsuitable: fc.record({ ...share, suitable: arbEnergy }),
  bid_below_best: fc.record({ best: arbPrice, leastNext: arbPrice }),
  bid_below_base: fc.record({ base: arbPrice }),
  gate_closed: fc.record({ slot: arbSlot, gateMs: fc.nat() }),
  reports_missing: fc.record({ needed: fc.nat({ max: 64 }), reported: fc.nat({ max: 64 }) }),
  votes_missing: fc.record({ needed: fc.nat({ max: 64 }), cast: fc.nat({ max: 64 }) }),
  contract_violated: fc.record({ clauses: arbClauses }),
  counterparty_refused: fc.record({
    party: arbKey,
    reason: fc.constantFrom(...LEDGER_REFUSALS),
    clauses: arbClauses,
  }),
  state_conflict: fc.record({
    spent: fc.array(fc.record({ ref: arbHash.map((txId) => `${txId}:4095`), consumedBy: arbHash }), { maxLength: 4 }),
  }),
};

export function arbLedgerRefusalOf(tag: LedgerRefusalCode): fc.Arbitrary<LedgerRefusal> {
  const details = (DETAILS as Partial<Record<LedgerRefusalCode, fc.Arbitrary<object>>>)[tag] ?? fc.constant({});
  return details.map((fields) => ({ tag, ...fields }) as LedgerRefusal);
}

const arbRefs = fc.array(fc.record({ txId: arbHash, index: fc.nat({ max: 4_095 }) }), { maxLength: 5 });
const REQUESTS: TaggedArbitraries<PeerRequest> = {
  sign: fc.record({ transaction: arbPayload }),
  resolve: fc.record({ txId: arbHash, refs: arbRefs }),
  notarise: fc.record({ transaction: arbPayload }),
  final: fc.record({ transaction: arbPayload }),
  notice: fc.record({ notice: arbPayload }),
  introduce: fc.record({ dependencies: arbDependencies }),
  position: fc.record({ member: arbKey, day: arbDay }),
  "bid-of": fc.record({ auctionId: arbId }),
  auctioned: fc.record({ auctionId: arbId }),
  "certificates-of": fc.record({ agency: arbKey, supplier: arbKey, slot: arbSlot }),
  fund: fc.record({ flowId: arbId, amount: arbMoney }),
  sequence: fc.record({ count: fc.integer({ min: 1, max: 10_000 }) }),
  heads: fc.record({
    notary: arbKey,
    before: fc.option(fc.maxSafeNat()),
    limit: fc.integer({ min: 1, max: HEADS_MAX }),
  }),
};
const REPLIES: TaggedArbitraries<PeerReply> = {
  signed: fc.record({ signature: fc.record({ by: arbKey, signature: arbBytes(64) }) }),
  resolved: fc.record({ dependencies: arbDependencies }),
  notarised: fc.record({ signature: arbNotarySignature }),
  stored: fc.constant({}),
  position: fc.record({
    exposure: fc.option(arbDependency, { nil: null }),
    index: fc.option(arbDependency, { nil: null }),
  }),
  proved: fc.record({ dependencies: arbDependencies }),
  sequence: fc.record({ first: fc.maxSafeNat() }),
  heads: fc.record({
    heads: fc.array(fc.record({ txId: arbHash, notarySignature: arbNotarySignature }), { maxLength: 4 }),
    next: fc.option(fc.maxSafeNat()),
  }),
  refused: fc.record({ refusal: fc.oneof(...LEDGER_REFUSALS.map(arbLedgerRefusalOf)) }),
};

export const PEER_REQUEST_TAGS: readonly PeerRequest["tag"][] = Object.keys(REQUESTS) as PeerRequest["tag"][];
export const PEER_REPLY_TAGS: readonly PeerReply["tag"][] = Object.keys(REPLIES) as PeerReply["tag"][];

export function arbPeerRequestOf(tag: PeerRequest["tag"]): fc.Arbitrary<PeerRequest> {
  return (REQUESTS[tag] as fc.Arbitrary<object>).map((fields) => ({ tag, ...fields }) as PeerRequest);
}

export function arbPeerReplyOf(tag: PeerReply["tag"]): fc.Arbitrary<PeerReply> {
  return (REPLIES[tag] as fc.Arbitrary<object>).map((fields) => ({ tag, ...fields }) as PeerReply);
}

export const arbPeerRequest: fc.Arbitrary<PeerRequest> = fc.oneof(...PEER_REQUEST_TAGS.map(arbPeerRequestOf));
export const arbPeerReply: fc.Arbitrary<PeerReply> = fc.oneof(...PEER_REPLY_TAGS.map(arbPeerReplyOf));
