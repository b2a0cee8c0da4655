/** All clauses together: unique names, each tested alone, and a verdict on whatever is thrown at them. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clauseNames, contractViolations, type ResolvedState, type State } from "#contracts";
import { arbState, arbTransaction, keyOf, NEXT_SLOT, PARAMETERS, SLOT, VALID } from "#testkit";

const flows = Object.entries(VALID);
const namesOf = (flow: string): readonly string[] =>
  clauseNames((VALID[flow as keyof typeof VALID] ?? VALID.genesis)().resolved());
const allNames = new Set(flows.flatMap(([flow]) => namesOf(flow)));
/** Names that every flow has, and those that every flow which moves positions has. */
const common = namesOf("genesis").filter((name) => flows.every(([flow]) => namesOf(flow).includes(name)));
const exposure = namesOf("bid").filter((name) => name.startsWith("exposure_") || name === "holding_cap_kept");

/** Names in `failsWith("…")` of the tests beside the clauses. */
function testedNames(): { readonly files: number; readonly names: ReadonlySet<string> } {
  const folder = new URL("./clauses/", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  const sources = files.map((name) => readFileSync(new URL(name, folder), "utf8"));
  const names = sources.flatMap((source) =>
    [...source.matchAll(/\.failsWith\(\s*"([a-z_]+)",?\s*\)/g)].map((match) => match[1] ?? ""),
  );
  return { files: files.length, names: new Set(names) };
}

describe("names", () => {
  test("a flow has each of its clauses once", () => {
    for (const [flow] of flows) expect(namesOf(flow), flow).toEqual([...new Set(namesOf(flow))]);
  });

  test("flows share the clauses of all transactions and those of exposure, and no others", () => {
    const uses = new Map<string, number>();
    for (const [flow] of flows) for (const name of namesOf(flow)) uses.set(name, (uses.get(name) ?? 0) + 1);
    const shared = [...uses].filter(([, count]) => count > 1).map(([name]) => name);
    expect(shared.sort()).toEqual([...common, ...exposure].sort());
    expect(exposure.length).toBe(7);
  });

  test("are words with underscores between", () => {
    expect([...allNames].filter((name) => !/^[a-z]+(_[a-z]+)+$/.test(name))).toEqual([]);
  });

  test("every clause has a test in which it fails alone, and every such test names a clause", () => {
    const tested = testedNames();
    expect(tested.files).toBeGreaterThanOrEqual(7); // A search that reads nothing finds nothing missing.
    expect(tested.names.size).toBeGreaterThan(150);
    expect(
      [...allNames].filter((name) => !tested.names.has(name)),
      "clauses that no test spoils alone",
    ).toEqual([]);
    expect(
      [...tested.names].filter((name) => !allNames.has(name)),
      "tests of clauses that do not exist",
    ).toEqual([]);
  });
});

describe("every valid example", () => {
  test.each(flows)("%s verifies", (_flow, make) => {
    make().verifies();
  });

  test.each(flows)("%s needs each of its signers but those that count as one of several", (_flow, make) => {
    const { content } = make().resolved();
    for (const signer of content.signers) {
      const resolved = {
        ...make().resolved(),
        content: { ...content, signers: content.signers.filter((each) => each !== signer) },
      };
      expect(contractViolations(resolved)).not.toEqual([]);
    }
  });

  /** Flows whose outputs are the choice of those who sign. */
  const FREE = ["issue-funds", "report-meters", "record-meters", "vote-standing"];
  test.each(flows.filter(([flow]) => !FREE.includes(flow)))("%s leaves out none of its outputs", (_flow, make) => {
    const { content, inputs, references } = make().resolved();
    for (const [index] of content.outputs.entries()) {
      const outputs = content.outputs.filter((_, other) => other !== index);
      expect(contractViolations({ content: { ...content, outputs }, inputs, references })).not.toEqual([]);
    }
  });

  test.each(flows.filter(([flow]) => !FREE.includes(flow)))("%s makes none of its outputs twice", (_flow, make) => {
    const { content, inputs, references } = make().resolved();
    for (const output of content.outputs) {
      const outputs = [...content.outputs, output];
      expect(contractViolations({ content: { ...content, outputs }, inputs, references })).not.toEqual([]);
    }
  });
});

describe("what the clauses leave to choice", () => {
  /** Fields of outputs that those who sign may choose; every other field of every output follows from the rest. */
  const CHOICES = [
    "create-promises power-promise.promiseId",
    "create-auction auction.basePrice",
    "create-auction auction.deadlineMs",
    "place-orders pool-order.orderId",
    "place-orders pool-order.limit",
    "place-orders pool-order.sequence",
    "place-orders pool-order.requires",
    "redeem-funds redemption.redemptionId",
    "redeem-funds redemption.account",
    "vote-standing standing-vote.standing",
    "vote-standing standing-vote.expiresMs",
    "raise-dispute dispute.evidence",
    "raise-dispute dispute.produced",
    "raise-dispute dispute.consumed",
    "vote-dispute dispute-vote.produced",
    "vote-dispute dispute-vote.consumed",
  ];
  /** Flows in which the grid authority, the provider or the principal states facts. */
  const STATEMENTS = [
    "genesis",
    "join",
    "amend-member",
    "move-member",
    "amend-parameters",
    "issue-funds",
    "grant-mandate",
    "report-meters",
    "record-meters",
    "publish-tariff",
  ];
  const trading = flows.filter(([flow]) => !STATEMENTS.includes(flow));

  function others(value: unknown): readonly unknown[] {
    if (typeof value === "bigint") return [value + 1n, value - 1n];
    if (typeof value === "number") return [value + 1];
    if (value === null) return [0n, keyOf("mallory"), { kind: "order", id: "other" }];
    if (typeof value !== "string") return [];
    if (/^[0-9a-f]{64}$/.test(value)) return [keyOf("mallory")];
    return value === NEXT_SLOT ? [SLOT] : [value.endsWith("Z/PT15M") ? NEXT_SLOT : "other"];
  }

  test("changing any other field of any output is refused", () => {
    const accepted = new Set<string>();
    let changes = 0;
    for (const [flow, make] of trading) {
      const { content, inputs, references } = make().resolved();
      for (const [index, output] of content.outputs.entries()) {
        for (const [field, value] of Object.entries(output)) {
          for (const other of field === "tag" ? [] : others(value)) {
            const outputs = content.outputs.map((each, at) =>
              at === index ? ({ ...each, [field]: other } as State) : each,
            );
            const violated = contractViolations({ content: { ...content, outputs }, inputs, references });
            if (violated.length === 0) accepted.add(`${flow} ${output.tag}.${field}`);
            changes++;
          }
        }
      }
    }
    expect(changes).toBeGreaterThan(300);
    expect([...accepted].sort()).toEqual([...CHOICES].sort());
  });
});

describe("whatever comes", () => {
  const arbResolved = fc
    .tuple(arbTransaction, fc.array(arbState, { minLength: 7, maxLength: 7 }), fc.boolean())
    .map(([content, states, citesParameters]) => {
      const at = (ref: ResolvedState["ref"], index: number): ResolvedState => ({
        ref,
        state: states[index] ?? PARAMETERS,
        notary: content.notary,
      });
      const inputs = content.inputs.map(at);
      const references = content.references.map((ref, index) =>
        citesParameters && index === 0 ? { ...at(ref, 0), state: PARAMETERS } : at(ref, index),
      );
      return { content, inputs, references };
    });

  test("contracts give a verdict and never throw", () => {
    fc.assert(
      fc.property(arbResolved, (resolved) => {
        expect(Array.isArray(contractViolations(resolved))).toBe(true);
      }),
      { numRuns: 800 },
    );
  });

  /** One number of a state moved to an edge of its range. */
  function atEdge(state: State, field: number, edge: bigint): State {
    const names = Object.entries(state).flatMap(([name, value]) => (typeof value === "bigint" ? [name] : []));
    const name = names[field % Math.max(1, names.length)];
    return name === undefined ? state : { ...state, [name]: edge };
  }

  test("contracts give a verdict on a valid transaction with a number at the edge of its range", () => {
    const arbFlow = fc.constantFrom(...flows).map(([, make]) => make().resolved());
    const arbEdge = fc.constantFrom(0n, 1n, 2n ** 63n - 1n, -(2n ** 63n) + 1n);
    fc.assert(
      fc.property(
        arbFlow,
        fc.nat(),
        fc.nat(),
        arbEdge,
        fc.boolean(),
        ({ content, inputs, references }, position, field, edge, isInput) => {
          const outputs = content.outputs.map((each, other) =>
            !isInput && other === position % content.outputs.length ? atEdge(each, field, edge) : each,
          );
          const spent = inputs.map((each, other) =>
            isInput && other === position % inputs.length ? { ...each, state: atEdge(each.state, field, edge) } : each,
          );
          const violated = contractViolations({ content: { ...content, outputs }, inputs: spent, references });
          expect(Array.isArray(violated)).toBe(true);
        },
      ),
      { numRuns: 800 },
    );
  });
});
