/** A transaction with the states that its inputs and references name: all that a contract ever sees. */
import { invariant, type LocalDay, localDayAt, type PublicKey, type SlotId, slotOf, zone } from "#core";
import type { Command, CommandOf, CommandTag } from "./commands.ts";
import type { NetworkParameters, State, StateOf, StateTag } from "./states.ts";
import type { StateRef, Transaction } from "./transaction.ts";

export type ResolvedState = { readonly ref: StateRef; readonly state: State; readonly notary: PublicKey };

export type ResolvedTransaction = {
  readonly content: Transaction;
  /** In the order of `content.inputs`. */
  readonly inputs: readonly ResolvedState[];
  /** In the order of `content.references`. */
  readonly references: readonly ResolvedState[];
};

/** Convenient, read-only access to a resolved transaction for clauses. */
export class Facts {
  readonly content: Transaction;
  readonly inputs: readonly ResolvedState[];
  readonly references: readonly ResolvedState[];
  readonly #in: ReadonlyMap<StateTag, readonly State[]>;
  readonly #out: ReadonlyMap<StateTag, readonly State[]>;
  readonly #cited: ReadonlyMap<StateTag, readonly State[]>;

  constructor(resolved: ResolvedTransaction) {
    this.content = resolved.content;
    this.inputs = resolved.inputs;
    this.references = resolved.references;
    this.#in = byTag(resolved.inputs.map(({ state }) => state));
    this.#out = byTag(resolved.content.outputs);
    this.#cited = byTag(resolved.references.map(({ state }) => state));
  }

  consumed<T extends StateTag>(tag: T): readonly StateOf<T>[] {
    return (this.#in.get(tag) ?? []) as readonly StateOf<T>[];
  }

  made<T extends StateTag>(tag: T): readonly StateOf<T>[] {
    return (this.#out.get(tag) ?? []) as readonly StateOf<T>[];
  }

  cited<T extends StateTag>(tag: T): readonly StateOf<T>[] {
    return (this.#cited.get(tag) ?? []) as readonly StateOf<T>[];
  }

  get command(): Command {
    return this.content.command;
  }

  /** The command of the flow that the calling clauses are for. */
  commandOf<T extends CommandTag>(tag: T): CommandOf<T> {
    invariant(this.content.command.tag === tag, `clauses of ${tag} run on its command`);
    return this.content.command as CommandOf<T>;
  }

  /**
   * The parameters that are cited; those that are replaced; those that the genesis transaction makes.
   * @throws InvariantError when there are none.
   */
  get parameters(): NetworkParameters {
    const [parameters] = [
      ...this.cited("network-parameters"),
      ...this.consumed("network-parameters"),
      ...this.made("network-parameters"),
    ];
    invariant(parameters !== undefined, "a transaction cites the network parameters");
    return parameters;
  }

  isSigner(key: PublicKey): boolean {
    return this.content.signers.includes(key);
  }

  /** Whether the notary's clock was surely at or past the instant. */
  isFrom(atMs: number): boolean {
    return this.content.window.fromMs !== null && this.content.window.fromMs >= atMs;
  }

  /** Whether the notary's clock was surely not past the instant. */
  isUntil(atMs: number): boolean {
    return this.content.window.untilMs !== null && this.content.window.untilMs <= atMs;
  }

  dayOf(slot: SlotId): LocalDay {
    return localDayAt(zone(this.parameters.timeZone), slotOf(slot).startMs);
  }

  /** After this instant promises for the slot can't be made or traded. */
  gateMs(slot: SlotId): number {
    return slotOf(slot).startMs - this.parameters.gateLeadMs;
  }
}

function byTag(states: readonly State[]): ReadonlyMap<StateTag, readonly State[]> {
  const groups = new Map<StateTag, State[]>();
  for (const state of states) {
    const group = groups.get(state.tag);
    if (group === undefined) groups.set(state.tag, [state]);
    else group.push(state);
  }
  return groups;
}
