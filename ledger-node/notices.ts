/** Two notices of one transaction: what the later one adds, and both as one. Both were checked against the transaction's id. */
import type { Notice } from "#contracts";

/** The notice with those components alone that the earlier one does not show. */
export function notYetShown(notice: Notice, earlier: Notice): Notice {
  const known = new Set(earlier.tearOff.revealed.map(({ position }) => position));
  const revealed = notice.tearOff.revealed.filter(({ position }) => !known.has(position));
  return { ...notice, tearOff: { ...notice.tearOff, revealed } };
}

/** All that the two show. `isSigned`: the later one's signatures were checked; else those of the earlier one are kept. */
export function shownTogether(earlier: Notice, later: Notice, isSigned: boolean): Notice {
  const added = notYetShown(later, earlier).tearOff.revealed;
  const revealed = [...earlier.tearOff.revealed, ...added].sort((left, right) => left.position - right.position);
  return {
    ...earlier,
    tearOff: { ...earlier.tearOff, revealed },
    signatures: isSigned ? later.signatures : earlier.signatures,
  };
}
