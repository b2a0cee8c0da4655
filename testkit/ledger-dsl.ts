/**
 * Ledger rules as readable tests. A draft of a transaction is written state by state, each with a label; a test must end in
 * `verifies()` or `failsWith(clause)`, and a variant of a valid draft says in one line what is wrong with it.
 *
 * @example
 * transaction((tx) => {
 *   tx.cites("parameters", PARAMETERS).makes("funds", funds("alice", 5)).command({ tag: "issue-funds" });
 *   tx.signedBy("payment provider");
 *   tx.tweak((bad) => bad.notSignedBy("payment provider").failsWith("issue_signed_by_payment_provider"));
 *   return tx.verifies(); // A block that returns neither result does not type-check.
 * });
 */

import {
  buildTransaction,
  type Command,
  clauseNames,
  contractViolations,
  decodeTransaction,
  encodeTransaction,
  type ResolvedState,
  type ResolvedTransaction,
  type State,
  type TimeWindow,
  type Transaction,
} from "#contracts";
import { compareText, hashOf, InvariantError, type PublicKey, seededEntropy } from "#core";
import { keyOf } from "./builders.ts";

/** Proof that a test said what it expects. Only `verifies` and `failsWith` make one. */
export type Verdict = { readonly __brand: "Verdict" };
const VERDICT = Object.freeze({ __brand: "Verdict" }) satisfies Verdict;

type Place = "consumed" | "cited" | "made";
type Labelled = {
  readonly place: Place;
  readonly label: string;
  readonly state: State;
  readonly notary: PublicKey | undefined;
};

type PatchOf<S> = S extends State ? Partial<Omit<S, "tag">> : never;
/** New values for some fields of a state of any kind. */
export type StatePatch = PatchOf<State>;
type CommandPatchOf<C> = C extends Command ? Partial<Omit<C, "tag">> : never;
export type CommandPatch = CommandPatchOf<Command>;

/** Writes a transaction in a block that must end in a verdict. */
export function transaction(write: (tx: Draft) => Verdict): Verdict {
  return write(new Draft());
}

/** A transaction that is being written. Each method changes the draft and returns it; `copy` leaves it as it is. */
export class Draft {
  #states: readonly Labelled[] = [];
  #command: Command = { tag: "genesis" };
  #signers: ReadonlySet<PublicKey> = new Set();
  #window: TimeWindow = { fromMs: null, untilMs: null };
  #notary: PublicKey = keyOf("notary");

  consumes(label: string, state: State): this {
    return this.#add("consumed", label, state);
  }

  cites(label: string, state: State): this {
    return this.#add("cited", label, state);
  }

  makes(label: string, state: State): this {
    return this.#add("made", label, state);
  }

  /** Changes fields of the state with this label. */
  change(label: string, patch: StatePatch): this {
    return this.replace(label, { ...this.#find(label).state, ...patch } as State);
  }

  /** Puts another state in the place of the one with this label. */
  replace(label: string, state: State): this {
    this.#find(label);
    this.#states = this.#states.map((each) => (each.label === label ? { ...each, state } : each));
    return this;
  }

  /** Leaves out the states with these labels. */
  without(...labels: readonly string[]): this {
    for (const label of labels) this.#find(label);
    this.#states = this.#states.filter(({ label }) => !labels.includes(label));
    return this;
  }

  command(command: Command): this {
    this.#command = command;
    return this;
  }

  changeCommand(patch: CommandPatch): this {
    return this.command({ ...this.#command, ...patch } as Command);
  }

  /** Adds signers, by name. */
  signedBy(...names: readonly string[]): this {
    this.#signers = new Set([...this.#signers, ...names.map(keyOf)]);
    return this;
  }

  notSignedBy(...names: readonly string[]): this {
    const absent = new Set(names.map(keyOf));
    invariantOfTest(
      [...absent].every((key) => this.#signers.has(key)),
      `${names.join(", ")} signed the draft`,
    );
    this.#signers = new Set([...this.#signers].filter((key) => !absent.has(key)));
    return this;
  }

  from(fromMs: number | null): this {
    this.#window = { ...this.#window, fromMs };
    return this;
  }

  until(untilMs: number | null): this {
    this.#window = { ...this.#window, untilMs };
    return this;
  }

  /** The notary of the transaction and of all its states. */
  notarisedBy(name: string): this {
    this.#notary = keyOf(name);
    return this;
  }

  /** The notary that governs one state. */
  governedBy(label: string, notary: string): this {
    this.#find(label);
    this.#states = this.#states.map((each) => (each.label === label ? { ...each, notary: keyOf(notary) } : each));
    return this;
  }

  /** Writes and judges a variant; the draft itself stays as it is. */
  tweak(write: (tx: Draft) => Verdict): this {
    write(this.copy());
    return this;
  }

  copy(): Draft {
    const copy = new Draft();
    copy.#states = this.#states;
    copy.#command = this.#command;
    copy.#signers = this.#signers;
    copy.#window = this.#window;
    copy.#notary = this.#notary;
    return copy;
  }

  /** The state with this label. */
  state(label: string): State {
    return this.#find(label).state;
  }

  /** The transaction as a contract sees it, deeply frozen: a clause that changes something throws. */
  resolved(): ResolvedTransaction {
    const consumed = this.#in("consumed");
    const cited = this.#in("cited");
    const content: Transaction = {
      inputs: consumed.map(({ ref }) => ref),
      references: cited.map(({ ref }) => ref),
      outputs: this.#states.filter(({ place }) => place === "made").map(({ state }) => state),
      command: this.#command,
      signers: [...this.#signers].sort(compareText),
      notary: this.#notary,
      window: this.#window,
    };
    return deepFreeze({ content, inputs: consumed, references: cited });
  }

  /** Names of the clauses that do not hold. */
  violations(): readonly string[] {
    return contractViolations(this.resolved());
  }

  /** Says that all clauses hold, and that the transaction comes back from its bytes as it went in. */
  verifies(): Verdict {
    const violated = this.violations();
    invariantOfTest(violated.length === 0, `a valid transaction, but it fails with ${violated.join(", ")}`);
    const { content } = this.resolved();
    const built = buildTransaction(content, seededEntropy("ledger-dsl", "salt").bytes(32));
    const decoded = decodeTransaction(encodeTransaction(built));
    invariantOfTest(decoded.ok, `a transaction that can be decoded, was ${decoded.ok ? "" : decoded.error}`);
    return VERDICT;
  }

  /** Says that exactly this clause does not hold, and every other does. */
  failsWith(clause: string): Verdict {
    return this.failsWithAll(clause);
  }

  /** Says that exactly these clauses do not hold: for attacks that several rules stop. In the order of the rules. */
  failsWithAll(...expected: readonly string[]): Verdict {
    const known = clauseNames(this.resolved());
    for (const name of expected)
      invariantOfTest(known.includes(name), `a clause that ${this.#command.tag} is checked against, was ${name}`);
    const violated = this.violations();
    const found = violated.length === 0 ? "it verifies" : `it fails with ${violated.join(", ")}`;
    invariantOfTest(
      expected.length > 0 && violated.join() === expected.join(),
      `a transaction that fails with ${expected.join(", ")} and nothing else, but ${found}`,
    );
    return VERDICT;
  }

  #add(place: Place, label: string, state: State): this {
    invariantOfTest(!this.#states.some((each) => each.label === label), `a label that is not used yet, was ${label}`);
    this.#states = [...this.#states, { place, label, state, notary: undefined }];
    return this;
  }

  #find(label: string): Labelled {
    const found = this.#states.find((each) => each.label === label);
    if (found === undefined) throw new InvariantError(`Invariant of the test: no state is labelled ${label}`);
    return found;
  }

  #in(wanted: Place): readonly ResolvedState[] {
    return this.#states
      .filter(({ place }) => place === wanted)
      .map(({ label, state, notary }) => ({
        ref: { txId: hashOf(label), index: 0 },
        state,
        notary: notary ?? this.#notary,
      }));
  }
}

function invariantOfTest(holds: boolean, expected: string): void {
  if (!holds) throw new InvariantError(`Invariant of the test: expected ${expected}`);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
