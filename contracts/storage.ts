/** What a member with storage can have stored: bounds what it may promise over a day. */
import { energyAbove, minEnergy, type SlotId, type SlotMinutes, slotOf, type WattHours, wattHours } from "#core";
import type { ExposureEntry, Member } from "./states.ts";

/** What a slot asks of the storage, and the most that can be in it then. */
export type Overdraw = { readonly slot: SlotId; readonly asked: WattHours; readonly stored: WattHours };

/** Levels are counted in thousandths of a watt-hour, so that nothing of what comes back is rounded away. */
const PER_WATT_HOUR = 1_000n;

/**
 * The first slot of a day whose promises need more from the storage than it can hold by then, however it is run; undefined where
 * there is none.
 *
 * What is promised beyond the capacity less the storage's power must come from the storage. It is full when the day begins, as
 * nobody knows better. In a slot without a promise it charges at full power; in one with a promise by no more than the rest of the
 * member's production can give, since what is promised is put into the grid; and what comes back is less by the efficiency.
 * A real battery has losses on the way out too, and its power and capacity are shared with the member's own load.
 *
 * @param entries - Of one day, in the order of slots.
 */
export function storageOverdraw(
  { storage, capacityPerSlot }: Pick<Member, "storage" | "capacityPerSlot">,
  entries: readonly Pick<ExposureEntry, "slot" | "promised">[],
  slotMinutes: SlotMinutes,
): Overdraw | undefined {
  if (storage === null) return undefined;
  const { capacity, powerPerSlot, efficiencyPerMille } = storage;
  const direct = energyAbove(capacityPerSlot, powerPerSlot);
  const full = capacity * PER_WATT_HOUR;
  const gained = (charged: bigint): bigint => charged * BigInt(efficiencyPerMille);
  const atMostFull = (amount: bigint): bigint => (amount < full ? amount : full);
  let level = full;
  let lastMs: number | undefined;
  for (const { slot, promised } of entries) {
    const { startMs } = slotOf(slot);
    const idle = lastMs === undefined ? 0 : Math.floor((startMs - lastMs) / (slotMinutes * 60_000)) - 1;
    lastMs = startMs;
    level = atMostFull(level + BigInt(Math.max(0, idle)) * gained(powerPerSlot));
    const asked = energyAbove(promised, direct);
    if (asked * PER_WATT_HOUR > level) return { slot, asked, stored: wattHours(level / PER_WATT_HOUR) };
    const spare = promised === 0n ? powerPerSlot : energyAbove(direct, promised);
    level = atMostFull(level - asked * PER_WATT_HOUR + gained(minEnergy(spare, powerPerSlot)));
  }
  return undefined;
}
