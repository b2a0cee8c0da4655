/**
 * Replays the notary's log from nothing, apart from the contracts' own code, and checks after each transaction what must always
 * hold: nothing is spent twice, money held is money issued, energy held is energy promised, and nobody is above its cap.
 */
import { type Member, MONEY_GATES, moneyIn, refKey, type State, type StateRef } from "#contracts";
import { type PublicKey, publicKey, type SlotId } from "#core";
import type { FinalTransaction } from "./record.ts";

export type Replayed = {
  readonly problems: readonly string[];
  /** All that is unspent at the end. */
  readonly unspent: ReadonlyMap<string, State>;
  readonly promisedWh: bigint;
  readonly issuedMicros: bigint;
  /** Times that a capped member came to its cap, or within a tenth of it. */
  readonly capsReached: number;
};

const MEASURES = ["promised", "bought", "bidding"] as const;
/** Of one member in one slot. */
type Position = { promised: bigint; bought: bigint; bidding: bigint };

export function replayLog(log: readonly FinalTransaction[]): Replayed {
  const replay = new Replay();
  for (const transaction of log) replay.add(transaction);
  return replay.end();
}

class Replay {
  readonly #problems: string[] = [];
  readonly #unspent = new Map<string, State>();
  readonly #spentBy = new Map<string, string>();
  readonly #members = new Map<PublicKey, Member>();
  readonly #positions = new Map<string, Position>();
  /** Per slot: promised so far, and held by somebody or used up in a settlement. */
  readonly #energy = new Map<SlotId, { promised: bigint; held: bigint }>();
  #issued = 0n;
  #held = 0n;
  #promised = 0n;
  #capsReached = 0;

  add({ id, content, inputs }: FinalTransaction): void {
    const { command, outputs } = content;
    const touched = new Set<string>();
    for (const [index, state] of inputs.entries()) {
      const ref = content.inputs[index];
      if (ref !== undefined) this.#spend(id, ref, state);
      this.#move(state, -1n, touched);
    }
    for (const [index, state] of outputs.entries()) {
      this.#unspent.set(refKey({ txId: id, index }), state);
      this.#move(state, 1n, touched);
      if (state.tag === "member") this.#members.set(state.key, state);
    }
    const money = sumOf(outputs, moneyOf) - sumOf(inputs, moneyOf);
    this.#held += money;
    if (MONEY_GATES.includes(command.tag)) this.#issued += money;
    if (this.#held !== this.#issued)
      this.#violate(id, `${command.tag} leaves ${this.#held} micros held, of ${this.#issued} issued`);
    this.#checkEnergy(id, command.tag, inputs, outputs);
    for (const key of touched) this.#checkCaps(id, key);
  }

  end(): Replayed {
    return {
      problems: this.#problems,
      unspent: this.#unspent,
      promisedWh: this.#promised,
      issuedMicros: this.#issued,
      capsReached: this.#capsReached,
    };
  }

  #spend(id: string, ref: StateRef, state: State): void {
    const key = refKey(ref);
    const spender = this.#spentBy.get(key);
    if (spender !== undefined) this.#violate(id, `spends ${state.tag} ${key}, which ${spender} has spent`);
    this.#spentBy.set(key, id);
    this.#unspent.delete(key);
  }

  /** What the states themselves say; the exposure states say it too, and are compared at the end. */
  #move(state: State, sign: bigint, touched: Set<string>): void {
    for (const [member, slot, measure, amount] of positionOf(state)) {
      const key = `${member} ${slot}`;
      const position = this.#positions.get(key) ?? { promised: 0n, bought: 0n, bidding: 0n };
      position[measure] += sign * amount;
      this.#positions.set(key, position);
      touched.add(key);
    }
  }

  #checkCaps(id: string, key: string): void {
    const [member = "", slot = ""] = key.split(" ");
    const state = this.#members.get(publicKey(member));
    const position = this.#positions.get(key);
    if (state === undefined || position === undefined) return;
    const { capacityPerSlot, holdingCapPerSlot, name } = state;
    const used = position.bought + position.bidding;
    if (holdingCapPerSlot !== null && used > holdingCapPerSlot)
      this.#violate(id, `${name} holds and bids for ${used} Wh in ${slot}, above its cap of ${holdingCapPerSlot}`);
    if (holdingCapPerSlot !== null && used * 10n > holdingCapPerSlot * 9n) this.#capsReached += 1;
    if (position.promised > capacityPerSlot)
      this.#violate(
        id,
        `${name} promises ${position.promised} Wh in ${slot}, above its capacity of ${capacityPerSlot}`,
      );
  }

  /** Only its creation makes energy, and only the settlement of who holds it takes it away. */
  #checkEnergy(id: string, tag: string, inputs: readonly State[], outputs: readonly State[]): void {
    const before = energyBySlot(inputs);
    const after = energyBySlot(outputs);
    for (const slot of new Set([...before.keys(), ...after.keys()])) {
      const change = (after.get(slot) ?? 0n) - (before.get(slot) ?? 0n);
      const account = this.#energy.get(slot) ?? { promised: 0n, held: 0n };
      this.#energy.set(slot, account);
      account.held += change;
      if (tag === "create-promises") {
        account.promised += change;
        this.#promised += change;
      }
      if (tag === "settle-slot") account.held -= change;
      if (account.held !== account.promised)
        this.#violate(id, `${tag} leaves ${account.held} Wh held in ${slot}, of ${account.promised} promised`);
    }
  }

  #violate(id: string, problem: string): void {
    this.#problems.push(`${id.slice(0, 16)}: ${problem}`);
  }
}

function moneyOf(state: State): bigint {
  return moneyIn(state)?.amount ?? 0n;
}

function sumOf(states: readonly State[], amountOf: (state: State) => bigint): bigint {
  return states.reduce((sum, state) => sum + amountOf(state), 0n);
}

function energyBySlot(states: readonly State[]): ReadonlyMap<SlotId, bigint> {
  const energy = new Map<SlotId, bigint>();
  for (const state of states)
    if (state.tag === "power-promise") energy.set(state.slot, (energy.get(state.slot) ?? 0n) + state.energy);
  return energy;
}

/** What a state says of its member's position in a slot: promised, bought and bidding. */
function positionOf(state: State): readonly (readonly [PublicKey, SlotId, keyof Position, bigint])[] {
  if (state.tag === "power-promise") {
    const { supplier, owner, slot, energy } = state;
    return [
      [supplier, slot, "promised", energy],
      ...(owner === supplier ? [] : [[owner, slot, "bought", energy] as const]),
    ];
  }
  if (state.tag === "pool-order" && state.side === "bid") return [[state.owner, state.slot, "bidding", state.energy]];
  return state.tag === "auction" && state.highestBidder !== null
    ? [[state.highestBidder, state.slot, "bidding", state.energy]]
    : [];
}

/** The exposures at the end against the promises, bids and auctions that they stand for. */
export function exposureProblems(unspent: ReadonlyMap<string, State>): readonly string[] {
  const states = [...unspent.values()];
  const should = new Map<string, bigint>();
  for (const [member, slot, measure, amount] of states.flatMap(positionOf)) {
    const key = `${member} ${slot} ${measure}`;
    should.set(key, (should.get(key) ?? 0n) + amount);
  }
  const said = new Map(states.flatMap(exposureEntries));
  // Once a delivery is checked, settlements use up the promises one by one, and a member's own settlement closes its slot.
  const closed = new Set(
    states.flatMap((state) => {
      if (state.tag === "delivery-record") return [`${state.supplier} ${state.slot} promised`];
      if (state.tag !== "slot-settlement") return [];
      return MEASURES.map((measure) => `${state.member} ${state.slot} ${measure}`);
    }),
  );
  return [...new Set([...should.keys(), ...said.keys()])]
    .filter((key) => !closed.has(key))
    .filter((key) => (said.get(key) ?? 0n) !== (should.get(key) ?? 0n))
    .map((key) => `the exposure says ${said.get(key) ?? 0n} Wh, its states say ${should.get(key) ?? 0n}: ${key}`);
}

function exposureEntries(state: State): readonly (readonly [string, bigint])[] {
  if (state.tag !== "exposure") return [];
  return state.entries.flatMap(({ slot, promised, bought, bidding }) =>
    Object.entries({ promised, bought, bidding }).map(
      ([measure, amount]) => [`${state.member} ${slot} ${measure}`, amount] as const,
    ),
  );
}
