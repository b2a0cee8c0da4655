/**
 * What each task sends, and what must be on the ledger before: an auction needs a promise that is auctioned, a bid needs an
 * auction. Requests are dealt in turn to all members that may do the task.
 */
import type { ClientCommand } from "#contracts";
import { invariant, type MicrosPerKwh, microsPerKwh, type PublicKey, type SlotId, wattHours } from "#core";
import type { MemberCommand } from "../bench-network.ts";
import type { RunTask } from "./experiment.ts";

export type TaskStage = {
  readonly suppliers: readonly string[];
  readonly bidders: readonly string[];
  readonly marketplace: PublicKey;
  /** Of one day. */
  readonly slots: readonly SlotId[];
  readonly deadlineMs: number;
};

export type TaskPlan = {
  /** Steps of preparation: each begins when all commands of the one before are carried out. */
  readonly preparation: readonly (readonly MemberCommand[])[];
  readonly requests: readonly MemberCommand[];
};

const ENERGY = wattHours(100n);
const BASE_PRICE = microsPerKwh(100_000n);
const FIRST_BID = 150_000n;
const BID_RISE = 5_000n;

/** @param name - Makes the ids of this batch differ from those of others. */
export function taskPlan(task: RunTask, count: number, name: string, stage: TaskStage): TaskPlan {
  const numbers = Array.from({ length: count }, (_, index) => index);
  if (task === "create-promise") {
    const requests = numbers.map((index): MemberCommand => {
      const promises = [{ slot: slotOf(stage, index), energy: ENERGY }];
      return {
        member: inTurn(stage.suppliers, index),
        command: { tag: "create-promises", commandId: `${name}/${index}`, promises },
      };
    });
    return { preparation: [], requests };
  }
  if (task === "create-auction") {
    const auctions = numbers.map((index) => auctionOf(name, index, stage));
    return { preparation: [promisesFor(name, auctions)], requests: auctions };
  }
  const auctions = (task === "bid" ? numbers : numbers.slice(0, 1)).map((index) => auctionOf(name, index, stage));
  const requests = numbers.map((index): MemberCommand => {
    const auction = auctions[index % auctions.length];
    invariant(auction !== undefined, "there is an auction to bid on");
    // Whose auction it is may not bid on it.
    const bidders = stage.bidders.filter((bidder) => bidder !== auction.member);
    const price = microsPerKwh(FIRST_BID + (task === "bid" ? 0n : BID_RISE * BigInt(index)));
    return { member: inTurn(bidders, index), command: bid(`${name}/bid/${index}`, auction.command.commandId, price) };
  });
  return { preparation: [promisesFor(name, auctions), auctions], requests };
}

function bid(commandId: string, auctionId: string, price: MicrosPerKwh): ClientCommand {
  return { tag: "bid", commandId, auctionId, price };
}

type AuctionCommand = { readonly member: string; readonly command: ClientCommand & { readonly tag: "create-auction" } };

function auctionOf(name: string, index: number, stage: TaskStage): AuctionCommand {
  const { suppliers, marketplace, deadlineMs } = stage;
  return {
    member: inTurn(suppliers, index),
    command: {
      tag: "create-auction",
      commandId: `${name}/auction/${index}`,
      marketplace,
      slot: slotOf(stage, index),
      energy: ENERGY,
      basePrice: BASE_PRICE,
      deadlineMs,
    },
  };
}

/** What each member auctions, promised by one command. */
function promisesFor(name: string, auctions: readonly AuctionCommand[]): readonly MemberCommand[] {
  const members = [...new Set(auctions.map(({ member }) => member))];
  return members.map((member): MemberCommand => {
    const promises = auctions
      .filter((auction) => auction.member === member)
      .map(({ command: { slot, energy } }) => ({ slot, energy }));
    return { member, command: { tag: "create-promises", commandId: `${name}/promises/${member}`, promises } };
  });
}

/** A supplier's requests are for different slots. */
function slotOf({ slots, suppliers }: TaskStage, index: number): SlotId {
  return inTurn(slots, Math.floor(index / suppliers.length));
}

function inTurn<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  invariant(item !== undefined, "somebody may do the task");
  return item;
}
