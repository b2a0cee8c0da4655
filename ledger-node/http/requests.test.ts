/** Which requests a node takes: each code of refusal over real HTTP, from a real node. */
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientCommand, DELEGABLE_FLOWS, STATE_KINDS } from "#contracts";
import { type Signer, seededEntropy, signerFromSeed, wattHours } from "#core";
import {
  API_PATHS,
  type ApiRefusalCode,
  clientCommandSchema,
  encodeJson,
  proposalRequestSchema,
  REQUEST_AGE_MS_MAX,
} from "#ledger-api";
import { openSqliteNodeStore, StoreFull } from "#ledger-node";
import { type RawAnswer, ServedNode, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

const [delegate, auditor, stranger, owner] = [7, 8, 9, 10].map((byte) =>
  signerFromSeed(new Uint8Array(32).fill(byte)),
) as [Signer, Signer, Signer, Signer];
let small: SmallNetwork;
let alice: ServedNode;

beforeEach(async () => {
  small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", 10_000_000, 10_000_000);
  await small.run("alice", grant("mandate"));
  alice = await ServedNode.start(small, "alice", { owners: [owner.publicKey], auditors: [auditor.publicKey] });
});
afterEach(async () => {
  await alice.close();
  small.close();
});

function grant(commandId: string, expiresMs: number = SLOT_END_MS): ClientCommand {
  return {
    tag: "grant-mandate",
    commandId,
    mandateId: commandId,
    delegate: delegate.publicKey,
    flows: DELEGABLE_FLOWS,
    energyPerSlotMax: wattHours(20_000),
    expiresMs,
  };
}

function promise(commandId: string): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(1_000) }] };
}

const textOf = (command: ClientCommand): string => encodeJson(clientCommandSchema, command);
const STATES = "/v1/states/funds";

/** A refusal has its code and status, says how to mend it, and nothing else but issues. */
function expectRefused(answer: RawAnswer, status: number, code: ApiRefusalCode): void {
  expect({ status: answer.status, json: answer.json }).toMatchObject({
    status,
    json: { code, mend: expect.any(String) },
  });
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  const extra = Object.keys(answer.json as object).filter((key) => !["code", "mend", "issues"].includes(key));
  expect(extra).toEqual([]);
}

describe("a request is refused", () => {
  test("that is not signed, or not in the form of a signature: request_unsigned", async () => {
    const sound = alice.signed(owner, "GET", STATES);
    for (const authorization of [
      null,
      "",
      "Bearer x",
      sound.slice(1),
      `${sound} `,
      sound.replace("nonce", "once"),
      sound.replace(/key=\w{4}/, "key=0000"),
    ]) {
      const answer = await alice.send(owner, "GET", STATES, { authorization });
      if (authorization?.includes("key=0000") === true) expect(answer.status).toBe(401);
      else if (authorization === `${sound} `)
        expect(answer.status).toBe(200); // HTTP takes white space off
      else expectRefused(answer, 401, "request_unsigned");
    }
  });

  test("that was signed for another network or another node: request_foreign", async () => {
    expectRefused(await alice.send(owner, "GET", STATES, { networkId: "other" }), 401, "request_foreign");
    expectRefused(await alice.send(owner, "GET", STATES, { node: small.key("verifier") }), 401, "request_foreign");
  });

  test("that was issued too long ago or too far ahead: request_expired", async () => {
    const nowMs = small.clock.nowMs();
    for (const issuedMs of [nowMs - REQUEST_AGE_MS_MAX, nowMs + REQUEST_AGE_MS_MAX, 0]) {
      expectRefused(await alice.send(owner, "GET", STATES, { issuedMs }), 401, "request_expired");
      const faults = { issuedMs, body: textOf(promise("late")) };
      expectRefused(await alice.send(owner, "POST", API_PATHS.commands, faults), 401, "request_expired");
    }
    expect((await alice.send(owner, "GET", STATES, { issuedMs: nowMs + REQUEST_AGE_MS_MAX - 1 })).status).toBe(200);
  });

  test("whose signature is of something else: signature_invalid", async () => {
    const authorization = alice.signed(owner, "GET", STATES);
    expectRefused(await alice.send(owner, "GET", "/v1/states/member", { authorization }), 401, "signature_invalid");
    expectRefused(await alice.send(owner, "GET", `${STATES}?x=1`, { authorization }), 401, "signature_invalid");
    const body = textOf(promise("one"));
    const ofOne = alice.signed(owner, "POST", API_PATHS.commands, { body });
    const other = { body: textOf(promise("two")), authorization: ofOne };
    expectRefused(await alice.send(owner, "POST", API_PATHS.commands, other), 401, "signature_invalid");
    expect(await alice.send(owner, "POST", API_PATHS.commands, { body, authorization: ofOne })).toMatchObject({
      status: 200,
    });
    const byStranger = alice.signed(stranger, "GET", STATES).replace(stranger.publicKey, owner.publicKey);
    expectRefused(await alice.send(owner, "GET", STATES, { authorization: byStranger }), 401, "signature_invalid");
  });

  test("of a key that may not: request_forbidden", async () => {
    const ask = async (signer: Signer, path: string, body?: string): Promise<number> =>
      (await alice.send(signer, body === undefined ? "GET" : "POST", path, body === undefined ? {} : { body })).status;
    const row = async (signer: Signer, id: string): Promise<readonly number[]> => [
      await ask(signer, API_PATHS.commands, textOf(promise(id))),
      await ask(
        signer,
        API_PATHS.proposals,
        encodeJson(proposalRequestSchema, { command: promise(`${id} proposed`), delegate: signer.publicKey }),
      ),
      await ask(signer, STATES),
      await ask(signer, API_PATHS.transactions),
      await ask(signer, API_PATHS.status),
    ];
    expect(await row(owner, "owner's")).toEqual([200, 422, 200, 200, 200]); // an owner's key is no delegate's
    expect(await row(small.signer("alice"), "party's")).toEqual([200, 200, 200, 200, 200]);
    expect(await row(delegate, "delegate's")).toEqual([403, 200, 200, 403, 200]);
    expect(await row(auditor, "auditor's")).toEqual([403, 403, 403, 200, 200]);
    expect(await row(stranger, "stranger's")).toEqual([403, 403, 403, 403, 403]);
    expectRefused(await alice.send(stranger, "GET", STATES), 403, "request_forbidden");
  });

  test("of a delegate whose mandate has ended or was revoked, or for another delegate", async () => {
    const body = encodeJson(proposalRequestSchema, { command: promise("p"), delegate: stranger.publicKey });
    expectRefused(await alice.send(delegate, "POST", API_PATHS.proposals, { body }), 403, "request_forbidden");
    await small.run("alice", { tag: "revoke-mandate", commandId: "revoke", mandateId: "mandate" });
    expectRefused(await alice.send(delegate, "GET", STATES), 403, "request_forbidden");
    await small.run("alice", grant("short", small.clock.nowMs() + 1_000));
    expect((await alice.send(delegate, "GET", STATES)).status).toBe(200);
    small.clock.moveTo(small.clock.nowMs() + 1_000);
    expectRefused(await alice.send(delegate, "GET", STATES), 403, "request_forbidden");
  });

  test("of an observer whom the network does not show everything", async () => {
    const [regulator] = [signerFromSeed(new Uint8Array(32).fill(11))];
    const amend = (commandId: string, sees: readonly (typeof STATE_KINDS)[number][]): Promise<unknown> =>
      small.run("grid-authority", {
        tag: "amend-parameters",
        commandId,
        changes: { observers: [{ key: regulator.publicKey, sees }] },
      });
    await small.ledger.join({
      name: "regulator",
      roles: ["observer"],
      capacityPerSlot: wattHours(0),
      holdingCapPerSlot: null,
    });
    await amend("some", ["member", "exposure"]);
    expectRefused(await alice.send(regulator, "GET", API_PATHS.transactions), 403, "request_forbidden");
    await amend("all", STATE_KINDS);
    expect((await alice.send(regulator, "GET", API_PATHS.transactions)).status).toBe(200);
  });

  test("whose body is no JSON by its own word, or longer than any: media_type_unsupported, body_too_large", async () => {
    const body = textOf(promise("x"));
    const wrong = { body, contentType: "text/plain" };
    expectRefused(await alice.send(owner, "POST", API_PATHS.commands, wrong), 415, "media_type_unsupported");
    const long = { body: " ".repeat(4 * 1_048_576 + 1) };
    expectRefused(await alice.send(owner, "POST", API_PATHS.commands, long), 413, "body_too_large");
    const approval = `/v1/proposals/${"a".repeat(64)}/approval`;
    const longer = { body: " ".repeat(64 * 1_024 + 1) };
    expectRefused(await alice.send(owner, "POST", approval, longer), 413, "body_too_large");
  });

  test("that is not of the form: request_malformed, with all issues", async () => {
    const send = (body: string): Promise<RawAnswer> => alice.send(owner, "POST", API_PATHS.commands, { body });
    expectRefused(await send("{"), 400, "request_malformed");
    const answer = await send(JSON.stringify({ tag: "bid", commandId: "", price: 1, more: 1 }));
    expectRefused(answer, 400, "request_malformed");
    expect(answer.json).toMatchObject({
      issues: [{ path: "body.commandId" }, { path: "body.auctionId" }, { path: "body.price" }, { path: "body.more" }],
    });
    expectRefused(await alice.send(owner, "POST", API_PATHS.commands), 400, "request_malformed");
    expectRefused(await alice.send(owner, "GET", "/v1/states/gold"), 400, "request_malformed");
    const page = await alice.send(owner, "GET", `${API_PATHS.transactions}?after=-1&limit=1e3&x=1`);
    expect(page.json).toMatchObject({
      issues: [{ path: "query.after" }, { path: "query.limit" }, { path: "query.x" }],
    });
    expectRefused(await alice.send(owner, "DELETE", "/v1/proposals/1"), 400, "request_malformed");
  });

  test("for what is not there, or by another method: not_found, method_not_allowed", async () => {
    for (const path of ["/", "/v1", "/v1/states", "/v2/status", "/v1/pool-rounds", `/${"x".repeat(5_000)}`])
      expectRefused(await alice.send(owner, "GET", path), 404, "not_found");
    for (const method of ["PUT", "PATCH", "OPTIONS", "GET"]) {
      const answer = await alice.send(owner, method, API_PATHS.commands);
      expectRefused(answer, 405, "method_not_allowed");
      expect(answer.headers.get("allow")).toBe("POST");
    }
    expectRefused(await alice.send(owner, "POST", API_PATHS.health, { body: "{}" }), 405, "method_not_allowed");
  });

  test("that is no HTTP, with a code all the same", async () => {
    const raw = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(Number(new URL(alice.url).port), "127.0.0.1", () => socket.write(text));
        let heard = "";
        socket.on("data", (chunk) => {
          heard += String(chunk);
        });
        socket.on("close", () => resolve(heard));
        socket.on("error", () => resolve(heard));
      });
    expect(await raw("nonsense\r\n\r\n")).toMatch(/^HTTP\/1.1 400 [\s\S]*"code":"request_malformed"/);
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 [\s\S]*"code":"request_malformed"/,
    );
    expect(await raw("GET /v1/states/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 4\d\d [\s\S]*"code":"/,
    );
  });

  test("in whose carrying out the node fails: internal_error, and nothing of the cause", async () => {
    alice.store.close();
    const close = small.node("alice");
    Object.defineProperty(close, "states", { value: () => Promise.reject(new Error("a secret of the node")) });
    const answer = await alice.send(owner, "GET", STATES);
    expectRefused(answer, 500, "internal_error");
    expect(answer.text).not.toContain("secret");
    expect(alice.faults).toMatchObject([{ message: "a secret of the node" }]);
  });
});

describe("a request that was seen before", () => {
  const replay = async (
    method: string,
    path: string,
    body?: string,
  ): Promise<readonly (() => Promise<RawAnswer>)[]> => {
    const faults = body === undefined ? {} : { body };
    const authorization = alice.signed(owner, method, path, faults);
    return [() => alice.send(owner, method, path, { ...faults, authorization })];
  };

  test("is refused at the same node, also when both come at once: request_replayed", async () => {
    for (const [method, path, body] of [
      ["GET", STATES, undefined],
      ["POST", API_PATHS.commands, textOf(promise("once"))],
    ] as const) {
      const [send = () => expect.unreachable()] = await replay(method, path, body);
      const answers = await Promise.all([send(), send(), send()]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
      expectRefused(await send(), 409, "request_replayed");
    }
    expect(small.node("alice").unspent("power-promise")).toHaveLength(1);
  });

  test("is refused at another node", async () => {
    await small.join("bob");
    const bob = await ServedNode.start(small, "bob", { owners: [owner.publicKey] });
    const authorization = alice.signed(owner, "GET", STATES);
    expectRefused(await bob.send(owner, "GET", STATES, { authorization }), 401, "request_foreign");
    const altered = authorization.replace(small.key("alice"), small.key("bob"));
    expectRefused(await bob.send(owner, "GET", STATES, { authorization: altered }), 401, "signature_invalid");
    await bob.close();
  });

  test("is refused after a restart of the node, and so is a read of before it that was never seen", async () => {
    const sends = [
      ...(await replay("POST", API_PATHS.commands, textOf(promise("before")))),
      ...(await replay("GET", STATES)),
    ];
    for (const send of sends) expect((await send()).status).toBe(200);
    const [unseen = () => expect.unreachable()] = await replay("GET", "/v1/states/member");
    const [ahead = () => expect.unreachable()] = await (async () => {
      const authorization = alice.signed(owner, "GET", STATES, { issuedMs: small.clock.nowMs() + 60_000 });
      return [() => alice.send(owner, "GET", STATES, { authorization })];
    })();
    expect((await ahead()).status).toBe(200);
    small.clock.moveTo(small.clock.nowMs() + 1_000);
    await alice.restart();
    expectRefused(await (sends[0] ?? unseen)(), 409, "request_replayed");
    expectRefused(await (sends[1] ?? unseen)(), 401, "request_expired");
    expectRefused(await unseen(), 401, "request_expired");
    expectRefused(await ahead(), 409, "request_replayed");
    expect((await alice.send(owner, "GET", STATES)).status).toBe(200);
  });

  test("is still refused once its number is forgotten: it has expired by then", async () => {
    const [send = () => expect.unreachable()] = await replay("POST", API_PATHS.commands, textOf(promise("old")));
    expect((await send()).status).toBe(200);
    small.clock.moveTo(small.clock.nowMs() + 4 * REQUEST_AGE_MS_MAX);
    expect((await alice.send(owner, "GET", STATES)).status).toBe(200);
    expectRefused(await send(), 401, "request_expired");
  });
});

describe("a request that the node could not remember", () => {
  test("is refused until earlier reads are forgotten: requests_exhausted", async () => {
    const bounded = await ServedNode.start(small, "alice", { owners: [owner.publicKey], readsMax: 1 });
    const issuedMs = small.clock.nowMs();
    small.clock.moveTo(issuedMs + 1);
    expect((await bounded.send(owner, "GET", STATES, { issuedMs })).status).toBe(200);
    expectRefused(await bounded.send(owner, "GET", STATES, { issuedMs }), 503, "requests_exhausted");
    small.clock.moveTo(issuedMs + 2 * REQUEST_AGE_MS_MAX + 1);
    const later = small.clock.nowMs() - 1;
    expect((await bounded.send(owner, "GET", STATES, { issuedMs: later })).status).toBe(200);
    await bounded.close();
  });

  test("is refused when it would change something and the store is full", async () => {
    const nonces = openSqliteNodeStore(":memory:", "process-crash", (task) => void setImmediate(task), 100_000);
    // Numbers like those of requests, until no page of the store has room for one more.
    const entropy = seededEntropy("full", "nonces");
    for (let refused = 0; refused < 100; ) {
      const nonce = Buffer.from(entropy.bytes(16)).toString("base64url");
      const isFull = await nonces.claimNonce(owner.publicKey, nonce, 1).catch((error: unknown) => error);
      refused = isFull instanceof StoreFull ? refused + 1 : 0;
    }
    const full = await ServedNode.start(small, "alice", { owners: [owner.publicKey], nonces });
    const answer = await full.send(owner, "POST", API_PATHS.commands, { body: textOf(promise("x")) });
    expect(answer).toMatchObject({ status: 422, json: { refusal: { tag: "store_full" } } });
    expect(full.faults).toEqual([]);
    await full.close();
    nonces.close();
  });
});

describe("a request that is taken", () => {
  test("gets the ledger's own refusal, with its data", async () => {
    const body = textOf({
      tag: "create-promises",
      commandId: "big",
      promises: [{ slot: SLOT, energy: wattHours(20_001) }],
    });
    const answer = await alice.send(owner, "POST", API_PATHS.commands, { body });
    expect(answer).toMatchObject({
      status: 422,
      json: { refusal: { tag: "capacity_exceeded", slot: SLOT, asked: "20001", free: "20000" } },
    });
  });

  test("may be for the health of the node without a signature", async () => {
    const answer = await alice.send(owner, "GET", API_PATHS.health, { authorization: null });
    expect(answer).toMatchObject({ status: 200, json: { status: "ok" } });
  });

  test("gets stored transactions page by page, each once, to the last", async () => {
    const endpoint = alice.client(auditor);
    const sequences: number[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page = await endpoint.transactions(after, 2);
      if (!page.ok) expect.unreachable();
      sequences.push(...page.value.transactions.map(({ sequence }) => sequence));
      after = page.value.next;
    }
    const stored = [...alice.store.scan()];
    expect(sequences).toEqual(stored.map(({ sequence }) => sequence));
    const [first] = stored;
    const page = await endpoint.transactions(0, 1);
    expect(page.ok ? page.value.transactions[0]?.bytes : undefined).toEqual(new Uint8Array(first?.bytes ?? []));
  });

  test("gets the status", async () => {
    expect(await alice.client(auditor).status()).toMatchObject({
      ok: true,
      value: { name: "alice", roles: ["prosumer"], networkId: "small-network", epoch: 0 },
    });
  });
});

test("a delegate may not withdraw or approve what another has proposed", async () => {
  const other = signerFromSeed(new Uint8Array(32).fill(12));
  await small.run("alice", { ...grant("other"), delegate: other.publicKey } as ClientCommand);
  const body = encodeJson(proposalRequestSchema, { command: promise("mine"), delegate: delegate.publicKey });
  const proposed = await alice.send(delegate, "POST", API_PATHS.proposals, { body });
  const { proposalId } = proposed.json as { readonly proposalId: string };
  const path = `/v1/proposals/${proposalId}`;
  expectRefused(await alice.send(other, "DELETE", path), 403, "request_forbidden");
  expect(await alice.send(delegate, "DELETE", path)).toMatchObject({ status: 200, json: {} });
  const signature = Buffer.alloc(64).toString("base64url");
  const approval = { body: JSON.stringify({ signature }) };
  expect(await alice.send(delegate, "POST", `${path}/approval`, approval)).toMatchObject({
    status: 422,
    json: { refusal: { tag: "proposal_unknown" } },
  });
});
