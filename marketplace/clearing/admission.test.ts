import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { microsPerKwh } from "#core";
import {
  admitOrder,
  admitOrders,
  BOOK_LIMITS,
  type Book,
  type BookLimits,
  CLEARING_REFUSALS,
  type ClearingRefusal,
  checkBook,
  type OrderDraft,
  payAsClear,
  type Side,
} from "./index.ts";

const EMPTY: Book = { bids: [], offers: [] };
const DRAFT: OrderDraft = { id: "n", owner: "ann", limit: 100n, energy: 10n, sequence: 5 };
const LIMITS: BookLimits = { ...BOOK_LIMITS, ordersPerSideMax: 2, energyPerOrderWhMax: 100n, energyPerSideWhMax: 150n };

function bookOf(
  bids: readonly Partial<OrderDraft>[],
  offers: readonly Partial<OrderDraft>[],
  limits: BookLimits = BOOK_LIMITS,
): Book {
  const drafts = (side: Side, parts: readonly Partial<OrderDraft>[]): readonly OrderDraft[] =>
    parts.map((part, index) => ({
      id: `${side}${index}`,
      owner: `${side} owner ${index}`,
      limit: 100n,
      energy: 10n,
      sequence: index,
      ...part,
    }));
  const checked = checkBook({ bids: drafts("bid", bids), offers: drafts("offer", offers) }, limits);
  if (!checked.ok) throw new Error(JSON.stringify(checked.error.map(({ refusals }) => refusals[0].tag)));
  return checked.value;
}

type Refused = {
  readonly name: string;
  readonly book: Book;
  readonly side: Side;
  readonly draft: Partial<OrderDraft>;
  readonly refusal: ClearingRefusal;
};

const REFUSED: readonly Refused[] = [
  { name: "no id", book: EMPTY, side: "bid", draft: { id: "" }, refusal: { tag: "order_malformed", field: "id" } },
  {
    name: "an id that is too long",
    book: EMPTY,
    side: "bid",
    draft: { id: "x".repeat(201) },
    refusal: { tag: "order_malformed", field: "id" },
  },
  {
    name: "a control character in the owner",
    book: EMPTY,
    side: "offer",
    draft: { owner: "a\u001bb" },
    refusal: { tag: "order_malformed", field: "owner" },
  },
  {
    name: "an owner that looks like another (not NFC)",
    book: EMPTY,
    side: "offer",
    draft: { owner: "e\u0301" },
    refusal: { tag: "order_malformed", field: "owner" },
  },
  {
    name: "a broken arrival number",
    book: EMPTY,
    side: "bid",
    draft: { sequence: 1.5 },
    refusal: { tag: "order_malformed", field: "sequence" },
  },
  {
    name: "a negative arrival number",
    book: EMPTY,
    side: "bid",
    draft: { sequence: -1 },
    refusal: { tag: "order_malformed", field: "sequence" },
  },
  {
    name: "an arrival number that is none",
    book: EMPTY,
    side: "bid",
    draft: { sequence: Number.NaN },
    refusal: { tag: "order_malformed", field: "sequence" },
  },
  {
    name: "an id of the same side",
    book: bookOf([{ id: "n" }], []),
    side: "bid",
    draft: {},
    refusal: { tag: "order_id_reused", id: "n" },
  },
  {
    name: "an id of the other side",
    book: bookOf([], [{ id: "n", limit: 200n }]),
    side: "bid",
    draft: {},
    refusal: { tag: "order_id_reused", id: "n" },
  },
  {
    name: "no energy",
    book: EMPTY,
    side: "bid",
    draft: { energy: 0n },
    refusal: { tag: "energy_not_positive", energy: 0n },
  },
  {
    name: "negative energy",
    book: EMPTY,
    side: "offer",
    draft: { energy: -1n },
    refusal: { tag: "energy_not_positive", energy: -1n },
  },
  {
    name: "too much energy",
    book: EMPTY,
    side: "bid",
    draft: { energy: 101n },
    refusal: { tag: "energy_out_of_range", energy: 101n, max: 100n },
  },
  {
    name: "a price above the band",
    book: EMPTY,
    side: "bid",
    draft: { limit: 1_000_000_001n },
    refusal: { tag: "price_out_of_band", price: 1_000_000_001n, min: -1_000_000_000n, max: 1_000_000_000n },
  },
  {
    name: "a price below the band",
    book: EMPTY,
    side: "offer",
    draft: { limit: -1_000_000_001n },
    refusal: { tag: "price_out_of_band", price: -1_000_000_001n, min: -1_000_000_000n, max: 1_000_000_000n },
  },
  {
    name: "a bid above the owner's own offer",
    book: bookOf([], [{ owner: "ann", limit: 99n }]),
    side: "bid",
    draft: {},
    refusal: { tag: "self_cross", otherId: "offer0", otherLimit: microsPerKwh(99n) },
  },
  {
    name: "a bid at the owner's own offer",
    book: bookOf([], [{ owner: "ann", limit: 100n }]),
    side: "bid",
    draft: {},
    refusal: { tag: "self_cross", otherId: "offer0", otherLimit: microsPerKwh(100n) },
  },
  {
    name: "an offer at the owner's own bid, which is not its first one",
    book: bookOf(
      [
        { owner: "ann", limit: 90n },
        { owner: "ann", limit: 100n },
      ],
      [],
    ),
    side: "offer",
    draft: {},
    refusal: { tag: "self_cross", otherId: "bid1", otherLimit: microsPerKwh(100n) },
  },
  {
    name: "one order too many",
    book: bookOf([{}, {}], [], LIMITS),
    side: "bid",
    draft: {},
    refusal: { tag: "book_full", orders: 2, energy: 20n },
  },
  {
    name: "energy beyond the side's",
    book: bookOf([{ energy: 100n }], [], LIMITS),
    side: "bid",
    draft: { energy: 51n },
    refusal: { tag: "book_full", orders: 1, energy: 100n },
  },
];

describe("refused at entry", () => {
  test.each(REFUSED)("$name: $refusal.tag", ({ book, side, draft, refusal }) => {
    expect(admitOrder(book, side, { ...DRAFT, ...draft }, LIMITS)).toEqual({ ok: false, error: refusal });
  });

  test("each code of the list is produced here", () => {
    expect(CLEARING_REFUSALS.filter((code) => !REFUSED.some(({ refusal }) => refusal.tag === code))).toEqual([]);
  });

  test("an order with every fault is refused by the list's order, one mended after the other", () => {
    const book = bookOf([{ id: "n" }], [{ owner: "ann", limit: -2_000n }], { ...LIMITS, ordersPerSideMax: 1 });
    const limits: BookLimits = {
      ...LIMITS,
      ordersPerSideMax: 1,
      priceMicrosPerKwhMin: -5_000n,
      priceMicrosPerKwhMax: 5_000n,
    };
    const mends: readonly Partial<OrderDraft>[] = [
      { id: "" },
      { id: "n", energy: 0n },
      { id: "m" },
      { energy: 101n },
      { energy: 10n },
      { limit: 100n },
      { owner: "bob" },
    ];
    let draft: OrderDraft = { ...DRAFT, energy: 0n, limit: 9_000n };
    const tags = mends.map((mend) => {
      draft = { ...draft, ...mend };
      const admitted = admitOrder(book, "bid", draft, limits);
      return admitted.ok ? "admitted" : admitted.error.tag;
    });
    expect(tags).toEqual([...CLEARING_REFUSALS]);
  });
});

describe("admitted", () => {
  test("an order at every limit", () => {
    const draft = {
      id: "x".repeat(200),
      owner: "é",
      limit: -1_000_000_000n,
      energy: 100n,
      sequence: Number.MAX_SAFE_INTEGER,
    };
    expect(admitOrder(EMPTY, "bid", draft, LIMITS)).toEqual({ ok: true, value: { bids: [draft], offers: [] } });
  });

  test("a bid below the owner's own offer, and another owner's bid above it", () => {
    const book = bookOf([], [{ owner: "ann", limit: 101n }]);
    expect(admitOrder(book, "bid", DRAFT).ok).toBe(true);
    expect(admitOrder(book, "bid", { ...DRAFT, owner: "bob", limit: 200n }).ok).toBe(true);
  });

  test("of two crossing orders of one owner the later arrival is refused, wherever it stands", () => {
    const bid = { ...DRAFT, id: "b", sequence: 2 };
    const offer = { ...DRAFT, id: "o", limit: 90n, sequence: 1 };
    expect(checkBook({ bids: [bid], offers: [offer] })).toEqual({
      ok: false,
      error: [{ side: "bid", index: 0, draft: bid, refusals: [{ tag: "self_cross", otherId: "o", otherLimit: 90n }] }],
    });
    const swapped = checkBook({ bids: [{ ...bid, sequence: 0 }], offers: [offer] });
    expect(swapped.ok ? [] : swapped.error.map(({ side }) => side)).toEqual(["offer"]);
  });

  test("all refusals of a book are told at once, bids first, by index", () => {
    const { book, refused } = admitOrders({
      bids: [
        { ...DRAFT, id: "b0" },
        { ...DRAFT, id: "b1", energy: 0n },
        { ...DRAFT, id: "b0", owner: "", energy: -1n, sequence: 9 },
      ],
      offers: [
        { ...DRAFT, id: "o0", sequence: 6 },
        { ...DRAFT, id: "o1", owner: "bob" },
      ],
    });
    expect(refused.map(({ side, index, refusals }) => [side, index, ...refusals.map(({ tag }) => tag)])).toEqual([
      ["bid", 1, "energy_not_positive"],
      ["bid", 2, "order_malformed", "order_id_reused", "energy_not_positive"],
      ["offer", 0, "self_cross"],
    ]);
    expect([...book.bids, ...book.offers].map(({ id }) => id)).toEqual(["b0", "o1"]);
  });
});

describe("laws of admission", () => {
  const arbDraft: fc.Arbitrary<OrderDraft> = fc.record({
    id: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", ""),
    owner: fc.constantFrom("ann", "bob", "cat"),
    limit: fc.bigInt({ min: -3n, max: 3n }),
    energy: fc.bigInt({ min: -1n, max: 4n }),
    sequence: fc.oneof(fc.nat(3), fc.constant(Number.NaN)),
  });
  const arbDrafts = fc.record({
    bids: fc.array(arbDraft, { maxLength: 8 }),
    offers: fc.array(arbDraft, { maxLength: 8 }),
  });
  const limits: BookLimits = { ...BOOK_LIMITS, ordersPerSideMax: 3, energyPerSideWhMax: 9n, priceMicrosPerKwhMax: 2n };

  test("what is admitted does not depend on the order of the lists", () => {
    fc.assert(
      fc.property(
        arbDrafts.chain(({ bids, offers }) =>
          fc.tuple(
            fc.constant({ bids, offers }),
            fc.shuffledSubarray(bids, { minLength: bids.length }),
            fc.shuffledSubarray(offers, { minLength: offers.length }),
          ),
        ),
        ([drafts, bids, offers]) => {
          expect(admitOrders({ bids, offers }, limits).book).toEqual(admitOrders(drafts, limits).book);
        },
      ),
    );
  });

  test("in what is admitted no owner's bid meets its own offer, and no trade is with oneself", () => {
    fc.assert(
      fc.property(arbDrafts, (drafts) => {
        const { book, refused } = admitOrders(drafts, limits);
        expect(book.bids.length + book.offers.length + refused.length).toBe(drafts.bids.length + drafts.offers.length);
        for (const bid of book.bids)
          for (const offer of book.offers) expect(bid.owner === offer.owner && bid.limit >= offer.limit).toBe(false);
        const ownerOf = new Map([...book.bids, ...book.offers].map(({ id, owner }) => [id, owner]));
        for (const trade of payAsClear.clear(book).trades)
          expect(ownerOf.get(trade.bid)).not.toBe(ownerOf.get(trade.offer));
      }),
    );
  });

  test("a self-crossing owner is refused, whoever else is in the book", () => {
    fc.assert(
      fc.property(
        arbDrafts,
        fc.bigInt({ min: -3n, max: 2n }),
        fc.bigInt({ min: 0n, max: 5n }),
        (others, offerLimit, above) => {
          const book = admitOrders(others).book;
          const offered = admitOrder(book, "offer", {
            id: "own offer",
            owner: "zoe",
            limit: offerLimit,
            energy: 1n,
            sequence: 9,
          });
          if (!offered.ok) throw new Error(offered.error.tag);
          const bid = { id: "own bid", owner: "zoe", limit: offerLimit + above, energy: 1n, sequence: 10 };
          expect(admitOrder(offered.value, "bid", bid)).toMatchObject({
            ok: false,
            error: { tag: "self_cross", otherId: "own offer" },
          });
          expect(admitOrder(offered.value, "bid", { ...bid, limit: offerLimit - 1n }).ok).toBe(true);
        },
      ),
    );
  });
});
