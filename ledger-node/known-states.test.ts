/** What a node can prove to others: true states only, and those that it holds for as long as it holds them. */
import { expect, test } from "vitest";
import type { Dependency } from "#contracts";
import { SmallNetwork } from "#testkit";
import { KnownStates } from "./known-states.ts";
import { SignatureCheck } from "./signature-check.ts";

async function proofs(): Promise<{ readonly small: SmallNetwork; readonly all: readonly Dependency[] }> {
  const small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", ...Array.from({ length: 30 }, () => 1_000_000));
  const funds = await small.resolved("alice", "funds");
  const members = await small.resolved("alice", "member");
  const all = await Promise.all([...members, ...funds].map(({ ref }) => small.proofOf(ref)));
  return { small, all: all.flatMap((each) => each ?? []) };
}

function knownOf(small: SmallNetwork, isUnspent: (index: number) => boolean, max?: number): KnownStates {
  const check = new SignatureCheck(small.ledger.networkId, { signatures: 0, verifications: 0 });
  return new KnownStates(check, new Set([small.key("notary")]), ({ index }) => isUnspent(index), { max });
}

test("a proof is taken when the notary signed it, and given on as it was", async () => {
  const { small, all } = await proofs();
  const known = knownOf(small, () => false);
  const [first, second] = all;
  if (first === undefined || second === undefined) throw new Error("there are proofs");
  expect(known.addDependency(first)?.state).toMatchObject({ tag: "member" });
  expect(known.proofOf(first.ref)).toEqual(first);
  const wrong: readonly Dependency[] = [
    { ...second, notarySignature: { ...second.notarySignature, signature: new Uint8Array(64) } },
    { ...second, notarySignature: { ...second.notarySignature, by: small.key("alice") } },
    { ...second, ref: { ...second.ref, index: second.ref.index + 1 } },
    { ...second, ref: { ...second.ref, txId: all.at(-1)?.ref.txId ?? second.ref.txId } },
    { ...second, tearOff: { ...second.tearOff, revealed: [] } },
  ];
  for (const each of wrong) expect(known.addDependency(each)).toBeUndefined();
  expect(known.get(second.ref)).toBeUndefined();
  small.close();
});

test("beyond its size the oldest are forgotten, but none that the node holds", async () => {
  const { small, all } = await proofs();
  const funds = all.slice(-30);
  const isHeld = (index: number): boolean => index < 3;
  const known = knownOf(small, isHeld, 8);
  for (const dependency of funds) known.addDependency(dependency);
  const left = funds.filter(({ ref }) => known.get(ref) !== undefined).map(({ ref }) => ref.index);
  expect(left.filter(isHeld)).toEqual([0, 1, 2]);
  expect(left.at(-1)).toBe(29);
  expect(left.length).toBeLessThanOrEqual(11);
  small.close();
});

test("where all are held, none is forgotten, however many they are", async () => {
  const { small, all } = await proofs();
  const known = knownOf(small, () => true, 4);
  for (const dependency of all) known.addDependency(dependency);
  expect(all.filter(({ ref }) => known.get(ref) === undefined)).toEqual([]);
  small.close();
});
