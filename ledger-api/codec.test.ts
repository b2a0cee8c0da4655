/** JSON and back is the same for everything that travels, and nothing that comes from outside gets a schema to throw. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { API_REFUSALS, API_STATUS } from "#ledger-api";
import {
  arbClientCommand,
  arbClientCommandOf,
  arbHash,
  arbKey,
  arbLedgerRefusal,
  arbNodeEvent,
  arbPoolRound,
  arbStateOf,
  CLIENT_COMMAND_TAGS,
  STATE_TAGS,
} from "#testkit";
import { clientCommandSchema } from "./commands.ts";
import { decodeJson, decodeValue, encodeJson } from "./issues.ts";
import {
  approvalSchema,
  ledgerRefusedSchema,
  nodeEventSchema,
  poolRoundListSchema,
  proposalRequestSchema,
  proposalSchema,
  proposedSchema,
  receiptSchema,
  stateListSchema,
  transactionPageSchema,
  transactionQuerySchema,
} from "./messages.ts";
import { apiRefusalSchema, ISSUES_MAX } from "./refusals.ts";
import type { Schema } from "./scalars.ts";

function returns<T>(schema: Schema<T>, value: T): void {
  expect(decodeJson(schema, encodeJson(schema, value))).toEqual({ ok: true, value });
}

describe("decoding gives what was encoded", () => {
  test.each(STATE_TAGS)("states: %s", (tag) => {
    fc.assert(
      fc.property(arbStateOf(tag), arbHash, fc.integer({ min: 0, max: 4_095 }), (state, txId, index) => {
        returns(stateListSchema, { states: [{ ref: { txId, index }, state }] });
      }),
      { numRuns: 50 },
    );
  });

  test.each(CLIENT_COMMAND_TAGS)("commands: %s", (tag) => {
    fc.assert(
      fc.property(arbClientCommandOf(tag), (command) => returns(clientCommandSchema, command)),
      { numRuns: 50 },
    );
  });

  test("refusals of the ledger, events and rounds", () => {
    fc.assert(fc.property(arbLedgerRefusal, (refusal) => returns(ledgerRefusedSchema, { refusal })));
    fc.assert(fc.property(arbNodeEvent, (event) => returns(nodeEventSchema, event)));
    fc.assert(
      fc.property(fc.array(arbPoolRound, { maxLength: 4 }), (rounds) => returns(poolRoundListSchema, { rounds })),
    );
  });

  test("proposals, approvals, receipts and pages", () => {
    const arbBytes = fc.uint8Array({ minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(arbHash, arbBytes, arbClientCommand, arbKey, (txId, transaction, command, delegate) => {
        returns(proposalRequestSchema, { command, delegate });
        returns(proposalSchema, { proposalId: txId, transaction });
        returns(proposedSchema, { proposalId: txId, transaction });
        returns(proposedSchema, { status: "exists", txId });
        returns(receiptSchema, { status: "created", txId });
        returns(approvalSchema, { signature: new Uint8Array(64).fill(transaction[0] ?? 0) });
        const shown = { sequence: 7, txId, kind: "full" as const, bytes: transaction };
        returns(transactionPageSchema, { transactions: [shown], next: null });
        returns(transactionQuerySchema, { after: transaction.length, limit: 3 });
        returns(apiRefusalSchema, { code: "request_malformed", mend: "mend it", issues: [{ path: "a", mend: "b" }] });
      }),
    );
  });
});

/** Everything that a schema of requests is asked to read. */
const SCHEMAS: readonly Schema<unknown>[] = [
  clientCommandSchema,
  proposalRequestSchema,
  approvalSchema,
  transactionQuerySchema,
  stateListSchema,
  nodeEventSchema,
  ledgerRefusedSchema,
  apiRefusalSchema,
  poolRoundListSchema,
];

describe("what comes from outside", () => {
  test("is refused with issues, whatever it is, and never throws", () => {
    const arbJunk = fc.oneof(
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.string(),
    );
    fc.assert(
      fc.property(arbJunk, fc.constantFrom(...SCHEMAS), (text, schema) => {
        const decoded = decodeJson(schema, text);
        if (!decoded.ok) expect(decoded.error.length).toBeGreaterThan(0);
      }),
    );
  });

  test("is refused when a command was changed in one place to what it may not be", () => {
    const arbWrong = fc.constantFrom<unknown>(null, "", "x", "-0", "01", "1.5", "9223372036854775808", 1.5, -1, {}, []);
    fc.assert(
      fc.property(arbClientCommand, fc.nat(), arbWrong, (command, choice, wrong) => {
        const json = JSON.parse(encodeJson(clientCommandSchema, command)) as Record<string, unknown>;
        const keys = Object.keys(json);
        const key = keys[choice % keys.length] ?? "tag";
        const changed = { ...json, [key]: wrong };
        const decoded = decodeValue(clientCommandSchema, changed);
        // Some of what is tried is sound in some places: then it must be what was written.
        if (decoded.ok) expect(JSON.parse(encodeJson(clientCommandSchema, decoded.value))).toEqual(changed);
        else expect(decoded.error.every(({ path }) => path === key || path.startsWith(`${key}.`))).toBe(true);
      }),
    );
  });

  test("is refused with a field that there is not, or without one that there is", () => {
    fc.assert(
      fc.property(arbClientCommand, (command) => {
        const json = JSON.parse(encodeJson(clientCommandSchema, command)) as Record<string, unknown>;
        expect(decodeValue(clientCommandSchema, { ...json, extra: 1 })).toEqual({
          ok: false,
          error: [{ path: "extra", mend: "remove it: there is no such field" }],
        });
        const { commandId: _left, ...without } = json;
        expect(decodeValue(clientCommandSchema, without)).toMatchObject({ ok: false, error: [{ path: "commandId" }] });
        expect(
          decodeJson(clientCommandSchema, `{"__proto__":{},${encodeJson(clientCommandSchema, command).slice(1)}`).ok,
        ).toBe(false);
      }),
    );
  });

  test("is told all that is wrong at once, each with its place and how to mend it", () => {
    const wrong = {
      tag: "place-orders",
      commandId: "",
      marketplace: "no key",
      orders: [
        { side: "buy", slot: "2031-06-01T10:15Z/PT15M", energy: 1000, limit: "1e3" },
        { side: "bid", slot: "soon", energy: "-5", limit: "100", price: "100" },
      ],
      "bad\u0000key": 1,
    };
    const decoded = decodeValue(clientCommandSchema, wrong);
    expect(decoded).toEqual({
      ok: false,
      error: [
        { path: "commandId", mend: "give text of 1 to 100 characters, composed (NFC), without control characters" },
        { path: "marketplace", mend: "give an Ed25519 public key as 64 lower-case hexadecimal digits" },
        { path: "orders.0.side", mend: "give one of bid, offer" },
        { path: "orders.0.energy", mend: 'give whole watt-hours, 0…2^63-1, as a decimal string such as "1500"' },
        {
          path: "orders.0.limit",
          mend: 'give whole millionths of the currency per kWh, within 2^63-1 of zero, as a decimal string such as "310000"',
        },
        { path: "orders.1.slot", mend: "give a slot such as 2031-06-01T10:15Z/PT15M" },
        { path: "orders.1.energy", mend: 'give whole watt-hours, 0…2^63-1, as a decimal string such as "1500"' },
        { path: "orders.1.price", mend: "remove it: there is no such field" },
        { path: "bad?key", mend: "remove it: there is no such field" },
      ],
    });
    expect(decodeValue(clientCommandSchema, { tag: "buy" })).toMatchObject({
      error: [{ path: "tag", mend: expect.stringMatching(/^give one of create-promises, /) }],
    });
    expect(decodeValue(clientCommandSchema, null)).toMatchObject({ error: [{ path: "", mend: "give an object" }] });
  });

  test("is told a bounded number of issues", () => {
    const orders = Array.from({ length: 900 }, () => ({ side: 1 }));
    const decoded = decodeValue(clientCommandSchema, { tag: "place-orders", commandId: "c", marketplace: "x", orders });
    expect(decoded.ok ? 0 : decoded.error.length).toBe(ISSUES_MAX);
  });

  test("is refused beyond the length of its lists", () => {
    const orderIds = Array.from({ length: 1_001 }, (_, index) => `o${index}`);
    expect(decodeValue(clientCommandSchema, { tag: "cancel-orders", commandId: "c", orderIds })).toEqual({
      ok: false,
      error: [{ path: "orderIds", mend: "give a list of 1 to 1000 items" }],
    });
  });
});

test("every code of the interface has an HTTP status of its kind", () => {
  expect(Object.keys(API_STATUS).sort()).toEqual([...API_REFUSALS].sort());
  for (const status of Object.values(API_STATUS)) expect(status).toBeGreaterThanOrEqual(400);
});
