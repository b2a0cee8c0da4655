/** Names of payments that banks hand on unchanged from end to end. */
import { refKey, type StateRef } from "#contracts";
import { hashOf } from "#core";

const LENGTH = 32;

/**
 * The name of the payment of a redemption: never that of another, since a state is named by the transaction that made it, and
 * another one for each try, so that what the bank tells of an old try is not taken for the new. Says nothing about who is paid.
 * @param attempt - 1, and one more each time that the bank gave the payment back.
 */
export function endToEndIdOf(ref: StateRef, attempt: number): string {
  return hashOf(`dream/end-to-end ${refKey(ref)} ${attempt}`)
    .slice(0, LENGTH)
    .toUpperCase();
}
