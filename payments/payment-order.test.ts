/** The payment file: the published schema holds it, whatever it orders, and it is read as it was written. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MICROS_PER_CENT } from "#contracts";
import { micros, unwrap } from "#core";
import { centsText, parseAmount } from "./amounts.ts";
import { bankText, ORDER_MESSAGE, type PaymentOrder, readPaymentOrder, writePaymentOrder } from "./payment-order.ts";
import { messageOf, schemaRefusal } from "./xml-schema.ts";

const ORDER: PaymentOrder = {
  messageId: "DREAM-20310601T100000Z-1",
  createdMs: Date.UTC(2031, 5, 1, 10),
  executionDay: "2031-06-02",
  currency: "EUR",
  debtor: { name: "Village payments", iban: "DE89370400440532013000", bic: "COBADEFFXXX" },
  transfers: [
    {
      endToEndId: "0123456789ABCDEF0123456789ABCDEF",
      amount: micros(4_000_000n),
      creditor: { name: "Alice Müller-Straße", iban: "FR1420041010050500013M02606", bic: null },
    },
    {
      endToEndId: "FEDCBA9876543210FEDCBA9876543210",
      amount: micros(10_000n),
      creditor: { name: "Bob & Söhne <GmbH>", iban: "RS35260005601001611379", bic: "BACXRSBG" },
    },
  ],
};

describe("the payment file", () => {
  test("holds the published schema, with totals that are its payments'", async () => {
    const xml = writePaymentOrder(ORDER);
    expect(await schemaRefusal(xml, ORDER_MESSAGE)).toBeUndefined();
    expect(messageOf(xml)).toBe(ORDER_MESSAGE);
    expect([...xml.matchAll(/<NbOfTxs>(\d+)<\/NbOfTxs>\s*<CtrlSum>([\d.]+)</g)].map(([, ...each]) => each)).toEqual([
      ["2", "4.01"],
      ["2", "4.01"],
    ]);
    expect(xml).toContain("<MsgId>DREAM-20310601T100000Z-1</MsgId>");
    expect(xml).toContain("<CreDtTm>2031-06-01T10:00:00</CreDtTm>");
    expect(xml).toContain('<InstdAmt Ccy="EUR">0.01</InstdAmt>');
  });

  test("holds it also where banks and the euro's own rules are left out", async () => {
    const debtor = { ...ORDER.debtor, bic: null };
    const xml = writePaymentOrder({ ...ORDER, currency: "RSD", debtor });
    expect(await schemaRefusal(xml, ORDER_MESSAGE)).toBeUndefined();
    expect(xml).not.toContain("SEPA");
  });

  test("is the same for the same order, and read as it was written", () => {
    const xml = writePaymentOrder(ORDER);
    expect(writePaymentOrder(ORDER)).toBe(xml);
    const payments = ORDER.transfers.map(({ endToEndId, amount }) => ({ endToEndId, amount, currency: "EUR" }));
    expect(unwrap(readPaymentOrder(xml))).toEqual({ messageId: ORDER.messageId, payments });
  });

  test("names creditors in characters that banks hand on", () => {
    const names = ORDER.transfers.map(({ creditor }) => bankText(creditor.name));
    expect(names).toEqual(["Alice Muller-Strasse", "Bob . Sohne .GmbH."]);
  });

  test("is refused by the schema where an amount, an account or an order of elements is wrong", async () => {
    const xml = writePaymentOrder(ORDER);
    const spoiled = [
      xml.replace(">4.00<", ">4,00<"),
      xml.replace(">4.00<", ">-4.00<"),
      xml.replace("RS35260005601001611379", "3526"),
      xml.replace("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>GIFT</PmtMtd>"),
      xml.replace(/<CreDtTm>[^<]*<\/CreDtTm>/, ""),
      xml.replace("</Document>", ""),
    ];
    for (const each of spoiled) {
      expect(each).not.toBe(xml);
      expect(await schemaRefusal(each, ORDER_MESSAGE)).toMatchObject({ tag: "schema_violated" });
    }
    const refusal = await schemaRefusal(spoiled[0] ?? "", ORDER_MESSAGE);
    expect(refusal?.tag === "schema_violated" && refusal.problems[0]?.line).toBeGreaterThan(10);
  });

  test("may not bring definitions of its own", async () => {
    const xml = writePaymentOrder(ORDER).replace("<Document", '<!DOCTYPE Document [<!ENTITY a "b">]>\n<Document');
    expect(await schemaRefusal(xml, ORDER_MESSAGE)).toEqual({ tag: "message_malformed" });
    expect(readPaymentOrder(xml)).toEqual({ ok: false, error: "message_malformed" });
  });

  test("whatever else is given as one is refused, not thrown", () => {
    const spoiled = ["", "<", "<a/>", "{}", "<Document/>", "<Document><CstmrCdtTrfInitn/></Document>"];
    for (const text of spoiled) expect(readPaymentOrder(text)).toEqual({ ok: false, error: "message_malformed" });
    fc.assert(
      fc.property(fc.nat({ max: 2_000 }), fc.string({ maxLength: 3 }), (at, text) => {
        const xml = writePaymentOrder(ORDER);
        expect(typeof readPaymentOrder(`${xml.slice(0, at)}${text}${xml.slice(at + 1)}`).ok).toBe("boolean");
      }),
    );
  });
});

describe("amounts", () => {
  test("are written and read to the cent", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 14n }), (cents) => {
        const amount = cents * MICROS_PER_CENT;
        expect(centsText(amount)).toMatch(/^\d+\.\d\d$/);
        expect(unwrap(parseAmount(centsText(amount)))).toBe(amount);
      }),
    );
  });

  test("are never rounded on the way out", () => {
    expect(() => centsText(10_001n)).toThrow("whole cents");
  });

  test("finer ones are read exactly, and nothing else is", () => {
    expect(unwrap(parseAmount("12.34567"))).toBe(12_345_670n);
    expect(unwrap(parseAmount("7"))).toBe(7_000_000n);
    for (const text of ["", "-1", "1.", ".5", "1,00", "1e3", "1.1234567", "0x10", "9223372036854.8"])
      expect(parseAmount(text)).toEqual({ ok: false, error: "message_malformed" });
  });
});
