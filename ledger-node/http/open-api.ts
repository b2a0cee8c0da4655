/** The OpenAPI document of the interface, made from the schemas that requests are checked with. */
import fastifySwagger from "@fastify/swagger";
import type { FastifyInstance, FastifySchema } from "fastify";
import { z } from "zod";
import { API_PATHS } from "#ledger-api";

const VERSION = "1.0.0";
const REQUEST_PARTS = ["body", "querystring", "params"] as const;

/** Describes the routes that are added to the scope after this. @param withPages - Also serves pages that show it. */
export async function describeRoutes(scope: FastifyInstance, withPages: boolean): Promise<void> {
  await scope.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "DREAM ledger node",
        version: VERSION,
        description:
          "What clients may ask of a ledger node. Every request but those for health and this document is signed; see the " +
          "security scheme. Energy, money and prices are whole numbers as decimal strings.",
      },
      components: { securitySchemes: { dream: SECURITY_SCHEME } },
    },
    transform: ({ schema, url }) => ({ schema: documented(schema), url }),
  });
  scope.get(API_PATHS.openApi, { schema: { hide: true } }, () => scope.swagger());
  if (withPages) {
    const { default: pages } = await import("@fastify/swagger-ui");
    await scope.register(pages, { routePrefix: API_PATHS.docs });
  }
}

const SECURITY_SCHEME = {
  type: "http" as const,
  scheme: "dream",
  description:
    "`Authorization: Dream network=…, node=…, key=…, issued=…, nonce=…, body=…, signature=…`: the network's id, percent-encoded; " +
    "the node's party and the signer's key, in hexadecimal; the instant in milliseconds UTC; 16 random bytes as base64url; the " +
    "SHA-256 of the body in hexadecimal; and the Ed25519 signature as base64url over the canonical CBOR list of " +
    '"dream/client-request", network, node, key, method, path with query, body hash, instant and nonce.',
};

/** A route's schema with JSON Schemas in place of zod's: of what travels, which is the input of decoding. */
function documented(schema: FastifySchema | undefined): FastifySchema {
  if (schema === undefined) return { hide: true };
  const { body, querystring, params, response, ...rest } = schema;
  const parts = { body, querystring, params };
  const out: Record<string, unknown> = { ...rest };
  for (const part of REQUEST_PARTS) if (parts[part] !== undefined) out[part] = jsonSchemaOf(parts[part]);
  if (response !== undefined) out["response"] = responses(response as Readonly<Record<string, unknown>>);
  return out;
}

function responses(of: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(of).map(([status, schema]) => [status, isZod(schema) ? jsonSchemaOf(schema) : withContent(schema)]),
  );
}

/** An answer that is no JSON: it says what it is of each content type. */
function withContent(schema: unknown): unknown {
  const { content, ...rest } = schema as { readonly content: Readonly<Record<string, { readonly schema: unknown }>> };
  const documentedContent = Object.entries(content).map(([type, of]) => [type, { schema: jsonSchemaOf(of.schema) }]);
  return { ...rest, content: Object.fromEntries(documentedContent) };
}

function isZod(schema: unknown): schema is z.ZodType {
  return schema instanceof z.ZodType;
}

function jsonSchemaOf(schema: unknown): unknown {
  if (!isZod(schema)) return schema;
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return json;
}
