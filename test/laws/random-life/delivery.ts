/** What happens once a slot is over: meters, deliveries, settlements, and what is put right afterwards. */
import { hashOf, micros, type SlotId, slotOf, wattHours } from "#core";
import { keyOf } from "#testkit";
import { AGENCIES, OPERATORS, SLOTS, type Stage, TRADERS, VERIFIERS } from "./stage.ts";
import type { Operation } from "./trading.ts";

const METERED = [...TRADERS, "power company"] as const;

function over({ world }: Stage): readonly SlotId[] {
  return SLOTS.filter((slot) => slotOf(slot).endMs <= world.nowMs);
}

/** What each operator reads; now and then one is silent, or reads something else. */
const readMeters: Operation = (stage) => report(stage, (ofTen) => stage.dice.isLucky(ofTen));

async function report(stage: Stage, happens: (ofTen: number) => boolean): Promise<void> {
  const { dice } = stage;
  for (const slot of over(stage)) {
    const readings = METERED.map((name) => ({
      member: keyOf(name),
      produced: wattHours(dice.below(5_000)),
      consumed: wattHours(dice.below(3_000)),
    }));
    for (const operator of OPERATORS) {
      if (happens(1)) continue;
      const isWrong = operator === OPERATORS[2] && happens(3);
      const own = readings.map((reading) =>
        isWrong ? { ...reading, produced: wattHours(reading.produced + 999n) } : reading,
      );
      await stage.act(operator, { tag: "report-meters", slot, readings: own });
    }
    await stage.act("grid authority", { tag: "record-meters", slot, readings: [] });
  }
}

const checkDelivery: Operation = async (stage) => {
  for (const slot of over(stage)) {
    const open = stage.world.all("power-promise").filter((each) => each.slot === slot && each.delivered === null);
    for (const supplier of new Set(open.map((each) => each.supplier)))
      await stage.act("grid authority", { tag: "check-delivery", supplier, slot });
  }
};

/** Every member that has a reading: some, as it comes. */
const settle: Operation = async (stage) => {
  for (const slot of over(stage))
    for (const member of METERED)
      if (stage.dice.isLucky(7)) await stage.act("grid authority", { tag: "settle-slot", member: keyOf(member), slot });
};

const correct: Operation = async (stage) => {
  for (const slot of over(stage))
    for (const member of METERED)
      await stage.act("grid authority", { tag: "correct-settlement", member: keyOf(member), slot });
};

const closeCertificates: Operation = async (stage) => {
  for (const slot of over(stage))
    for (const agency of AGENCIES)
      await stage.act("grid authority", { tag: "close-certificates", agency: keyOf(agency), slot });
};

const dispute: Operation = async (stage) => {
  const { dice, world } = stage;
  const [open] = world.all("dispute");
  const slot = over(stage).at(0);
  if (open === undefined && slot !== undefined) {
    const name = dice.one(TRADERS);
    const measured = { produced: wattHours(dice.below(5_000)), consumed: wattHours(dice.below(3_000)) };
    const evidence = hashOf("the log of an inverter");
    await stage.act(name, { tag: "raise-dispute", member: keyOf(name), slot, evidence, ...measured });
  }
  if (open === undefined) return;
  const { disputeId, produced, consumed } = open;
  for (const verifier of VERIFIERS) {
    if (dice.isLucky(7)) await stage.act(verifier, { tag: "vote-dispute", disputeId, produced, consumed });
  }
  await stage.act("grid authority", { tag: "decide-dispute", disputeId });
};

export const DELIVERY: readonly (readonly [number, Operation])[] = [
  [3, readMeters],
  [2, checkDelivery],
  [6, settle],
  [2, correct],
  [2, dispute],
  [3, closeCertificates],
];

/** All that is left is done, in the order of an honest grid authority. */
export async function settleAll(stage: Stage): Promise<void> {
  // Who must pay can pay.
  for (const name of TRADERS)
    await stage.act("payment provider", { tag: "issue-funds", to: keyOf(name), amounts: [micros(20_000_000n)] });
  for (const slot of SLOTS) {
    await stage.marketplace.clearSlots([slot], true);
    // What no round could give back its owner takes.
    for (const { orderId, owner } of stage.world.all("pool-order")) {
      const name = TRADERS.find((trader) => keyOf(trader) === owner);
      if (name !== undefined) await stage.act(name, { tag: "cancel-orders", orderIds: [orderId] });
    }
    for (const { auctionId, highestBidder, seller } of stage.world.all("auction")) {
      const party = TRADERS.find((name) => keyOf(name) === (highestBidder ?? seller));
      if (party !== undefined) await stage.act(party, { tag: "lapse-auction", auctionId });
    }
  }
  await report(stage, () => false);
  await checkDelivery(stage);
  for (const slot of over(stage))
    for (const member of METERED)
      await stage.act("grid authority", { tag: "settle-slot", member: keyOf(member), slot });
}
