/** What could not be delivered stays in the outbox, survives restarts of the sender, and arrives when its recipient is back. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand, PeerReply } from "#contracts";
import { micros, wattHours } from "#core";
import { SLOT, SmallNetwork } from "#testkit";

const DOWN: PeerReply = { tag: "refused", refusal: { tag: "node_unreachable" } };
let small: SmallNetwork;

beforeEach(async () => {
  small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", 5_000_000, 5_000_000);
});
afterEach(() => small.close());

function promising(commandId: string): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(1_000) }] };
}

/** From here on, nothing but signing reaches the party. */
function deafen(name: string): void {
  const key = small.key(name);
  small.wire.intercept = (_from, to, request, next) =>
    to === key && (request.tag === "final" || request.tag === "notice") ? Promise.resolve(DOWN) : next(request);
}

function held(name: string): number {
  return small.node(name).unspent("power-promise").length;
}

describe("a recipient that is down", () => {
  test("holds nobody up, and is told when the sender goes on", async () => {
    deafen("grid-authority");
    expect(await small.run("alice", promising("a"))).toMatchObject({ status: "created" });
    await small.run("alice", promising("b"));
    expect([held("alice"), held("grid-authority"), held("verifier")]).toEqual([2, 0, 0]);
    expect(small.node("alice").underWay).toEqual({ commands: 0, messages: 2 });
    await small.node("alice").resume();
    expect(small.node("alice").underWay).toEqual({ commands: 0, messages: 2 });
    small.wire.intercept = undefined;
    await small.node("alice").resume();
    expect(held("grid-authority")).toBe(2);
    expect(small.node("alice").underWay).toEqual({ commands: 0, messages: 0 });
  });

  test("is told after a restart of the sender too, and after its own", async () => {
    deafen("grid-authority");
    await small.run("alice", promising("a"));
    await small.ledger.restart("alice");
    expect(small.node("alice").underWay).toEqual({ commands: 0, messages: 1 });
    await small.ledger.restart("grid-authority");
    small.wire.intercept = undefined;
    await small.ledger.restart("alice");
    expect(held("grid-authority")).toBe(1);
    expect(small.node("alice").underWay).toEqual({ commands: 0, messages: 0 });
    await small.ledger.restart("grid-authority");
    expect(held("grid-authority")).toBe(1);
  });

  test("is told once, though the message comes as often as its answer is lost", async () => {
    const key = small.key("grid-authority");
    small.wire.intercept = async (_from, to, request, next) => {
      const answer = await next(request);
      return to === key && request.tag === "final" ? DOWN : answer;
    };
    await small.run("alice", promising("a"));
    for (let repeat = 0; repeat < 3; repeat++) await small.node("alice").resume();
    small.wire.intercept = undefined;
    await small.node("alice").resume();
    expect(held("grid-authority")).toBe(1);
    expect(small.node("grid-authority").unspent("deposit")).toHaveLength(1);
  });
});

test("a newcomer that is down when its joining is final is shown the network later", async () => {
  const before = small.node("grid-authority").unspent("member").length;
  small.wire.intercept = (_from, _to, request, next) =>
    request.tag === "introduce" ? Promise.resolve(DOWN) : next(request);
  await small.join("late");
  expect(small.node("late").unspent("network-parameters")).toHaveLength(0);
  small.wire.intercept = undefined;
  await small.node("grid-authority").resume();
  expect(small.node("late").unspent("network-parameters")).toHaveLength(1);
  expect(small.node("late").unspent("member")).toHaveLength(before + 1);
  await small.fund("late", 1_000_000);
  expect(small.balance("late")).toBe(micros(1_000_000n));
});

test("a command that was accepted before its node died is carried out at the restart, though nobody asks again", async () => {
  let isDead = false;
  small.wire.intercept = (_from, _to, request, next) => {
    isDead ||= request.tag === "sign";
    return isDead ? new Promise<PeerReply>(() => undefined) : next(request);
  };
  void small.submit("alice", promising("a"));
  while (!isDead) await new Promise((resolve) => setImmediate(resolve));
  small.wire.intercept = undefined;
  expect(held("alice")).toBe(0);
  await small.ledger.restart("alice");
  expect(held("alice")).toBe(1);
  expect(await small.run("alice", promising("a"))).toMatchObject({ status: "exists" });
});
