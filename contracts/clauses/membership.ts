/** Clauses of genesis, membership, funds, tariffs and mandates. */
import { type PublicKey, parseZone, slotOf, slotsOfLocalDay, zone } from "#core";
import { isPayable } from "../cents.ts";
import { newAgencyRecords } from "../certification.ts";
import type { Facts } from "../resolved.ts";
import { AMENDABLE_PARAMETERS, type Member, type NetworkParameters } from "../states.ts";
import { type Clause, citedMember, clause, mayAct, mayVerify } from "./clause.ts";
import { changedFields, servedJoinClauses } from "./hosting.ts";

export function genesisClauses(facts: Facts): readonly Clause[] {
  return [
    clause("genesis_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
    clause("genesis_parameters_sound", () => parametersSound(facts.parameters)),
    clause("genesis_members_have_an_index", () => membersHaveIndex(facts)),
    clause("genesis_members_are_unique", () => membersAreUnique(facts)),
    clause("genesis_speculators_have_a_cap", () => facts.made("member").every(hasCapIfSpeculator)),
    clause("genesis_fees_not_negative", () => facts.made("member").every(hasFee)),
    clause("genesis_storage_sound", () => facts.made("member").every(hasSoundStorage)),
    clause("genesis_agencies_have_a_record", () => agenciesHaveRecord(facts)),
  ];
}

function parametersSound(parameters: NetworkParameters): boolean {
  const { promiseMin, promiseMax, verifiers, verifierQuorum, notaries, emergencyPrice, gridFee } = parameters;
  return (
    promiseMin > 0n &&
    promiseMin <= promiseMax &&
    isUnique(verifiers) &&
    verifierQuorum >= 1 &&
    verifierQuorum <= verifiers.length &&
    isUnique(notaries) &&
    parameters.priceMin <= parameters.priceMax &&
    emergencyPrice >= gridFee &&
    gridFee >= 0n &&
    parameters.bidRiseMin > 0n &&
    parameters.gateLeadMs >= 0 &&
    parameters.settlementGraceMs >= 0 &&
    parameters.surplusPrice >= 0n &&
    metersSound(parameters) &&
    isUnique(parameters.observers.map(({ key }) => key)) &&
    parseZone(parameters.timeZone).ok
  );
}

/** More than half of the operators must agree: fewer that collude can't decide what was measured. */
function metersSound({
  meterOperators,
  meterQuorum,
  meterTolerance,
  correctionMs,
}: Pick<NetworkParameters, "meterOperators" | "meterQuorum" | "meterTolerance" | "correctionMs">): boolean {
  const isQuorum =
    meterOperators.length === 0
      ? meterQuorum === 0
      : 2 * meterQuorum > meterOperators.length && meterQuorum <= meterOperators.length;
  return isUnique(meterOperators) && isQuorum && meterTolerance >= 0n && correctionMs >= 0;
}

function isUnique(keys: readonly PublicKey[]): boolean {
  return new Set(keys).size === keys.length;
}

export function joinClauses(facts: Facts): readonly Clause[] {
  return [
    clause("join_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
    clause("join_signed_by_the_member", () => facts.made("member").every(({ key }) => facts.isSigner(key))),
    clause("join_makes_members", () => facts.made("member").length > 0),
    clause("join_members_have_an_index", () => membersHaveIndex(facts)),
    clause("join_members_are_unique", () => membersAreUnique(facts)),
    clause("join_in_good_standing", () => facts.made("member").every(({ standing }) => standing === "good")),
    clause("join_speculator_has_a_cap", () => facts.made("member").every(hasCapIfSpeculator)),
    clause("join_fees_not_negative", () => facts.made("member").every(hasFee)),
    clause("join_storage_sound", () => facts.made("member").every(hasSoundStorage)),
    ...servedJoinClauses(facts),
    clause("join_agencies_have_a_record", () => agenciesHaveRecord(facts)),
  ];
}

function membersHaveIndex(facts: Facts): boolean {
  const indexed = facts.made("exposure-index");
  const members = facts.made("member");
  return (
    indexed.length === members.length &&
    members.every(({ key }) => indexed.some(({ member, openedDays }) => member === key && openedDays.length === 0))
  );
}

/** Every agency among the new members has one record, an empty one, and nobody else has. */
function agenciesHaveRecord(facts: Facts): boolean {
  const records = facts.made("agency-record");
  const expected = newAgencyRecords(facts.made("member"));
  return (
    records.length === expected.length &&
    expected.every(({ agency }) => records.filter((each) => each.agency === agency).length === 1) &&
    records.every(({ certified, contradicted }) => certified === 0n && contradicted === 0n)
  );
}

function membersAreUnique(facts: Facts): boolean {
  const members = facts.made("member");
  return isUnique(members.map(({ key }) => key)) && new Set(members.map(({ name }) => name)).size === members.length;
}

function hasCapIfSpeculator({ roles, holdingCapPerSlot }: Member): boolean {
  return !roles.includes("speculator") || holdingCapPerSlot !== null;
}

/** A negative fee would have to be paid by the marketplace, out of funds that no flow takes: its auctions could not be settled. */
function hasFee({ marketFee }: Member): boolean {
  return marketFee >= 0n;
}

/** A storage provider says what it can store; nothing gives back more than it took, nor to the grid more than the connection may. */
function hasSoundStorage({ roles, storage, capacityPerSlot }: Member): boolean {
  if (storage === null) return !roles.includes("storage-provider");
  const { capacity, powerPerSlot, efficiencyPerMille } = storage;
  return (
    capacity >= 0n &&
    powerPerSlot >= 0n &&
    powerPerSlot <= capacityPerSlot &&
    efficiencyPerMille >= 0 &&
    efficiencyPerMille <= 1_000
  );
}

export function amendMemberClauses(facts: Facts): readonly Clause[] {
  return [
    clause("amend_one_member", () => facts.consumed("member").length === 1 && facts.made("member").length === 1),
    clause("amend_keeps_identity", () => {
      const [before] = facts.consumed("member");
      const [after] = facts.made("member");
      return before?.key === after?.key && before?.name === after?.name;
    }),
    clause("amend_keeps_the_host", () => {
      const [before] = facts.consumed("member");
      const [after] = facts.made("member");
      return before?.servedBy === after?.servedBy;
    }),
    clause(
      "amend_by_grid_authority_or_quorum",
      () => isByGridAuthority(facts) || facts.consumed("standing-vote").length >= standingQuorum(facts.parameters),
    ),
    clause("amend_votes_are_for_it", () => votesAreFor(facts)),
    clause("amend_by_votes_changes_standing_alone", () => isByGridAuthority(facts) || onlyStandingChanges(facts)),
    clause("amend_speculator_has_a_cap", () => facts.made("member").every(hasCapIfSpeculator)),
    clause("amend_fee_not_negative", () => facts.made("member").every(hasFee)),
    clause("amend_storage_sound", () => facts.made("member").every(hasSoundStorage)),
  ];
}

function isByGridAuthority(facts: Facts): boolean {
  return facts.isSigner(facts.parameters.gridAuthority);
}

/** How many verifiers must vote for a change of standing: more than half of all, and as many as verify a trade. */
export function standingQuorum({
  verifiers,
  verifierQuorum,
}: Pick<NetworkParameters, "verifiers" | "verifierQuorum">): number {
  return Math.max(verifierQuorum, Math.floor(verifiers.length / 2) + 1);
}

/** Whether the votes, if any, are for what happens, not over, and of as many verifiers that may act. */
function votesAreFor(facts: Facts): boolean {
  const votes = facts.consumed("standing-vote");
  const [after] = facts.made("member");
  return (
    isUnique(votes.map(({ voter }) => voter)) &&
    votes.every(
      ({ voter, member, standing, expiresMs }) =>
        member === after?.key &&
        standing === after.standing &&
        facts.isUntil(expiresMs) &&
        facts.parameters.verifiers.includes(voter) &&
        mayVerify(facts, voter),
    )
  );
}

function onlyStandingChanges(facts: Facts): boolean {
  const [before] = facts.consumed("member");
  const [after] = facts.made("member");
  return changedFields(before, after).every((field) => field === "standing");
}

export function voteStandingClauses(facts: Facts): readonly Clause[] {
  const { voter, member } = facts.commandOf("vote-standing");
  const before = facts.consumed("standing-vote");
  const after = facts.made("standing-vote");
  return [
    clause("vote_one", () => after.length === 1 || (after.length === 0 && before.length > 0)),
    clause("vote_of_the_voter", () =>
      [...before, ...after].every((vote) => vote.voter === voter && vote.member === member),
    ),
    clause("vote_by_a_verifier", () => facts.parameters.verifiers.includes(voter) && mayVerify(facts, voter)),
    clause("vote_on_a_member", () => citedMember(facts, member) !== undefined),
    clause("vote_signed_by_the_voter", () => facts.isSigner(voter)),
  ];
}

/** Whoever cites the parameters cites the new ones from then on: what was proposed under the old ones is refused. */
export function amendParametersClauses(facts: Facts): readonly Clause[] {
  const [before] = facts.consumed("network-parameters");
  const [after] = facts.made("network-parameters");
  return [
    clause("parameters_epoch_rises_by_one", () => after?.epoch === (before?.epoch ?? 0) + 1),
    clause("parameters_keep_what_others_rest_on", () => keepsFoundations(before, after)),
    clause("parameters_stay_sound", () => after === undefined || parametersSound(after)),
    clause("parameters_signed_by_grid_authority", () => isByGridAuthority(facts)),
  ];
}

function keepsFoundations(before: NetworkParameters | undefined, after: NetworkParameters | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  const mayChange: readonly string[] = ["epoch", ...AMENDABLE_PARAMETERS];
  return (Object.keys(before) as (keyof NetworkParameters)[]).every(
    (key) => mayChange.includes(key) || before[key] === after[key],
  );
}

export function issueFundsClauses(facts: Facts): readonly Clause[] {
  return [
    clause("issue_signed_by_payment_provider", () => facts.isSigner(facts.parameters.paymentProvider)),
    clause("issue_makes_funds", () => facts.made("funds").length > 0),
  ];
}

export function redeemFundsClauses(facts: Facts): readonly Clause[] {
  const [redemption] = facts.made("redemption");
  return [
    clause("redeem_signed_by_payment_provider", () => facts.isSigner(facts.parameters.paymentProvider)),
    clause("redeem_signed_by_the_owner", () => facts.consumed("funds").every(({ owner }) => facts.isSigner(owner))),
    clause("redeem_one", () => facts.made("redemption").length === 1),
    clause("redeem_whole_cents", () => redemption === undefined || isPayable(redemption.amount)),
    clause("redeem_owed_to_the_owner", () =>
      facts.consumed("funds").every(({ owner }) => redemption === undefined || owner === redemption.owner),
    ),
    clause(
      "redeem_owed_by_payment_provider",
      () => redemption === undefined || redemption.provider === facts.parameters.paymentProvider,
    ),
    clause("redeem_names_an_account", () => redemption?.account !== "" && redemption?.redemptionId !== ""),
    clause("redeem_change_stays_with_the_owner", () => {
      const owners = new Set<PublicKey>(facts.consumed("funds").map(({ owner }) => owner));
      return facts.made("funds").every(({ owner }) => owners.has(owner));
    }),
  ];
}

/** The debt is paid: the provider alone says so, and by which payment. */
export function confirmPayoutClauses(facts: Facts): readonly Clause[] {
  const { redemptionId, messageId, endToEndId } = facts.commandOf("confirm-payout");
  const redemptions = facts.consumed("redemption");
  return [
    clause("payout_one_redemption", () => redemptions.length === 1),
    clause("payout_of_the_redemption", () =>
      redemptions.every((redemption) => redemption.redemptionId === redemptionId),
    ),
    clause("payout_signed_by_payment_provider", () => redemptions.every(({ provider }) => facts.isSigner(provider))),
    clause("payout_names_its_payment", () => messageId !== "" && endToEndId !== ""),
  ];
}

export function publishTariffClauses(facts: Facts): readonly Clause[] {
  const command = facts.commandOf("publish-tariff");
  const [tariff] = facts.made("tariff");
  return [
    clause("tariff_one", () => facts.made("tariff").length === 1 && tariff?.day === command.day),
    clause("tariff_replaces_the_same_day", () => facts.consumed("tariff").every(({ day }) => day === command.day)),
    clause("tariff_signed_by_power_company", () => facts.isSigner(facts.parameters.powerCompany)),
    clause("tariff_covers_the_day", () => {
      const { timeZone, slotMinutes } = facts.parameters;
      const expected = slotsOfLocalDay(zone(timeZone), command.day, slotMinutes).map(({ id }) => id);
      return (
        tariff !== undefined &&
        tariff.slots.join() === expected.join() &&
        tariff.feedIn.length === expected.length &&
        tariff.retail.length === expected.length
      );
    }),
    clause(
      "tariff_feed_in_below_retail",
      () => tariff?.feedIn.every((price, index) => price <= (tariff.retail[index] ?? price - 1n)) ?? false,
    ),
    clause(
      "tariff_published_ahead",
      () => tariff?.slots[0] !== undefined && facts.isUntil(slotOf(tariff.slots[0]).startMs),
    ),
  ];
}

export function grantMandateClauses(facts: Facts): readonly Clause[] {
  const [mandate] = facts.made("mandate");
  return [
    clause("mandate_one", () => facts.made("mandate").length === 1),
    clause("mandate_signed_by_the_principal", () => mandate !== undefined && facts.isSigner(mandate.principal)),
    clause("mandate_replaces_own_only", () =>
      facts
        .consumed("mandate")
        .every(({ principal, mandateId }) => principal === mandate?.principal && mandateId === mandate.mandateId),
    ),
    clause("mandate_principal_is_member", () => mandate !== undefined && mayAct(facts, mandate.principal)),
    clause("mandate_delegate_is_another", () => mandate !== undefined && mandate.delegate !== mandate.principal),
  ];
}

export function revokeMandateClauses(facts: Facts): readonly Clause[] {
  return [
    clause("revoke_one_mandate", () => facts.consumed("mandate").length === 1),
    clause("revoke_signed_by_the_principal", () =>
      facts.consumed("mandate").every(({ principal }) => facts.isSigner(principal)),
    ),
  ];
}
