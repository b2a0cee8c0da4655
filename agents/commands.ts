/** Turns intents that passed the gate into as few ledger commands as their order allows. */

import type { Claims, ClientCommand, PoolOrder } from "#contracts";
import { localDayAt, type PublicKey, parseSlotId, type ZoneName } from "#core";
import type { Intent } from "#strategies";

export type LedgerIntent = Exclude<Intent, { readonly tag: "charge-battery" }>;
/** Intents that one command carries out. */
export type IntentGroup = { readonly intents: readonly LedgerIntent[] };

const PROMISES_PER_COMMAND_MAX = 100;

/**
 * Groups neighbouring intents of one kind: promises and orders of one local day go into one transaction each. An offer and
 * an order never share one, so that what one of them lacks does not undo the other.
 */
export function groupIntents(intents: readonly LedgerIntent[], timeZone: ZoneName): readonly IntentGroup[] {
  const groups: LedgerIntent[][] = [];
  let lastKey = "";
  for (const intent of intents) {
    const key = groupKey(intent, timeZone);
    const last = groups.at(-1);
    if (last !== undefined && key !== "" && key === lastKey && last.length < PROMISES_PER_COMMAND_MAX)
      last.push(intent);
    else groups.push([intent]);
    lastKey = key;
  }
  return groups.map((group) => ({ intents: group }));
}

function groupKey(intent: LedgerIntent, timeZone: ZoneName): string {
  if (intent.tag !== "promise" && intent.tag !== "offer" && intent.tag !== "order") return "";
  const slot = parseSlotId(intent.slotId); // Not judged yet: the gate denies a malformed one.
  return slot.ok ? `${intent.tag} ${localDayAt(timeZone, slot.value.startMs)}` : "";
}

/** What a member says of the energy that it promises. */
export type Claimed = Omit<Claims, "certifiedBy">;

/** Lets an agency sign what was claimed of the promises of a group; undefined where none were made. */
export function certificationFor(
  { intents }: IntentGroup,
  commandId: string,
  agency: PublicKey,
): ClientCommand | undefined {
  const slots = [...new Set(intents.flatMap((each) => (each.tag === "promise" ? [each.slotId] : [])))];
  return slots.length === 0 ? undefined : { tag: "certify-claims", commandId, agency, slots };
}

/** The command of a group; undefined when there is nothing to do, such as cancelling where no order is open. */
export function commandFor(
  { intents }: IntentGroup,
  commandId: string,
  marketplace: PublicKey,
  openOrders: readonly PoolOrder[],
  claims?: Claimed,
): ClientCommand | undefined {
  const [first] = intents;
  switch (first?.tag) {
    case undefined:
      return undefined;
    case "promise":
      return {
        tag: "create-promises",
        commandId,
        promises: intents.flatMap((each) =>
          each.tag === "promise"
            ? [{ slot: each.slotId, energy: each.energy, ...(claims === undefined ? {} : { claims }) }]
            : [],
        ),
      };
    case "offer":
    case "order":
      return { tag: "place-orders", commandId, marketplace, orders: intents.flatMap((each) => orderOf(each)) };
    case "cancel": {
      const orderIds = openOrders.filter(({ slot }) => slot === first.slotId).map(({ orderId }) => orderId);
      return orderIds.length === 0 ? undefined : { tag: "cancel-orders", commandId, orderIds };
    }
    case "auction":
      return {
        tag: "create-auction",
        commandId,
        marketplace,
        slot: first.slotId,
        energy: first.energy,
        basePrice: first.basePrice,
        deadlineMs: first.deadlineMs,
      };
    case "cover":
      return { tag: "substitute", commandId, slot: first.slotId, energy: first.energy };
    case "bid":
      return {
        tag: "bid",
        commandId,
        auctionId: first.auctionId,
        price: first.price,
        ...(first.requires === undefined ? {} : { requires: first.requires }),
      };
  }
}

type NewOrder = Extract<ClientCommand, { readonly tag: "place-orders" }>["orders"][number];

function orderOf(intent: LedgerIntent): readonly NewOrder[] {
  if (intent.tag !== "offer" && intent.tag !== "order") return [];
  const { slotId: slot, energy, limit } = intent;
  if (intent.tag === "offer") return [{ side: "offer", slot, energy, limit }];
  const { requires } = intent;
  return [{ side: "bid", slot, energy, limit, ...(requires === undefined ? {} : { requires }) }];
}
