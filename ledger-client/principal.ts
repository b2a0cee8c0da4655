/**
 * What a member does with its own key where its node is an aggregator's. The aggregator's node proposes, and the member's client
 * checks and signs. Should that node not do what it is asked, the member builds the transaction itself, from what was exported to
 * it, and has any other node carry it to the notary.
 */
import {
  buildTransaction,
  type ClientCommandOf,
  type ExportedState,
  encodeProof,
  encodeSignedTransaction,
  type LedgerRefusal,
  type MemberExport,
  newMandate,
  type Receipt,
  type State,
  type StateOf,
  type StateTag,
  signTransaction,
  type Transaction,
} from "#contracts";
import { err, ok, type PublicKey, type Result, type Signer } from "#core";

/** What the member alone has to sign. */
export type PrincipalCommand = ClientCommandOf<"grant-mandate" | "revoke-mandate" | "move-member">;

/** A node that takes to the notary what others have signed. */
export interface Carrier {
  carry(transaction: Uint8Array, proofs: readonly Uint8Array[]): Promise<Result<Receipt, LedgerRefusal>>;
}

export type SigningOptions = {
  /** The member's own key. */
  readonly signer: Signer;
  readonly networkId: string;
  readonly nowMs: number;
  /** 32 random bytes. */
  readonly salt: Uint8Array;
};

/** A transaction with all its signatures, and proofs of the states that it names. */
export type SignedElsewhere = { readonly transaction: Uint8Array; readonly proofs: readonly Uint8Array[] };

type Held = ExportedState & { readonly state: State };
type HeldOf<T extends StateTag> = ExportedState & { readonly state: StateOf<T> };
type Plan = Pick<Transaction, "outputs" | "command"> & {
  readonly consumed: readonly Held[];
  readonly cited: readonly Held[];
};

/** How long the notary may take it. */
const WINDOW_MS = 5 * 60_000;

/** Builds and signs what the member asks for, from the states of its export. Those must still be unspent for it to become final. */
export function signElsewhere(
  command: PrincipalCommand,
  exported: MemberExport,
  { signer, networkId, nowMs, salt }: SigningOptions,
): Result<SignedElsewhere, LedgerRefusal> {
  if (signer.publicKey !== exported.member) return err({ tag: "role_not_allowed" });
  const [parameters] = heldIn(exported, "network-parameters");
  const [member] = heldIn(exported, "member").filter(({ state }) => state.key === exported.member);
  if (parameters === undefined || member === undefined) return err({ tag: "member_unknown" });
  const planned = planOf(command, exported, parameters, member);
  if (!planned.ok) return planned;
  const { consumed, cited, outputs, command: purpose } = planned.value;
  const transaction = buildTransaction(
    {
      inputs: consumed.map(({ ref }) => ref),
      references: cited.map(({ ref }) => ref),
      outputs,
      command: purpose,
      signers: [exported.member],
      notary: member.notary,
      window: { fromMs: null, untilMs: nowMs + WINDOW_MS },
    },
    salt,
  );
  const signatures = [signTransaction(networkId, transaction, signer)];
  return ok({
    transaction: encodeSignedTransaction({ transaction, signatures, notarySignature: null }),
    proofs: [...consumed, ...cited].map(({ proof }) => encodeProof(proof)),
  });
}

/** Builds, signs, and has a node carry it. */
export async function carryBy(
  carrier: Carrier,
  command: PrincipalCommand,
  exported: MemberExport,
  options: SigningOptions,
): Promise<Result<Receipt, LedgerRefusal>> {
  const signed = signElsewhere(command, exported, options);
  return signed.ok ? carrier.carry(signed.value.transaction, signed.value.proofs) : signed;
}

function heldIn<T extends StateTag>({ unspent }: MemberExport, tag: T): readonly HeldOf<T>[] {
  return unspent.filter((held): held is HeldOf<T> => held.state.tag === tag);
}

function planOf(
  command: PrincipalCommand,
  exported: MemberExport,
  parameters: HeldOf<"network-parameters">,
  member: HeldOf<"member">,
): Result<Plan, LedgerRefusal> {
  const key = exported.member;
  const mandates = heldIn(exported, "mandate").filter(({ state }) => state.principal === key);
  if (command.tag === "move-member") return planMove(command, exported, { parameters, member, mandates });
  const consumed = mandates.filter(({ state }) => state.mandateId === command.mandateId);
  if (command.tag === "grant-mandate") {
    const outputs = [newMandate(key, command, parameters.state)];
    return ok({ consumed, cited: [parameters, member], outputs, command: { tag: "grant-mandate" } });
  }
  if (consumed.length === 0) return err({ tag: "mandate_missing" });
  return ok({ consumed, cited: [parameters], outputs: [], command: { tag: "revoke-mandate" } });
}

function planMove(
  { served }: ClientCommandOf<"move-member">,
  exported: MemberExport,
  own: {
    readonly parameters: HeldOf<"network-parameters">;
    readonly member: HeldOf<"member">;
    readonly mandates: readonly HeldOf<"mandate">[];
  },
): Result<Plan, LedgerRefusal> {
  const { parameters, member, mandates } = own;
  const host = heldIn(exported, "member").find(({ state }) => state.key === served?.by);
  if (served !== null && host === undefined) return err({ tag: "member_unknown" });
  const key: PublicKey = exported.member;
  return ok({
    consumed: [member, ...mandates],
    cited: host === undefined ? [parameters] : [parameters, host],
    outputs: [
      { ...member.state, servedBy: served?.by ?? null },
      ...(served === null ? [] : [newMandate(key, served.mandate, parameters.state)]),
    ],
    command: { tag: "move-member", member: key },
  });
}
