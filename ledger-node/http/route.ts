/** What all routes share: zod as validator and serializer, answers for every refusal, and 405 for methods that a path has not. */
import type { FastifyInstance, FastifyReply, FastifySchema, HTTPMethods, RouteOptions } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import type { LedgerRefusal } from "#contracts";
import type { Result } from "#core";
import {
  type ApiRefusal,
  apiRefusalSchema,
  decodeValue,
  emptySchema,
  LEDGER_REFUSED_STATUS,
  type LedgerRefused,
  ledgerRefusedSchema,
  type RequestIssue,
  type Schema,
} from "#ledger-api";
import type { Authentication } from "./authentication.ts";
import type { EventStreams } from "./event-streams.ts";
import { RequestRefused, sendRefusal } from "./problems.ts";

export type RouteContext = {
  readonly scope: FastifyInstance;
  readonly streams: EventStreams;
  readonly authentication: Authentication;
};

/** Where Fastify finds the parts of a request, and how their issues name them. */
const PART_NAMES: Readonly<Record<string, string>> = {
  body: "body",
  querystring: "query",
  params: "path",
  headers: "headers",
};

type Compiler<R> = (route: {
  readonly schema: unknown;
  readonly httpPart?: string | undefined;
}) => (data: unknown) => R;

const validator: Compiler<{ readonly value: unknown } | { readonly error: Error }> = ({ schema, httpPart = "" }) => {
  const part = PART_NAMES[httpPart] ?? httpPart;
  return (data) => {
    const decoded = decodeValue(schema as Schema<unknown>, data);
    if (decoded.ok) return { value: decoded.value };
    return {
      error: new RequestRefused(
        "request_malformed",
        decoded.error.map((issue) => within(part, issue)),
      ),
    };
  };
};

export const compilers: {
  readonly validator: Compiler<{ readonly value: unknown } | { readonly error: Error }>;
  readonly serializer: typeof serializerCompiler;
} = { validator, serializer: serializerCompiler };

function within(part: string, { path, mend }: RequestIssue): RequestIssue {
  return { path: path === "" ? part : `${part}.${path}`, mend };
}

type Answers = Readonly<Record<string, Schema<ApiRefusal> | Schema<LedgerRefused>>>;

/** Answers of a route whose request may be refused. */
export const REFUSED: Answers = { "4xx": apiRefusalSchema, "5xx": apiRefusalSchema };
/** Answers of a route that the ledger may refuse. */
export const LEDGER_REFUSED: Answers = { ...REFUSED, [LEDGER_REFUSED_STATUS]: ledgerRefusedSchema };
/** How the document says that a request must be signed. */
export const SIGNED: NonNullable<FastifySchema["security"]> = [{ dream: [] }];

export function answer<T>(reply: FastifyReply, result: Result<T, LedgerRefusal>): FastifyReply {
  return result.ok ? reply.send(result.value) : reply.code(LEDGER_REFUSED_STATUS).send({ refusal: result.error });
}

const routesOf = new WeakMap<FastifyInstance, Map<string, Set<string>>>();

/** Notes which methods a scope's paths have; to be called before the first route. */
export function watchRoutes(scope: FastifyInstance): void {
  const methods = new Map<string, Set<string>>();
  routesOf.set(scope, methods);
  scope.addHook("onRoute", (route: RouteOptions) => {
    const { url, method } = route;
    // What a route does not name in its query is refused, as in its body.
    if (route.schema !== undefined && !isHidden(route.schema)) route.schema.querystring ??= emptySchema;
    const known = methods.get(url) ?? new Set();
    for (const each of [method].flat()) known.add(each);
    methods.set(url, known);
  });
}

function isHidden(schema: FastifySchema): boolean {
  return "hide" in schema && schema.hide === true;
}

/** Answers 405 for each method that a path has not; to be called after the last route. */
export function refuseOtherMethods(scope: FastifyInstance): void {
  for (const [url, known] of routesOf.get(scope) ?? []) {
    const allowed = [...known].sort().join(", ");
    scope.route({
      url,
      method: scope.supportedMethods.filter((method) => !known.has(method)) as HTTPMethods[],
      schema: { hide: true },
      onRequest: async (_request, reply) => sendRefusal(reply.header("allow", allowed), "method_not_allowed"),
      handler: (_request, reply) => reply,
    });
  }
}
