/** Seats follow the ledger: they are opened when a member has joined, again after a restart, and closed when it has moved away. */
import { expect, test } from "vitest";
import { decodeTransaction, signTransaction } from "#contracts";
import { deriveDelegateSigner, micros, microsPerKwh, type PublicKey, type Signer, unwrap, wattHours } from "#core";
import { keyOf, SLOT, SLOT_END_MS, SmallNetwork, signerOf } from "#testkit";
import { type AggregatorHost, consentOf, enrolmentOf, serveByLedger } from "./index.ts";

const SEED = new Uint8Array(64).fill(3);
const alice = signerOf("alice");

/** A hub that keeps no list of members, and alice, who signs with her own key elsewhere. */
async function found(): Promise<{ readonly small: SmallNetwork; readonly host: AggregatorHost }> {
  const small = await SmallNetwork.found();
  const host = await small.serve("hub");
  const { networkId } = small.ledger;
  const usual = {
    name: "alice",
    roles: ["prosumer"],
    capacityPerSlot: wattHours(1_000),
    holdingCapPerSlot: null,
  } as const;
  const enrolment = enrolmentOf(alice.publicKey, usual, {
    host: host.party,
    delegate: delegateOf(small)(alice.publicKey).publicKey,
    energyPerSlotMax: wattHours(1_000),
    energyPerDayMax: wattHours(10_000),
    bidPriceMax: microsPerKwh(1),
    expiresMs: SLOT_END_MS,
  });
  const agreed = {
    ...enrolment,
    sign: (each: Parameters<typeof signTransaction>[1]) => signTransaction(networkId, each, alice),
  };
  small.wire.intercept = async (from, to, request, next) => {
    if (to !== alice.publicKey) return next(request);
    const isAsked = request.tag === "sign" && host.seat(to) === undefined;
    return isAsked
      ? consentOf(agreed, small.key("grid-authority"), from, request.transaction)
      : host.handle(from, to, request);
  };
  serveByLedger(host, { delegateOf: delegateOf(small), stored: [] });
  await small.run("grid-authority", { tag: "enrol", commandId: "enrol", members: [enrolment.asked] });
  await small.node("grid-authority").resume();
  return { small, host };
}

function delegateOf(small: SmallNetwork): (member: PublicKey) => Signer {
  const { networkId } = small.ledger;
  return (member) => deriveDelegateSigner(SEED, { networkId, member, generation: 0 });
}

const promise = (commandId: string) =>
  ({ tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(500) }] }) as const;

test("a member that joined has a seat, with the key that is derived for it, before anybody is told of it", async () => {
  const { small, host } = await found();
  expect(host.members).toEqual([alice.publicKey]);
  expect(host.seat(keyOf("nobody"))).toBeUndefined();
  const seat = host.seat(alice.publicKey);
  expect(seat?.unspent("mandate").map(({ delegate }) => delegate)).toEqual([
    delegateOf(small)(alice.publicKey).publicKey,
  ]);
  // It acts as any seat, once the member has funds for deposits.
  await small.run("payment-provider", {
    tag: "issue-funds",
    commandId: "f",
    to: alice.publicKey,
    amounts: [micros(5_000_000)],
  });
  expect(await seat?.submit(promise("first"))).toMatchObject({ ok: true });
  small.close();
});

test("a member that moved away keeps its seat until what it had under way is finished", async () => {
  const { small, host } = await found();
  const tidy = serveByLedger(host, { delegateOf: delegateOf(small), stored: [host.party, alice.publicKey] });
  const seat = host.seat(alice.publicKey);
  if (seat === undefined) throw new Error("alice has a seat");
  // The grid authority can't be told of the move yet.
  const before = small.wire.intercept;
  small.wire.intercept = async (from, to, request, next) =>
    to === small.key("grid-authority") && request.tag === "notice"
      ? { tag: "refused", refusal: { tag: "node_unreachable" } }
      : (before?.(from, to, request, next) ?? next(request));
  const proposal = unwrap(await seat.propose({ tag: "move-member", commandId: "move", served: null }, alice.publicKey));
  if (!("proposalId" in proposal)) throw new Error("it is proposed");
  const { signature } = signTransaction(small.ledger.networkId, unwrap(decodeTransaction(proposal.transaction)), alice);
  expect(await seat.approve(proposal.proposalId, signature)).toMatchObject({ ok: true });
  await host.node.resume();
  tidy();
  expect(host.members).toEqual([alice.publicKey]);
  small.wire.intercept = before;
  await host.resume();
  expect(host.underWay).toEqual({ commands: 0, messages: 0 });
  tidy();
  expect(host.members).toEqual([]);
  expect(await host.handle(small.key("grid-authority"), alice.publicKey, { tag: "sequence", count: 1 })).toEqual({
    tag: "refused",
    refusal: { tag: "node_unreachable" },
  });
  small.close();
});
