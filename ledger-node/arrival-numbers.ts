/** Which arrival numbers a marketplace has given to whom, so that nobody takes a lower one than it was given. */
import type { Hash, PublicKey } from "#core";

/** Numbers `first` to `last`, and the transaction that was signed with them. */
type Given = { readonly first: number; readonly last: number; usedBy: Hash | null };

/** A member that asks for more and places nothing loses the oldest. */
const GIVEN_MAX = 256;

/** Kept in memory: orders that were drafted before the marketplace was restarted are drafted anew. */
export class ArrivalNumbers {
  readonly #given = new Map<PublicKey, Given[]>();

  give(to: PublicKey, first: number, count: number): void {
    const given = [...(this.#given.get(to) ?? []), { first, last: first + count - 1, usedBy: null }];
    this.#given.set(to, given.slice(-GIVEN_MAX));
  }

  /** Takes numbers for a transaction: all of one gift, which no other transaction has taken. Repeatable. */
  take(by: PublicKey, numbers: readonly number[], txId: Hash): boolean {
    const [number] = numbers;
    const given = this.#given
      .get(by)
      ?.find(({ first, last }) => number !== undefined && first <= number && number <= last);
    if (given === undefined || (given.usedBy !== null && given.usedBy !== txId)) return false;
    if (!numbers.every((each) => given.first <= each && each <= given.last)) return false;
    if (new Set(numbers).size !== numbers.length) return false;
    given.usedBy = txId;
    return true;
  }
}
