/** Messages that are lost at an awkward moment: what is final reaches all whom it concerns, and what was refused stays refused. */
import { describe, expect, test } from "vitest";
import type { ClientCommand, PeerReply } from "#contracts";
import { micros, microsPerKwh, type PublicKey, wattHours } from "#core";
import { LIFE_TARIFF, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

const UNREACHABLE: PeerReply = { tag: "refused", refusal: { tag: "node_unreachable" } };

const PROMISE: ClientCommand = {
  tag: "create-promises",
  commandId: "promise",
  promises: [{ slot: SLOT, energy: wattHours(1_000) }],
};

async function network(): Promise<SmallNetwork> {
  const small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", 5_000_000);
  return small;
}

describe("a final transaction", () => {
  test("that its receiver could not check, because its question got lost, is sent again", async () => {
    const small = await network();
    let isRestarted = false;
    let lost = 0;
    small.wire.intercept = async (from, to, request, next) => {
      if (request.tag === "final" && to === small.key("grid-authority") && !isRestarted) {
        // It has signed, and does not remember what it checked.
        isRestarted = true;
        await small.ledger.restart("grid-authority");
        return small.node("grid-authority").handle(from, request);
      }
      if (request.tag === "resolve" && from === small.key("grid-authority") && isRestarted && lost === 0) {
        lost += 1;
        return UNREACHABLE;
      }
      return next(request);
    };
    await small.run("alice", PROMISE);
    expect(lost).toBe(1);
    expect(small.node("alice").underWay.messages).toBe(1);
    await small.node("alice").resume();
    expect(small.node("alice").underWay.messages).toBe(0);
    expect(small.node("grid-authority").unspent("power-promise")).toHaveLength(1);
    small.close();
  });
});

describe("a command that was under way at a restart", () => {
  test("is not carried out later when its client was refused in the meantime", async () => {
    const small = await network();
    const order = orderAt(small.key("marketplace"));
    await crashDuring(small, order);
    await small.ledger.restart("alice");
    small.wire.intercept = undefined;
    await small.run("alice", { tag: "redeem-funds", commandId: "all", amount: small.balance("alice") });
    expect(await small.submit("alice", order)).toMatchObject({ ok: false, error: { tag: "insufficient_funds" } });
    await small.fund("alice", 5_000_000);
    await small.node("alice").resume();
    expect(small.node("alice").unspent("pool-order")).toEqual([]);
    expect(small.node("alice").underWay).toEqual({ commands: 0, messages: 0 });
    small.close();
  });

  test("is not carried out when its client is refused while others before it are taken up", async () => {
    const small = await network();
    const first: ClientCommand = { tag: "redeem-funds", commandId: "some", amount: micros(10_000n) };
    const second = orderAt(small.key("marketplace"), 30_000);
    await crashDuring(small, first, second);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    small.wire.intercept = async (_from, to, request, next) => {
      if (to === small.key("payment-provider") && request.tag === "sign") await held;
      return next(request);
    };
    const restarted = small.ledger.restart("alice");
    await turns();
    // It has not come to the second when its client asks, and when the client has funds that suffice.
    expect(await small.submit("alice", second)).toMatchObject({ ok: false, error: { tag: "insufficient_funds" } });
    await small.fund("alice", 5_000_000);
    release();
    await restarted;
    expect(small.node("alice").unspent("pool-order")).toEqual([]);
    expect(small.balance("alice")).toBe(9_990_000n);
    expect(small.node("alice").underWay).toEqual({ commands: 0, messages: 0 });
    small.close();
  });
});

function orderAt(marketplace: PublicKey, energyWh = 1_000): ClientCommand {
  return {
    tag: "place-orders",
    commandId: "order",
    marketplace,
    orders: [{ side: "bid", slot: SLOT, energy: wattHours(energyWh), limit: microsPerKwh(200_000) }],
  };
}

/** The node has accepted the commands, and hears nothing more of those whom they need, who then can't be reached. */
async function crashDuring(small: SmallNetwork, ...commands: readonly ClientCommand[]): Promise<void> {
  const isAway = (to: string): boolean => to === small.key("marketplace") || to === small.key("payment-provider");
  small.wire.intercept = async (_from, to, request, next) =>
    isAway(to) ? new Promise<PeerReply>(() => undefined) : next(request);
  for (const command of commands) void small.submit("alice", command);
  await turns();
  small.wire.intercept = async (_from, to, request, next) => (isAway(to) ? UNREACHABLE : next(request));
}

/** Everything that can happen without a message that is held back has happened. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("funds that a member reserves for a settlement", () => {
  test("are reserved once, however often the settlement is tried, and free again when it is done", async () => {
    const small = await network();
    const settle: ClientCommand = { tag: "settle-slot", commandId: "settle", member: small.key("alice"), slot: SLOT };
    await small.run("power-company", LIFE_TARIFF);
    small.clock.moveTo(SLOT_END_MS);
    await small.run("grid-authority", {
      tag: "record-meters",
      commandId: "meters",
      slot: SLOT,
      readings: [{ member: small.key("alice"), produced: wattHours(0), consumed: wattHours(1_000) }],
    });
    small.wire.intercept = async (_from, to, request, next) =>
      request.tag === "sign" && to === small.key("power-company") ? UNREACHABLE : next(request);
    expect(await small.submit("grid-authority", settle)).toMatchObject({ ok: false });
    small.wire.intercept = async (_from, _to, request, next) => {
      // An answer got lost, and the question is asked again.
      if (request.tag === "fund") await next(request);
      return next(request);
    };
    await small.run("grid-authority", settle);
    small.wire.intercept = undefined;
    await small.run("alice", { tag: "redeem-funds", commandId: "all", amount: small.balance("alice") });
    small.close();
  });
});
