/**
 * A notary alone, with a network founded in its log and transactions made for it by hand: founding, issues and redemptions of
 * funds, mandates and changes of members. Everything is made from names.
 */
import {
  buildTransaction,
  encodeSignedTransaction,
  type Funds,
  type LedgerRefusal,
  type NotarySignature,
  type SignedTransaction,
  type StateRef,
  signTransaction,
  type Transaction,
  type WireTransaction,
  withSignatures,
} from "#contracts";
import { micros, microsPerKwh, type Result, seededEntropy, wattHours } from "#core";
import { type CommitLog, genesisStates, Notary, type NotaryOptions } from "#ledger-node";
import { keyOf, redemption, SLOT_START_MS, signerOf } from "./builders.ts";
import { ManualClock, SMALL_NETWORK_RULES } from "./small-network.ts";

export type NotaryVerdict = Result<NotarySignature, LedgerRefusal>;
type Content = Pick<Transaction, "inputs" | "outputs" | "command"> & Partial<Transaction>;

const UNBOUNDED: Transaction["window"] = { fromMs: null, untilMs: null };
const MEMBERS = [
  ["grid authority", "grid-authority"],
  ["power company", "power-company"],
  ["payment provider", "payment-provider"],
  ["verifier", "verifier"],
  ["alice", "prosumer"],
  ["bob", "prosumer"],
] as const;

export class NotaryStage {
  readonly networkId: string = SMALL_NETWORK_RULES.networkId;
  readonly clock: ManualClock = new ManualClock(SLOT_START_MS);
  readonly genesis: SignedTransaction;

  constructor() {
    const states = genesisStates({
      rules: SMALL_NETWORK_RULES,
      members: MEMBERS.map(([name, role]) => ({
        name,
        key: keyOf(name),
        roles: [role],
        capacityPerSlot: wattHours(20_000),
      })),
      notaries: [keyOf("notary")],
    });
    this.genesis = this.sign(
      this.build("genesis", { inputs: [], outputs: states, command: { tag: "genesis" } }, "grid authority"),
      "grid authority",
    );
  }

  /** A notary over the log; its counters say how often it has signed. */
  notaryOver(
    log: CommitLog,
    patch: Partial<NotaryOptions> = {},
  ): { readonly notary: Notary; readonly counters: NotaryOptions["counters"] } {
    const counters = { signatures: 0, verifications: 0 };
    const notary = new Notary({
      networkId: this.networkId,
      signer: signerOf("notary"),
      clock: this.clock,
      log,
      counters,
      defer: (task) => void setImmediate(task),
      ...patch,
    });
    return { notary, counters };
  }

  /** A notary that has founded the network. */
  async founded(log: CommitLog): Promise<Notary> {
    const { notary } = this.notaryOver(log);
    const founded = await notary.notarise(encodeSignedTransaction(this.genesis));
    if (!founded.ok) throw new TypeError(`the notary founds the network, refused with ${founded.error.tag}`);
    return notary;
  }

  /** The place of the network's parameters among the states of the founding. */
  get parameters(): StateRef {
    return { txId: this.genesis.transaction.id, index: 0 };
  }

  /** The membership that a party has from the beginning. */
  memberRef(name: (typeof MEMBERS)[number][0]): StateRef {
    return { txId: this.genesis.transaction.id, index: 1 + MEMBERS.findIndex(([each]) => each === name) };
  }

  /** Issues funds, each amount as funds of its own; `name` tells it from others. */
  issue(
    name: string,
    owner: string,
    amounts: readonly number[],
    window: Transaction["window"] = UNBOUNDED,
  ): SignedTransaction {
    const outputs = amounts.map((amount): Funds => ({ tag: "funds", owner: keyOf(owner), amount: micros(amount) }));
    const content = { inputs: [], outputs, command: { tag: "issue-funds" }, window } as const;
    return this.sign(this.build(name, content, "payment provider"), "payment provider");
  }

  /** Redeems funds, `amount` together; `name` tells it from others. */
  redeem(
    name: string,
    owner: string,
    inputs: readonly StateRef[],
    amount: number,
    window: Transaction["window"] = UNBOUNDED,
  ): SignedTransaction {
    const outputs = [redemption(owner, amount, { redemptionId: name })];
    const content = { inputs, outputs, command: { tag: "redeem-funds" }, window } as const;
    return this.sign(this.build(name, content, owner, "payment provider"), owner, "payment provider");
  }

  /** Grants a mandate; cites the principal's membership. */
  mandate(
    name: string,
    principal: "alice" | "bob",
    membership: StateRef = this.memberRef(principal),
  ): SignedTransaction {
    const mandate = {
      tag: "mandate",
      mandateId: name,
      principal: keyOf(principal),
      delegate: keyOf(`delegate of ${principal}`),
      flows: ["create-promises"],
      strategies: [],
      energyPerSlotMax: wattHours(1_000),
      energyPerDayMax: wattHours(10_000),
      bidPriceMax: microsPerKwh(1_000_000),
      expiresMs: SLOT_START_MS + 1_000,
    } as const;
    const references = [this.parameters, membership];
    const content = { inputs: [], references, outputs: [mandate], command: { tag: "grant-mandate" } } as const;
    return this.sign(this.build(name, content, principal), principal);
  }

  /** Builds a transaction to be signed by the named parties; it cites the parameters unless it says what it cites. */
  build(name: string, content: Content, ...signers: readonly string[]): WireTransaction {
    return buildTransaction(
      {
        references: content.command.tag === "genesis" ? [] : [this.parameters],
        window: UNBOUNDED,
        notary: keyOf("notary"),
        ...content,
        signers: content.signers ?? signers.map(keyOf),
      },
      seededEntropy("notary stage", name).bytes(32),
    );
  }

  sign(transaction: WireTransaction, ...names: readonly string[]): SignedTransaction {
    return this.signOn(this.networkId, transaction, ...names);
  }

  /** Signs as on another network. */
  signOn(networkId: string, transaction: WireTransaction, ...names: readonly string[]): SignedTransaction {
    const signatures = names.map((name) => signTransaction(networkId, transaction, signerOf(name)));
    return withSignatures({ transaction, signatures: [], notarySignature: null }, signatures);
  }
}

/** An output of a transaction. */
export function outputOf({ transaction }: SignedTransaction, index = 0): StateRef {
  return { txId: transaction.id, index };
}

/** Sends a transaction, and gives the verdict. */
export function notarise(notary: Notary, signed: SignedTransaction): Promise<NotaryVerdict> {
  return notary.notarise(encodeSignedTransaction(signed));
}

/** `signed`, or the refusal's code. */
export function inShort(verdict: NotaryVerdict): string {
  return verdict.ok ? "signed" : verdict.error.tag;
}
