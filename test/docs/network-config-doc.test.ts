/** docs/config.md lists the keys of the members file and of a node's configuration, each with its default. */
import { expect, test } from "vitest";
import { unwrap } from "#core";
import { networkRules, parseMembersFile } from "../../cli/network/members-file.ts";
import { parseNodeConfig } from "../../cli/network/node-config.ts";
import { codes, section, tableRows } from "./pages.ts";

const PAGE = "docs/config.md";
const KEY = "58".repeat(32);
const NODE = `name: a
network: { id: n, gridAuthority: "${KEY}", directory: d }
key: k
certificate: c
listen: { port: 1 }
store: { file: s }
marketplace: {}
`;
const MEMBERS = "network: { id: n }\nmembers: [{ name: a, roles: [consumer] }]\n";

/** Keys of the page with their defaults, those without one left out. */
function defaultsOf(text: string): Readonly<Record<string, string>> {
  const rows = tableRows(text).map(([key = "", value = ""]) => [codes(key)[0] ?? "", plain(value)] as const);
  return Object.fromEntries(rows.filter(([, value]) => value !== "none"));
}

function plain(cell: string): string {
  return cell.replaceAll("`", "").replace(/(?<=\d),(?=\d{3})/g, "");
}

/** `{a: {b: 1}}` as `a.b` → `1`. */
function flat(value: object, prefix = ""): readonly (readonly [string, string])[] {
  return Object.entries(value).flatMap(([key, each]: [string, unknown]) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? flat(each, `${prefix}${key}.`)
      : [[`${prefix}${key}`, Array.isArray(each) && each.length === 0 ? "[]" : String(each)] as const],
  );
}

test("of a node", () => {
  const parsed = Object.fromEntries(flat(unwrap(parseNodeConfig("config.yaml", NODE))));
  const said = defaultsOf(section(PAGE, "Node"));
  expect(Object.keys(said).length).toBeGreaterThan(12);
  for (const [key, value] of Object.entries(said)) expect([key, parsed[key]]).toEqual([key, value]);
  const listed = tableRows(section(PAGE, "Node")).map(([key = ""]) => codes(key)[0]);
  expect(Object.keys(parsed).filter((key) => !listed.includes(key))).toEqual([]);
});

test("of a members file", () => {
  const parsed = unwrap(parseMembersFile("members.yaml", MEMBERS));
  const [whole = "", ofMember = ""] = section(PAGE, "Members file").split("Of a member:");
  const { currency, slotMinutes, timeZone, host } = parsed.network;
  const said = defaultsOf(whole);
  expect(said).toMatchObject({
    "network.currency": currency,
    "network.slotMinutes": String(slotMinutes),
    "network.timeZone": timeZone,
    "network.host": host,
    rules: "{}",
  });
  const member = new Map(flat(parsed.members[0] ?? {}));
  const saidOfMember = Object.entries(defaultsOf(ofMember)).filter(([key]) => key !== "host" && key !== "port");
  expect(saidOfMember.length).toBe(6);
  for (const [key, value] of saidOfMember) expect([key, member.get(key)]).toEqual([key, value]);
  const rules = networkRules(parsed);
  for (const value of [rules.priceMin, rules.priceMax, rules.promiseMin, rules.promiseMax])
    expect(whole.replace(/(?<=\d),(?=\d{3})/g, "")).toContain(`(${value})`);
});
