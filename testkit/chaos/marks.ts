/**
 * What a transaction must bear when it carried out a command: names, amounts and prices that occur once in a run. So the notary's
 * log alone says which command was carried out, and how often.
 */
import type { ClientCommand, State } from "#contracts";
import type { PublicKey } from "#core";
import type { FinalTransaction } from "./record.ts";

/** Empty where nothing tells one such command from another. */
export function commandMarks(party: PublicKey, command: ClientCommand): readonly string[] {
  switch (command.tag) {
    case "create-promises":
      return command.promises.map((_, index) => `promise ${command.commandId}/${index}`);
    case "place-orders":
      return command.orders.map((_, index) => `order ${command.commandId}/${index}`);
    case "create-auction":
      return [`auction ${command.commandId}`];
    case "bid":
      return [`bid of ${party} at ${command.price} in ${command.auctionId}`];
    case "grant-mandate":
      return [`mandate ${command.mandateId} of ${party}`];
    case "revoke-mandate":
      return [`end of mandate ${command.mandateId} of ${party}`];
    case "issue-funds":
      return command.amounts.slice(0, 1).map((amount) => `issue of ${amount} to ${command.to}`);
    case "redeem-funds":
      return [`redemption ${command.commandId} of ${party}`];
    case "record-meters":
      return command.readings.map(({ member }) => `reading of ${member} in ${command.slot}`);
    case "vote-standing":
      return [`vote of ${party} on ${command.member} until ${command.expiresMs}`];
    case "amend-parameters":
      return [`rise of ${command.changes.bidRiseMin}`];
    case "amend-member":
      return command.capacityPerSlot === undefined
        ? []
        : [`capacity of ${command.member} of ${command.capacityPerSlot}`];
    case "publish-tariff":
      return [`tariff of ${command.day} from ${command.feedIn[0]}`];
    default:
      return [];
  }
}

export function transactionMarks({ content, inputs }: FinalTransaction): readonly string[] {
  const { command, outputs } = content;
  const made = <T>(mark: (state: State) => T | undefined): readonly T[] =>
    outputs.flatMap((state) => mark(state) ?? []);
  switch (command.tag) {
    case "create-promises":
      return made((state) => (state.tag === "power-promise" ? `promise ${state.promiseId}` : undefined));
    case "place-orders":
      return made((state) => (state.tag === "pool-order" ? `order ${state.orderId}` : undefined));
    case "create-auction":
      return [`auction ${command.auctionId}`];
    case "bid":
      return made((state) =>
        state.tag === "bid" ? `bid of ${state.bidder} at ${state.price} in ${state.auctionId}` : undefined,
      );
    case "grant-mandate":
      return made((state) =>
        state.tag === "mandate" ? `mandate ${state.mandateId} of ${state.principal}` : undefined,
      );
    case "revoke-mandate":
      return inputs.flatMap((state) =>
        state.tag === "mandate" ? [`end of mandate ${state.mandateId} of ${state.principal}`] : [],
      );
    case "issue-funds":
      return made((state) => (state.tag === "funds" ? `issue of ${state.amount} to ${state.owner}` : undefined));
    case "redeem-funds":
      return made((state) =>
        state.tag === "redemption" ? `redemption ${state.redemptionId} of ${state.owner}` : undefined,
      );
    default:
      return otherMarks(outputs, inputs, command.tag);
  }
}

function otherMarks(
  outputs: readonly State[],
  inputs: readonly State[],
  tag: FinalTransaction["content"]["command"]["tag"],
): readonly string[] {
  const isNew = (capacity: bigint): boolean =>
    !inputs.some((state) => state.tag === "member" && state.capacityPerSlot === capacity);
  return outputs.flatMap((state) => {
    if (tag === "record-meters" && state.tag === "meter-reading")
      return [`reading of ${state.member} in ${state.slot}`];
    if (tag === "vote-standing" && state.tag === "standing-vote")
      return [`vote of ${state.voter} on ${state.member} until ${state.expiresMs}`];
    if (tag === "amend-parameters" && state.tag === "network-parameters") return [`rise of ${state.bidRiseMin}`];
    if (tag === "amend-member" && state.tag === "member" && isNew(state.capacityPerSlot))
      return [`capacity of ${state.key} of ${state.capacityPerSlot}`];
    if (tag === "publish-tariff" && state.tag === "tariff") return [`tariff of ${state.day} from ${state.feedIn[0]}`];
    return [];
  });
}
