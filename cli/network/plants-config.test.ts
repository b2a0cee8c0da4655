/** What a verification agency's configuration says of plants. */
import { expect, test } from "vitest";
import { wattHours } from "#core";
import { keyOf } from "#testkit";
import { parseNodeConfig } from "./node-config.ts";
import { registeredPlants } from "./plants-config.ts";

const NODE = `name: inspector
network: { id: n, gridAuthority: "${keyOf("grid authority")}", directory: d }
key: k
certificate: c
listen: { port: 1 }
store: { file: s }
`;

test("a plant is registered as it is written, and what is left out is not claimed", () => {
  const parsed = parseNodeConfig(
    "config.yaml",
    `${NODE}plants:\n  - { supplier: "${keyOf("alice")}", source: solar, renewable: true, capacityWhPerSlot: 2000 }\n`,
  );
  const plants = registeredPlants((parsed.ok ? parsed.value.plants : undefined) ?? []);
  expect([...plants]).toEqual([
    [
      keyOf("alice"),
      { source: "solar", renewable: true, origin: null, gramsCo2PerKwh: null, capacityPerSlot: wattHours(2_000) },
    ],
  ]);
});

test.each([
  ["a source that there is not", "source: moon"],
  ["no key", "supplier: alice"],
  ["no capacity", "capacityWhPerSlot: 0"],
])("%s is refused with its line", (_what, wrong) => {
  const entry = [`supplier: "${keyOf("alice")}"`, "capacityWhPerSlot: 2000", wrong];
  const last = new Map(entry.map((text) => [text.split(":")[0], text]));
  const parsed = parseNodeConfig("config.yaml", `${NODE}plants:\n  - { ${[...last.values()].join(", ")} }\n`);
  expect(parsed).toMatchObject({ ok: false, error: [{ line: 8, key: expect.stringMatching(/^plants\.0\./) }] });
});
