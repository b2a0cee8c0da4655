/** docs/threat-model.md names clauses and tests: they exist. */
import { expect, test } from "vitest";
import { clauseNames } from "#contracts";
import { VALID } from "#testkit";
import { filesEndingWith, textOf } from "../architecture/checkout.ts";

/** Names in backticks, with the line ends in them taken for blanks. */
const names = [...textOf("docs/threat-model.md").matchAll(/`([^`]+)`/g)].map(([, name = ""]) =>
  name.replace(/\s+/g, " "),
);

test("each clause that the page names exists", () => {
  const clauses = new Set(Object.values(VALID).flatMap((make) => clauseNames(make().resolved())));
  const said = names.filter((name) => /^[a-z]+(_[a-z]+)+$/.test(name));
  expect(said.length).toBeGreaterThan(30);
  expect(said.filter((name) => !clauses.has(name))).toEqual([]);
});

test("each test that the page names exists", () => {
  const sources = [...filesEndingWith(".test.ts"), ...filesEndingWith("-conformance.ts")].map(textOf);
  const said = names.filter((name) => /\S+ \S+ \S+ \S+/.test(name));
  expect(said.length).toBeGreaterThan(12);
  expect(said.filter((name) => !sources.some((source) => source.includes(`"${name}"`)))).toEqual([]);
});
