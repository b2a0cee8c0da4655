/** What clients may ask of a node over HTTP: the same as in process, each request signed by a key that may. */
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import type { MarketplaceFeed } from "#contracts";
import type { Clock, PublicKey } from "#core";
import { API_PATHS, healthSchema, type NodeStatus } from "#ledger-api";
import { AskedParties } from "./asked-parties.ts";
import { Authentication, takeBodiesAsBytes } from "./authentication.ts";
import { EventStreams, type EventStreamsOptions } from "./event-streams.ts";
import { type NonceStore, Nonces } from "./nonces.ts";
import { describeRoutes } from "./open-api.ts";
import { PoolRoundHistory } from "./pool-round-history.ts";
import { errorHandler } from "./problems.ts";
import { compilers, type RouteContext, refuseOtherMethods, watchRoutes } from "./route.ts";
import { commandRoutes } from "./routes-commands.ts";
import { eventRoute, poolRoundRoute } from "./routes-listening.ts";
import { principalRoutes } from "./routes-principal.ts";
import { readingRoutes } from "./routes-reading.ts";
import type { ServedLedger, ServedMember } from "./served-ledger.ts";

export type ClientServerOptions = {
  readonly networkId: string;
  readonly party: PublicKey;
  readonly clock: Clock;
  /** Remembers requests across restarts. */
  readonly nonces: NonceStore;
  /** How many reads of the last minutes are remembered, so that none counts twice; 50,000 by default. */
  readonly readsMax?: number;
  /** Keys that may do everything, besides the party's own. */
  readonly owners: readonly PublicKey[];
  /** Keys that may read all transactions. */
  readonly auditors: readonly PublicKey[];
  readonly status: () => NodeStatus;
  /** Left out by processes without a ledger, such as a notary's: they show their status only. */
  readonly ledger?: ServedLedger;
  /** Of an aggregator: the members that it serves now, each by its key. */
  readonly members?: (member: PublicKey) => ServedMember | undefined;
  /** A marketplace's rounds. */
  readonly feed?: MarketplaceFeed;
  /** Serves pages that explain the interface at /docs; costs a few megabytes. */
  readonly docs?: boolean;
  readonly streams: Omit<EventStreamsOptions, "onFault">;
  /** Told of faults of the node itself; what clients do wrong is not among them. */
  readonly onFault: (error: unknown) => void;
};

/** Adds the interface to an app, before it listens. */
export async function serveClients(app: FastifyInstance, options: ClientServerOptions): Promise<void> {
  const { clock, networkId, onFault } = options;
  const streams = new EventStreams({ ...options.streams, onFault });
  const nonces = new Nonces(clock, options.nonces, options.readsMax);
  const authentication = new Authentication(networkId, new AskedParties(options), nonces);
  const serve: FastifyPluginAsync = async (scope) => {
    scope.setErrorHandler(errorHandler(onFault));
    scope.setValidatorCompiler(compilers.validator);
    scope.setSerializerCompiler(compilers.serializer);
    takeBodiesAsBytes(scope);
    watchRoutes(scope);
    await describeRoutes(scope, options.docs === true);
    routes({ scope, streams, authentication }, options);
    refuseOtherMethods(scope);
    scope.addHook("preClose", async () => streams.close());
  };
  await app.register(serve);
}

function routes(context: RouteContext, options: ClientServerOptions): void {
  const { ledger, feed, clock, onFault } = options;
  context.scope.get(
    API_PATHS.health,
    {
      schema: {
        summary: "Whether the node answers. Open to everybody.",
        tags: ["node"],
        response: { 200: healthSchema },
      },
    },
    () => ({ status: "ok" as const }),
  );
  readingRoutes(context, { hasLedger: ledger !== undefined, feed, onFault });
  if (ledger !== undefined) {
    commandRoutes(context);
    principalRoutes(context);
    eventRoute(context);
  }
  if (feed !== undefined) poolRoundRoute(context, new PoolRoundHistory(feed, clock.nowMs()));
}
