/** What stands between a client and its node over a network: lost answers, a node that is away, keys that it does not know. */
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand } from "#contracts";
import { type Signer, signerFromSeed, wattHours } from "#core";
import { ServedNode, SLOT, SmallNetwork } from "#testkit";
import { EndpointError, fetchStatus } from "./http-endpoint.ts";

const stranger: Signer = signerFromSeed(new Uint8Array(32).fill(9));
const PROMISE: ClientCommand = {
  tag: "create-promises",
  commandId: "promise",
  promises: [{ slot: SLOT, energy: wattHours(1_000) }],
};
let small: SmallNetwork;
let alice: ServedNode;
let between: Server | undefined;

beforeEach(async () => {
  small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", 10_000_000);
  alice = await ServedNode.start(small, "alice");
});
afterEach(async () => {
  between?.closeAllConnections();
  between?.close();
  await alice.close();
  small.close();
});

/** Stands between client and node, and may lose an answer after the node has given it. */
async function proxy(loses: (count: number) => boolean, answers?: { status: number; text: string }): Promise<string> {
  let count = 0;
  between = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void pass(Buffer.concat(chunks)));
    const pass = async (body: Buffer): Promise<void> => {
      const { authorization = "", "content-type": type } = request.headers;
      const answer = await fetch(`${alice.url}${request.url}`, {
        method: request.method ?? "GET",
        headers: { authorization, ...(type === undefined ? {} : { "content-type": type }) },
        ...(body.length === 0 ? {} : { body }),
      });
      const text = await answer.text();
      count += 1;
      if (loses(count)) response.destroy();
      else
        response
          .writeHead(answers?.status ?? answer.status, { "content-type": "application/json" })
          .end(answers?.text ?? text);
    };
  });
  await new Promise<void>((resolve) => between?.listen(0, "127.0.0.1", resolve));
  const address = between.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

describe("a command", () => {
  test("whose answer was lost is sent again, and answers that it exists", async () => {
    const client = alice.owner({ url: await proxy((count) => count === 1) });
    expect(await client.submit(PROMISE)).toMatchObject({ ok: true, value: { status: "exists" } });
    expect(small.node("alice").unspent("power-promise")).toHaveLength(1);
  });

  test("of which no answer comes is ambiguous: node_unreachable, never a rejection", async () => {
    const problems: unknown[] = [];
    const onProblem = (problem: unknown): void => void problems.push(problem);
    const client = alice.owner({ url: await proxy(() => true), retryMs: 400, onProblem });
    expect(await client.submit(PROMISE)).toEqual({ ok: false, error: { tag: "node_unreachable" } });
    expect(problems).toMatchObject([{ tag: "unreachable", path: "/v1/commands" }]);
    expect(JSON.stringify(problems)).not.toContain("signature");
    expect(await alice.owner().submit(PROMISE)).toMatchObject({ ok: true, value: { status: "exists" } });
  });

  test.each([
    [200, "{}"],
    [200, '{"status":"created","txId":"x"}'],
    [422, '{"refusal":{"tag":"made_up"}}'],
    [500, "oops"],
    [404, "<html>"],
  ])("whose answer can't be read (%i %s) is ambiguous", async (status, text) => {
    const client = alice.owner({ url: await proxy(() => false, { status, text }), retryMs: 200 });
    expect(await client.submit(PROMISE)).toEqual({ ok: false, error: { tag: "node_unreachable" } });
  });

  test("waits for a node that is away for a while", async () => {
    await alice.stop();
    const submitted = alice.owner().submit(PROMISE);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await alice.listen();
    expect(await submitted).toMatchObject({ ok: true, value: { status: "created" } });
  });

  test("that is none is refused before it is sent, and one of a key without rights by the node", async () => {
    const none = { tag: "bid", commandId: "x", auctionId: "a", price: 1 } as unknown as ClientCommand;
    expect(await alice.owner().submit(none)).toEqual({ ok: false, error: { tag: "command_malformed" } });
    const problems: unknown[] = [];
    const client = alice.client(stranger, { onProblem: (problem) => problems.push(problem) });
    expect(await client.submit(PROMISE)).toEqual({ ok: false, error: { tag: "mandate_missing" } });
    expect(await client.propose(PROMISE, stranger.publicKey)).toEqual({ ok: false, error: { tag: "mandate_missing" } });
    expect(problems).toMatchObject([
      { refusal: { code: "request_forbidden" } },
      { refusal: { code: "request_forbidden" } },
    ]);
  });
});

describe("a read", () => {
  test("that fails throws, for an empty list would be a lie", async () => {
    await expect(alice.client(stranger).states("funds")).rejects.toThrow(EndpointError);
    await alice.stop();
    await expect(alice.owner({ retryMs: 200 }).states("funds")).rejects.toThrow(/ECONNREFUSED/);
  });

  test("of the status comes at once, or is a problem", async () => {
    const options = {
      url: alice.url,
      party: small.key("alice"),
      signer: small.signer("alice"),
      networkId: small.ledger.networkId,
      clock: small.clock,
    };
    expect(await fetchStatus(options)).toMatchObject({ ok: true, value: { name: "alice" } });
    await alice.stop();
    expect(await fetchStatus({ ...options, retryMs: 100 })).toMatchObject({ ok: false, error: { tag: "unreachable" } });
  });
});

test("a client that is closed ends its listening and answers at once", async () => {
  const client = alice.owner();
  client.listen(() => expect.unreachable());
  await client.states("funds");
  client.close();
  expect(await client.submit(PROMISE)).toEqual({ ok: false, error: { tag: "node_unreachable" } });
  await small.run("alice", PROMISE);
});
