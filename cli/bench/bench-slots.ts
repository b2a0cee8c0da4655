/** The slots that benches trade. */
import { localDayAt, nextLocalDay, type SlotId, slotsOfLocalDay, zone } from "#core";

const UTC = zone("UTC");
const SLOT_MINUTES = 15;

/** All slots of the day after this one, so that no gate closes while it is measured. */
export function slotsOfTomorrow(nowMs: number): readonly SlotId[] {
  return slotsOfLocalDay(UTC, nextLocalDay(localDayAt(UTC, nowMs)), SLOT_MINUTES).map(({ id }) => id);
}
