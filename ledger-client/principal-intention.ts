/** Whether a proposed transaction does what a member asked that only its own key may sign, and no more. */

import type { ClientCommand, ClientCommandOf, NewMandate, State, StateOf, StateTag, Transaction } from "#contracts";
import type { PublicKey } from "#core";

export function isAsPrincipalCommanded(transaction: Transaction, command: ClientCommand, party: PublicKey): boolean {
  if (transaction.command.tag !== command.tag || !transaction.signers.includes(party)) return false;
  switch (command.tag) {
    case "grant-mandate":
      return transaction.outputs.length === 1 && mandatesAre(transaction, [command], party);
    case "revoke-mandate":
      return transaction.outputs.length === 0 && transaction.inputs.length === 1;
    case "move-member":
      return moveMatches(transaction, command, party);
    case "redeem-funds":
      return redemptionMatches(transaction, command, party);
    default:
      return false;
  }
}

function of<T extends StateTag>(transaction: Transaction, tag: T): readonly StateOf<T>[] {
  return transaction.outputs.filter((state: State): state is StateOf<T> => state.tag === tag);
}

function moveMatches(transaction: Transaction, { served }: ClientCommandOf<"move-member">, party: PublicKey): boolean {
  const [member, ...more] = of(transaction, "member");
  return (
    member !== undefined &&
    more.length === 0 &&
    member.key === party &&
    member.servedBy === (served?.by ?? null) &&
    mandatesAre(transaction, served === null ? [] : [served.mandate], party)
  );
}

/** Whether the mandates that are made are those that were asked for; what was left open is the widest anyhow. */
function mandatesAre(transaction: Transaction, asked: readonly NewMandate[], party: PublicKey): boolean {
  const made = of(transaction, "mandate");
  return (
    made.length === asked.length &&
    made.every((mandate, index) => {
      const { mandateId, delegate, flows, energyPerSlotMax, expiresMs, ...optional } = asked[index] ?? mandate;
      const {
        strategies = [],
        energyPerDayMax = mandate.energyPerDayMax,
        bidPriceMax = mandate.bidPriceMax,
      } = optional;
      return (
        mandate.principal === party &&
        mandate.mandateId === mandateId &&
        mandate.delegate === delegate &&
        mandate.flows.join() === flows.join() &&
        mandate.strategies.join() === strategies.join() &&
        mandate.energyPerSlotMax === energyPerSlotMax &&
        mandate.energyPerDayMax === energyPerDayMax &&
        mandate.bidPriceMax === bidPriceMax &&
        mandate.expiresMs === expiresMs
      );
    })
  );
}

/** The change stays with the party, and no more is paid out than was asked for, to the party itself. */
function redemptionMatches(
  transaction: Transaction,
  { amount }: ClientCommandOf<"redeem-funds">,
  party: PublicKey,
): boolean {
  const paidOut = of(transaction, "redemption");
  return (
    of(transaction, "funds").every(({ owner }) => owner === party) &&
    paidOut.every(({ owner }) => owner === party) &&
    paidOut.reduce((sum, redemption) => sum + redemption.amount, 0n) <= amount
  );
}
