/** What must hold after every transaction of a life, recomputed from the states by other means than the contracts use. */
import { areClaimsAtLeast, type Claims, type PowerPromise, type State } from "#contracts";
import type { FinalTransaction } from "#testkit";
import { keyOf } from "#testkit";
import { SLOTS, type Stage } from "./stage.ts";

type Sums = Map<string, bigint>;

/** Faults of the newest transaction, as sentences; none when all laws hold. */
export function faultsAfter(stage: Stage, done: FinalTransaction): readonly string[] {
  return [
    ...moneyFaults(stage),
    ...exposureFaults(stage),
    ...capFaults(stage, done),
    ...mandateFaults(stage, done),
    ...claimFaults(stage),
    ...rightFaults(done),
  ].map((fault) => `after ${done.command.tag}: ${fault}`);
}

/** All money is held by somebody, owed to somebody, or was paid out. */
function moneyFaults({ world, notes }: Stage): readonly string[] {
  const held = world.moneyHeld;
  return held + notes.paidOut === notes.issued
    ? []
    : [`${held} held and ${notes.paidOut} paid out are not the ${notes.issued} issued`];
}

function add(sums: Sums, key: string, amount: bigint): void {
  sums.set(key, (sums.get(key) ?? 0n) + amount);
}

/** Until a slot is settled, exposures count exactly the promises, orders and auctions that there are. */
function exposureFaults({ world, notes }: Stage): readonly string[] {
  const closed = new Set<string>(
    notes.history.flatMap(({ command }) => (command.tag === "settle-slot" ? [command.slot] : [])),
  );
  const sums: Sums = new Map();
  for (const { member, entries } of world.all("exposure"))
    for (const { slot, promised, bought, bidding } of entries) {
      if (closed.has(slot)) continue;
      add(sums, `${member} ${slot} promised`, promised);
      add(sums, `${member} ${slot} bought`, bought);
      add(sums, `${member} ${slot} bidding`, bidding);
    }
  for (const state of world.states()) if (!closed.has(slotIn(state) ?? "")) countAgainst(sums, state);
  return [...sums].flatMap(([key, sum]) => (sum === 0n ? [] : [`exposure is off by ${sum}: ${key}`]));
}

function slotIn(state: State): string | undefined {
  return "slot" in state ? state.slot : undefined;
}

function countAgainst(sums: Sums, state: State): void {
  if (state.tag === "power-promise") {
    add(sums, `${state.supplier} ${state.slot} promised`, -state.energy);
    if (state.owner !== state.supplier) add(sums, `${state.owner} ${state.slot} bought`, -state.energy);
  }
  if (state.tag === "pool-order" && state.side === "bid")
    add(sums, `${state.owner} ${state.slot} bidding`, -state.energy);
  if (state.tag === "auction" && state.highestBidder !== null)
    add(sums, `${state.highestBidder} ${state.slot} bidding`, -state.energy);
}

/** Nobody promises beyond its capacity; nobody adds to what is beyond its cap. */
function capFaults({ world }: Stage, done: FinalTransaction): readonly string[] {
  const members = new Map(world.all("member").map((member) => [member.key, member]));
  const before = new Map<string, bigint>();
  for (const state of done.consumed)
    if (state.tag === "exposure")
      for (const { slot, bought, bidding } of state.entries) before.set(`${state.member} ${slot}`, bought + bidding);
  return done.made.flatMap((state) => {
    const member = state.tag === "exposure" ? members.get(state.member) : undefined;
    if (state.tag !== "exposure" || member === undefined) return [];
    return state.entries.flatMap(({ slot, promised, bought, bidding }) => {
      const grew = bought + bidding > (before.get(`${state.member} ${slot}`) ?? 0n);
      const isOver = grew && member.holdingCapPerSlot !== null && bought + bidding > member.holdingCapPerSlot;
      return [
        ...(promised > member.capacityPerSlot
          ? [`${member.name} promised ${promised} Wh, more than its capacity`]
          : []),
        ...(isOver ? [`${member.name} holds ${bought + bidding} Wh, more than its cap`] : []),
      ];
    });
  });
}

/** A transaction that a delegate signed for a principal stays within a mandate that is in force. */
function mandateFaults({ world }: Stage, done: FinalTransaction): readonly string[] {
  const mandates = world.all("mandate").filter(({ delegate }) => done.signers.includes(delegate));
  return mandates.flatMap(({ principal, energyPerDayMax, energyPerSlotMax }) =>
    done.made.flatMap((state) => {
      if (state.tag !== "exposure" || state.member !== principal) return [];
      const old = done.consumed.find(
        (each) => each.tag === "exposure" && each.member === principal && each.day === state.day,
      );
      const last = old?.tag === "exposure" ? old.entries : [];
      const grown = sumOf(state.entries) > sumOf(last);
      const overSlot = state.entries.some((entry) => {
        const earlier = last.find(({ slot }) => slot === entry.slot);
        return (
          entry.bought + entry.bidding > (earlier?.bought ?? 0n) + (earlier?.bidding ?? 0n) &&
          entry.bought + entry.bidding > energyPerSlotMax
        );
      });
      return [
        ...(grown && sumOf(state.entries) > energyPerDayMax
          ? [`a delegate took its principal over its day's limit`]
          : []),
        ...(overSlot ? ["a delegate took its principal over its slot's limit"] : []),
      ];
    }),
  );
}

function sumOf(entries: readonly { readonly bought: bigint; readonly bidding: bigint }[]): bigint {
  return entries.reduce((sum, { bought, bidding }) => sum + bought + bidding, 0n);
}

/** No promise says more than its supplier said of energy of that slot, and none is certified beyond what an agency certified. */
function claimFaults({ world, notes }: Stage): readonly string[] {
  const said = saidOf(notes.history);
  const certified = certifiedOf(notes.history);
  const faults: string[] = [];
  for (const { supplier, slot, claims, energy, promiseId } of world.all("power-promise")) {
    if (claims === null) continue;
    if (claims.certifiedBy !== null) add(certified, `${supplier} ${slot} ${claims.certifiedBy}`, -energy);
    const uncertified = { ...claims, certifiedBy: null };
    const isSaid = (said.get(`${supplier} ${slot}`) ?? []).some((each) => areClaimsAtLeast(each, uncertified));
    if (!isSaid) faults.push(`${promiseId} claims what its supplier never said`);
  }
  for (const [key, left] of certified) if (left < 0n) faults.push(`certified beyond what was certified: ${key}`);
  return faults;
}

function promisesMade({ made }: FinalTransaction): readonly PowerPromise[] {
  return made.filter((state): state is PowerPromise => state.tag === "power-promise");
}

/** Claims with which each supplier made promises for a slot. */
function saidOf(history: readonly FinalTransaction[]): ReadonlyMap<string, readonly (Claims | null)[]> {
  const said = new Map<string, (Claims | null)[]>();
  for (const done of history.filter(({ command }) => command.tag === "create-promises"))
    for (const { supplier, slot, claims } of promisesMade(done)) {
      const all = said.get(`${supplier} ${slot}`) ?? [];
      said.set(`${supplier} ${slot}`, [...all, claims]);
    }
  return said;
}

/** Energy that each agency certified, by supplier and slot. */
function certifiedOf(history: readonly FinalTransaction[]): Sums {
  const certified: Sums = new Map();
  for (const done of history.filter(({ command }) => command.tag === "certify-claims"))
    for (const { supplier, slot, claims, energy } of promisesMade(done))
      if (claims?.certifiedBy != null) add(certified, `${supplier} ${slot} ${claims.certifiedBy}`, energy);
  return certified;
}

const CHANGES_HANDS: readonly string[] = ["clear-pool", "settle-auction"];
const MAKES_OR_ENDS: readonly string[] = ["create-promises", "settle-slot", "substitute", "curtail-slot"];

/** Energy changes hands by trades alone, as much as was traded; all else leaves everybody's energy as it was. */
function rightFaults({ command, consumed, made }: FinalTransaction): readonly string[] {
  if (MAKES_OR_ENDS.includes(command.tag)) return [];
  const sums: Sums = new Map();
  for (const [states, sign] of [
    [consumed, -1n],
    [made, 1n],
  ] as const)
    for (const state of states)
      if (state.tag === "power-promise") add(sums, `${state.owner} ${state.slot}`, sign * state.energy);
  if (command.tag === "clear-pool") {
    const orders = new Map(consumed.flatMap((state) => (state.tag === "pool-order" ? [[state.orderId, state]] : [])));
    for (const { bid, offer, energy } of command.trades) {
      add(sums, `${orders.get(bid)?.owner} ${command.slot}`, -energy);
      add(sums, `${orders.get(offer)?.owner} ${command.slot}`, energy);
    }
  }
  if (command.tag === "settle-auction") {
    const auction = consumed.find((state) => state.tag === "auction");
    if (auction?.tag === "auction") {
      add(sums, `${auction.highestBidder} ${auction.slot}`, -auction.energy);
      add(sums, `${auction.seller} ${auction.slot}`, auction.energy);
    }
  }
  return [...sums].flatMap(([key, sum]) =>
    sum === 0n
      ? []
      : [`${CHANGES_HANDS.includes(command.tag) ? "not as traded" : "moved without a trade"}: ${key} by ${sum}`],
  );
}

/** When all is settled nothing is left but money in hand: no promise, no deposit, no order, no exposure of the slots. */
export function leftovers({ world }: Stage): readonly string[] {
  const open = world
    .states()
    .filter((state) =>
      ["power-promise", "deposit", "pool-order", "bid", "auction", "delivery-record", "margin"].includes(state.tag),
    );
  const exposed = world
    .all("exposure")
    .flatMap(({ member, entries }) =>
      entries.filter(({ slot }) => SLOTS.includes(slot)).map(({ slot }) => `exposure of ${nameOf(member)} in ${slot}`),
    );
  return [...open.map(({ tag }) => `a ${tag}`), ...exposed];
}

function nameOf(key: string): string {
  return ["ana", "bea", "sto", "con", "dan", "spe"].find((name) => keyOf(name) === key) ?? key;
}
