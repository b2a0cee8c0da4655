/** docs/payments.md and the part of docs/config.md on payments say what is so: keys, commands, times, headers. */
import { expect, test } from "vitest";
import { unwrap } from "#core";
import {
  ATTEMPTS_MAX,
  EVENT_HEADER,
  RETRY_MS_FIRST,
  RETRY_MS_MAX,
  SIGNATURE_HEADER,
  WEBHOOK_AGE_MS_MAX,
} from "#payments";
import { parseAccountsFile } from "../../cli/payments/accounts-file.ts";
import { JOURNAL_FILE } from "../../cli/payments/journal.ts";
import { MESSAGES } from "../../payments/xml-schema.ts";
import { textOf } from "../architecture/checkout.ts";
import { blocks, codes, section, tableRows } from "./pages.ts";

const PAGE = textOf("docs/payments.md").replaceAll(/\s+/g, " ");
const CONFIG = section("docs/config.md", "Payments");

test("the example of the configuration is one, and the tables have its keys", () => {
  const file = unwrap(parseAccountsFile("payments.yaml", blocks(CONFIG, "yaml")[0] ?? ""));
  const [member] = file.members;
  const [receiver] = file.webhooks;
  const held = [...Object.keys(file), ...Object.keys(member ?? {}), ...Object.keys(receiver ?? {})];
  expect(tableRows(CONFIG).map(([key = ""]) => codes(key)[0])).toEqual(held);
  expect(held).toHaveLength(9);
});

test("what may be left out has the defaults that the page lists", () => {
  const bare = "provider: { name: a, iban: DE89370400440532013000 }\n";
  expect(unwrap(parseAccountsFile("payments.yaml", bare))).toMatchObject({ members: [], webhooks: [] });
  const [member] = unwrap(parseAccountsFile("payments.yaml", `${bare}members: [{ member: a }]\n`)).members;
  expect(member).toEqual({ member: "a", accounts: [] });
});

test("the page has the commands, files, messages and headers", () => {
  const commands = [...textOf("cli/main.ts").matchAll(/payments(?:\.|\s*\.)command\("(\w+)"\)/g)].map(
    ([, name]) => name,
  );
  expect(commands.length).toBeGreaterThanOrEqual(5);
  for (const name of commands.filter((each) => each !== "list")) expect(PAGE).toContain(`dream payments ${name}`);
  for (const name of [JOURNAL_FILE, ...MESSAGES, EVENT_HEADER, SIGNATURE_HEADER]) expect(PAGE).toContain(name);
});

test("the page has the times", () => {
  expect(PAGE).toContain(`after ${RETRY_MS_FIRST / 1_000} seconds`);
  expect(PAGE).toContain(`up to ${RETRY_MS_MAX / 3_600_000} hours`);
  expect(PAGE).toContain(`After ${ATTEMPTS_MAX} tries`);
  expect(PAGE).toContain("within ten seconds");
  expect(textOf("payments/delivery.ts")).toContain("POST_MS_MAX = 10_000");
  expect(PAGE).toContain("older than five minutes");
  expect(WEBHOOK_AGE_MS_MAX).toBe(5 * 60_000);
});
