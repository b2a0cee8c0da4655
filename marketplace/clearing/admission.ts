/**
 * Which orders may enter a book: the only way from an untrusted draft to an `Order`.
 * Refusals are a closed list; the first of the list that applies is the one returned.
 */
import {
  compareBigint,
  compareText,
  err,
  type MicrosPerKwh,
  microsPerKwh,
  ok,
  type Result,
  text,
  wattHours,
} from "#core";
import { BookIndex } from "./book-index.ts";
import type { Book, Order, Side } from "./orders.ts";

/** An order before it is admitted: types are right, values are not checked. */
export type OrderDraft = {
  readonly id: string;
  readonly owner: string;
  readonly limit: bigint;
  readonly energy: bigint;
  readonly sequence: number;
};

/** How far a book and its orders may go. A marketplace may narrow `BOOK_LIMITS`, never widen them. */
export type BookLimits = {
  readonly ordersPerSideMax: number;
  readonly energyPerOrderWhMax: bigint;
  readonly energyPerSideWhMax: bigint;
  readonly priceMicrosPerKwhMin: bigint;
  readonly priceMicrosPerKwhMax: bigint;
};

/**
 * Bounds beyond any real market (1 TWh an order, 9 TWh and 100,000 orders a side, 1,000 EUR/kWh): within them every sum
 * of energy and of money of a book fits in 64 bits, so clearing and paying can't fail.
 */
export const BOOK_LIMITS: BookLimits = Object.freeze({
  ordersPerSideMax: 100_000,
  energyPerOrderWhMax: 1_000_000_000_000n,
  energyPerSideWhMax: 9_000_000_000_000n,
  priceMicrosPerKwhMin: -1_000_000_000n,
  priceMicrosPerKwhMax: 1_000_000_000n,
});

/** Why an order is not admitted, in descending precedence. */
export const CLEARING_REFUSALS = [
  "order_malformed",
  "order_id_reused",
  "energy_not_positive",
  "energy_out_of_range",
  "price_out_of_band",
  "self_cross",
  "book_full",
] as const;

/** A refusal with what its receiver can act on. */
export type ClearingRefusal =
  /** Id or owner is not text of 1…200 characters (no control characters, NFC), or the arrival number is not a safe integer ≥ 0. */
  | { readonly tag: "order_malformed"; readonly field: "id" | "owner" | "sequence" }
  /** An order of that id is in the book already, on either side. */
  | { readonly tag: "order_id_reused"; readonly id: string }
  | { readonly tag: "energy_not_positive"; readonly energy: bigint }
  | { readonly tag: "energy_out_of_range"; readonly energy: bigint; readonly max: bigint }
  | { readonly tag: "price_out_of_band"; readonly price: bigint; readonly min: bigint; readonly max: bigint }
  /**
   * The owner has an order on the other side, named here, that this one meets: bid limit ≥ offer limit, equality included.
   * It holds whether or not the two would trade with each other in the next clearing.
   */
  | { readonly tag: "self_cross"; readonly otherId: string; readonly otherLimit: MicrosPerKwh }
  /** The side has its greatest number of orders, or would have more than its greatest energy. */
  | { readonly tag: "book_full"; readonly orders: number; readonly energy: bigint };

/** A refused order: where it was in the list handed over, and all reasons why; the first is the one that counts. */
export type RefusedOrder = {
  readonly side: Side;
  readonly index: number;
  readonly draft: OrderDraft;
  readonly refusals: readonly [ClearingRefusal, ...ClearingRefusal[]];
};

export type DraftBook = { readonly bids: readonly OrderDraft[]; readonly offers: readonly OrderDraft[] };

const NAME_LENGTH_MAX = 200;
const nameCodec = text(NAME_LENGTH_MAX);

/** Admits one order to a book that was admitted before: the book with the order in it. Reads the whole book; an `OrderBook` doesn't. */
export function admitOrder(
  book: Book,
  side: Side,
  draft: OrderDraft,
  limits: BookLimits = BOOK_LIMITS,
): Result<Book, ClearingRefusal> {
  const index = new BookIndex();
  for (const bid of book.bids) index.add("bid", bid);
  for (const offer of book.offers) index.add("offer", offer);
  const admitted = admitTo(index, side, draft, limits);
  if (!admitted.ok) return admitted;
  return ok(
    side === "bid"
      ? { bids: [...book.bids, admitted.value], offers: book.offers }
      : { bids: book.bids, offers: [...book.offers, admitted.value] },
  );
}

/**
 * Admits orders one after another in the order of arrival (then id, then bids first), and tells which were refused.
 * So of two orders of one owner that cross, the later is refused. Refusals are listed bids first, by index.
 */
export function admitOrders(
  drafts: DraftBook,
  limits: BookLimits = BOOK_LIMITS,
): { readonly book: Book; readonly refused: readonly RefusedOrder[] } {
  const entries = [...entriesOf("bid", drafts.bids), ...entriesOf("offer", drafts.offers)];
  const index = new BookIndex();
  const refused: RefusedOrder[] = [];
  for (const entry of [...entries].sort(compareEntries)) {
    const [first, ...others] = refusalsOf(index, entry.side, entry.draft, limits);
    if (first === undefined) index.add(entry.side, orderOf(entry.draft));
    else refused.push({ ...entry, refusals: [first, ...others] });
  }
  refused.sort(
    (left, right) => Number(left.side === "offer") - Number(right.side === "offer") || left.index - right.index,
  );
  return { book: index.book(), refused };
}

/** The book of these orders, or all the reasons why not. */
export function checkBook(drafts: DraftBook, limits: BookLimits = BOOK_LIMITS): Result<Book, readonly RefusedOrder[]> {
  const { book, refused } = admitOrders(drafts, limits);
  return refused.length === 0 ? ok(book) : err(refused);
}

/** Admits a draft to an index and adds it there, or leaves the index as it is. */
export function admitTo(
  index: BookIndex,
  side: Side,
  draft: OrderDraft,
  limits: BookLimits,
): Result<Order, ClearingRefusal> {
  const [refusal] = refusalsOf(index, side, draft, limits);
  if (refusal !== undefined) return err(refusal);
  const order = orderOf(draft);
  index.add(side, order);
  return ok(order);
}

/** All refusals that apply, in the order of the list. An order that another rule refuses takes no room in the book. */
function refusalsOf(index: BookIndex, side: Side, draft: OrderDraft, limits: BookLimits): readonly ClearingRefusal[] {
  const { id, owner, limit, energy, sequence } = draft;
  const { energyPerOrderWhMax: energyMax, priceMicrosPerKwhMin: min, priceMicrosPerKwhMax: max } = limits;
  const refusals: ClearingRefusal[] = [];
  if (!isName(id)) refusals.push({ tag: "order_malformed", field: "id" });
  if (!isName(owner)) refusals.push({ tag: "order_malformed", field: "owner" });
  if (!Number.isSafeInteger(sequence) || sequence < 0) refusals.push({ tag: "order_malformed", field: "sequence" });
  if (index.has(id)) refusals.push({ tag: "order_id_reused", id });
  if (energy <= 0n) refusals.push({ tag: "energy_not_positive", energy });
  if (energy > energyMax) refusals.push({ tag: "energy_out_of_range", energy, max: energyMax });
  if (limit < min || limit > max) refusals.push({ tag: "price_out_of_band", price: limit, min, max });
  const other = index.crossedBy(side, owner, limit);
  if (other !== null) refusals.push({ tag: "self_cross", otherId: other.id, otherLimit: other.limit });
  const { orders, energy: sideEnergy } = index.size(side);
  const isFull = orders >= limits.ordersPerSideMax || sideEnergy + energy > limits.energyPerSideWhMax;
  if (isFull && refusals.length === 0) refusals.push({ tag: "book_full", orders, energy: sideEnergy });
  return refusals;
}

/** @throws InvariantError for energy and prices that are no amounts: only for drafts that nothing refused. */
function orderOf({ id, owner, limit, energy, sequence }: OrderDraft): Order {
  return { id, owner, limit: microsPerKwh(limit), energy: wattHours(energy), sequence };
}

function isName(value: string): boolean {
  return value.length > 0 && nameCodec.decode(value, "").ok;
}

type Entry = { readonly side: Side; readonly index: number; readonly draft: OrderDraft };

function entriesOf(side: Side, drafts: readonly OrderDraft[]): readonly Entry[] {
  return drafts.map((draft, index) => ({ side, index, draft }));
}

/** Arrival, then id, then bids first; the rest only so that drafts that can't both be admitted have one order too. */
function compareEntries(left: Entry, right: Entry): number {
  return (
    compareNumber(arrivalOf(left.draft), arrivalOf(right.draft)) ||
    compareText(left.draft.id, right.draft.id) ||
    Number(left.side === "offer") - Number(right.side === "offer") ||
    compareText(left.draft.owner, right.draft.owner) ||
    compareBigint(left.draft.limit, right.draft.limit) ||
    compareBigint(left.draft.energy, right.draft.energy)
  );
}

function arrivalOf({ sequence }: OrderDraft): number {
  return Number.isSafeInteger(sequence) ? sequence : Number.POSITIVE_INFINITY;
}

function compareNumber(left: number, right: number): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
