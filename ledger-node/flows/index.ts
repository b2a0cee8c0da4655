/** Which flow drafts the transaction of a command. */

import type { ClientCommand, ClientCommandOf, ClientCommandTag } from "#contracts";
import { err } from "#core";
import { type Drafted, type FlowContext, mandateOf } from "../flow-context.ts";
import { draftBid, draftCreateAuction, draftEndAuction, draftLapseAuction, draftSettleAuction } from "./auction.ts";
import { draftCreatePromises } from "./create-promises.ts";
import { draftCheckDelivery, draftRecordMeters, draftSettleSlot } from "./delivery.ts";
import {
  draftAmendMember,
  draftAmendParameters,
  draftGrantMandate,
  draftIssueFunds,
  draftJoin,
  draftPublishTariff,
  draftRedeemFunds,
  draftRevokeMandate,
  draftVoteStanding,
} from "./membership.ts";
import { draftCancelOrders, draftClearPool, draftPlaceOrders } from "./pool.ts";

type Flows = {
  readonly [T in ClientCommandTag]: (context: FlowContext, command: ClientCommandOf<T>) => Promise<Drafted>;
};

const FLOWS: Flows = {
  join: draftJoin,
  "amend-member": draftAmendMember,
  "vote-standing": draftVoteStanding,
  "amend-parameters": draftAmendParameters,
  "redeem-funds": draftRedeemFunds,
  "issue-funds": draftIssueFunds,
  "publish-tariff": draftPublishTariff,
  "grant-mandate": draftGrantMandate,
  "revoke-mandate": draftRevokeMandate,
  "create-promises": draftCreatePromises,
  "create-auction": draftCreateAuction,
  bid: draftBid,
  "end-auction": draftEndAuction,
  "settle-auction": draftSettleAuction,
  "lapse-auction": draftLapseAuction,
  "place-orders": draftPlaceOrders,
  "cancel-orders": draftCancelOrders,
  "clear-pool": draftClearPool,
  "record-meters": draftRecordMeters,
  "check-delivery": draftCheckDelivery,
  "settle-slot": draftSettleSlot,
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
  const isLifted = isDelegated && drafted.ok && drafted.value.signers.includes(context.party);
  return isLifted ? err({ tag: "role_not_allowed" }) : drafted;
}
