/** Money over the ledger's edge: nothing is lost between the bank and the ledger, and no promise moves without its money. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { decodeSignedTransaction, MICROS_PER_CENT, moneyIn, refKey, type State, wholeCents } from "#contracts";
import { micros, microsPerKwh, type SlotId, slotStartingAt, unwrap, wattHours } from "#core";
import { centsText } from "#payments";
import { type Booking, DEADLINE_MS, PaymentDesk, SLOT, SLOT_START_MS, SmallNetwork } from "#testkit";

const MEMBERS = ["alice", "bob"] as const;
const QUARTER_MS = 900_000;

let small: SmallNetwork;
afterEach(() => small.close());

type Step =
  | { readonly tag: "deposit"; readonly who: 0 | 1; readonly cents: number }
  | { readonly tag: "redeem"; readonly who: 0 | 1; readonly micros: number }
  | { readonly tag: "trade"; readonly who: 0 | 1; readonly energy: number; readonly price: number }
  | { readonly tag: "file" | "pay" | "return" };
const arbWho = fc.constantFrom<0 | 1>(0, 1);
const arbSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ tag: fc.constant("deposit"), who: arbWho, cents: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ tag: fc.constant("redeem"), who: arbWho, micros: fc.integer({ min: 1, max: 2_000_000 }) }),
    fc.record({
      tag: fc.constant("trade"),
      who: arbWho,
      energy: fc.integer({ min: 100, max: 2_000 }),
      price: fc.integer({ min: 1, max: 300_000 }),
    }),
    fc.record({ tag: fc.constantFrom("file", "pay", "return") }),
  ),
  { minLength: 3, maxLength: 14 },
);

/** Carries out steps, and knows from the bank's side alone how much money should be where. */
class Story {
  readonly #desk = new PaymentDesk(small, MEMBERS);
  /** Ordered and not booked yet. */
  #open: Booking[] = [];
  #count = 0;
  paidIn = 20_000_000n;
  paidOut = 0n;

  async take(step: Step): Promise<void> {
    this.#count += 1;
    if (step.tag === "deposit") return this.#deposit(step);
    if (step.tag === "redeem") return this.redeem(MEMBERS[step.who], BigInt(step.micros));
    if (step.tag === "trade") return this.#trade(step);
    if (step.tag === "file") return this.file();
    const [booking, ...rest] = this.#open;
    if (booking === undefined) return;
    this.#open = rest;
    if (step.tag === "pay") return this.#pay(booking);
    expect((await this.#desk.receive([{ ...booking, direction: "CRDT" }])).returned).toHaveLength(1);
  }

  async #deposit({ who, cents }: Extract<Step, { readonly tag: "deposit" }>): Promise<void> {
    const amount = BigInt(cents) * MICROS_PER_CENT;
    const booking: Booking = {
      direction: "CRDT",
      amount: centsText(amount),
      reference: `deposit ${this.#count}`,
      details: [{ remittance: MEMBERS[who].toUpperCase() }],
    };
    expect((await this.#desk.receive([booking, booking])).issued).toHaveLength(1);
    this.paidIn += amount;
  }

  /** What is below a cent stays with its owner, to the micro. */
  async redeem(name: string, amount: bigint): Promise<void> {
    this.#count += 1;
    const before = small.balance(name);
    const commandId = `redeem ${name} ${this.#count}`;
    const done = await small.submit(name, { tag: "redeem-funds", commandId, amount: micros(amount) });
    const isPossible = amount <= before && wholeCents(amount) > 0n;
    expect(done.ok).toBe(isPossible);
    expect(small.balance(name)).toBe(before - (isPossible ? wholeCents(amount) : 0n));
  }

  async #trade({ who, energy, price }: Extract<Step, { readonly tag: "trade" }>): Promise<void> {
    const [seller, buyer] = who === 0 ? ["alice", "bob"] : ["bob", "alice"];
    const id = slotStartingAt(SLOT_START_MS + this.#count * QUARTER_MS, 15).id;
    const name = `trade ${this.#count}`;
    const order = (side: "bid" | "offer"): Parameters<SmallNetwork["submit"]>[1] => ({
      tag: "place-orders",
      commandId: `${side} of ${name}`,
      marketplace: small.key("marketplace"),
      orders: [{ side, slot: id, energy: wattHours(energy), limit: microsPerKwh(price) }],
    });
    const promises = [{ slot: id, energy: wattHours(energy) }];
    const promised = await small.submit(seller, { tag: "create-promises", commandId: name, promises });
    if (!promised.ok || !(await small.submit(buyer, order("bid"))).ok) return;
    await small.run(seller, order("offer"));
    await this.#clear(id, name, energy, price);
  }

  async #clear(slot: SlotId, name: string, energy: number, price: number): Promise<void> {
    const [bid, offer] = [`bid of ${name}/0`, `offer of ${name}/0`];
    await small.run("marketplace", {
      tag: "clear-pool",
      commandId: `clear ${name}`,
      slot,
      price: microsPerKwh(price),
      isFinal: true,
      trades: [{ bid, offer, energy: wattHours(energy), price: microsPerKwh(price) }],
    });
  }

  async file(): Promise<void> {
    const made = await this.#desk.file();
    if (made.ok) this.#open.push(...this.#desk.bookingsOf(made.value));
  }

  async #pay(booking: Booking): Promise<void> {
    const { confirmed } = await this.#desk.confirm([booking, booking]);
    expect(confirmed).toHaveLength(1);
    for (const { amount } of confirmed) this.paidOut += amount;
  }

  /** All money that is there: on the ledger, or paid out. */
  expectBalance(): void {
    const { issuedMicros, heldMicros } = small.ledger.moneyHeld();
    expect(heldMicros + this.paidOut).toBe(this.paidIn);
    expect(issuedMicros).toBe(heldMicros);
    expect(this.paidOut % MICROS_PER_CENT).toBe(0n);
  }

  /** Everybody takes out what is free, and the bank pays all of it. */
  async empty(): Promise<void> {
    for (const name of MEMBERS) await this.redeem(name, small.balance(name));
    await this.file();
    while (this.#open.length > 0) await this.take({ tag: "pay" });
    for (const name of MEMBERS) expect(small.balance(name)).toBeLessThan(MICROS_PER_CENT);
    expect(small.node("payment-provider").unspent("redemption")).toEqual([]);
  }

  close(): void {
    this.#desk.close();
  }
}

async function founded(): Promise<void> {
  small = await SmallNetwork.found();
  for (const name of MEMBERS) {
    await small.join(name);
    await small.fund(name, 10_000_000);
  }
}

describe("money over the edge", () => {
  test("law: whatever is paid in, traded, redeemed, ordered, paid and given back: what the bank paid out and the ledger holds is what was paid in, to the micro", async () => {
    await fc.assert(
      fc.asyncProperty(arbSteps, async (steps) => {
        await founded();
        const story = new Story();
        for (const step of steps) {
          await story.take(step);
          story.expectBalance();
        }
        await story.empty();
        story.expectBalance();
        story.close();
        small.close();
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});

describe("delivery versus payment", () => {
  /** What one has in each prefix of the notary's log: energy of a supplier's, and money, locked or free. */
  function everyPrefix(read: (unspent: readonly State[]) => string): readonly string[] {
    const unspent = new Map<string, State>();
    const seen: string[] = [];
    for (const { txId, bytes } of small.commitLog.scan()) {
      const { content } = unwrap(decodeSignedTransaction(new Uint8Array(bytes))).transaction;
      for (const ref of content.inputs) unspent.delete(refKey(ref));
      for (const [index, state] of content.outputs.entries()) unspent.set(refKey({ txId, index }), state);
      seen.push(read([...unspent.values()]));
    }
    return seen;
  }

  function positions(seller: string, buyer: string): readonly string[] {
    const from = small.ledger.moneyHeld().transactions;
    expect(from).toBeGreaterThan(0);
    const [sold, bought] = [small.key(seller), small.key(buyer)];
    const moneyOf = (states: readonly State[], key: string): bigint =>
      states.reduce((sum, state) => sum + (moneyIn(state)?.owner === key ? (moneyIn(state)?.amount ?? 0n) : 0n), 0n);
    return everyPrefix((states) => {
      const energy = states.reduce(
        (sum, state) =>
          state.tag === "power-promise" && state.supplier === sold && state.owner === bought ? sum + state.energy : sum,
        0n,
      );
      return `${energy} Wh, ${moneyOf(states, sold)}, ${moneyOf(states, bought)}`;
    });
  }

  const PROMISE = { slot: SLOT, energy: wattHours(2_000) };

  test("no prefix of the notary's log has a promise of an auction moved without its money", async () => {
    await founded();
    await small.run("alice", { tag: "create-promises", commandId: "p", promises: [PROMISE] });
    const auction = { marketplace: small.key("marketplace"), ...PROMISE, basePrice: microsPerKwh(100_000) };
    await small.run("alice", { tag: "create-auction", commandId: "auction", ...auction, deadlineMs: DEADLINE_MS });
    await small.run("bob", { tag: "bid", commandId: "bid", auctionId: "auction", price: microsPerKwh(150_000) });
    small.clock.moveTo(DEADLINE_MS);
    await small.run("alice", { tag: "end-auction", commandId: "end", auctionId: "auction" });
    await small.run("bob", { tag: "settle-auction", commandId: "settle", auctionId: "auction" });
    // 2 kWh at 0.15, and 0.005 fee per kWh.
    const [before, after] = ["0 Wh, 10000000, 10000000", "2000 Wh, 10300000, 9690000"];
    const traded = positions("alice", "bob").slice(-6);
    expect(new Set(traded)).toEqual(new Set([before, after]));
    expect(traded.indexOf(after)).toBe(traded.lastIndexOf(before) + 1);
  });

  test("no prefix of the notary's log has promises of a pool moved without their money", async () => {
    await founded();
    await small.run("alice", { tag: "create-promises", commandId: "p", promises: [PROMISE] });
    const place = (side: "bid" | "offer"): Parameters<SmallNetwork["submit"]>[1] => ({
      tag: "place-orders",
      commandId: side,
      marketplace: small.key("marketplace"),
      orders: [{ side, ...PROMISE, limit: microsPerKwh(180_000) }],
    });
    await small.run("alice", place("offer"));
    await small.run("bob", place("bid"));
    await small.run("marketplace", {
      tag: "clear-pool",
      commandId: "round",
      slot: SLOT,
      price: microsPerKwh(180_000),
      isFinal: true,
      trades: [{ bid: "bid/0", offer: "offer/0", energy: PROMISE.energy, price: microsPerKwh(180_000) }],
    });
    const traded = positions("alice", "bob").slice(-5);
    expect(new Set(traded)).toEqual(new Set(["0 Wh, 10000000, 10000000", "2000 Wh, 10360000, 9630000"]));
  });
});
