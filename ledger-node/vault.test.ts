/** The vault: states by kind, soft locks that keep a node's own flows apart, and the choice of funds. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ResolvedState, StateRef } from "#contracts";
import { hashOf } from "#core";
import { funds, keyOf, promise } from "#testkit";
import { chooseFunds, Vault, type VaultState } from "./vault.ts";

const NOTARY = keyOf("notary");

function ref(index: number): StateRef {
  return { txId: hashOf("transaction"), index };
}

function coin(index: number, amount: bigint | number, owner = "alice"): VaultState<"funds"> {
  return { ref: ref(index), state: funds(owner, amount), notary: NOTARY };
}

function vaultOf(...states: readonly ResolvedState[]): Vault {
  const vault = new Vault();
  for (const state of states) vault.add(state);
  return vault;
}

describe("states", () => {
  test("are found by kind and by name until they are spent", () => {
    const held = { ref: ref(9), state: promise("alice", 1_000), notary: NOTARY };
    const vault = vaultOf(coin(1, 5), coin(2, 6), held);
    expect(vault.all("funds").map(({ state }) => state.amount)).toEqual([5n, 6n]);
    expect(vault.get(ref(9))).toEqual(held);
    expect(vault.spend(ref(1))?.state).toMatchObject({ amount: 5n });
    expect(vault.spend(ref(1))).toBeUndefined();
    expect(vault.get(ref(1))).toBeUndefined();
    expect(vault.all("funds")).toHaveLength(1);
    expect(vault.all("bid")).toEqual([]);
  });

  test("are held once, however often they are added", () => {
    expect(vaultOf(coin(1, 5), coin(1, 5)).all("funds")).toHaveLength(1);
  });
});

describe("locks", () => {
  const free = (vault: Vault): readonly number[] => vault.free("funds").map(({ ref: { index } }) => index);

  test("take states from other flows until the flow ends", () => {
    const vault = vaultOf(coin(1, 5), coin(2, 6), coin(3, 7));
    vault.lock([ref(1)], "one");
    vault.lock([ref(2)], "two");
    expect(free(vault)).toEqual([3]);
    vault.unlock("one");
    expect(free(vault)).toEqual([1, 3]);
  });

  test("end by themselves where they have an end, and not before", () => {
    const vault = vaultOf(coin(1, 5), coin(2, 6));
    vault.lock([ref(1)], "peer", 100);
    vault.lock([ref(2)], "own");
    vault.expireLocks(99);
    expect(free(vault)).toEqual([]);
    vault.expireLocks(100);
    expect(free(vault)).toEqual([1]);
  });

  test("end when the state is spent: the same state, shown again, is free", () => {
    const vault = vaultOf(coin(1, 5));
    vault.lock([ref(1)], "one");
    vault.spend(ref(1));
    vault.add(coin(1, 5));
    expect(free(vault)).toEqual([1]);
  });
});

describe("funds are chosen", () => {
  const owner = keyOf("alice");
  const amounts = (chosen: readonly VaultState<"funds">[] | undefined): readonly bigint[] | undefined =>
    chosen?.map(({ state }) => state.amount);

  test("largest first, and no others than the owner's", () => {
    const all = [coin(1, 5), coin(2, 50), coin(3, 20), coin(4, 1_000, "bob")];
    expect(amounts(chooseFunds(all, owner, 60n))).toEqual([50n, 20n]);
    expect(amounts(chooseFunds(all, owner, 75n))).toEqual([50n, 20n, 5n]);
    expect(chooseFunds(all, owner, 76n)).toBeUndefined();
    expect(chooseFunds([], owner, 1n)).toBeUndefined();
  });

  test("with some of the smallest along, where they are many", () => {
    const many = Array.from({ length: 40 }, (_, index) => coin(index, index + 1));
    expect(amounts(chooseFunds(many, owner, 40n))).toEqual([40n, 4n, 3n, 2n, 1n]);
    expect(amounts(chooseFunds(many.slice(7), owner, 40n))).toEqual([40n]);
  });

  test("law: as few as cover the amount, and four more where over 32 would be left; none twice", () => {
    const arbCoins = fc.array(fc.bigInt({ min: 1n, max: 1_000n }), { maxLength: 60 });
    fc.assert(
      fc.property(arbCoins, fc.bigInt({ min: 1n, max: 20_000n }), (values, amount) => {
        const coins = values.map((value, index) => coin(index, value));
        const chosen = chooseFunds(coins, owner, amount);
        const largest = [...values].sort((left, right) => Number(right - left));
        const sums = largest.map((_, index) => largest.slice(0, index + 1).reduce((sum, value) => sum + value, 0n));
        const fewest = sums.findIndex((sum) => sum >= amount) + 1;
        if (fewest === 0) {
          expect(chosen).toBeUndefined();
          return;
        }
        expect(chosen).toHaveLength(fewest + (values.length - fewest > 32 ? 4 : 0));
        expect(amounts(chosen)?.slice(0, fewest)).toEqual(largest.slice(0, fewest));
        expect(new Set(chosen?.map(({ ref: { index } }) => index)).size).toBe(chosen?.length);
      }),
    );
  });
});
