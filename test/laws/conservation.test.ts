/** Conservation: money and energy balance in every slot and at every moment of a run, recomputed from what is written down. */

import { beforeAll, describe, expect, test } from "vitest";
import { seededPrng } from "#core";
import { type InMemoryRun, runInMemory } from "#testkit";
import { busyCommunity } from "./busy-community.ts";
import { checkSettlements } from "./settlement-laws.ts";
import { everyPrefix, expectSound, moneyHeldIn, pricesOf } from "./sound-run.ts";

const community = busyCommunity(1);
let run: InMemoryRun;
beforeAll(async () => {
  run = await runInMemory({ community });
});

describe("a run with every kind of member", () => {
  test("is busy enough to mean something", () => {
    const sum = (column: "boughtWh" | "shortfallWh" | "deliveredWh"): bigint =>
      run.rows.reduce((total, row) => total + row[column], 0n);
    expect(sum("boughtWh")).toBeGreaterThan(1_000n);
    expect(sum("shortfallWh")).toBeGreaterThan(1_000n);
    expect(sum("deliveredWh")).toBeGreaterThan(1_000n);
    const strategies = new Set(run.decisions.map(({ strategy }) => strategy));
    expect([...strategies].sort()).toEqual([
      "double-promiser",
      "load-follower",
      "newsvendor-prosumer",
      "producer",
      "speculator",
      "storage-arbitrage",
    ]);
  });

  test("settles every slot by the published formulas, recomputed from settlements.csv alone", () => {
    const verdict = expectSound(run, community);
    expect(verdict.exactRows).toBeGreaterThan(0.9 * run.slots.length * community.members.length);
  });

  test("holds exactly the money that was issued, after each single transaction", () => {
    let issued = 0n;
    let count = 0;
    const issues = run.committed.map(({ signed: { transaction } }) =>
      transaction.content.command.tag === "issue-funds"
        ? transaction.content.outputs.reduce((sum, state) => sum + (state.tag === "funds" ? state.amount : 0n), 0n)
        : 0n,
    );
    everyPrefix(run, (unspent) => {
      issued += issues[count++] ?? 0n;
      expect(moneyHeldIn(unspent)).toBe(issued);
    });
    expect(count).toBeGreaterThan(300);
    expect(issued).toBe(run.money.issuedMicros);
  });

  test("never lets the speculator hold and bid for more than its cap, after any transaction", () => {
    const trader = run.participants.find(({ member }) => member.name === "trader");
    const key = trader?.node.party;
    let highest = 0n;
    everyPrefix(run, (unspent) => {
      const bySlot = new Map<string, bigint>();
      const add = (slot: string, energy: bigint): void => void bySlot.set(slot, (bySlot.get(slot) ?? 0n) + energy);
      for (const { state } of unspent.values()) {
        if (state.tag === "power-promise" && state.owner === key && state.supplier !== key)
          add(state.slot, state.energy);
        if (state.tag === "pool-order" && state.owner === key && state.side === "bid") add(state.slot, state.energy);
        if (state.tag === "auction" && state.highestBidder === key) add(state.slot, state.energy);
      }
      for (const energy of bySlot.values()) if (energy > highest) highest = energy;
    });
    expect(highest).toBeGreaterThan(0n); // It did trade.
    expect(highest).toBeLessThanOrEqual(500n);
  });

  test("never lets anybody promise more than its capacity, after any transaction", () => {
    const capacities = new Map(run.participants.map(({ member, node }) => [node.party, member.capacityPerSlot]));
    everyPrefix(run, (unspent) => {
      const promised = new Map<string, bigint>();
      for (const { state } of unspent.values()) {
        if (state.tag !== "power-promise" || state.delivered !== null) continue;
        const key = `${state.supplier} ${state.slot}`;
        promised.set(key, (promised.get(key) ?? 0n) + state.energy);
      }
      for (const [key, energy] of promised) {
        const [supplier = ""] = key.split(" ");
        expect(energy).toBeLessThanOrEqual([...capacities].find(([party]) => party === supplier)?.[1] ?? -1n);
      }
    });
  });
});

test("the check finds any figure of settlements.csv that is off by one", () => {
  const lines = run.csv.trimEnd().split("\n");
  const columns = (lines[0] ?? "").split(",");
  const prices = pricesOf(run, community);
  const prng = seededPrng("off by one", "cells");
  const infrastructure = new Set(["grid-authority", "marketplace", "power-company"]);
  let tried = 0;
  while (tried < 40) {
    const line = 1 + (prng.nextUint32() % (lines.length - 1));
    const column = 3 + (prng.nextUint32() % (columns.length - 3));
    const cells = (lines[line] ?? "").split(",");
    const [, member = ""] = cells;
    // The baseline of a battery's owner is that of another life: the file does not have its meters.
    if (columns[column] === "baselineMicros" && prices.hasBattery(member)) continue;
    if (infrastructure.has(member) && ["deliveredWh", "shortfallWh", "consumedWh"].includes(columns[column] ?? ""))
      continue;
    cells[column] = `${BigInt(cells[column] ?? "0") + 1n}`;
    const altered = lines.with(line, cells.join(",")).join("\n");
    expect(checkSettlements(altered, prices).faults, `line ${line + 1}, ${columns[column]}`).not.toEqual([]);
    tried += 1;
  }
});
