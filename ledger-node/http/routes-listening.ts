/** Live events. A listener names the last event that it was told, and misses none. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { API_PATHS, eventStreamSchema, type ListeningQuery, listeningQuerySchema, SSE_CONTENT_TYPE } from "#ledger-api";
import type { Permission } from "./access.ts";
import type { LiveSource } from "./live-source.ts";
import { RequestRefused } from "./problems.ts";
import { REFUSED, type RouteContext, SIGNED } from "./route.ts";

type ListeningRoute = {
  readonly url: string;
  readonly permission: Permission;
  readonly summary: string;
  readonly tag: string;
};

export function eventRoute(context: RouteContext): void {
  listeningRoute(context, (request) => context.authentication.ledgerOf(request).events, {
    url: API_PATHS.events,
    permission: "act",
    summary: "What the node stores, as it stores it. For owners and delegates.",
    tag: "ledger",
  });
}

export function poolRoundRoute(context: RouteContext, rounds: LiveSource): void {
  listeningRoute(context, () => rounds, {
    url: API_PATHS.poolRoundEvents,
    permission: "market",
    summary: "Rounds of the marketplace's pools, as they are cleared. For every key.",
    tag: "marketplace",
  });
}

function listeningRoute(
  context: RouteContext,
  sourceOf: (request: FastifyRequest) => LiveSource,
  route: ListeningRoute,
): void {
  const { scope, authentication, streams } = context;
  scope.get<{ Querystring: ListeningQuery }>(
    route.url,
    {
      ...authentication.guard(route.permission, false),
      schema: {
        summary: route.summary,
        description:
          "The first event is `ready`: from its id on, nothing is missed. A listener that comes back names the last id " +
          "that it was told, in the header Last-Event-ID or as `after`; without, it is told of what is new.",
        tags: [route.tag],
        security: SIGNED,
        querystring: listeningQuerySchema,
        response: {
          200: { description: "Events", content: { [SSE_CONTENT_TYPE]: { schema: eventStreamSchema } } },
          ...REFUSED,
        },
      },
    },
    (request, reply) => {
      const source = sourceOf(request);
      const from = startOf(request, source);
      if (streams.isFull) throw new RequestRefused("listeners_exhausted");
      const key = authentication.keyOf(request);
      const { access } = authentication.partyOf(request);
      listen(reply, (response) => streams.start(response, source, from, () => access.may(key, route.permission)));
    },
  );
}

function listen(reply: FastifyReply, start: (response: FastifyReply["raw"]) => void): void {
  reply.hijack();
  start(reply.raw);
}

/** The header tells more than the query: a browser repeats its first address with a newer header. */
function startOf(request: FastifyRequest<{ Querystring: ListeningQuery }>, source: LiveSource): string {
  const header = request.headers["last-event-id"];
  const asked = (typeof header === "string" ? header : undefined) ?? request.query.after;
  if (asked === undefined) return source.newest();
  if (!source.knows(asked)) throw new RequestRefused("events_unknown");
  return asked;
}
