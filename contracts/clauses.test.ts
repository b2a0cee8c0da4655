/** All clauses together: unique names, each tested alone, and a verdict on whatever is thrown at them. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clauseNames, contractViolations, type ResolvedState } from "#contracts";
import { arbState, arbTransaction, PARAMETERS, VALID } from "#testkit";

const flows = Object.entries(VALID);
const namesOf = (flow: string): readonly string[] => clauseNames((VALID[flow as keyof typeof VALID] ?? VALID.genesis)().resolved());
const allNames = new Set(flows.flatMap(([flow]) => namesOf(flow)));
/** Names that every flow has, and those that every flow which moves positions has. */
const common = namesOf("genesis").filter((name) => flows.every(([flow]) => namesOf(flow).includes(name)));
const exposure = namesOf("bid").filter((name) => name.startsWith("exposure_") || name === "holding_cap_kept");

/** Names in `failsWith("…")` of the tests beside the clauses. */
function testedNames(): { readonly files: number; readonly names: ReadonlySet<string> } {
  const folder = new URL("./clauses/", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  const sources = files.map((name) => readFileSync(new URL(name, folder), "utf8"));
  const names = sources.flatMap((source) => [...source.matchAll(/\.failsWith\(\s*"([a-z_]+)",?\s*\)/g)].map((match) => match[1] ?? ""));
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
    expect(exposure.length).toBe(6);
  });

  test("are words with underscores between", () => {
    expect([...allNames].filter((name) => !/^[a-z]+(_[a-z]+)+$/.test(name))).toEqual([]);
  });

  test("every clause has a test in which it fails alone, and every such test names a clause", () => {
    const tested = testedNames();
    expect(tested.files).toBeGreaterThanOrEqual(7); // A search that reads nothing finds nothing missing.
    expect(tested.names.size).toBeGreaterThan(150);
    expect([...allNames].filter((name) => !tested.names.has(name)), "clauses that no test spoils alone").toEqual([]);
    expect([...tested.names].filter((name) => !allNames.has(name)), "tests of clauses that do not exist").toEqual([]);
  });
});

describe("every valid example", () => {
  test.each(flows)("%s verifies", (_flow, make) => {
    make().verifies();
  });

  test.each(flows)("%s needs each of its signers but those that count as one of several", (_flow, make) => {
    const { content } = make().resolved();
    for (const signer of content.signers) {
      const resolved = { ...make().resolved(), content: { ...content, signers: content.signers.filter((each) => each !== signer) } };
      expect(contractViolations(resolved)).not.toEqual([]);
    }
  });

  test.each(flows)("%s loses nothing and nobody without being refused", (flow, make) => {
    // References that are cited without need would do no harm; outputs and inputs must all be accounted for.
    const { content, inputs, references } = make().resolved();
    for (const [index] of content.outputs.entries()) {
      const outputs = content.outputs.filter((_, other) => other !== index);
      const isFree = ["issue-funds", "redeem-funds", "record-meters", "grant-mandate", "publish-tariff"].includes(flow);
      if (!isFree || outputs.length === 0) expect(contractViolations({ content: { ...content, outputs }, inputs, references })).not.toEqual([]);
    }
  });
});

describe("whatever comes", () => {
  const arbResolved = fc
    .tuple(arbTransaction, fc.array(arbState, { minLength: 7, maxLength: 7 }), fc.boolean())
    .map(([content, states, citesParameters]) => {
      const at = (ref: ResolvedState["ref"], index: number): ResolvedState => ({ ref, state: states[index] ?? PARAMETERS, notary: content.notary });
      const inputs = content.inputs.map(at);
      const references = content.references.map((ref, index) => (citesParameters && index === 0 ? { ...at(ref, 0), state: PARAMETERS } : at(ref, index)));
      return { content, inputs, references };
    });

  test("contracts give a verdict and never throw", () => {
    fc.assert(
      fc.property(arbResolved, (resolved) => {
        expect(Array.isArray(contractViolations(resolved))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test("contracts give a verdict on a valid transaction in which one state is replaced by any other of its kind or none", () => {
    const arbSpoiled = fc.constantFrom(...flows).chain(([, make]) => {
      const resolved = make().resolved();
      return fc.tuple(fc.constant(resolved), fc.nat(), arbState);
    });
    fc.assert(
      fc.property(arbSpoiled, ([{ content, inputs, references }, position, state]) => {
        const index = position % Math.max(1, content.outputs.length);
        const outputs = content.outputs.map((each, other) => (other === index ? state : each));
        expect(Array.isArray(contractViolations({ content: { ...content, outputs }, inputs, references }))).toBe(true);
        const spent = inputs.map((each, other) => (other === position % inputs.length ? { ...each, state } : each));
        expect(Array.isArray(contractViolations({ content, inputs: spent, references }))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
