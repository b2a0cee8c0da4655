/**
 * Certified claims over real nodes: certified before they are sold, bought by who requires them, traced by the promises that
 * carry them, contradicted by another agency, and taken into the agency's record when the slot is settled.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Certificate, ClaimRequirement, ClientCommand } from "#contracts";
import { type Hash, hashOf, microsPerKwh, type PublicKey, wattHours } from "#core";
import {
  AGENCY,
  DEADLINE_MS,
  GATE_MS,
  LIFE_TARIFF,
  NEXT_SLOT,
  RENEWABLE,
  SLOT,
  SLOT_END_MS,
  SmallNetwork,
  SOLAR,
} from "#testkit";
import { closeSlotCertificates } from "./certificate-closing.ts";
import { certificationPolicy, type RegisteredPlant } from "./certification-policy.ts";
import { type SlotReading, settleWholeSlot } from "./slot-settlement.ts";

const { certifiedBy: _, ...CLAIMED } = SOLAR;
const EVIDENCE: Hash = hashOf("there are no panels on that roof");
let small: SmallNetwork;

beforeEach(async () => {
  const plants = new Map<PublicKey, RegisteredPlant>();
  let open: () => readonly Certificate[] = () => [];
  small = await SmallNetwork.found({
    policyOf: (name) => (name === "agency" ? certificationPolicy(plants, () => open()) : undefined),
  });
  for (const name of ["alice", "dave"]) await small.join(name);
  for (const name of ["bob", "carol"]) await small.join(name, { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  for (const name of ["agency", "second agency"])
    await small.join(name, { roles: AGENCY.roles, capacityPerSlot: wattHours(0) });
  open = () => small.node("agency").unspent("certificate");
  plants.set(small.key("alice"), { ...CLAIMED, capacityPerSlot: wattHours(5_000) });
  for (const name of ["alice", "bob", "carol", "dave", "power-company"]) await small.fund(name, 9_000_000, 9_000_000);
  await small.run("power-company", LIFE_TARIFF);
});
afterEach(() => small.close());

function promising(commandId: string, energy: number, claims: typeof CLAIMED | null = CLAIMED): ClientCommand {
  const promise = { slot: SLOT, energy: wattHours(energy), ...(claims === null ? {} : { claims }) };
  return { tag: "create-promises", commandId, promises: [promise] };
}

function certifying(commandId: string, agency = "agency", slots = [SLOT]): ClientCommand {
  return { tag: "certify-claims", commandId, agency: small.key(agency), slots };
}

function contradicting(commandId: string, supplier = "alice"): ClientCommand {
  const parties = { agency: small.key("agency"), supplier: small.key(supplier) };
  return { tag: "contradict-certificate", commandId, ...parties, slot: SLOT, evidence: EVIDENCE };
}

function ordering(
  commandId: string,
  side: "bid" | "offer",
  energy: number,
  limit: number,
  requires?: ClaimRequirement,
): ClientCommand {
  const order = { side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) };
  return {
    tag: "place-orders",
    commandId,
    marketplace: small.key("marketplace"),
    orders: [{ ...order, ...(requires === undefined ? {} : { requires }) }],
  };
}

async function refusal(name: string, command: ClientCommand): Promise<unknown> {
  const result = await small.submit(name, command);
  return result.ok ? "done" : result.error;
}

/** The agency's record as everybody sees it: certified and contradicted, in watt-hours. */
function recordAt(node: string, agency = "agency"): readonly bigint[] {
  const record = small
    .node(node)
    .unspent("agency-record")
    .find((each) => each.agency === small.key(agency));
  return record === undefined ? [] : [record.certified, record.contradicted];
}

/** Promises that a node keeps, by holder: energy and whether certified. */
function promisesAt(node: string): readonly string[] {
  const nameOf = (key: string): string => ["alice", "bob", "carol"].find((name) => small.key(name) === key) ?? "?";
  return small
    .node(node)
    .unspent("power-promise")
    .map(({ energy, owner, claims }) => `${energy} of ${nameOf(owner)}${claims?.certifiedBy ? ", certified" : ""}`)
    .sort();
}

async function settle(aliceProduced: number): Promise<unknown> {
  small.clock.moveTo(SLOT_END_MS);
  const reading = (name: string, produced: number, consumed: number): SlotReading => ({
    member: small.key(name),
    produced: wattHours(produced),
    consumed: wattHours(consumed),
  });
  return settleWholeSlot(small.node("grid-authority"), SLOT, [
    reading("alice", aliceProduced, 0),
    reading("bob", 0, 1_000),
    reading("carol", 0, 1_000),
  ]);
}

describe("a supplier", () => {
  test("has what it promised certified, of many slots at once, before it sells it", async () => {
    await small.run("alice", {
      tag: "create-promises",
      commandId: "p",
      promises: [SLOT, NEXT_SLOT].map((slot) => ({ slot, energy: wattHours(2_000), claims: CLAIMED })),
    });
    await small.run("alice", certifying("c", "agency", [SLOT, NEXT_SLOT]));
    expect(promisesAt("alice")).toEqual(["2000 of alice, certified", "2000 of alice, certified"]);
    for (const node of ["alice", "agency", "grid-authority"])
      expect(
        small
          .node(node)
          .unspent("certificate")
          .map(({ slot, energy }) => [slot, energy]),
        node,
      ).toEqual([
        [SLOT, 2_000n],
        [NEXT_SLOT, 2_000n],
      ]);
    expect(small.node("bob").unspent("certificate")).toEqual([]);
  });

  test("certifies what is free and claims something, and is told when there is nothing", async () => {
    await small.run("alice", promising("silent", 1_000, null));
    expect(await refusal("alice", certifying("c1"))).toEqual({ tag: "claims_missing" });
    await small.run("alice", promising("p", 1_000));
    await small.run("alice", certifying("c2"));
    expect(promisesAt("alice")).toEqual(["1000 of alice", "1000 of alice, certified"]);
    expect(await refusal("alice", certifying("c3"))).toEqual({ tag: "claims_missing" });
  });

  test("does not certify what it has locked, what another owns, or what is too late", async () => {
    await small.run("alice", promising("p", 1_000));
    await small.run("alice", ordering("o", "offer", 1_000, 100_000));
    expect(await refusal("alice", certifying("c1"))).toEqual({ tag: "claims_missing" });
    await small.run("alice", { tag: "cancel-orders", commandId: "x", orderIds: ["o/0"] });
    small.clock.moveTo(GATE_MS);
    expect(await refusal("alice", certifying("c2"))).toMatchObject({ tag: "gate_closed", slot: SLOT });
  });

  test("finds no agency in itself, in who is none, and in one that is suspended", async () => {
    await small.run("alice", promising("p", 1_000));
    expect(await refusal("alice", certifying("c1", "alice"))).toEqual({ tag: "role_not_allowed" });
    expect(await refusal("alice", certifying("c2", "bob"))).toEqual({ tag: "role_not_allowed" });
    const member = small.key("agency");
    await small.run("grid-authority", { tag: "amend-member", commandId: "s", member, standing: "suspended" });
    expect(await refusal("alice", certifying("c3"))).toEqual({ tag: "member_suspended" });
  });

  test("may leave it to a delegate, whose client sees what it signs", async () => {
    await small.run("alice", promising("p", 1_000));
    const client = await small.delegate("alice", ["certify-claims", "create-promises"]);
    expect(await client.submit(certifying("c"))).toMatchObject({ ok: true, value: { status: "created" } });
    expect(promisesAt("alice")).toEqual(["1000 of alice, certified"]);
  });
});

describe("an agency", () => {
  test("signs for the plants that it knows, and for no more than they make", async () => {
    const unregistered = {
      tag: "counterparty_refused",
      party: small.key("agency"),
      reason: "claims_unregistered",
      clauses: [],
    };
    await small.run("dave", promising("stranger", 1_000));
    expect(await refusal("dave", certifying("d"))).toEqual(unregistered);
    await small.run("alice", promising("wind", 1_000, { ...CLAIMED, source: "wind" }));
    expect(await refusal("alice", certifying("w"))).toEqual(unregistered);
  });

  test("counts what it has certified of a slot before", async () => {
    await small.run("alice", promising("p1", 3_000));
    await small.run("alice", certifying("c1"));
    await small.run("alice", promising("p2", 2_001));
    expect(await refusal("alice", certifying("c2"))).toMatchObject({ reason: "claims_unregistered" });
    expect(promisesAt("agency")).toEqual([]);
  });

  test("contradicts what another has certified, and nobody else does", async () => {
    await small.run("alice", promising("p", 1_000));
    expect(await refusal("second agency", contradicting("early"))).toEqual({ tag: "certificate_unknown" });
    await small.run("alice", certifying("c"));
    expect(await refusal("bob", contradicting("b"))).toEqual({ tag: "role_not_allowed" });
    expect(await refusal("agency", contradicting("own"))).toEqual({ tag: "role_not_allowed" });
    await small.run("second agency", contradicting("k"));
    for (const node of ["alice", "agency", "grid-authority"])
      expect(small.node(node).unspent("certificate"), node).toMatchObject([
        { contradiction: { by: small.key("second agency"), evidence: EVIDENCE } },
      ]);
    expect(await refusal("second agency", contradicting("again"))).toEqual({ tag: "certificate_unknown" });
  });

  test("is shown certificates by the grid authority alone, and nobody else is", async () => {
    await small.run("alice", promising("p", 1_000));
    await small.run("alice", certifying("c"));
    const asked = {
      tag: "certificates-of",
      agency: small.key("agency"),
      supplier: small.key("alice"),
      slot: SLOT,
    } as const;
    const forbidden = { tag: "refused", refusal: { tag: "role_not_allowed" } };
    expect(await small.send("bob", "grid-authority", asked)).toEqual(forbidden);
    expect(await small.send("second agency", "alice", asked)).toEqual(forbidden);
    expect(await small.send("second agency", "grid-authority", asked)).toMatchObject({ tag: "proved" });
  });
});

describe("an agency's record", () => {
  test("is there from the beginning, for everybody", () => {
    for (const node of ["alice", "bob", "second agency"]) expect(recordAt(node), node).toEqual([0n, 0n]);
    expect(recordAt("bob", "bob")).toEqual([]);
  });

  test("grows by what was certified, and by what did not come", async () => {
    await small.run("alice", promising("p", 2_000));
    await small.run("alice", certifying("c"));
    await small.run("alice", promising("uncertified", 1_000, null));
    // Half of 3,000 Wh came: of the 2,000 that were certified 1,000 did not.
    expect(await settle(1_500)).toEqual([]);
    for (const node of ["alice", "bob", "grid-authority"]) expect(recordAt(node), node).toEqual([2_000n, 1_000n]);
    for (const node of ["alice", "agency", "grid-authority"])
      expect(small.node(node).unspent("certificate"), node).toEqual([]);
    expect(await closeSlotCertificates(small.node("grid-authority"), SLOT)).toEqual([]);
  });

  test("has all of what another agency contradicted, though it was delivered", async () => {
    await small.run("alice", promising("p", 2_000));
    await small.run("alice", certifying("c"));
    await small.run("second agency", contradicting("k"));
    expect(await settle(2_000)).toEqual([]);
    expect(recordAt("bob")).toEqual([2_000n, 2_000n]);
    expect(recordAt("bob", "second agency")).toEqual([0n, 0n]);
  });

  test("is closed by the grid authority, once the slot is settled", async () => {
    await small.run("alice", promising("p", 2_000));
    await small.run("alice", certifying("c"));
    const close = (commandId: string): ClientCommand => ({
      tag: "close-certificates",
      commandId,
      agency: small.key("agency"),
      slot: SLOT,
    });
    expect(await refusal("agency", close("own"))).toEqual({ tag: "role_not_allowed" });
    expect(await refusal("grid-authority", close("early"))).toEqual({ tag: "certificate_unknown" });
    expect(await closeSlotCertificates(small.node("grid-authority"), SLOT)).toEqual([]);
    expect(recordAt("bob")).toEqual([0n, 0n]);
  });
});

describe("a buyer", () => {
  test("requires certified claims in an auction, which announces those of its promises", async () => {
    const auctioning = (auctionId: string): ClientCommand => ({
      tag: "create-auction",
      commandId: auctionId,
      marketplace: small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(1_000),
      basePrice: microsPerKwh(100_000),
      deadlineMs: DEADLINE_MS,
    });
    const bidding = (auctionId: string): ClientCommand => ({
      tag: "bid",
      commandId: `bid ${auctionId}`,
      auctionId,
      price: microsPerKwh(150_000),
      requires: RENEWABLE,
    });
    await small.run("alice", promising("grey", 1_000));
    await small.run("alice", auctioning("grey auction"));
    await small.run("alice", promising("green", 1_000));
    await small.run("alice", certifying("c"));
    await small.run("alice", auctioning("green auction"));
    expect(await refusal("bob", bidding("grey auction"))).toEqual({ tag: "requirement_unmet" });
    await small.run("bob", bidding("green auction"));
    small.clock.moveTo(DEADLINE_MS);
    await small.run("alice", { tag: "end-auction", commandId: "end", auctionId: "green auction" });
    await small.run("bob", { tag: "settle-auction", commandId: "settle", auctionId: "green auction" });
    expect(promisesAt("bob")).toEqual(["1000 of bob, certified"]);
  });

  test("gets certified energy in a pool, and a part of a promise keeps its claims", async () => {
    await small.run("alice", promising("p", 2_000));
    await small.run("alice", certifying("c"));
    await small.run("alice", ordering("offer", "offer", 1_500, 100_000));
    await small.run("bob", ordering("bid", "bid", 1_000, 200_000, RENEWABLE));
    const trade = { bid: "bid/0", offer: "offer/0", energy: wattHours(1_000), price: microsPerKwh(150_000) };
    await small.run("marketplace", {
      tag: "clear-pool",
      commandId: "round",
      slot: SLOT,
      price: microsPerKwh(150_000),
      isFinal: true,
      trades: [trade],
    });
    expect(promisesAt("bob")).toEqual(["1000 of bob, certified"]);
    expect(promisesAt("alice")).toEqual([
      "1000 of bob, certified",
      "500 of alice, certified",
      "500 of alice, certified",
    ]);
  });
});
