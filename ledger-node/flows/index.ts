/** Which flow drafts the transaction of a command. */

import type { ClientCommand, ClientCommandOf, ClientCommandTag } from "#contracts";
import { err } from "#core";
import { type Drafted, type FlowContext, mandateOf } from "../flow-context.ts";
import { draftBid, draftCreateAuction, draftEndAuction, draftLapseAuction, draftSettleAuction } from "./auction.ts";
import { draftCreatePromises } from "./create-promises.ts";
import { draftCheckDelivery, draftRecordMeters, draftSettleSlot } from "./delivery.ts";
import {
  draftAmendMember,
  draftGrantMandate,
  draftIssueFunds,
  draftJoin,
  draftPublishTariff,
  draftRevokeMandate,
} from "./membership.ts";
import { draftCancelOrders, draftClearPool, draftPlaceOrders } from "./pool.ts";

type Flows = {
  readonly [T in ClientCommandTag]: (context: FlowContext, command: ClientCommandOf<T>) => Promise<Drafted>;
};

const FLOWS: Flows = {
  join: draftJoin,
  "amend-member": draftAmendMember,
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

/** Drafts the transaction of a command; a delegate needs a mandate for the flow. */
export function draftFor(context: FlowContext, command: ClientCommand): Promise<Drafted> {
  if (context.signingKey !== context.party && mandateOf(context) === undefined)
    return Promise.resolve(err({ tag: "mandate_missing" }));
  const draft = FLOWS[command.tag] as (context: FlowContext, command: ClientCommand) => Promise<Drafted>;
  return draft(context, command);
}
