/** Delivery intervals `[start, end)` in UTC, aligned to the quarter-hour, half-hour or hour. */
import { err, invariant, ok, type Result } from "./result.ts";
import { type LocalDay, localMidnightMs, nextLocalDay, type ZoneName } from "./zones.ts";

export type SlotMinutes = 15 | 30 | 60;
/** Slot id such as `2031-06-01T10:15Z/PT15M`. Ids of one length sort in time order. */
export type SlotId = string & { readonly __brand: "SlotId" };
export type Slot = {
  readonly id: SlotId;
  readonly startMs: number;
  readonly endMs: number;
  readonly minutes: SlotMinutes;
};

const MS_PER_MINUTE = 60_000;
const START_MS_END = Date.UTC(9999, 0, 1);
const SLOT_ID = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)Z\/PT(15|30|60)M$/;

export function isSlotMinutes(minutes: number): minutes is SlotMinutes {
  return minutes === 15 || minutes === 30 || minutes === 60;
}

/** The slot that starts at `startMs`. @throws InvariantError when `startMs` is not aligned, before 1970 or after 9998. */
export function slotStartingAt(startMs: number, minutes: SlotMinutes): Slot {
  const lengthMs = minutes * MS_PER_MINUTE;
  invariant(
    Number.isSafeInteger(startMs) && startMs % lengthMs === 0,
    `slot starts are multiples of ${minutes} minutes`,
  );
  invariant(startMs >= 0 && startMs < START_MS_END, "slots start in the years 1970 to 9998");
  const id = `${new Date(startMs).toISOString().slice(0, 16)}Z/PT${minutes}M` as SlotId;
  return { id, startMs, endMs: startMs + lengthMs, minutes };
}

/** The slot that holds the instant `atMs`. */
export function slotAt(atMs: number, minutes: SlotMinutes): Slot {
  const lengthMs = minutes * MS_PER_MINUTE;
  return slotStartingAt(Math.floor(atMs / lengthMs) * lengthMs, minutes);
}

/** Slots by id: parsing is pure, and the same few slots come up again and again. */
const parsedSlots = new Map<string, Slot>();
const PARSED_SLOTS_MAX = 50_000;

/** Parses a slot id (outside input: never throws). */
export function parseSlotId(text: string): Result<Slot, "slot_id_malformed"> {
  const known = parsedSlots.get(text);
  if (known !== undefined) return ok(known);
  const match = SLOT_ID.exec(text);
  if (match === null) return err("slot_id_malformed");
  const minutes = Number(match[2]) as SlotMinutes;
  const startMs = Date.parse(`${match[1]}:00Z`);
  if (!(startMs >= 0 && startMs < START_MS_END) || startMs % (minutes * MS_PER_MINUTE) !== 0)
    return err("slot_id_malformed");
  const slot = slotStartingAt(startMs, minutes);
  if (slot.id !== text) return err("slot_id_malformed"); // Refuses 31 February, which Date.parse would move.
  if (parsedSlots.size >= PARSED_SLOTS_MAX) parsedSlots.clear();
  parsedSlots.set(text, slot);
  return ok(slot);
}

/** The slot of an id that our own code made. @throws InvariantError when malformed. */
export function slotOf(id: SlotId): Slot {
  const parsed = parseSlotId(id);
  invariant(parsed.ok, `slot id is well formed, was ${id}`);
  return parsed.value;
}

/**
 * All slots that start within a local day, in time order: 23, 24 or 25 hours of them.
 * Where local midnight is not aligned to the slots, the first is the next one after it.
 */
export function slotsOfLocalDay(zone: ZoneName, day: LocalDay, minutes: SlotMinutes): readonly Slot[] {
  const lengthMs = minutes * MS_PER_MINUTE;
  const first = Math.ceil(localMidnightMs(zone, day) / lengthMs);
  const end = Math.ceil(localMidnightMs(zone, nextLocalDay(day)) / lengthMs);
  return Array.from({ length: end - first }, (_, index) => slotStartingAt((first + index) * lengthMs, minutes));
}

/** A slot id that our own code wrote as text before. @throws InvariantError when malformed. */
export function slotId(text: string): SlotId {
  const parsed = parseSlotId(text);
  invariant(parsed.ok, `slot id is well formed, was ${text}`);
  return parsed.value.id;
}
