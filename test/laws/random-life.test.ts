/**
 * Random lives of a network with every kind of operation: whatever members try, money, energy and deposits are conserved,
 * claims grow no stronger, caps and mandates hold at every prefix, and what was bought is there at delivery.
 */
import { describe, expect, test } from "vitest";
import type { CommandTag } from "#contracts";
import { slotOf } from "#core";
import { DELIVERY, settleAll } from "./random-life/delivery.ts";
import { faultsAfter, leftovers } from "./random-life/laws.ts";
import { LAST_MS, SLOTS, Stage } from "./random-life/stage.ts";
import { fundTrader, type Operation, open, TRADING } from "./random-life/trading.ts";

const LIVES = 2_000;
/** So that each is over in good time. */
const PARTS = 8;
const STEPS = 90;
/** Kinds of transactions that lives are made of. */
const KINDS: readonly CommandTag[] = [
  "issue-funds",
  "redeem-funds",
  "create-promises",
  "place-orders",
  "cancel-orders",
  "clear-pool",
  "create-auction",
  "bid",
  "end-auction",
  "settle-auction",
  "grant-mandate",
  "revoke-mandate",
  "record-meters",
  "check-delivery",
  "settle-slot",
  "split-promise",
  "merge-promises",
  "substitute",
  "certify-claims",
  "contradict-certificate",
  "close-certificates",
  "curtail-slot",
  "release-margin",
  "confirm-payout",
  "report-meters",
  "correct-settlement",
  "raise-dispute",
  "vote-dispute",
  "decide-dispute",
];

function drawn(stage: Stage, operations: readonly (readonly [number, Operation])[]): Operation {
  const total = operations.reduce((sum, [weight]) => sum + weight, 0);
  let left = stage.dice.below(total);
  for (const [weight, operation] of operations) {
    if (left < weight) return operation;
    left -= weight;
  }
  throw new TypeError("the weights add up");
}

/** Lives until the last slot is over, or a law is broken. */
async function live(seed: number): Promise<{ readonly stage: Stage; readonly faults: readonly string[] }> {
  const stage = new Stage(seed);
  const faults: string[] = [];
  stage.onDone = (done) => faults.push(...faultsAfter(stage, done));
  stage.onBrokenDraft = (fault) => faults.push(fault);
  await stage.prepare();
  for (let coin = 0; coin < 18; coin++) await fundTrader(stage);
  await open(stage);
  const stepMs = Math.floor((LAST_MS + 2_700_000 - stage.world.nowMs) / STEPS);
  for (let step = 0; step < STEPS && faults.length === 0; step++) {
    await drawn(stage, TRADING)(stage);
    stage.world.nowMs += stepMs;
    const isOver = SLOTS.some((slot) => slotOf(slot).endMs <= stage.world.nowMs);
    if (isOver) await drawn(stage, DELIVERY)(stage);
  }
  return { stage, faults };
}

const done = new Map<string, number>();

describe("a random life", () => {
  test.each(Array.from({ length: PARTS }, (_, part) => part))(
    `keeps every law at every step, in part %i of ${LIVES} lives`,
    async (part) => {
      for (let seed = part; seed < LIVES; seed += PARTS) {
        const { stage, faults } = await live(seed);
        expect(faults, `seed ${seed}`).toEqual([]);
        for (const { command } of stage.notes.history) done.set(command.tag, (done.get(command.tag) ?? 0) + 1);
      }
    },
  );

  test("has every kind of transaction now and then", () => {
    expect(KINDS.filter((tag) => (done.get(tag) ?? 0) < LIVES / 100)).toEqual([]);
  });

  test("ends with everything settled", async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { stage } = await live(seed);
      stage.world.nowMs = LAST_MS + 2 * 3_600_000;
      await settleAll(stage);
      expect(leftovers(stage), `seed ${seed}`).toEqual([]);
    }
  });
});
