/** Live events over real HTTP: every listener is told each event once, in order, whatever stops in between. */
import { createServer } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientCommand, DELEGABLE_FLOWS, type MarketplaceFeed, type NodeEvent, type PoolRound } from "#contracts";
import { microsPerKwh, type Signer, signerFromSeed, wattHours } from "#core";
import { decodeJson, nodeEventSchema, type SseMessage } from "#ledger-api";
import { httpMarketplaceFeed } from "#ledger-client";
import { ServedNode, type ServedOptions, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";
import { EventHistory } from "./event-history.ts";
import { EventStreams } from "./event-streams.ts";
import type { LiveSource } from "./live-source.ts";

const delegate: Signer = signerFromSeed(new Uint8Array(32).fill(7));
let small: SmallNetwork;
const served: ServedNode[] = [];

beforeEach(async () => {
  small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", ...Array.from({ length: 20 }, () => 1_000_000));
});
afterEach(async () => {
  for (const each of served.splice(0)) await each.close();
  small.close();
});

async function serve(name: string, options?: ServedOptions): Promise<ServedNode> {
  const node = await ServedNode.start(small, name, options);
  served.push(node);
  return node;
}

function promise(commandId: string, energy = 100): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(energy) }] };
}

async function messagesOf(history: EventHistory, from: string): Promise<readonly SseMessage[]> {
  const messages: SseMessage[] = [];
  for await (const page of history.since(from)) messages.push(...page);
  return messages;
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

const isHeard = { timeout: 20_000, interval: 20 };

describe("a node's history of events", () => {
  test.each([
    [4_000_000, "listened to"],
    [6_000, "listened to"],
    [0, "listened to"],
    [4_000_000, "not listened to"],
  ])(
    "gives after every number what was told live, with %i kept in memory where it was %s",
    async (keptLengthMax, listening) => {
      const defer = (task: () => void): void => void setImmediate(task);
      const names = ["alice", "grid-authority", "marketplace", "verifier"];
      const open = (name: string): EventHistory =>
        new EventHistory({
          node: small.node(name),
          gridAuthority: small.key("grid-authority"),
          store: small.ledger.store(name),
          defer,
          keptLengthMax,
        });
      const live = names.map((name) => ({
        name,
        told: [] as NodeEvent[],
        history: open(name),
        from: small.ledger.store(name).count(),
      }));
      for (const { name, told, history } of live) {
        small.node(name).listen((event) => told.push(event));
        if (listening === "listened to") history.onNews(() => undefined)();
      }
      await small.join("late");
      await small.fund("late", 5_000_000);
      await Promise.all([small.run("alice", promise("one")), small.run("late", promise("two", 300))]);
      const orders = [{ side: "offer" as const, slot: SLOT, energy: wattHours(100), limit: microsPerKwh(100_000) }];
      await small.run("alice", {
        tag: "place-orders",
        commandId: "offer",
        marketplace: small.key("marketplace"),
        orders,
      });
      await small.run("alice", { tag: "cancel-orders", commandId: "cancel", orderIds: ["offer/0"] });
      for (const { name, told, history, from } of live) {
        const last = String(small.ledger.store(name).count());
        await expect.poll(() => history.newest(), isHeard).toBe(last);
        const messages = await messagesOf(history, String(from));
        expect(messages.map(({ data }) => decodeJson(nodeEventSchema, data))).toEqual(
          told.map((value) => ({ ok: true, value })),
        );
        const all = await messagesOf(history, "0");
        expect(all.map(({ id }) => id)).toEqual(Array.from({ length: Number(last) }, (_, index) => String(index + 1)));
        const anew = open(name);
        for (let after = 0; after <= all.length; after++) {
          expect(await messagesOf(history, String(after))).toEqual(all.slice(after));
          if (after % 4 === 0) expect(await messagesOf(anew, String(after))).toEqual(all.slice(after));
        }
      }
    },
  );
});

describe("a listener", () => {
  test("is told each event once and in order, across restarts of server and node, and of those in between", async () => {
    const alice = await serve("alice");
    const client = alice.owner();
    const told: string[] = [];
    const stop = client.listen(({ txId }) => told.push(txId));
    const made: string[] = [];
    for (let round = 0; round < 3; round++) {
      const receipt = await client.submit(promise(`live ${round}`));
      if (receipt.ok) made.push(receipt.value.txId);
      if (round === 1) await expect.poll(() => told.length, isHeard).toBe(made.length);
      await alice.stop();
      made.push((await small.run("alice", promise(`away ${round}`))).txId);
      await small.ledger.restart("alice");
      await alice.listen();
    }
    made.push((await small.run("alice", promise("last"))).txId);
    await expect.poll(() => told, isHeard).toEqual(made);
    stop();
    await small.run("alice", promise("unheard"));
    expect(told).toEqual(made);
  });

  test("hears of what was done right after it began to listen", async () => {
    const alice = await serve("alice");
    const client = alice.owner();
    const told: NodeEvent[] = [];
    client.listen((event) => told.push(event));
    await client.submit(promise("at once"));
    await expect.poll(() => told, isHeard).toMatchObject([{ command: { tag: "create-promises" } }]);
  });

  test("names the last event that it was told in the header of the standard too, and is refused one that never was", async () => {
    const alice = await serve("alice");
    const signer = small.signer("alice");
    const ahead = await alice.send(signer, "GET", "/v1/events", { headers: { "last-event-id": "1000" } });
    expect(ahead).toMatchObject({ status: 409, json: { code: "events_unknown" } });
    expect(await alice.send(signer, "GET", "/v1/events?after=soon")).toMatchObject({
      json: { code: "events_unknown" },
    });
    const answer = await fetch(`${alice.url}/v1/events?after=2`, {
      headers: { authorization: alice.signed(signer, "GET", "/v1/events?after=2"), "last-event-id": "1" },
    });
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    const reader = answer.body?.getReader();
    let heard = "";
    while (!heard.includes("id: 2\n")) heard += new TextDecoder().decode((await reader?.read())?.value);
    expect(heard).toMatch(/^id: 1\nevent: ready\ndata: {}\n\nid: 2\nevent: transaction\ndata: {"txId":/);
    await reader?.cancel();
  });

  test("whose client was told of a store that is gone goes on from now", async () => {
    const alice = await serve("alice");
    const problems: unknown[] = [];
    const client = alice.owner({ onProblem: (problem) => problems.push(problem) });
    const told: NodeEvent[] = [];
    client.listen((event) => told.push(event));
    await client.submit(promise("before"));
    await expect.poll(() => told.length, isHeard).toBe(1);
    await alice.stop();
    const bob = await SmallNetwork.found();
    await bob.join("alice");
    const restored = small;
    small = bob;
    Object.defineProperty(alice, "small", { value: bob });
    await alice.listen();
    await expect
      .poll(() => problems, isHeard)
      .toContainEqual(expect.objectContaining({ refusal: expect.objectContaining({ code: "events_unknown" }) }));
    restored.close();
  });

  test("is cut off when its mandate ends, and its key is refused from then on", async () => {
    await small.run("alice", {
      tag: "grant-mandate",
      commandId: "mandate",
      mandateId: "agent",
      delegate: delegate.publicKey,
      flows: DELEGABLE_FLOWS,
      energyPerSlotMax: wattHours(1_000),
      expiresMs: SLOT_END_MS,
    });
    const alice = await serve("alice", { streams: { heartbeatMs: 20 } });
    const problems: unknown[] = [];
    const client = alice.client(delegate, { onProblem: (problem) => problems.push(problem) });
    const told: NodeEvent[] = [];
    client.listen((event) => told.push(event));
    await client.states("funds");
    await small.run("alice", { tag: "revoke-mandate", commandId: "revoke", mandateId: "agent" });
    await expect.poll(() => problems.length, isHeard).toBeGreaterThan(0);
    expect(problems[0]).toMatchObject({ refusal: { code: "request_forbidden" } });
    await small.run("alice", promise("secret"));
    expect(told.map(({ command }) => command?.tag)).not.toContain("create-promises");
  });

  test("that takes nothing is cut off, and nothing is queued for it", async () => {
    let fetched = 0;
    const source: LiveSource = {
      newest: () => "0",
      knows: () => true,
      onNews: () => () => undefined,
      async *since() {
        for (;;) {
          fetched += 1;
          yield [{ id: String(fetched), event: "transaction", data: "x".repeat(1_000_000) }];
        }
      },
    };
    const streams = new EventStreams({ after, onFault: () => expect.unreachable(), stallMs: 50 });
    let ended: Promise<unknown> = Promise.resolve();
    const server = createServer((_request, response) => {
      ended = new Promise((resolve) => response.once("close", resolve));
      streams.start(response, source, "0", async () => true);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const socket = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await expect.poll(() => fetched, isHeard).toBeGreaterThan(0);
    await ended;
    // What the machine's own buffers take, a few megabytes, and one more.
    expect(fetched).toBeLessThan(30);
    socket.destroy();
    server.close();
  });

  test("is one of a bounded number: listeners_exhausted", async () => {
    const alice = await serve("alice", { streams: { listenersMax: 1 } });
    const client = alice.owner();
    client.listen(() => undefined);
    await client.states("funds");
    const answer = await alice.send(small.signer("alice"), "GET", "/v1/events");
    expect(answer).toMatchObject({ status: 503, json: { code: "listeners_exhausted" } });
  });
});

class Rounds implements MarketplaceFeed {
  readonly list: PoolRound[] = [];
  readonly #listeners = new Set<(round: PoolRound) => void>();

  rounds(): readonly PoolRound[] {
    return this.list;
  }

  listen(listener: (round: PoolRound) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  clear(clearedAtMs: number): PoolRound {
    const price = microsPerKwh(clearedAtMs);
    const round = { slot: SLOT, requires: null, clearedAtMs, isFinal: false, price, volume: wattHours(1) };
    this.list.push(round);
    for (const listener of this.#listeners) listener(round);
    return round;
  }
}

test("a marketplace's rounds are all there, and told once as they come, also across its restart", async () => {
  const rounds = new Rounds();
  const first = rounds.clear(1);
  const marketplace = await serve("marketplace", { feed: rounds });
  const feed = httpMarketplaceFeed({
    url: marketplace.url,
    party: small.key("marketplace"),
    signer: delegate,
    networkId: small.ledger.networkId,
    clock: small.clock,
  });
  const told: PoolRound[] = [];
  feed.listen((round) => told.push(round));
  await feed.ready;
  expect(feed.rounds()).toEqual([first]);
  const second = rounds.clear(2);
  await expect.poll(() => told, isHeard).toEqual([second]);
  await marketplace.stop();
  const third = rounds.clear(3);
  small.clock.moveTo(small.clock.nowMs() + 1);
  await marketplace.listen();
  await expect.poll(() => told, isHeard).toEqual([second, third]);
  expect(feed.rounds()).toEqual([first, second, third]);
  feed.close();
});
