/**
 * A meter operator's readings as a file that grows: `slot,member,producedWh,consumedWh`, a line for each reading. A later line
 * of a member's slot corrects the one before.
 */
import type { Metered } from "#contracts";
import { type PublicKey, parseSlotId, type SlotId, wattHours } from "#core";

export const READINGS_HEADER = "slot,member,producedWh,consumedWh";
const ENERGY = /^\d{1,12}$/;

export type ReadingsFile = {
  /** The last reading of each member, by slot, in the order of the file. */
  readonly bySlot: ReadonlyMap<SlotId, readonly Metered[]>;
  /** Lines that say nothing, with what is wrong. */
  readonly problems: readonly string[];
};

/** Reads what is written so far; a line that is not ended yet is left for the next time. */
export function parseReadings(text: string, keyOf: (member: string) => PublicKey | undefined): ReadingsFile {
  const lines = text.split("\n").slice(0, -1);
  const bySlot = new Map<SlotId, Map<PublicKey, Metered>>();
  const problems: string[] = [];
  for (const [index, raw] of lines.entries()) {
    const line = raw.trimEnd();
    if (line === "" || (index === 0 && line === READINGS_HEADER)) continue;
    const read = readingIn(line, keyOf);
    if (typeof read === "string") {
      problems.push(`line ${index + 1}: ${read}`);
      continue;
    }
    const members = bySlot.get(read.slot) ?? new Map<PublicKey, Metered>();
    bySlot.set(read.slot, members.set(read.reading.member, read.reading));
  }
  return { bySlot: new Map([...bySlot].map(([slot, members]) => [slot, [...members.values()]])), problems };
}

function readingIn(
  line: string,
  keyOf: (member: string) => PublicKey | undefined,
): { readonly slot: SlotId; readonly reading: Metered } | string {
  const [slotText = "", name = "", produced = "", consumed = "", ...more] = line.split(",");
  const slot = parseSlotId(slotText);
  const member = keyOf(name);
  if (more.length > 0 || consumed === "") return `is no reading; write ${READINGS_HEADER}`;
  if (!slot.ok) return `${slotText} is no slot; write one such as 2031-06-01T10:15Z/PT15M`;
  if (member === undefined) return `${name} is no member; give the name of one`;
  if (!ENERGY.test(produced) || !ENERGY.test(consumed)) return "has no whole watt-hours; write digits only";
  const reading = { member, produced: wattHours(BigInt(produced)), consumed: wattHours(BigInt(consumed)) };
  return { slot: slot.value.id, reading };
}
