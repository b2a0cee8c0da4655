/** The members file: what is wrong is told all at once, each with line, key and mend. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { unwrap } from "#core";
import { networkRules, parseMemberFile, parseMembersFile } from "./members-file.ts";
import { describeConfigProblems } from "./yaml-config.ts";

const SMALL = "network: { id: test }\nmembers:\n";

function problemsIn(text: string): readonly string[] {
  const parsed = parseMembersFile("members.yaml", text);
  return parsed.ok ? [] : describeConfigProblems(parsed.error).split("\n");
}

test("the example is sound, and what it leaves out is as usual", () => {
  const parsed = unwrap(parseMembersFile("x", readFileSync("examples/network/members.yaml", "utf8")));
  expect(parsed.members.find(({ name }) => name === "home-1")).toEqual({
    name: "home-1",
    roles: ["prosumer"],
    capacityWhPerSlot: 2_500n,
    holdingCapWhPerSlot: null,
    storage: null,
    openingFundsMicros: 200_000_000n,
    openingFundsPieces: 100,
    sees: [],
  });
  expect(networkRules(parsed)).toMatchObject({
    networkId: "dream/village",
    timeZone: "Europe/Madrid",
    slotMinutes: 15,
    emergencyPrice: 800_000n,
    marketFee: 4_000n,
    verifierQuorum: 1,
    promiseMin: 10n,
  });
});

test("all problems of a file are told at once", () => {
  const problems = problemsIn(`network:
  id: test
  slotMinutes: 20
  timeZone: Mars/Olympus
  bassePort: 4600
rules:
  gridFeeMicrosPerKwh: 1.5
members:
  - name: Home 1
    roles: [prosumer, king]
    capacityWhPerSlot: -5
  - roles: [consumer]
`);
  const expected = [
    /^members\.yaml:3: network\.slotMinutes: must be 15, 30 or 60; choose one$/,
    /^members\.yaml:4: network\.timeZone: is no time zone; give an IANA name/,
    /^members\.yaml:5: network\.bassePort: there is no such key; remove it, or correct its spelling/,
    /^members\.yaml:7: rules\.gridFeeMicrosPerKwh: is no whole number; write digits only$/,
    /^members\.yaml:9: members\.0\.name: is no name for a member; use 1 to 40 small letters/,
    /^members\.yaml:10: members\.0\.roles\.1: is no role; the roles are grid-authority, .*observer$/,
    /^members\.yaml:11: members\.0\.capacityWhPerSlot: is out of range; give a whole number from 0/,
    /^members\.yaml:12: members\.1\.name: .*; see docs\/config\.md, Members file$/,
  ];
  for (const pattern of expected) expect(problems).toContainEqual(expect.stringMatching(pattern));
  expect(problems).toHaveLength(expected.length);
});

describe("what shows only in several values", () => {
  test.each([
    [
      "two members of one name",
      "  - { name: a, roles: [consumer] }\n  - { name: a, roles: [consumer] }\n",
      /:4: members\.1\.name: two members have the name a; give each its own/,
    ],
    [
      "two grid authorities",
      "  - { name: a, roles: [grid-authority] }\n  - { name: b, roles: [grid-authority] }\n",
      /:4: members\.1\.roles: two members have the role grid-authority; give it to one of them/,
    ],
    [
      "a name that a process of the network has",
      "  - { name: verifier, roles: [consumer] }\n",
      /:3: members\.0\.name: the name verifier is kept for a process with that role/,
    ],
    [
      "a speculator without a cap",
      "  - { name: a, roles: [speculator] }\n",
      /:3: members\.0\.holdingCapWhPerSlot: a speculator has a cap/,
    ],
    [
      "a storage provider without storage",
      "  - { name: a, roles: [storage-provider], capacityWhPerSlot: 500 }\n",
      /:3: members\.0\.storage: a storage provider says what it can store; give storage/,
    ],
    [
      "storage of more power than the connection may give",
      "  - { name: a, roles: [prosumer], capacityWhPerSlot: 500, storage: { capacityWh: 9000, powerWhPerSlot: 501 } }\n",
      /:3: members\.0\.storage\.powerWhPerSlot: is 501 and capacityWhPerSlot is 500; give a power that is not above/,
    ],
    [
      "a quorum that there are no verifiers for",
      "  - { name: a, roles: [verifier] }\nrules: { verifierQuorum: 2 }\n",
      /:4: rules\.verifierQuorum: 2 of 1 verifiers can't sign; name more verifiers/,
    ],
    [
      "a least promise above the largest",
      "  []\nrules: { promiseWhMin: 5, promiseWhMax: 4 }\n",
      /:4: rules\.promiseWhMin: promiseWhMin is 5 and promiseWhMax is 4; give a promiseWhMin that is not above/,
    ],
    [
      "two members at one port",
      "  - { name: a, roles: [consumer], port: 4600 }\n  - { name: b, roles: [consumer], port: 4600 }\n",
      /:4: members\.1\.port: two members have the port :4600; give each its own/,
    ],
    ["not YAML", "  - { name: [\n", /^members\.yaml:\d+: .*; write it as YAML$/],
    ["a billion laughs", `${"x".repeat(3)}: &a [*a, *a]\n`, /^members\.yaml/],
  ])("%s", (_what, members, message) => {
    expect(problemsIn(`${SMALL}${members}`)).toContainEqual(expect.stringMatching(message));
  });
});

test("a member that joins later has no role that a network is founded with", () => {
  const parsed = parseMemberFile("late.yaml", "name: late\nroles: [verifier, consumer]\n");
  expect(parsed).toMatchObject({ ok: false, error: [{ file: "late.yaml", line: 2, key: "roles" }] });
  expect(parseMemberFile("late.yaml", "{ name: late, roles: [consumer], openingFundsMicros: '12' }")).toMatchObject({
    ok: true,
    value: { name: "late", openingFundsMicros: 12n },
  });
});

describe("meter operators", () => {
  const withOperators = (count: number, rules: string): string =>
    `${SMALL}  - { name: grid, roles: [grid-authority, meter-operator] }\n${Array.from(
      { length: count },
      (_, index) => `  - { name: meter-${index}, roles: [meter-operator] }\n`,
    ).join("")}rules: ${rules}\n`;
  const rulesOf = (text: string): unknown => networkRules(unwrap(parseMembersFile("members.yaml", text)));

  test("more than half of them must agree, unless the file asks for more", () => {
    expect(rulesOf(withOperators(0, "{}"))).toMatchObject({ meterQuorum: 0 });
    expect(rulesOf(withOperators(2, "{}"))).toMatchObject({ meterQuorum: 2 });
    expect(rulesOf(withOperators(3, "{ meterToleranceWh: 5, correctionSeconds: 60 }"))).toMatchObject({
      meterQuorum: 2,
      meterTolerance: 5n,
      correctionMs: 60_000,
    });
    expect(rulesOf(withOperators(3, "{ meterQuorum: 3 }"))).toMatchObject({ meterQuorum: 3 });
  });

  test.each([
    [4, 2],
    [3, 4],
    [0, 1],
  ])("of %i a quorum of %i is none", (count, quorum) => {
    expect(problemsIn(withOperators(count, `{ meterQuorum: ${quorum} }`))).toEqual([
      expect.stringMatching(new RegExp(`rules\\.meterQuorum: ${quorum} of ${count} meter operators are no quorum`)),
    ]);
  });
});

describe("members that an aggregator serves", () => {
  const HUB = "  - { name: hub, roles: [aggregator] }\n";

  test("say what they allow it, with the usual limits where they are silent", () => {
    const text = `${SMALL}${HUB}  - { name: home, roles: [prosumer], servedBy: hub, mandate: { days: 30 } }\n`;
    expect(unwrap(parseMembersFile("x", text)).members.find(({ name }) => name === "home")).toMatchObject({
      servedBy: "hub",
      mandate: { energyWhPerSlotMax: 100_000n, energyWhPerDayMax: 10_000_000n, bidMicrosPerKwhMax: null, days: 30 },
    });
  });

  test.each([
    ["servedBy: nobody", "members.1.servedBy: nobody is no aggregator; name a member with the role aggregator"],
    ["servedBy: home", "members.1.servedBy: home is no aggregator; name a member with the role aggregator"],
    ["servedBy: hub, port: 4600", "members.1.port: a member that is served has no process; leave it out"],
    ["servedBy: hub, sees: [funds]", "members.1.sees: an observer has a node of its own; leave out sees, or servedBy"],
    ["mandate: {}", "members.1.mandate: nobody serves the member; give servedBy, or leave it out"],
  ])("%s", (keys, problem) => {
    const problems = problemsIn(`${SMALL}${HUB}  - { name: home, roles: [prosumer], ${keys} }\n`);
    expect(problems).toEqual([`members.yaml:4: ${problem}`]);
  });

  test("trade, and do nothing else; no node has the name of the folder of their keys", () => {
    const home = "  - { name: home, roles: [prosumer, verifier], servedBy: hub }\n";
    expect(problemsIn(`${SMALL}${HUB}${home}  - { name: members, roles: [consumer] }\n`)).toEqual([
      "members.yaml:4: members.1.roles: verifier: a party with this role has a node of its own; leave out servedBy",
      "members.yaml:5: members.2.name: is the folder of the members' keys; choose another name",
    ]);
  });

  test("do not join later by a file", () => {
    const parsed = parseMemberFile("member.yaml", "{ name: late, roles: [consumer], servedBy: hub }");
    expect(parsed.ok ? "" : describeConfigProblems(parsed.error)).toMatch(
      /^member\.yaml:1: servedBy: a member joins under/,
    );
  });
});
