/**
 * Law: whatever the delegates of a member try, in whatever order and from whatever process, its promises, holdings and bids never pass
 * the limits of the mandate under which the last of them was made, and nothing is done under a mandate that was revoked.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClientCommand, LedgerRefusal, Receipt } from "#contracts";
import { microsPerKwh, type Result, type SlotId, wattHours } from "#core";
import { delegateClient, type LedgerClient } from "#ledger-client";
import { DEADLINE_MS, NEXT_SLOT, SLOT, SLOT_START_MS, SmallNetwork } from "#testkit";
import { botOf, mandateFor } from "../attacks/served-member.ts";

type Limits = { readonly slot: number; readonly day: number; readonly price: number };
/** The two delegates' mandates differ: what one may no more, the other may still. */
const LIMITS: Readonly<Record<Delegate, Limits>> = {
  "first bot": { slot: 3_000, day: 5_000, price: 250_000 },
  "second bot": { slot: 2_000, day: 6_000, price: 150_000 },
};
const DELEGATES = ["first bot", "second bot"] as const;
type Delegate = (typeof DELEGATES)[number];

type Step = {
  readonly by: Delegate;
  readonly what: "promise" | "order" | "bid" | "cancel" | "revoke" | "grant" | "both";
  readonly slot: SlotId;
  readonly energy: number;
  readonly price: number;
};

const arbStep: fc.Arbitrary<Step> = fc.record({
  by: fc.constantFrom(...DELEGATES),
  what: fc.constantFrom("promise", "promise", "order", "order", "bid", "cancel", "revoke", "grant", "both"),
  slot: fc.constantFrom(SLOT, NEXT_SLOT),
  energy: fc.integer({ min: 100, max: 3_500 }),
  price: fc.integer({ min: 50_000, max: 300_000 }),
});

class Community {
  readonly #small: SmallNetwork;
  readonly #clients: ReadonlyMap<Delegate, LedgerClient>;
  readonly #mandated = new Set<Delegate>();
  #commands = 0;

  static async found(seed: string): Promise<Community> {
    const small = await SmallNetwork.found({ seed });
    for (const name of ["alice", "seller"]) {
      await small.join(name);
      await small.fund(name, 9_000_000, 9_000_000, 9_000_000, 9_000_000);
    }
    const made = new Community(small);
    await made.#auction();
    for (const by of DELEGATES) await made.#grant(by);
    return made;
  }

  private constructor(small: SmallNetwork) {
    this.#small = small;
    const { networkId } = small.ledger;
    const client = (by: Delegate): LedgerClient =>
      delegateClient(small.node("alice"), { signer: botOf(by), networkId });
    this.#clients = new Map(DELEGATES.map((by) => [by, client(by)]));
  }

  close(): void {
    this.#small.close();
  }

  /** Does a step; afterwards no limit is passed, and nothing was done without a mandate. */
  async take(step: Step): Promise<void> {
    if (step.what === "revoke") return this.#revoke(step.by);
    if (step.what === "grant") return this.#grant(step.by);
    const before = this.#totals();
    const acting = step.what === "both" ? DELEGATES : [step.by];
    const mandated = new Set(this.#mandated);
    const answers = await Promise.all(acting.map((by) => this.#act(by, step)));
    for (const [index, by] of acting.entries())
      if (answers[index]?.ok === true) expect(mandated.has(by), `${by} acts under a mandate`).toBe(true);
    const done = acting.filter((_, index) => answers[index]?.ok === true);
    this.#expectWithin(step, before, done);
  }

  #act(by: Delegate, step: Step): Promise<Result<Receipt, LedgerRefusal>> {
    const client = this.#clients.get(by);
    if (client === undefined) throw new Error("every delegate has a client");
    return client.submit(this.#commandOf(step));
  }

  #commandOf({ what, slot, energy, price }: Step): ClientCommand {
    const commandId = `command ${this.#commands++}`;
    switch (what) {
      case "order":
      case "both":
        return {
          tag: "place-orders",
          commandId,
          marketplace: this.#small.key("marketplace"),
          orders: [{ side: "bid", slot, energy: wattHours(energy), limit: microsPerKwh(price) }],
        };
      case "bid":
        return { tag: "bid", commandId, auctionId: "auction", price: microsPerKwh(price) };
      case "cancel": {
        const orderIds = this.#small
          .node("alice")
          .unspent("pool-order")
          .slice(0, 1)
          .map(({ orderId }) => orderId);
        return { tag: "cancel-orders", commandId, orderIds: orderIds.length > 0 ? orderIds : ["none"] };
      }
      default:
        return { tag: "create-promises", commandId, promises: [{ slot, energy: wattHours(energy) }] };
    }
  }

  /** What grew is within the limits of one of those who made it grow; the price of what is bid is too. */
  #expectWithin({ what, price }: Step, before: Totals, done: readonly Delegate[]): void {
    const after = this.#totals();
    const widest = (field: keyof Limits): number => Math.max(0, ...done.map((by) => LIMITS[by][field]));
    for (const kind of ["promised", "buying"] as const) {
      const hasGrown = total(after, kind) > total(before, kind);
      if (hasGrown) expect(total(after, kind)).toBeLessThanOrEqual(widest("day"));
      for (const [slot, sums] of after)
        if (sums[kind] > (before.get(slot)?.[kind] ?? 0)) expect(sums[kind]).toBeLessThanOrEqual(widest("slot"));
    }
    const isBuying = what === "order" || what === "bid" || what === "both";
    if (isBuying && done.length > 0) expect(price).toBeLessThanOrEqual(widest("price"));
  }

  /** As the grid authority's node has them: the delegates' own node could be theirs. */
  #totals(): Totals {
    const totals = new Map<SlotId, Sums>();
    for (const { member, entries } of this.#small.node("grid-authority").unspent("exposure"))
      if (member === this.#small.key("alice"))
        for (const { slot, promised, bought, bidding } of entries)
          totals.set(slot, { promised: Number(promised), buying: Number(bought + bidding) });
    return totals;
  }

  async #revoke(by: Delegate): Promise<void> {
    const revoked = await this.#small.submit("alice", {
      tag: "revoke-mandate",
      commandId: `command ${this.#commands++}`,
      mandateId: by,
    });
    expect(revoked.ok).toBe(this.#mandated.has(by));
    this.#mandated.delete(by);
  }

  async #grant(by: Delegate): Promise<void> {
    const { slot, day, price } = LIMITS[by];
    await this.#small.run("alice", {
      tag: "grant-mandate",
      commandId: `command ${this.#commands++}`,
      ...mandateFor(botOf(by).publicKey, {
        mandateId: by,
        energyPerSlotMax: wattHours(slot),
        energyPerDayMax: wattHours(day),
        bidPriceMax: microsPerKwh(price),
        expiresMs: SLOT_START_MS,
      }),
    });
    this.#mandated.add(by);
  }

  async #auction(): Promise<void> {
    await this.#small.run("seller", {
      tag: "create-promises",
      commandId: "promise",
      promises: [{ slot: SLOT, energy: wattHours(900) }],
    });
    await this.#small.run("seller", {
      tag: "create-auction",
      commandId: "auction",
      marketplace: this.#small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(900),
      basePrice: microsPerKwh(60_000),
      deadlineMs: DEADLINE_MS,
    });
  }
}

type Sums = { readonly promised: number; readonly buying: number };
type Totals = ReadonlyMap<SlotId, Sums>;

function total(totals: Totals, kind: keyof Sums): number {
  return [...totals.values()].reduce((sum, sums) => sum + sums[kind], 0);
}

describe("law", () => {
  test("delegates together never pass the mandate's limits, whatever they try and in whatever order", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(arbStep, { minLength: 5, maxLength: 25 }), async (steps) => {
        run += 1;
        const community = await Community.found(`mandates ${run}`);
        for (const step of steps) await community.take(step);
        community.close();
      }),
      { numRuns: 25, seed: 20_310_601, endOnFailure: true },
    );
  }, 120_000);
});
