/** The transaction that founds a network: its parameters, its first members, and an empty exposure index for each. */

import {
  buildTransaction,
  type Member,
  type NetworkParameters,
  newAgencyRecords,
  type Role,
  type SignedTransaction,
  type State,
  type Storage,
  signTransaction,
} from "#contracts";
import {
  invariant,
  type MicrosPerKwh,
  microsPerKwh,
  NO_ENERGY,
  type PublicKey,
  type Signer,
  type WattHours,
} from "#core";

/** Rules of the network that its founder chooses. */
export type NetworkRules = Omit<
  NetworkParameters,
  | "tag"
  | "epoch"
  | "gridAuthority"
  | "powerCompany"
  | "paymentProvider"
  | "notaries"
  | "verifiers"
  | keyof OptionalRules
> &
  Partial<OptionalRules> & { readonly marketFee: MicrosPerKwh };

/** Rules that a founder may leave out, and what they are then. */
type OptionalRules = Pick<
  NetworkParameters,
  | "verifierQuorum"
  | "settlementGraceMs"
  | "meterOperators"
  | "meterQuorum"
  | "meterTolerance"
  | "correctionMs"
  | "surplusPrice"
  | "observers"
>;
const USUAL: OptionalRules = {
  verifierQuorum: 1,
  settlementGraceMs: 3_600_000,
  meterOperators: [],
  meterQuorum: 0,
  meterTolerance: NO_ENERGY,
  correctionMs: 7 * 86_400_000,
  surplusPrice: microsPerKwh(0n),
  observers: [],
};

/** A member from the beginning, in good standing. Energy per slot in watt-hours. */
export type FoundingMember = {
  readonly name: string;
  readonly key: PublicKey;
  readonly roles: readonly Role[];
  readonly capacityPerSlot?: WattHours;
  readonly holdingCapPerSlot?: WattHours | null;
  readonly storage?: Storage | null;
};

export type GenesisPlan = {
  readonly rules: NetworkRules;
  /** One of them is the grid authority, one the power company, one the payment provider; one or more are verifiers. */
  readonly members: readonly FoundingMember[];
  readonly notaries: readonly PublicKey[];
};

/** The states that a network starts with. @throws InvariantError when a role that a network needs is not held. */
export function genesisStates({ rules, members, notaries }: GenesisPlan): readonly State[] {
  const { marketFee, ...chosen } = rules;
  const holders = (role: Role): readonly PublicKey[] =>
    members.filter(({ roles }) => roles.includes(role)).map(({ key }) => key);
  const parameters: NetworkParameters = {
    tag: "network-parameters",
    ...USUAL,
    ...chosen,
    epoch: 0,
    gridAuthority: only(holders("grid-authority"), "grid-authority"),
    powerCompany: only(holders("power-company"), "power-company"),
    paymentProvider: only(holders("payment-provider"), "payment-provider"),
    notaries,
    verifiers: holders("verifier"),
  };
  return [
    parameters,
    ...members.map(
      ({ name, key, roles, capacityPerSlot = NO_ENERGY, holdingCapPerSlot = null, storage = null }): Member => ({
        tag: "member",
        name,
        key,
        roles,
        standing: "good",
        capacityPerSlot,
        holdingCapPerSlot,
        marketFee: roles.includes("marketplace") ? marketFee : microsPerKwh(0n),
        storage,
        servedBy: null,
      }),
    ),
    ...newAgencyRecords(members),
    ...members.map(({ key }): State => ({ tag: "exposure-index", member: key, openedDays: [] })),
  ];
}

function only(keys: readonly PublicKey[], role: Role): PublicKey {
  const [key, ...more] = keys;
  invariant(key !== undefined && more.length === 0, `one member of a network is its ${role}, was ${keys.length}`);
  return key;
}

/**
 * Builds the founding transaction and signs it as the grid authority; the notary's signature is still to come.
 * @param salt - 32 random bytes.
 */
export function signGenesis(plan: GenesisPlan, gridAuthority: Signer, salt: Uint8Array): SignedTransaction {
  const [notary] = plan.notaries;
  invariant(notary !== undefined, "a network has a notary");
  const transaction = buildTransaction(
    {
      inputs: [],
      references: [],
      outputs: genesisStates(plan),
      command: { tag: "genesis" },
      signers: [gridAuthority.publicKey],
      notary,
      window: { fromMs: null, untilMs: null },
    },
    salt,
  );
  const signature = signTransaction(plan.rules.networkId, transaction, gridAuthority);
  return { transaction, signatures: [signature], notarySignature: null };
}
