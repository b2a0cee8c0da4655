import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unwrap, wattHours } from "#core";
import { CANCEL_REFUSALS, OrderBook } from "./book.ts";
import {
  admitOrder,
  BOOK_LIMITS,
  type Book,
  type OrderDraft,
  payAsClear,
  remainingBook,
  type Side,
} from "./clearing/index.ts";

function draft(id: string, owner: string, limit: bigint, energy: bigint, sequence = 0): OrderDraft {
  return { id, owner, limit, energy, sequence };
}

describe("an open book", () => {
  test("keeps what was placed, and a snapshot does not move", () => {
    const book = new OrderBook();
    unwrap(book.place("bid", draft("b", "ann", 5n, 10n)));
    const before = book.snapshot();
    unwrap(book.place("offer", draft("o", "bob", 4n, 7n)));
    expect(before).toEqual({ bids: [draft("b", "ann", 5n, 10n)], offers: [] });
    expect(book.find("o")).toEqual({ side: "offer", order: draft("o", "bob", 4n, 7n) });
  });

  test("a cancelled order no longer blocks its owner's other side, nor its id", () => {
    const book = new OrderBook();
    for (const [id, limit] of [
      ["o1", 4n],
      ["o2", 3n],
      ["o3", 9n],
    ] as const)
      unwrap(book.place("offer", draft(id, "ann", limit, 1n)));
    const bid = draft("b", "ann", 5n, 1n);
    expect(book.place("bid", bid)).toMatchObject({ error: { tag: "self_cross", otherId: "o2" } });
    unwrap(book.cancel("o2", "ann"));
    expect(book.place("bid", bid)).toMatchObject({ error: { tag: "self_cross", otherId: "o1" } });
    unwrap(book.cancel("o1", "ann"));
    expect(book.place("bid", bid).ok).toBe(true);
    expect(book.place("offer", draft("o1", "bob", 4n, 1n)).ok).toBe(true);
  });

  test("only the owner cancels, and only what is there", () => {
    const book = new OrderBook();
    unwrap(book.place("bid", draft("b", "ann", 5n, 10n)));
    const answers = [book.cancel("c", "ann"), book.cancel("b", "bob")];
    expect(answers).toEqual(CANCEL_REFUSALS.map((error) => ({ ok: false, error })));
    expect(book.cancel("b", "ann")).toEqual({ ok: true, value: draft("b", "ann", 5n, 10n) });
    expect(book.snapshot()).toEqual({ bids: [], offers: [] });
  });

  test("a clearing takes filled orders out; the rest of one filled in part keeps its place in time", () => {
    const book = new OrderBook();
    unwrap(book.place("bid", draft("b1", "ann", 5n, 10n, 3)));
    unwrap(book.place("bid", draft("b2", "bob", 5n, 10n, 4)));
    unwrap(book.place("offer", draft("o1", "cat", 4n, 6n, 5)));
    book.fill(payAsClear.clear(book.snapshot()).trades);
    expect(book.snapshot()).toEqual({
      bids: [draft("b1", "ann", 5n, 4n, 3), draft("b2", "bob", 5n, 10n, 4)],
      offers: [],
    });
    unwrap(book.place("offer", draft("o2", "cat", 4n, 4n, 6)));
    expect(payAsClear.clear(book.snapshot()).trades.map(({ bid }) => bid)).toEqual(["b1"]);
  });

  test("a fill beyond an order, or of an order that is not there, stops and changes nothing", () => {
    const book = new OrderBook();
    unwrap(book.place("bid", draft("b", "ann", 5n, 10n)));
    unwrap(book.place("offer", draft("o", "bob", 5n, 10n)));
    const before = book.snapshot();
    const [trade] = payAsClear.clear(before).trades;
    if (trade === undefined) throw new Error("they trade");
    expect(() =>
      book.fill([
        { ...trade, energy: wattHours(6n) },
        { ...trade, energy: wattHours(5n) },
      ]),
    ).toThrow("watt-hours");
    expect(() => book.fill([{ ...trade, offer: "x" }])).toThrow("names an order");
    expect(book.snapshot()).toEqual(before);
  });
});

describe("laws of an open book", () => {
  type Step =
    | { readonly kind: "place"; readonly side: Side; readonly draft: OrderDraft }
    | { readonly kind: "cancel"; readonly id: string; readonly owner: string }
    | { readonly kind: "clear" };
  const arbId = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
  const arbOwner = fc.constantFrom("ann", "bob", "cat");
  const arbStep: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("place" as const),
        side: fc.constantFrom<Side>("bid", "offer"),
        draft: fc.record({
          id: arbId,
          owner: arbOwner,
          limit: fc.bigInt({ min: -2n, max: 2n }),
          energy: fc.bigInt({ min: 0n, max: 5n }),
          sequence: fc.nat(5),
        }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("cancel" as const), id: arbId, owner: arbOwner }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
  );
  const limits = { ...BOOK_LIMITS, ordersPerSideMax: 4, energyPerSideWhMax: 12n };

  test("with its index it answers as a plain reading of the whole book would", () => {
    fc.assert(
      fc.property(fc.array(arbStep, { maxLength: 40 }), (steps) => {
        const book = new OrderBook(limits);
        let plain: Book = { bids: [], offers: [] };
        for (const step of steps) {
          if (step.kind === "place") {
            const expected = admitOrder(plain, step.side, step.draft, limits);
            const placed = book.place(step.side, step.draft);
            expect(placed.ok ? null : placed.error).toEqual(expected.ok ? null : expected.error);
            if (expected.ok) plain = expected.value;
          } else if (step.kind === "cancel") {
            const mine = ({ id, owner }: { id: string; owner: string }): boolean =>
              id === step.id && owner === step.owner;
            expect(book.cancel(step.id, step.owner).ok).toBe([...plain.bids, ...plain.offers].some(mine));
            plain = {
              bids: plain.bids.filter((each) => !mine(each)),
              offers: plain.offers.filter((each) => !mine(each)),
            };
          } else {
            const { trades } = payAsClear.clear(plain);
            book.fill(trades);
            plain = remainingBook(plain, trades);
          }
          expect(book.snapshot()).toEqual(plain);
        }
      }),
    );
  });
});
