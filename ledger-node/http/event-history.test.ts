/** Events of one transaction that come in two parts before their number is known are told as one. */
import { expect, test } from "vitest";
import type { NodeEvent } from "#contracts";
import { hashOf, micros, signerFromSeed } from "#core";
import { decodeJson, nodeEventSchema, type SseMessage } from "#ledger-api";
import { EventHistory } from "./event-history.ts";

test("a part of a transaction and its rest lose nothing", async () => {
  const party = signerFromSeed(new Uint8Array(32).fill(1)).publicKey;
  const txId = hashOf("transaction");
  const part = (amount: bigint): NodeEvent => ({
    txId,
    command: amount === 1n ? undefined : { tag: "grant-mandate" },
    consumed: [],
    made: [{ tag: "funds", owner: party, amount: micros(amount) }],
  });
  let tell: (event: NodeEvent) => void = () => undefined;
  let stored = 0;
  const row = { sequence: 1, txId, kind: "full" as const, bytes: new Uint8Array() };
  const tasks: (() => void)[] = [];
  const history = new EventHistory({
    node: {
      party,
      listen: (listener) => {
        tell = listener;
        return () => undefined;
      },
    },
    gridAuthority: party,
    store: {
      scanAfter: (sequence) => (sequence < stored ? [row] : []),
      count: () => stored,
      proofs: () => [][Symbol.iterator](),
    },
    defer: (task) => tasks.push(task),
  });
  history.onNews(() => undefined);
  stored = 1;
  tell(part(1n));
  tell(part(2n));
  for (const task of tasks) task();
  const told: SseMessage[] = [];
  for await (const page of history.since("0")) told.push(...page);
  expect(told).toHaveLength(1);
  const event = decodeJson(nodeEventSchema, told[0]?.data ?? "");
  expect(event).toMatchObject({
    ok: true,
    value: { command: { tag: "grant-mandate" }, made: [{ amount: 1n }, { amount: 2n }] },
  });
  history.close();
});
