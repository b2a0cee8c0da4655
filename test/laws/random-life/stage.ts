/** A small community with every role, whose random lives are lived in a world of drafts and contracts alone. */
import {
  type Claims,
  type ClientCommand,
  type LedgerRefusal,
  moneyIn,
  type Receipt,
  type Role,
  type State,
} from "#contracts";
import {
  type LocalDay,
  localDayAt,
  micros,
  microsPerKwh,
  type Prng,
  type PublicKey,
  type Result,
  type SlotId,
  seededPrng,
  slotAt,
  slotId,
  slotOf,
  slotsOfLocalDay,
  type WattHours,
  wattHours,
  zone,
} from "#core";
import { ownerClient } from "#ledger-client";
import { type FoundingMember, genesisStates, type NetworkRules } from "#ledger-node";
import { Marketplace, payAsClear } from "#marketplace";
import { DraftingWorld, type FinalTransaction, keyOf, PARAMETERS, SMALL_NETWORK_RULES } from "#testkit";

export const SUPPLIERS = ["ana", "bea", "sto"] as const;
export const TRADERS = ["ana", "bea", "sto", "con", "dan", "spe"] as const;
export const OPERATORS = ["first operator", "second operator", "third operator"] as const;
export const AGENCIES = ["agency", "second agency"] as const;
export const VERIFIERS = ["verifier", "second verifier", "third verifier"] as const;
/** The most that the speculator may hold and bid for in one slot. */
export const HOLDING_CAP: WattHours = wattHours(2_500);
export const CAPACITY: WattHours = wattHours(4_000);

/** By these, commands are refused that come before what they rest on, or after it is gone. */
const OUT_OF_TURN: readonly string[] = [
  "settlement_after_delivery_check",
  "settlement_of_checked_promises",
  "settlement_closes_the_slot",
  "settlement_of_all_bought",
  "settlement_of_all_unsold",
  "clear_takes_all_offered_promises",
  "end_frees_unsold_promises",
];
const NO_CAPACITY = wattHours(0);
const ROLES: Readonly<Record<string, readonly Role[]>> = {
  "grid authority": ["grid-authority"],
  "power company": ["power-company"],
  "payment provider": ["payment-provider"],
  marketplace: ["marketplace"],
  aggregator: ["aggregator"],
  ana: ["prosumer"],
  bea: ["producer"],
  sto: ["storage-provider"],
  con: ["consumer"],
  dan: ["consumer"],
  spe: ["speculator"],
};

/** The slots that are traded, and the noon at which a life begins. */
const FIRST_MS = slotOf(slotId("2031-06-01T13:15Z/PT15M")).startMs;
export const SLOTS: readonly SlotId[] = [0, 1].map((index) => slotAt(FIRST_MS + index * 900_000, 15).id);
export const BEGIN_MS: number = FIRST_MS - 3 * 3_600_000;
export const DAY: LocalDay = localDayAt(zone(PARAMETERS.timeZone), FIRST_MS);
export const LAST_MS: number = FIRST_MS + SLOTS.length * 900_000;

const RULES: NetworkRules = {
  ...SMALL_NETWORK_RULES,
  priceMin: microsPerKwh(0),
  verifierQuorum: 2,
  meterOperators: OPERATORS.map(keyOf),
  meterQuorum: 2,
  meterTolerance: wattHours(10),
  correctionMs: 86_400_000,
  surplusPrice: microsPerKwh(20_001),
};

function foundingMembers(): readonly FoundingMember[] {
  const extra: readonly (readonly [string, readonly Role[]])[] = [
    ...OPERATORS.map((name) => [name, ["meter-operator"]] as const),
    ...AGENCIES.map((name) => [name, ["verification-agency"]] as const),
    ...VERIFIERS.map((name) => [name, ["verifier"]] as const),
  ];
  return [...Object.entries(ROLES), ...extra].map(([name, roles]) => ({
    name,
    key: keyOf(name),
    roles,
    capacityPerSlot: (SUPPLIERS as readonly string[]).includes(name) ? CAPACITY : NO_CAPACITY,
    holdingCapPerSlot: name === "spe" ? HOLDING_CAP : null,
  }));
}

/** Dice with which a life decides. The same seed lives the same life. */
export class Dice {
  readonly #prng: Prng;

  constructor(seed: number) {
    this.#prng = seededPrng(seed, "random life");
  }

  below(bound: number): number {
    return this.#prng.nextUint32() % bound;
  }

  one<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new TypeError("dice choose among some");
    return item;
  }

  isLucky(ofTen: number): boolean {
    return this.below(10) < ofTen;
  }

  energy(max: number): WattHours {
    return wattHours(100 + this.below(max - 100));
  }
}

/** What has happened that the states alone do not say. */
export type Notes = {
  issued: bigint;
  paidOut: bigint;
  readonly history: FinalTransaction[];
  readonly refusals: Map<string, number>;
};

export class Stage {
  readonly world: DraftingWorld;
  readonly dice: Dice;
  readonly marketplace: Marketplace;
  readonly notes: Notes = { issued: 0n, paidOut: 0n, history: [], refusals: new Map() };
  /** Told of every transaction at once, before the next. */
  onDone: (done: FinalTransaction) => void = () => undefined;
  onBrokenDraft: (fault: string) => void = () => undefined;
  #commands = 0;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.world = new DraftingWorld(
      {
        genesis: genesisStates({ rules: RULES, members: foundingMembers(), notaries: [keyOf("notary")] }),
        gridAuthority: keyOf("grid authority"),
        notary: keyOf("notary"),
      },
      BEGIN_MS,
    );
    this.marketplace = new Marketplace({
      client: ownerClient({
        party: keyOf("marketplace"),
        submit: async (command) => this.#receipt(await this.#submit("marketplace", command)),
        states: async (tag) => this.world.statesKeptBy(keyOf("marketplace"), tag),
        propose: refuse,
        approve: refuse,
        withdraw: async () => undefined,
        listen: () => () => undefined,
      }),
      method: payAsClear,
      nowMs: () => this.world.nowMs,
    });
  }

  /** What stands before the day begins: its tariff, and money of the power company. */
  async prepare(): Promise<void> {
    const slots = slotsOfLocalDay(zone(PARAMETERS.timeZone), DAY, 15);
    this.world.nowMs = (slots[0]?.startMs ?? 0) - 3_600_000;
    await this.act("power company", {
      tag: "publish-tariff",
      day: DAY,
      feedIn: slots.map(() => microsPerKwh(60_001)),
      retail: slots.map(() => microsPerKwh(300_001)),
    });
    const amounts = [micros(1_000_000_000n)];
    await this.act("payment provider", { tag: "issue-funds", to: keyOf("power company"), amounts });
    this.world.nowMs = BEGIN_MS;
  }

  commandId(): string {
    return `command ${this.#commands++}`;
  }

  /** Carries out a command of the named party; a refusal is counted, and is no error. */
  async act(name: string, command: WithoutId, delegate: string | null = null): Promise<FinalTransaction | undefined> {
    const done = await this.#submit(
      name,
      { commandId: this.commandId(), ...command } as ClientCommand,
      delegate === null ? null : keyOf(delegate),
    );
    return done.ok ? done.value : undefined;
  }

  async #submit(
    name: string,
    command: ClientCommand,
    delegate: PublicKey | null = null,
  ): Promise<Result<FinalTransaction, LedgerRefusal>> {
    const done = await this.world.submit(keyOf(name), command, delegate);
    if (done.ok) {
      this.notes.history.push(done.value);
      this.#count(done.value);
      this.onDone(done.value);
    } else {
      this.#judge(command, done.error, delegate !== null);
      const key = `${command.tag}: ${done.error.tag}`;
      this.notes.refusals.set(key, (this.notes.refusals.get(key) ?? 0) + 1);
    }
    return done;
  }

  /** A node drafts nothing that the contract refuses, but what a mandate does not cover and what comes out of turn. */
  #judge({ tag }: ClientCommand, refusal: LedgerRefusal, isDelegated: boolean): void {
    if (refusal.tag !== "contract_violated") return;
    const beyondMandate = (clause: string): boolean =>
      isDelegated && (clause.endsWith("_authorised") || clause === "settle_signed_by_winner");
    const broken = refusal.clauses.filter((clause) => !beyondMandate(clause) && !OUT_OF_TURN.includes(clause));
    if (broken.length > 0) this.onBrokenDraft(`the draft of ${tag} breaks ${broken.join(", ")}`);
  }

  /** What enters and leaves the ledger. */
  #count({ command, consumed, made }: FinalTransaction): void {
    if (command.tag === "issue-funds") this.notes.issued += heldIn(made);
    if (command.tag === "confirm-payout") this.notes.paidOut += heldIn(consumed) - heldIn(made);
  }

  #receipt(done: Result<FinalTransaction, LedgerRefusal>): Result<Receipt, LedgerRefusal> {
    return done.ok ? { ok: true, value: { status: "created", txId: done.value.txId } } : done;
  }
}

function heldIn(states: readonly State[]): bigint {
  return states.reduce((sum, state) => sum + (moneyIn(state)?.amount ?? 0n), 0n);
}

export type Claimed = Omit<Claims, "certifiedBy">;
type WithoutIdOf<C> = C extends ClientCommand ? Omit<C, "commandId"> : never;
/** A command; the stage gives it an id. */
export type WithoutId = WithoutIdOf<ClientCommand>;

const refuse = async (): Promise<Result<never, LedgerRefusal>> => ({ ok: false, error: { tag: "role_not_allowed" } });
