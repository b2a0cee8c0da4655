/** What the clients of a chaos run ask for next: drawn from the seed, by what they remember of what they were told. */
import { type ClientCommand, type ClientCommandOf, STANDINGS } from "#contracts";
import { micros, microsPerKwh, type PublicKey, wattHours } from "#core";
import { DELEGATED, type LoadClient, type LoadKind } from "./community.ts";
import type { Dice } from "./dice.ts";
import type { StageClock } from "./stage-clock.ts";

type OpenAuction = { readonly id: string; readonly seller: string; readonly deadlineMs: number; price: bigint };

export type LoadParts = {
  readonly clock: StageClock;
  readonly keyOf: (name: string) => PublicKey;
  /** The key of a member's delegate. */
  readonly delegateOf: (name: string) => PublicKey;
  readonly metered: readonly string[];
  readonly traders: readonly string[];
};

/** Slots ahead that are traded. */
const SLOTS_AHEAD = 3;
const QUARTERS_PER_DAY = 96;
const MANDATE_MS = 20 * 3_600_000;
const REMEMBERED_MAX = 40;

export class Load {
  readonly #parts: LoadParts;
  readonly #auctions: OpenAuction[] = [];
  readonly #orders = new Map<string, string[]>();
  readonly #mandates = new Map<string, string[]>();
  /** Members that a vote was given against. */
  readonly #accused = new Set<string>();
  /** Makes amounts and prices that occur once, by which a transaction is recognised. */
  #numbers = 0;
  #slotsMetered = 0;
  #tariffDays = 1;

  constructor(parts: LoadParts) {
    this.#parts = parts;
  }

  /** The next command of a client; undefined where there is nothing of the kind to be done now. */
  next(client: LoadClient, dice: Dice): ClientCommand | undefined {
    const kind = dice.weighted(client.weights);
    this.#numbers += 1;
    return this.#command(kind, client, dice, `${client.name.replaceAll(" ", "-")}-${this.#numbers}`);
  }

  /** Remembers what a command that was carried out has made. */
  done(client: LoadClient, command: ClientCommand): void {
    if (command.tag === "create-auction")
      remember(this.#auctions, {
        id: command.commandId,
        seller: client.party,
        deadlineMs: command.deadlineMs,
        price: command.basePrice,
      });
    if (command.tag === "place-orders")
      for (const index of command.orders.keys())
        remember(listOf(this.#orders, client.party), `${command.commandId}/${index}`);
    if (command.tag === "grant-mandate") listOf(this.#mandates, client.party).push(command.mandateId);
    if (command.tag === "bid") {
      const auction = this.#auctions.find(({ id }) => id === command.auctionId);
      if (auction !== undefined && auction.price < command.price) auction.price = command.price;
    }
  }

  /** The first mandate of a member's delegate. */
  firstMandate(name: string): ClientCommandOf<"grant-mandate"> {
    return this.#mandate(name, `mandate-of-${name}`);
  }

  /** Prices of a whole day; the first is a number of its own. */
  tariff(commandId: string, day: number): ClientCommand {
    this.#numbers += 1;
    const feedIn = Array.from({ length: QUARTERS_PER_DAY }, () => microsPerKwh(80_000n));
    return {
      tag: "publish-tariff",
      commandId,
      day: this.#parts.clock.day(day),
      feedIn: [microsPerKwh(70_000n + BigInt(this.#numbers)), ...feedIn.slice(1)],
      retail: feedIn.map(() => microsPerKwh(300_000n)),
    };
  }

  /** The readings of a slot that is over. */
  meters(commandId: string, index: number, dice: Dice): ClientCommandOf<"record-meters"> {
    const { clock, metered, keyOf } = this.#parts;
    return {
      tag: "record-meters",
      commandId,
      slot: clock.slot(index).id,
      readings: metered.map((name) => ({
        member: keyOf(name),
        produced: wattHours(BigInt(dice.between(0, 3) * dice.between(0, 8_000))),
        consumed: wattHours(BigInt(dice.between(0, 4_000))),
      })),
    };
  }

  /** Slots that are over and were not metered yet, each given once. */
  nextToMeter(): number | undefined {
    return this.#slotsMetered < this.#parts.clock.slotsOver ? this.#slotsMetered++ : undefined;
  }

  #command(kind: LoadKind, { party }: LoadClient, dice: Dice, commandId: string): ClientCommand | undefined {
    switch (kind) {
      case "create-promises":
        return this.#createPromises(dice, commandId);
      case "offer":
      case "order-energy":
        return this.#placeOrders(kind === "offer" ? "offer" : "bid", dice, commandId);
      case "cancel-orders": {
        const own = listOf(this.#orders, party);
        const orderIds = own.splice(0, dice.between(1, 2));
        return orderIds.length === 0 ? undefined : { tag: "cancel-orders", commandId, orderIds };
      }
      case "create-auction":
        return this.#createAuction(dice, commandId);
      case "bid":
        return this.#bid(party, dice, commandId);
      case "replace-mandate":
        return this.#mandate(party, commandId);
      case "revoke-mandate": {
        const mandateId = listOf(this.#mandates, party).pop();
        return mandateId === undefined ? undefined : { tag: "revoke-mandate", commandId, mandateId };
      }
      default:
        return this.#infrastructure(kind, dice, commandId);
    }
  }

  #infrastructure(kind: LoadKind, dice: Dice, commandId: string): ClientCommand | undefined {
    const { keyOf, traders } = this.#parts;
    switch (kind) {
      case "redeem-funds":
        return { tag: "redeem-funds", commandId, amount: this.#amount(100_000) };
      case "issue-funds":
        return {
          tag: "issue-funds",
          commandId,
          to: keyOf(dice.pick(traders)),
          amounts: [this.#amount(2_000_000), micros(500_000n)],
        };
      case "record-meters": {
        const index = this.nextToMeter();
        return index === undefined ? undefined : this.meters(commandId, index, dice);
      }
      case "amend-member": {
        const member = keyOf(dice.pick(traders));
        return { tag: "amend-member", commandId, member, capacityPerSlot: wattHours(100_000n + this.#number()) };
      }
      case "amend-parameters":
        return { tag: "amend-parameters", commandId, changes: { bidRiseMin: microsPerKwh(1_000n + this.#number()) } };
      case "reinstate": {
        // Also who has become good again meanwhile: that is refused.
        if (this.#accused.size === 0) return undefined;
        return { tag: "amend-member", commandId, member: keyOf(dice.pick([...this.#accused])), standing: "good" };
      }
      case "vote-standing":
        return this.#vote(dice, commandId);
      case "publish-tariff":
        this.#tariffDays = (this.#tariffDays % SLOTS_AHEAD) + 1;
        return this.tariff(commandId, this.#tariffDays);
      default:
        return undefined;
    }
  }

  #createPromises(dice: Dice, commandId: string): ClientCommand {
    const promises = Array.from({ length: dice.between(1, 2) }, () => ({
      slot: this.#slot(dice),
      energy: wattHours(BigInt(dice.between(100, 2_500))),
    }));
    return { tag: "create-promises", commandId, promises };
  }

  #placeOrders(side: "bid" | "offer", dice: Dice, commandId: string): ClientCommand {
    const orders = Array.from({ length: dice.between(1, 2) }, () => ({
      side,
      slot: this.#slot(dice),
      energy: wattHours(BigInt(dice.between(50, 900))),
      limit: microsPerKwh(BigInt(dice.between(80, 320) * 1_000)),
    }));
    return { tag: "place-orders", commandId, marketplace: this.#parts.keyOf("market"), orders };
  }

  #createAuction(dice: Dice, commandId: string): ClientCommand {
    const { clock, keyOf } = this.#parts;
    return {
      tag: "create-auction",
      commandId,
      marketplace: keyOf("market"),
      slot: this.#slot(dice),
      energy: wattHours(BigInt(dice.between(50, 1_500))),
      basePrice: microsPerKwh(BigInt(dice.between(60, 150) * 1_000)),
      deadlineMs: clock.nowMs() + dice.between(3_000, 9_000),
    };
  }

  /** Mostly above the last price that is known: several bid at once, so some are too late. */
  #bid(party: string, dice: Dice, commandId: string): ClientCommand | undefined {
    const nowMs = this.#parts.clock.nowMs();
    const open = this.#auctions.filter(({ seller, deadlineMs }) => seller !== party && deadlineMs > nowMs);
    if (open.length === 0) return undefined;
    const auction = dice.pick(open);
    const rise = BigInt(dice.between(4, 20) * 1_000) + this.#number();
    return { tag: "bid", commandId, auctionId: auction.id, price: microsPerKwh(auction.price + rise) };
  }

  #mandate(name: string, commandId: string): ClientCommandOf<"grant-mandate"> {
    const { clock, delegateOf } = this.#parts;
    return {
      tag: "grant-mandate",
      commandId,
      mandateId: commandId,
      delegate: delegateOf(name),
      flows: DELEGATED,
      energyPerSlotMax: wattHours(50_000n),
      expiresMs: clock.nowMs() + MANDATE_MS,
    };
  }

  /** Against a member now and then; most votes are for the standing that it has. */
  #vote(dice: Dice, commandId: string): ClientCommand {
    const { clock, keyOf, traders } = this.#parts;
    const name = dice.pick(traders);
    const standing = dice.weighted(STANDINGS.map((each) => [each === "suspended" ? 1 : 3, each] as const));
    if (standing !== "good") this.#accused.add(name);
    return {
      tag: "vote-standing",
      commandId,
      member: keyOf(name),
      standing,
      expiresMs: clock.nowMs() + 3_600_000 + this.#numbers,
    };
  }

  #slot(dice: Dice): ReturnType<StageClock["slot"]>["id"] {
    const { clock } = this.#parts;
    // One in twenty may be too late.
    const first = clock.firstOpenSlot(dice.chance(0.05) ? -500 : 1_500);
    return clock.slot(first + dice.between(0, SLOTS_AHEAD - 1)).id;
  }

  #amount(least: number): ReturnType<typeof micros> {
    return micros(BigInt(least) + this.#number());
  }

  #number(): bigint {
    return BigInt(this.#numbers);
  }
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function remember<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > REMEMBERED_MAX) list.shift();
}
