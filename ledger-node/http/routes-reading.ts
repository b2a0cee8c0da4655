/** What a node shows: its states, its stored transactions, how it is; and what a marketplace publishes. */
import { Readable } from "node:stream";
import type { MarketplaceFeed, StateAndRef } from "#contracts";
import {
  API_PATHS,
  encodeJson,
  nodeStatusSchema,
  poolRoundListSchema,
  type StateParameters,
  stateAndRefSchema,
  stateListSchema,
  stateParametersSchema,
  TRANSACTIONS_PER_PAGE_MAX,
  type TransactionPage,
  type TransactionQuery,
  transactionPageSchema,
  transactionQuerySchema,
} from "#ledger-api";
import { REFUSED, type RouteContext, SIGNED } from "./route.ts";
import type { ServedLedger } from "./served-ledger.ts";

export type Shown = {
  readonly hasLedger: boolean;
  readonly feed: MarketplaceFeed | undefined;
  readonly onFault: (error: unknown) => void;
};

const STATES_PER_CHUNK = 100;
/** A page holds at least one transaction, and no more once it has this many bytes. */
const PAGE_BYTES_MAX = 1_048_576;
const security = SIGNED;

export function readingRoutes(context: RouteContext, { hasLedger, feed, onFault }: Shown): void {
  const { scope, authentication } = context;
  scope.get(
    API_PATHS.status,
    {
      ...authentication.guard("look", false),
      schema: {
        summary: "How the node is. For owners, delegates and auditors.",
        tags: ["node"],
        security,
        response: { 200: nodeStatusSchema, ...REFUSED },
      },
    },
    (request) => authentication.partyOf(request).status(),
  );
  if (hasLedger) ledgerRoutes(context, onFault);
  if (feed === undefined) return;
  scope.get(
    API_PATHS.poolRounds,
    {
      ...authentication.guard("market", false),
      schema: {
        summary: "All rounds of the marketplace's pools, oldest first. For every key.",
        tags: ["marketplace"],
        security,
        response: { 200: poolRoundListSchema, ...REFUSED },
      },
    },
    () => ({ rounds: feed.rounds() }),
  );
}

function ledgerRoutes({ scope, authentication }: RouteContext, onFault: Shown["onFault"]): void {
  scope.get<{ Params: StateParameters }>(
    API_PATHS.states,
    {
      ...authentication.guard("act", false),
      schema: {
        summary: "Unspent states of a kind that concern the node's party, or are public. For owners and delegates.",
        tags: ["ledger"],
        security,
        params: stateParametersSchema,
        response: { 200: stateListSchema, ...REFUSED },
      },
    },
    async (request, reply) => {
      const states = await authentication.ledgerOf(request).node.states(request.params.tag);
      const chunks = Readable.from(chunksOf(states)).on("error", onFault);
      return reply.type("application/json; charset=utf-8").send(chunks);
    },
  );

  scope.get<{ Querystring: TransactionQuery }>(
    API_PATHS.transactions,
    {
      ...authentication.guard("audit", false),
      schema: {
        summary: "Transactions and notices as they are stored, a page at a time. For owners and auditors.",
        tags: ["ledger"],
        security,
        querystring: transactionQuerySchema,
        response: { 200: transactionPageSchema, ...REFUSED },
      },
    },
    (request) => pageOf(authentication.ledgerOf(request).transactions, request.query),
  );
}

/** A marketplace's node may hold thousands of states: they are written as they are sent. */
function* chunksOf(states: readonly StateAndRef[]): Iterable<string> {
  yield '{"states":[';
  for (let from = 0; from < states.length; from += STATES_PER_CHUNK) {
    const chunk = states
      .slice(from, from + STATES_PER_CHUNK)
      .map(({ ref, state }) => encodeJson(stateAndRefSchema, { ref, state }));
    yield `${from === 0 ? "" : ","}${chunk.join(",")}`;
  }
  yield "]}";
}

function pageOf(source: ServedLedger["transactions"], query: TransactionQuery): TransactionPage {
  const { after = 0, limit = TRANSACTIONS_PER_PAGE_MAX } = query;
  const asked = Math.max(limit, 1);
  const transactions: TransactionPage["transactions"][number][] = [];
  let last = after;
  for (let bytes = 0; transactions.length < asked && bytes < PAGE_BYTES_MAX; ) {
    // One by one: a page of the greatest transactions would be too much to hold.
    const [next] = source(last, 1);
    if (next === undefined) return { transactions, next: null };
    transactions.push({ ...next, bytes: new Uint8Array(next.bytes) });
    bytes += next.bytes.length;
    last = next.sequence;
  }
  return { transactions, next: source(last, 1).length === 0 ? null : last };
}
