/** The OpenAPI document: sound in itself, and complete. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { API_PATHS } from "#ledger-api";
import { ServedNode, SmallNetwork } from "#testkit";

type Json = Readonly<Record<string, unknown>>;
let small: SmallNetwork;
let served: ServedNode;
let document: Json;

beforeAll(async () => {
  small = await SmallNetwork.found();
  const feed = { rounds: () => [], listen: () => () => undefined };
  served = await ServedNode.start(small, "marketplace", { docs: true, feed });
  const answer = await served.send(small.signer("marketplace"), "GET", API_PATHS.openApi, { authorization: null });
  document = answer.json as Json;
});
afterAll(async () => {
  await served.close();
  small.close();
});

function operations(): readonly (readonly [string, Json])[] {
  return Object.entries(document["paths"] as Record<string, Json>).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation as Json] as const,
    ),
  );
}

/** Every object and list within a value. */
function* within(value: unknown): Iterable<Json> {
  if (typeof value !== "object" || value === null) return;
  yield value as Json;
  for (const inner of Object.values(value)) yield* within(inner);
}

describe("the document", () => {
  test("is OpenAPI 3.1 with every route, and no other", () => {
    expect(document["openapi"]).toBe("3.1.0");
    expect(document["info"]).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual([
      "DELETE /v1/proposals/{proposalId}",
      "GET /health",
      "GET /v1/events",
      "GET /v1/export",
      "GET /v1/pool-rounds",
      "GET /v1/pool-rounds/events",
      "GET /v1/states/{tag}",
      "GET /v1/status",
      "GET /v1/transactions",
      "POST /v1/carried",
      "POST /v1/commands",
      "POST /v1/proposals",
      "POST /v1/proposals/{proposalId}/approval",
    ]);
  });

  test("says of each route what it takes, what it answers, how it refuses and who signs", () => {
    for (const [name, operation] of operations()) {
      expect(operation["summary"], name).toEqual(expect.any(String));
      const responses = operation["responses"] as Record<string, { readonly content?: Record<string, Json> }>;
      for (const [status, response] of Object.entries(responses)) {
        const [content] = Object.values(response.content ?? {});
        expect(
          Object.keys((content?.["schema"] as Json | undefined) ?? {}).length,
          `${name} ${status}`,
        ).toBeGreaterThan(0);
      }
      expect(Object.keys(responses), name).toContain("200");
      if (name.startsWith("POST")) {
        expect(operation, name).toMatchObject({
          requestBody: { content: { "application/json": { schema: expect.any(Object) } } },
        });
      }
      for (const [, parameter] of name.matchAll(/\{(\w+)\}/g)) {
        expect(operation["parameters"], name).toContainEqual(
          expect.objectContaining({ name: parameter, in: "path", required: true, schema: expect.any(Object) }),
        );
      }
      if (name === "GET /health") continue;
      expect(operation["security"], name).toEqual([{ dream: [] }]);
      expect(Object.keys(responses), name).toEqual(expect.arrayContaining(["4XX", "5XX"]));
    }
    expect(document["components"]).toMatchObject({ securitySchemes: { dream: { type: "http", scheme: "dream" } } });
  });

  test("refers to nothing that it has not, and requires no property that is not described", () => {
    let objects = 0;
    for (const schema of within(document)) {
      expect(schema["$ref"]).toBeUndefined();
      const { required, properties } = schema;
      if (!Array.isArray(required) || properties === undefined) continue;
      objects += 1;
      for (const key of required) expect(Object.keys(properties as Json)).toContain(key);
      expect(schema["additionalProperties"]).toBe(false);
    }
    expect(objects).toBeGreaterThan(50);
  });

  test("is shown at /docs where it is configured, to everybody", async () => {
    const page = await served.send(small.signer("marketplace"), "GET", `${API_PATHS.docs}/`, { authorization: null });
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toContain("text/html");
    const plain = await ServedNode.start(small, "verifier");
    expect((await plain.send(small.signer("verifier"), "GET", API_PATHS.docs, { authorization: null })).status).toBe(
      404,
    );
    expect((await plain.send(small.signer("verifier"), "GET", API_PATHS.openApi, { authorization: null })).status).toBe(
      200,
    );
    await plain.close();
  });
});
