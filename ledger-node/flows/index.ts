/** Which flow drafts the transaction of a command. */

import type { ClientCommand, ClientCommandOf, ClientCommandTag } from "#contracts";
import { err, ok } from "#core";
import { type Drafted, type FlowContext, hostOf, mandateOf } from "../flow-context.ts";
import { draftBid, draftCreateAuction, draftEndAuction, draftLapseAuction, draftSettleAuction } from "./auction.ts";
import { draftCertifyClaims, draftCloseCertificates, draftContradictCertificate } from "./certification.ts";
import { draftCorrectSettlement } from "./correction.ts";
import { draftCreatePromises } from "./create-promises.ts";
import { draftCurtailSlot } from "./curtailment.ts";
import { draftCheckDelivery, draftSettleSlot } from "./delivery.ts";
import { draftDecideDispute, draftRaiseDispute, draftVoteDispute } from "./dispute.ts";
import { draftEnrol, draftJoin, draftMoveMember } from "./hosting.ts";
import { draftReleaseMargin } from "./margin.ts";
import {
  draftAmendMember,
  draftAmendParameters,
  draftConfirmPayout,
  draftGrantMandate,
  draftIssueFunds,
  draftPublishTariff,
  draftRedeemFunds,
  draftRevokeMandate,
  draftVoteStanding,
} from "./membership.ts";
import { draftRecordMeters, draftReportMeters } from "./meters.ts";
import { draftMergePromises, draftSplitPromise } from "./parts.ts";
import { draftCancelOrders, draftClearPool, draftPlaceOrders } from "./pool.ts";
import { draftSubstitute } from "./substitute.ts";

type Flows = {
  readonly [T in ClientCommandTag]: (context: FlowContext, command: ClientCommandOf<T>) => Promise<Drafted>;
};

const FLOWS: Flows = {
  join: draftJoin,
  enrol: draftEnrol,
  "move-member": draftMoveMember,
  "amend-member": draftAmendMember,
  "vote-standing": draftVoteStanding,
  "amend-parameters": draftAmendParameters,
  "redeem-funds": draftRedeemFunds,
  "confirm-payout": draftConfirmPayout,
  "issue-funds": draftIssueFunds,
  "publish-tariff": draftPublishTariff,
  "grant-mandate": draftGrantMandate,
  "revoke-mandate": draftRevokeMandate,
  "create-promises": draftCreatePromises,
  "certify-claims": draftCertifyClaims,
  "contradict-certificate": draftContradictCertificate,
  "close-certificates": draftCloseCertificates,
  "split-promise": draftSplitPromise,
  "merge-promises": draftMergePromises,
  substitute: draftSubstitute,
  "create-auction": draftCreateAuction,
  bid: draftBid,
  "end-auction": draftEndAuction,
  "settle-auction": draftSettleAuction,
  "lapse-auction": draftLapseAuction,
  "place-orders": draftPlaceOrders,
  "cancel-orders": draftCancelOrders,
  "clear-pool": draftClearPool,
  "release-margin": draftReleaseMargin,
  "curtail-slot": draftCurtailSlot,
  "report-meters": draftReportMeters,
  "record-meters": draftRecordMeters,
  "check-delivery": draftCheckDelivery,
  "settle-slot": draftSettleSlot,
  "correct-settlement": draftCorrectSettlement,
  "raise-dispute": draftRaiseDispute,
  "vote-dispute": draftVoteDispute,
  "decide-dispute": draftDecideDispute,
};

/**
 * Drafts the transaction of a command; a delegate needs a mandate for the flow. Where the party would have to sign too, as a
 * verifier, a marketplace or the grid authority, its own signature would lift the mandate's limits: that is refused.
 */
export async function draftFor(context: FlowContext, command: ClientCommand): Promise<Drafted> {
  const isDelegated = context.signingKey !== context.party;
  if (isDelegated && mandateOf(context) === undefined) return err({ tag: "mandate_missing" });
  const draft = FLOWS[command.tag] as (context: FlowContext, command: ClientCommand) => Promise<Drafted>;
  const drafted = await draft(context, command);
  if (!isDelegated || !drafted.ok) return drafted;
  if (drafted.value.signers.includes(context.party)) return err({ tag: "role_not_allowed" });
  // The aggregator answers for what its members' delegates do.
  const host = hostOf(context, context.party);
  return host === null ? drafted : ok({ ...drafted.value, signers: [...drafted.value.signers, host] });
}
