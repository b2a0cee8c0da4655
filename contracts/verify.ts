/** The contract of the whole ledger: which clauses a transaction must hold, by its command. Every party runs it. */

import {
  bidClauses,
  createAuctionClauses,
  endAuctionClauses,
  lapseAuctionClauses,
  settleAuctionClauses,
} from "./clauses/auction.ts";
import {
  certifyClaimsClauses,
  closeCertificatesClauses,
  contradictCertificateClauses,
} from "./clauses/certification.ts";
import { type Clause, failing } from "./clauses/clause.ts";
import { commonClauses } from "./clauses/common.ts";
import { correctSettlementClauses } from "./clauses/correction.ts";
import { curtailSlotClauses } from "./clauses/curtailment.ts";
import { checkDeliveryClauses, settleSlotClauses } from "./clauses/delivery.ts";
import { decideDisputeClauses, raiseDisputeClauses, voteDisputeClauses } from "./clauses/dispute.ts";
import { moveMemberClauses } from "./clauses/hosting.ts";
import { releaseMarginClauses } from "./clauses/margin.ts";
import {
  amendMemberClauses,
  amendParametersClauses,
  confirmPayoutClauses,
  genesisClauses,
  grantMandateClauses,
  issueFundsClauses,
  joinClauses,
  publishTariffClauses,
  redeemFundsClauses,
  revokeMandateClauses,
  voteStandingClauses,
} from "./clauses/membership.ts";
import { recordMetersClauses, reportMetersClauses } from "./clauses/meters.ts";
import { mergePromisesClauses, splitPromiseClauses } from "./clauses/parts.ts";
import { cancelOrdersClauses, clearPoolClauses, placeOrdersClauses } from "./clauses/pool.ts";
import { createPromisesClauses } from "./clauses/promise.ts";
import { substituteClauses } from "./clauses/substitution.ts";
import type { CommandTag } from "./commands.ts";
import { Facts, type ResolvedTransaction } from "./resolved.ts";

const CLAUSES: Readonly<Record<CommandTag, (facts: Facts) => readonly Clause[]>> = {
  genesis: genesisClauses,
  join: joinClauses,
  "amend-member": amendMemberClauses,
  "move-member": moveMemberClauses,
  "vote-standing": voteStandingClauses,
  "amend-parameters": amendParametersClauses,
  "issue-funds": issueFundsClauses,
  "redeem-funds": redeemFundsClauses,
  "confirm-payout": confirmPayoutClauses,
  "publish-tariff": publishTariffClauses,
  "grant-mandate": grantMandateClauses,
  "revoke-mandate": revokeMandateClauses,
  "create-promises": createPromisesClauses,
  "certify-claims": certifyClaimsClauses,
  "contradict-certificate": contradictCertificateClauses,
  "close-certificates": closeCertificatesClauses,
  "split-promise": splitPromiseClauses,
  "merge-promises": mergePromisesClauses,
  substitute: substituteClauses,
  "create-auction": createAuctionClauses,
  bid: bidClauses,
  "end-auction": endAuctionClauses,
  "settle-auction": settleAuctionClauses,
  "lapse-auction": lapseAuctionClauses,
  "place-orders": placeOrdersClauses,
  "cancel-orders": cancelOrdersClauses,
  "clear-pool": clearPoolClauses,
  "release-margin": releaseMarginClauses,
  "curtail-slot": curtailSlotClauses,
  "report-meters": reportMetersClauses,
  "record-meters": recordMetersClauses,
  "check-delivery": checkDeliveryClauses,
  "settle-slot": settleSlotClauses,
  "correct-settlement": correctSettlementClauses,
  "raise-dispute": raiseDisputeClauses,
  "vote-dispute": voteDisputeClauses,
  "decide-dispute": decideDisputeClauses,
};

/**
 * Names of the clauses that the transaction does not hold, in order: empty when it is valid. Signatures, spent inputs and
 * the time window are not checked here: those are the node's and the notary's part.
 */
export function contractViolations(resolved: ResolvedTransaction): readonly string[] {
  const facts = new Facts(resolved);
  if (facts.cited("network-parameters").length + facts.made("network-parameters").length === 0)
    return ["parameters_cited_once"];
  return failing([...commonClauses(facts), ...CLAUSES[facts.command.tag](facts)]);
}

/** All clauses that a transaction with this command is checked against, by name. For documentation and tests. */
export function clauseNames(resolved: ResolvedTransaction): readonly string[] {
  const facts = new Facts(resolved);
  return [...commonClauses(facts), ...CLAUSES[facts.command.tag](facts)].map(({ name }) => name);
}
