/**
 * False certificates: energy that is sold as certified and is not, agencies that are none, suspended, or the supplier itself, and
 * a record that says better of an agency than the meters do.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClaimRequirement, ClientCommand, State, StateTag, Transaction } from "#contracts";
import { hashOf, microsPerKwh, type PublicKey, wattHours } from "#core";
import { AGENCY, LIFE_TARIFF, RENEWABLE, SLOT, SLOT_END_MS, type SmallNetwork, SOLAR } from "#testkit";
import { altered, clausesIn, refusalIn, Stage } from "./stage.ts";

const { certifiedBy: _, ...CLAIMED } = SOLAR;
let stage: Stage;
let small: SmallNetwork;

beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.join("alice", { roles: ["prosumer", "verification-agency"] });
  await small.join("dave");
  for (const name of ["bob", "carol"]) await small.join(name, { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.join("agency", { roles: AGENCY.roles, capacityPerSlot: wattHours(0) });
  for (const name of ["alice", "bob", "carol", "dave", "power-company"]) await small.fund(name, 9_000_000, 9_000_000);
});
afterEach(() => stage.close());

function promising(commandId: string): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(2_000), claims: CLAIMED }] };
}

function certifying(commandId: string): ClientCommand {
  return { tag: "certify-claims", commandId, agency: small.key("agency"), slots: [SLOT] };
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

function clearing(bid: string, offer: string): ClientCommand {
  const price = microsPerKwh(150_000);
  const trades = [{ bid: `${bid}/0`, offer: `${offer}/0`, energy: wattHours(1_000), price }];
  return { tag: "clear-pool", commandId: `round ${bid}`, slot: SLOT, price, isFinal: false, trades };
}

/** The same value with one text for another wherever it stands. */
function swapped<T>(value: T, texts: Readonly<Record<string, string>>): T {
  const plain = JSON.stringify(value, (_key, each) => (typeof each === "bigint" ? `${each}n` : each));
  return JSON.parse(plain, (_key, each) => {
    if (typeof each !== "string") return each;
    return /^-?\d+n$/.test(each) ? BigInt(each.slice(0, -1)) : (texts[each] ?? each);
  }) as T;
}

/** Where a party's unspent state of a kind is. */
async function refOf(
  tag: StateTag,
  isIt: (state: State) => boolean,
  node = "grid-authority",
): Promise<Transaction["inputs"][number]> {
  const found = (await small.resolved(node, tag)).find(({ state }) => isIt(state));
  if (found === undefined) throw new Error(`there is such a ${tag}`);
  return found.ref;
}

function isOf(key: PublicKey): (state: State) => boolean {
  return (state) =>
    ("member" in state && state.member === key) ||
    ("key" in state && state.key === key) ||
    ("owner" in state && state.owner === key);
}

describe("a bid that requires certified claims", () => {
  test("is not filled with others by a marketplace, whoever colludes, and is filled with those that it requires", async () => {
    await small.run("alice", promising("green"));
    await small.run("alice", certifying("certify"));
    await small.run("dave", promising("grey"));
    await small.run("alice", ordering("green offer", "offer", 1_000, 100_000));
    await small.run("dave", ordering("grey offer", "offer", 1_000, 100_000));
    await small.run("bob", ordering("bob", "bid", 1_000, 200_000, RENEWABLE));
    await small.run("carol", ordering("carol", "bid", 1_000, 200_000));
    // Its own node does not draft it; so it takes what carol could buy, and puts bob in her place.
    const drafted = await small.submit("marketplace", clearing("bob", "grey offer"));
    expect(drafted).toEqual({ ok: false, error: { tag: "contract_violated", clauses: ["clear_requirements_met"] } });
    const { content } = (await stage.taken("marketplace", clearing("carol", "grey offer"))).transaction;
    const [bob, carol] = [small.key("bob"), small.key("carol")];
    const places = [
      ["pool-order", "marketplace"],
      ["exposure", "grid-authority"],
      ["member", "grid-authority"],
    ] as const;
    const refs = new Map<string, Transaction["inputs"][number]>();
    for (const [tag, node] of places)
      refs.set(JSON.stringify(await refOf(tag, isOf(carol), node)), await refOf(tag, isOf(bob), node));
    const moved = (ref: Transaction["inputs"][number]): Transaction["inputs"][number] =>
      refs.get(JSON.stringify(ref)) ?? ref;
    const robbed = {
      ...swapped(content, { [carol]: bob, "carol/0": "bob/0" }),
      inputs: content.inputs.map(moved),
      references: content.references.map(moved),
    };
    stage.proving("marketplace");
    const before = await small.everything();
    const alone = await stage.ask("marketplace", "verifier", "sign", small.craft(robbed, "marketplace"));
    expect(clausesIn(alone)).toEqual(["clear_requirements_met"]);
    const colluding = small.craft(robbed, "marketplace", "verifier");
    expect(clausesIn(await stage.ask("marketplace", "notary", "notarise", colluding))).toEqual([
      "clear_requirements_met",
    ]);
    expect(await small.everything()).toEqual(before);
    await small.run("marketplace", clearing("bob", "green offer"));
    expect(small.node("bob").unspent("power-promise")).toMatchObject([
      { claims: { certifiedBy: small.key("agency") } },
    ]);
  });
});

describe("a supplier", () => {
  test("does not create promises that are certified already", async () => {
    const { content } = (await stage.taken("alice", promising("green"))).transaction;
    const claims = { ...CLAIMED, certifiedBy: small.key("agency") };
    const false_ = altered(content, "power-promise", (promise) => [{ ...promise, claims }]);
    stage.proving("alice");
    for (const signer of ["verifier", "grid-authority"]) {
      const reply = await stage.ask("alice", signer, "sign", small.craft(false_, "alice"));
      expect(clausesIn(reply), signer).toEqual(["promise_claims_uncertified"]);
    }
    const colluding = small.craft(false_, "alice", "verifier", "grid-authority");
    expect(clausesIn(await stage.ask("alice", "notary", "notarise", colluding))).toEqual([
      "promise_claims_uncertified",
    ]);
    await small.run("alice", promising("again"));
  });

  test("does not certify itself, though it is an agency, nor has who is none sign for it", async () => {
    await small.run("alice", promising("green"));
    const { content } = (await stage.taken("alice", certifying("certify"))).transaction;
    const agency = small.key("agency");
    const signedBy = async (name: string): Promise<Transaction> => {
      const key = small.key(name);
      const cited = await refOf("member", isOf(agency));
      const instead = await refOf("member", isOf(key));
      const references = content.references.map((ref) =>
        JSON.stringify(ref) === JSON.stringify(cited) ? instead : ref,
      );
      const distinct = new Map(references.map((ref) => [JSON.stringify(ref), ref]));
      const signers = [...new Set([small.key("alice"), key])].sort();
      return {
        ...swapped(content, { [agency]: key }),
        inputs: content.inputs,
        references: [...distinct.values()],
        signers,
      };
    };
    const own = small.craft(await signedBy("alice"), "alice");
    expect(clausesIn(await stage.ask("alice", "notary", "notarise", own))).toEqual(["certify_not_by_the_supplier"]);
    const friend = small.craft(await signedBy("bob"), "alice", "bob");
    expect(clausesIn(await stage.ask("alice", "notary", "notarise", friend))).toEqual(["certify_by_an_agency"]);
    const forged = small.craft(content, "alice");
    expect(refusalIn(await stage.ask("alice", "notary", "notarise", forged))).toEqual({ tag: "signature_missing" });
    await small.run("alice", certifying("again"));
  });

  test("gets nothing certified by an agency that was suspended, with its new membership or its old one", async () => {
    await small.run("alice", promising("green"));
    const { content } = (await stage.taken("alice", certifying("certify"))).transaction;
    const old = await refOf("member", isOf(small.key("agency")));
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "suspend",
      member: small.key("agency"),
      standing: "suspended",
    });
    const now = await refOf("member", isOf(small.key("agency")));
    const references = content.references.map((ref) => (JSON.stringify(ref) === JSON.stringify(old) ? now : ref));
    const before = small.craft(content, "alice", "agency");
    expect(refusalIn(await stage.ask("alice", "notary", "notarise", before))).toMatchObject({ tag: "state_conflict" });
    const after = small.craft({ ...content, references }, "alice", "agency");
    expect(clausesIn(await stage.ask("alice", "notary", "notarise", after))).toEqual(["certify_by_an_agency"]);
  });
});

describe("a grid authority", () => {
  test("says no better of an agency than the settlement, nor leaves a contradiction out", async () => {
    await small.run("power-company", LIFE_TARIFF);
    await small.join("second agency", { roles: AGENCY.roles, capacityPerSlot: wattHours(0) });
    await small.run("alice", promising("green"));
    await small.run("alice", certifying("certify"));
    const [agency, supplier] = [small.key("agency"), small.key("alice")];
    await small.run("second agency", {
      ...{ tag: "contradict-certificate", commandId: "contradict", slot: SLOT },
      ...{ agency, supplier, evidence: hashOf("there are no panels on that roof") },
    });
    small.clock.moveTo(SLOT_END_MS);
    const readings = [{ member: supplier, produced: wattHours(2_000), consumed: wattHours(0) }];
    await small.run("grid-authority", { tag: "record-meters", commandId: "meters", slot: SLOT, readings });
    await small.run("grid-authority", { tag: "check-delivery", commandId: "check", supplier, slot: SLOT });
    await small.run("grid-authority", { tag: "settle-slot", commandId: "settle", member: supplier, slot: SLOT });
    const close: ClientCommand = { tag: "close-certificates", commandId: "close", agency, slot: SLOT };
    const { content } = (await stage.taken("grid-authority", close)).transaction;
    for (const patch of [{ contradicted: wattHours(0) }, { certified: wattHours(9_000) }]) {
      const kinder = altered(content, "agency-record", (record) => [{ ...record, ...patch }]);
      const reply = await stage.ask("grid-authority", "notary", "notarise", small.craft(kinder, "grid-authority"));
      expect(clausesIn(reply)).toEqual(["close_record_follows"]);
    }
    const own = small.craft({ ...content, signers: [agency] }, "agency");
    expect(clausesIn(await stage.ask("agency", "notary", "notarise", own))).toEqual(["close_signed_by_grid_authority"]);
    await small.run("grid-authority", { ...close, commandId: "close again" });
    const record = { tag: "agency-record", agency, certified: 2_000n, contradicted: 2_000n };
    expect(small.node("bob").unspent("agency-record")).toContainEqual(record);
  });
});
