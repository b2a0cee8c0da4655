/** `payments.yaml`: what is read, and what is wrong in it, with line, key and mend. */
import { describe, expect, test } from "vitest";
import { unwrap } from "#core";
import { keyOf } from "#testkit";
import { accountDirectory, parseAccountsFile } from "./accounts-file.ts";

const SOUND = `provider: { name: Village payments, iban: DE89 3704 0044 0532 0130 00 }
members:
  - member: home-1
    depositReference: HOME-1
    accounts:
      - { name: Alice, iban: FR1420041010050500013M02606 }
      - { account: savings, name: Alice, iban: GB82WEST12345698765432, bic: WESTGB22 }
  - member: home-2
webhooks:
  - { url: "https://home-1.example/hooks", secretFile: a.secret, member: home-1 }
  - { url: "http://localhost:8080/hooks", secretFile: b.secret }
`;

function problemsOf(text: string): readonly string[] {
  const parsed = parseAccountsFile("payments.yaml", text);
  return parsed.ok ? [] : parsed.error.map(({ line, key, problem, mend }) => `${line} ${key}: ${problem}; ${mend}`);
}

describe("a sound file", () => {
  const names = ["home-1", "home-2"];
  const directory = accountDirectory(
    unwrap(parseAccountsFile("payments.yaml", SOUND)),
    (key) => names.find((name) => keyOf(name) === key),
    (name) => (names.includes(name) ? keyOf(name) : undefined),
  );

  test("gives each member its own accounts", () => {
    expect(directory.provider).toEqual({ name: "Village payments", iban: "DE89370400440532013000", bic: null });
    expect(directory.accountOf(keyOf("home-1"), "main")?.iban).toBe("FR1420041010050500013M02606");
    expect(directory.accountOf(keyOf("home-1"), "savings")?.bic).toBe("WESTGB22");
    expect(directory.accountOf(keyOf("home-2"), "main")).toBeUndefined();
    expect(directory.accountOf(keyOf("stranger"), "main")).toBeUndefined();
  });

  test("says who pays in, by the whole reference", () => {
    expect(directory.depositorOf("HOME-1")).toBe(keyOf("home-1"));
    for (const reference of ["HOME-", "home-1", "HOME-10", ""])
      expect(directory.depositorOf(reference)).toBeUndefined();
  });

  test("tells a member's events to its own receivers and to those of all, and nobody else's", () => {
    expect(directory.receiversFor(keyOf("home-1"))).toEqual([
      "https://home-1.example/hooks",
      "http://localhost:8080/hooks",
    ]);
    expect(directory.receiversFor(keyOf("home-2"))).toEqual(["http://localhost:8080/hooks"]);
  });
});

describe("a wrong one", () => {
  test.each([
    ["FR1420041010050500013M02606", "FR1420041010050500013M02607", /^6 members.0.accounts.0.iban: is no IBAN/],
    ["WESTGB22", "WEST", /^7 members.0.accounts.1.bic: is no BIC; give 8 or 11 characters/],
    ["account: savings", "account: main", /^7 members.0.accounts.1.account: stands twice; keep one of them$/],
    ["member: home-2", "member: home-1", /^8 members.1.member: stands twice/],
    [
      "member: home-2",
      "{ member: home-2, depositReference: HOME-1 }",
      /^8 members.1.depositReference: is another member's/,
    ],
    ["HOME-1", "HÖME-1", /^4 members.0.depositReference: is no reference/],
    ["https://home-1.example", "http://home-1.example", /^10 webhooks.0.url: is not encrypted; use https/],
    ["secretFile: b.secret", "secret: b", /^11 webhooks.1.secret: there is no such key/],
    ["name: Village payments, ", "", /^1 provider.name: /],
  ])("%s → %s", (sound, wrong, expected) => {
    const text = SOUND.replace(sound, wrong);
    expect(text).not.toBe(SOUND);
    expect(problemsOf(text).some((problem) => expected.test(problem))).toBe(true);
  });
});
