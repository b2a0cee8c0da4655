/** Account numbers: check digits by ISO 7064, lengths by country. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compactIban, isBic, isIban } from "./iban.ts";

const SOUND = [
  "DE89 3704 0044 0532 0130 00",
  "GB82 WEST 1234 5698 7654 32",
  "FR14 2004 1010 0505 0001 3M02 606",
  "RS35260005601001611379",
  "NO93 8601 1117 947",
  "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
];

test.each(SOUND)("%s is an account number", (text) => {
  expect(isIban(compactIban(text))).toBe(true);
});

test("changing one character, or swapping two, is noticed", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SOUND.map(compactIban)),
      fc.nat({ max: 14 }),
      fc.nat({ max: 9 }),
      (iban, at, digit) => {
        const changed = `${iban.slice(0, at + 4)}${digit}${iban.slice(at + 5)}`;
        expect(isIban(changed)).toBe(changed === iban);
        const [left = "", right = ""] = [iban[at + 4] ?? "", iban[at + 5] ?? ""];
        const swapped = `${iban.slice(0, at + 4)}${right}${left}${iban.slice(at + 6)}`;
        expect(isIban(swapped)).toBe(swapped === iban);
      },
    ),
  );
});

test.each([
  "",
  "DE",
  "DE8937040044053201300",
  "DE893704004405320130001",
  "de89370400440532013000",
  "DE89-3704004405320130000",
])("'%s' is none", (text) => {
  expect(isIban(text)).toBe(false);
});

test("a BIC has eight or eleven characters", () => {
  expect(["COBADEFF", "COBADEFFXXX"].map(isBic)).toEqual([true, true]);
  expect(["COBADEF", "COBADEFFXX", "COBADE0FXXX", "cobadeff", "1OBADEFF"].map(isBic)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});
