/** A run in which surplus costs something: margins answer at every prefix, and what is charged is what was not used. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Exposure, marginNeeded, type SlotSettlement } from "#contracts";
import { costCeil, energyAbove, microsPerKwh } from "#core";
import { type InMemoryRun, runInMemory } from "#testkit";
import { busyCommunity } from "./busy-community.ts";
import { everyPrefix } from "./sound-run.ts";

const PRICE = microsPerKwh(20_001);
let run: InMemoryRun;
beforeAll(async () => {
  run = await runInMemory({ community: busyCommunity(1), rules: { surplusPrice: PRICE } });
}, 300_000);

function settlements(): readonly SlotSettlement[] {
  return run.committed.flatMap(({ signed }) =>
    signed.transaction.content.outputs.flatMap((state) => (state.tag === "slot-settlement" ? [state] : [])),
  );
}

describe("surplus", () => {
  test("is settled without a problem, and no money is lost", () => {
    expect(run.problems).toEqual([]);
    expect(run.money.heldMicros).toBe(run.money.issuedMicros);
    const net = run.rows.reduce((sum, { netMicros }) => sum + netMicros, 0n);
    expect(net).toBe(0n);
  });

  test("costs who bought and did not use, to the micro, and is among its fees", () => {
    const charged = settlements().filter(({ surplusAmount }) => surplusAmount > 0n);
    for (const { bought, used, surplusAmount } of settlements())
      expect(surplusAmount).toBe(costCeil(energyAbove(bought, used), PRICE));
    expect(charged.length).toBeGreaterThan(0);
    const company = run.rows.filter(({ member }) => member === "power-company");
    expect(company.reduce((sum, { feesMicros }) => sum + feesMicros, 0n)).toBe(
      charged.reduce((sum, { surplusAmount }) => sum + surplusAmount, 0n),
    );
  });

  test("has a margin that answers for every speculator's day at every prefix of the run, and none is left at the end", () => {
    let locked = 0;
    let last = 0;
    everyPrefix(run, (unspent) => {
      const states = [...unspent.values()].map(({ state }) => state);
      const margins = states.flatMap((state) => (state.tag === "margin" ? [state] : []));
      const speculators = new Set(
        states.flatMap((state) => (state.tag === "member" && state.roles.includes("speculator") ? [state.key] : [])),
      );
      for (const exposure of states.filter((state): state is Exposure => state.tag === "exposure")) {
        const needed = marginNeeded(exposure.entries, PRICE);
        if (!speculators.has(exposure.member) || needed === 0n) continue;
        const own = margins.filter(({ owner, day }) => owner === exposure.member && day === exposure.day);
        expect(own.some(({ amount }) => amount >= needed)).toBe(true);
        locked += 1;
      }
      expect(margins.every(({ owner }) => speculators.has(owner))).toBe(true);
      last = margins.length;
    });
    expect(locked).toBeGreaterThan(0);
    expect(last).toBe(0);
  });
});
