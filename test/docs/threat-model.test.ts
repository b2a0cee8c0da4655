/** docs/threat-model.md names clauses, refusals and tests: they exist; and every file of attacks is on the page. */
import { expect, test } from "vitest";
import { clauseNames, ENVELOPE_REFUSALS, LEDGER_REFUSALS } from "#contracts";
import { API_REFUSALS } from "#ledger-api";
import { VALID } from "#testkit";
import { filesEndingWith, textOf } from "../architecture/checkout.ts";

/** Names in backticks, with the line ends in them taken for blanks. */
const names = [...textOf("docs/threat-model.md").matchAll(/`([^`]+)`/g)].map(([, name = ""]) =>
  name.replace(/\s+/g, " "),
);

test("each clause and each refusal that the page names exists", () => {
  const codes = [...LEDGER_REFUSALS, ...ENVELOPE_REFUSALS, ...API_REFUSALS];
  const clauses = new Set<string>(Object.values(VALID).flatMap((make) => clauseNames(make().resolved())));
  const said = names.filter((name) => /^[a-z]+(_[a-z]+)+$/.test(name));
  expect(said.length).toBeGreaterThan(30);
  expect(said.filter((name) => !clauses.has(name) && !codes.some((code) => code === name))).toEqual([]);
});

test("each test that the page names exists", () => {
  const sources = [...filesEndingWith(".test.ts"), ...filesEndingWith("-conformance.ts")].map(textOf);
  const said = names.filter((name) => /\S+ \S+ \S+ \S+/.test(name));
  expect(said.length).toBeGreaterThan(12);
  expect(said.filter((name) => !sources.some((source) => source.includes(`"${name}"`)))).toEqual([]);
});

test("each file of attacks is linked from the page", () => {
  const page = textOf("docs/threat-model.md");
  const files = filesEndingWith(".test.ts").filter((file) => file.startsWith("test/attacks/"));
  expect(files.length).toBeGreaterThan(6);
  expect(files.filter((file) => !page.includes(`](../${file})`))).toEqual([]);
});
