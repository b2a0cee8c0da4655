/** Need-to-know: what each party is sent, from all messages of a life; nobody's vault has what is not its business. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClientCommand,
  decodeNotice,
  decodeSignedTransaction,
  openComponents,
  type PeerRequest,
  type State,
} from "#contracts";
import { microsPerKwh, unwrap, wattHours } from "#core";
import { DEADLINE_MS, SLOT, SmallNetwork } from "#testkit";

let small: SmallNetwork;
const sent: { readonly to: string; readonly request: PeerRequest }[] = [];

beforeAll(async () => {
  small = await SmallNetwork.found();
  for (const name of ["alice", "bob", "carol", "dave"]) await small.join(name);
  for (const name of ["alice", "bob", "carol"]) await small.fund(name, 5_000_000, 5_000_000);
  small.wire.intercept = (_from, to, request, next) => {
    const name = ["alice", "bob", "carol", "dave", "marketplace", "verifier"].find((each) => small.key(each) === to);
    if (name !== undefined) sent.push({ to: name, request });
    return next(request);
  };
  await small.run("alice", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: SLOT, energy: wattHours(10_000) }],
  });
  await small.run("alice", ordering("offer", "offer", 4_000, 100_000));
  await small.run("bob", ordering("bob", "bid", 2_000, 250_000));
  await small.run("carol", ordering("carol", "bid", 1_000, 240_000));
  await small.run("marketplace", {
    tag: "clear-pool",
    commandId: "round",
    slot: SLOT,
    price: microsPerKwh(180_000),
    isFinal: true,
    trades: [
      { bid: "bob/0", offer: "offer/0", energy: wattHours(2_000), price: microsPerKwh(180_000) },
      { bid: "carol/0", offer: "offer/0", energy: wattHours(1_000), price: microsPerKwh(180_000) },
    ],
  });
  await small.run("alice", {
    tag: "create-auction",
    commandId: "auction",
    marketplace: small.key("marketplace"),
    slot: SLOT,
    energy: wattHours(2_000),
    basePrice: microsPerKwh(100_000),
    deadlineMs: DEADLINE_MS,
  });
  await small.run("bob", { tag: "bid", commandId: "bob bids", auctionId: "auction", price: microsPerKwh(120_000) });
  small.wire.intercept = undefined;
});
afterAll(() => small.close());

function ordering(commandId: string, side: "bid" | "offer", energy: number, limit: number): ClientCommand {
  const orders = [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }];
  return { tag: "place-orders", commandId, marketplace: small.key("marketplace"), orders };
}

/** The states that a party's messages showed it, whatever became of them, and the commands. */
function shownTo(name: string): { readonly states: readonly State[]; readonly commands: readonly string[] } {
  const states: State[] = [];
  const commands: string[] = [];
  for (const { request } of sent.filter(({ to }) => to === name)) {
    if (request.tag === "notice") {
      const notice = unwrap(decodeNotice(request.notice));
      const shown = unwrap(openComponents(notice.tearOff, notice.txId));
      states.push(...shown.outputs.values());
      commands.push(`notice of ${shown.command?.tag ?? "a transaction"}`);
    } else if (request.tag === "sign" || request.tag === "final") {
      const { content } = unwrap(decodeSignedTransaction(request.transaction)).transaction;
      states.push(...content.outputs);
      commands.push(`${request.tag} ${content.command.tag}`);
    }
  }
  return { states, commands };
}

describe("a bystander", () => {
  test("is shown auctions, which are for everybody, and nothing else", () => {
    const { states, commands } = shownTo("dave");
    expect(commands).toEqual(["notice of create-auction", "notice of bid"]);
    expect(states.map(({ tag }) => tag)).toEqual(["auction", "auction"]);
    for (const tag of ["power-promise", "pool-order", "bid", "deposit"] as const)
      expect(small.node("dave").unspent(tag)).toEqual([]);
  });
});

describe("a buyer in a pool", () => {
  test("is shown what is its own of the round: neither the trades nor what others bought, paid or have left", () => {
    const carol = small.key("carol");
    const { states, commands } = shownTo("carol");
    expect(commands.filter((command) => !command.includes("auction") && !command.includes("bid"))).toEqual([
      "notice of a transaction",
    ]);
    const others = states.filter((state) => {
      if (state.tag === "power-promise") return state.owner !== carol;
      if (state.tag === "funds" || state.tag === "pool-order") return state.owner !== carol;
      if (state.tag === "exposure") return state.member !== carol;
      return state.tag !== "auction";
    });
    expect(others).toEqual([]);
    expect(small.node("carol").unspent("power-promise")).toMatchObject([{ owner: carol, energy: 1_000n }]);
  });
});

describe("a supplier", () => {
  test("knows who holds what it owes, and not what they paid", () => {
    const owners = small
      .node("alice")
      .unspent("power-promise")
      .map(({ owner }) => owner);
    expect(new Set(owners)).toEqual(new Set([small.key("alice"), small.key("bob"), small.key("carol")]));
    const { states } = shownTo("alice");
    expect(states.filter((state) => state.tag === "funds" && state.owner !== small.key("alice"))).toEqual([]);
  });
});

describe("a marketplace", () => {
  test("keeps its orders and what is locked for them, and no other promise", () => {
    expect(small.node("marketplace").unspent("power-promise")).toEqual([]);
    expect(shownTo("marketplace").commands.filter((command) => command.startsWith("sign"))).toEqual([
      "sign place-orders",
      "sign place-orders",
      "sign place-orders",
    ]);
  });
});

test("a newcomer is shown the public states of transactions that the grid authority saw more of, and nothing else", async () => {
  const small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", 10_000_000);
  await small.run("alice", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: SLOT, energy: wattHours(2_000) }],
  });
  await small.run("alice", {
    tag: "create-auction",
    commandId: "auction",
    marketplace: small.key("marketplace"),
    slot: SLOT,
    energy: wattHours(2_000),
    basePrice: microsPerKwh(100_000),
    deadlineMs: DEADLINE_MS,
  });
  const shown: string[] = [];
  small.wire.intercept = (_from, _to, request, next) => {
    if (request.tag === "introduce")
      for (const { ref, tearOff } of request.dependencies)
        for (const state of unwrap(openComponents(tearOff, ref.txId)).outputs.values()) shown.push(state.tag);
    return next(request);
  };
  await small.join("carol");
  expect(new Set(shown)).toEqual(new Set(["network-parameters", "member", "auction"]));
  const before = await small.vaultOf("carol");
  await small.ledger.restart("carol");
  expect(await small.vaultOf("carol")).toEqual(before);
  small.close();
});
