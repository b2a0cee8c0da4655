/** The life of a promise as docs/market-rules.md tells it, lived in a world of drafts and contracts. */
import { type ClientCommand, moneyIn } from "#contracts";
import {
  hashOf,
  localDay,
  micros,
  microsPerKwh,
  type PublicKey,
  type SlotId,
  slotId,
  slotOf,
  slotsOfLocalDay,
  unwrap,
  wattHours,
  zone,
} from "#core";
import { genesisStates } from "#ledger-node";
import { DraftingWorld, type FinalTransaction, keyOf, SMALL_NETWORK_RULES } from "#testkit";

export const LIFE_SLOT: SlotId = slotId("2031-06-01T13:15Z/PT15M");
const { startMs, endMs } = slotOf(LIFE_SLOT);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const NAMES = ["Ana", "Bea", "Spe", "Con"] as const;
export type LifeName = (typeof NAMES)[number];
const SOLAR = { source: "solar", renewable: true, origin: null, gramsCo2PerKwh: 41 } as const;
const GREEN = {
  source: null,
  renewable: true,
  origin: null,
  gramsCo2PerKwhMax: null,
  contradictedPerMilleMax: 0,
} as const;

type WithoutId<C> = C extends ClientCommand ? Omit<C, "commandId"> : never;

/** In their order. */
export const LIFE_STEPS = [
  "creates",
  "certifies",
  "auctions",
  "splits",
  "resells",
  "covers",
  "delivers",
  "settles",
  "disputes",
  "paysOut",
] as const;

/** The members of the example and what each has, after each step. */
export class PromiseLife {
  readonly #world: DraftingWorld;
  #commands = 0;

  constructor() {
    const members = [
      ["grid authority", ["grid-authority"]],
      ["power company", ["power-company"]],
      ["payment provider", ["payment-provider"]],
      ["marketplace", ["marketplace"]],
      ["verifier", ["verifier"]],
      ["agency", ["verification-agency"]],
      ["Ana", ["prosumer"]],
      ["Bea", ["producer"]],
      ["Spe", ["speculator"]],
      ["Con", ["consumer"]],
    ] as const;
    this.#world = new DraftingWorld(
      {
        genesis: genesisStates({
          rules: {
            ...SMALL_NETWORK_RULES,
            emergencyPrice: microsPerKwh(800_000),
            gridFee: microsPerKwh(5_000),
            marketFee: microsPerKwh(4_000),
            surplusPrice: microsPerKwh(20_000),
            gateLeadMs: 0,
            settlementGraceMs: HOUR_MS,
          },
          members: members.map(([name, roles]) => ({
            name,
            key: keyOf(name),
            roles,
            capacityPerSlot: wattHours(name === "Ana" || name === "Bea" ? 10_000 : 0),
            holdingCapPerSlot: name === "Spe" ? wattHours(5_000) : null,
          })),
          notaries: [keyOf("notary")],
        }),
        gridAuthority: keyOf("grid authority"),
        notary: keyOf("notary"),
      },
      startMs - 15 * HOUR_MS,
    );
  }

  /** Money of each member by where it is, and energy that each holds. Zeros are left out. */
  accounts(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return Object.fromEntries(NAMES.map((name) => [name, this.#accountOf(keyOf(name))]));
  }

  #accountOf(key: PublicKey): Readonly<Record<string, string>> {
    const sums = new Map<string, bigint>();
    const add = (name: string, amount: bigint): unknown => sums.set(name, (sums.get(name) ?? 0n) + amount);
    for (const state of this.#world.states()) {
      const money = moneyIn(state);
      if (money?.owner === key) add(`${state.tag}Micros`, money.amount);
      if (state.tag === "power-promise" && state.owner === key) add("holdsWh", state.energy);
      if (state.tag === "power-promise" && state.supplier === key) add("owesWh", state.energy);
    }
    return Object.fromEntries(
      [...sums]
        .filter(([, sum]) => sum !== 0n)
        .sort()
        .map(([name, sum]) => [name, `${sum}`]),
    );
  }

  async #act(name: string, command: WithoutId<ClientCommand>): Promise<FinalTransaction> {
    const done = await this.#world.submit(keyOf(name), {
      commandId: `${this.#commands++}`,
      ...command,
    } as ClientCommand);
    return unwrap(done);
  }

  async begin(): Promise<void> {
    const day = localDay("2031-06-01");
    const slots = slotsOfLocalDay(zone("Europe/Berlin"), day, 15);
    this.#world.nowMs = (slots[0]?.startMs ?? 0) - HOUR_MS;
    await this.#act("power company", {
      tag: "publish-tariff",
      day,
      feedIn: slots.map(() => microsPerKwh(60_000)),
      retail: slots.map(() => microsPerKwh(300_000)),
    });
    for (const name of [...NAMES, "power company"])
      await this.#act("payment provider", { tag: "issue-funds", to: keyOf(name), amounts: [micros(5_000_000)] });
    this.#world.nowMs = startMs - 4 * HOUR_MS;
  }

  async creates(): Promise<void> {
    for (const [name, energy] of [
      ["Ana", 4_000],
      ["Bea", 1_000],
    ] as const)
      await this.#act(name, {
        tag: "create-promises",
        promises: [{ slot: LIFE_SLOT, energy: wattHours(energy), claims: SOLAR }],
      });
  }

  async certifies(): Promise<void> {
    for (const name of ["Ana", "Bea"] as const)
      await this.#act(name, { tag: "certify-claims", agency: keyOf("agency"), slots: [LIFE_SLOT] });
  }

  async auctions(): Promise<void> {
    const { txId: _, ...auction } = await this.#act("Ana", {
      tag: "create-auction",
      marketplace: keyOf("marketplace"),
      slot: LIFE_SLOT,
      energy: wattHours(3_000),
      basePrice: microsPerKwh(100_000),
      deadlineMs: startMs - 3 * HOUR_MS,
    });
    const auctionId = auction.command.tag === "create-auction" ? auction.command.auctionId : "";
    await this.#act("Con", { tag: "bid", auctionId, price: microsPerKwh(120_000) });
    await this.#act("Spe", { tag: "bid", auctionId, price: microsPerKwh(150_000) });
    this.#world.nowMs = startMs - 3 * HOUR_MS;
    await this.#act("Ana", { tag: "end-auction", auctionId });
    await this.#act("Spe", { tag: "settle-auction", auctionId });
  }

  async splits(): Promise<void> {
    await this.#act("Spe", { tag: "split-promise", slot: LIFE_SLOT, energies: [wattHours(1_800)] });
  }

  async resells(): Promise<void> {
    await this.#trade("Spe", "Con", 1_800, { offer: 160_000, bid: 200_000, price: 180_000 }, true);
  }

  async #trade(
    seller: LifeName,
    buyer: LifeName,
    energy: number,
    limits: { readonly offer: number; readonly bid: number; readonly price: number },
    isGreen: boolean,
  ): Promise<void> {
    const order = { slot: LIFE_SLOT, energy: wattHours(energy) };
    const marketplace = keyOf("marketplace");
    const requires = isGreen ? { requires: GREEN } : {};
    const offered = await this.#act(seller, {
      tag: "place-orders",
      marketplace,
      orders: [{ ...order, side: "offer", limit: microsPerKwh(limits.offer) }],
    });
    const asked = await this.#act(buyer, {
      tag: "place-orders",
      marketplace,
      orders: [{ ...order, side: "bid", limit: microsPerKwh(limits.bid), ...requires }],
    });
    const idOf = ({ made }: FinalTransaction): string =>
      made.flatMap((state) => (state.tag === "pool-order" ? [state.orderId] : []))[0] ?? "";
    const price = microsPerKwh(limits.price);
    await this.#act("marketplace", {
      tag: "clear-pool",
      slot: LIFE_SLOT,
      price,
      isFinal: false,
      trades: [{ bid: idOf(asked), offer: idOf(offered), energy: wattHours(energy), price }],
    });
  }

  async covers(): Promise<void> {
    await this.#trade("Bea", "Ana", 500, { offer: 120_000, bid: 160_000, price: 140_000 }, false);
    await this.#act("Ana", { tag: "substitute", slot: LIFE_SLOT, energy: wattHours(500) });
  }

  async delivers(): Promise<void> {
    this.#world.nowMs = endMs + MINUTE_MS;
    const metered = [
      ["Ana", 3_000, 200],
      ["Bea", 1_000, 0],
      ["Spe", 0, 0],
      ["Con", 0, 2_000],
    ] as const;
    const readings = metered.map(([name, produced, consumed]) => ({
      member: keyOf(name),
      produced: wattHours(produced),
      consumed: wattHours(consumed),
    }));
    await this.#act("grid authority", { tag: "record-meters", slot: LIFE_SLOT, readings });
    for (const supplier of ["Ana", "Bea"])
      await this.#act("grid authority", { tag: "check-delivery", supplier: keyOf(supplier), slot: LIFE_SLOT });
  }

  async settles(): Promise<void> {
    for (const name of NAMES)
      await this.#act("grid authority", { tag: "settle-slot", member: keyOf(name), slot: LIFE_SLOT });
    await this.#act("grid authority", { tag: "close-certificates", agency: keyOf("agency"), slot: LIFE_SLOT });
  }

  async disputes(): Promise<void> {
    const measured = { member: keyOf("Ana"), produced: wattHours(3_300), consumed: wattHours(200) };
    const raised = await this.#act("Ana", {
      tag: "raise-dispute",
      slot: LIFE_SLOT,
      evidence: hashOf("the inverter's log"),
      ...measured,
    });
    const disputeId = raised.command.tag === "raise-dispute" ? raised.command.disputeId : "";
    await this.#act("verifier", {
      tag: "vote-dispute",
      disputeId,
      produced: wattHours(3_300),
      consumed: wattHours(200),
    });
    await this.#act("grid authority", { tag: "decide-dispute", disputeId });
    await this.#act("grid authority", { tag: "correct-settlement", member: keyOf("Ana"), slot: LIFE_SLOT });
  }

  async paysOut(): Promise<void> {
    await this.#act("Spe", { tag: "redeem-funds", amount: micros(4_905_678) });
    const [redemption] = this.#world.all("redemption");
    if (redemption === undefined) throw new Error("a redemption is owed");
    const { owner, redemptionId } = redemption;
    await this.#act("payment provider", {
      tag: "confirm-payout",
      owner,
      redemptionId,
      messageId: "batch-1",
      endToEndId: "payment-1",
    });
  }
}
