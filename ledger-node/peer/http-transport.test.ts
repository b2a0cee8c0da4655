/** Peers over real HTTP on this machine: what is refused, and what becomes of those who are down, hang, or have too much to do. */
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import axios from "axios";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  decodeEnvelope,
  ENVELOPE_AGE_MS_MAX,
  ENVELOPE_BYTES_MAX,
  type Envelope,
  encodePeerReply,
  encodePeerRequest,
  type PeerReply,
  type PeerRequest,
  sealEnvelope,
  sealReplyEnvelope,
} from "#contracts";
import { hashOf, type PublicKey, seededEntropy, unwrap } from "#core";
import { HttpTransport, newPeerCounters, servePeers } from "#ledger-node";
import { HttpParties, keyOf, signerOf, systemClock } from "#testkit";
import { UNREACHABLE } from "./lane.ts";

const NETWORK = "network";
const [alice, bob] = [keyOf("alice"), keyOf("bob")];
const ASK: PeerRequest = { tag: "sequence", count: 1 };
const TIMING = { answerMsMax: 1_000, restMsMin: 20, restMsMax: 50 };

let parties: HttpParties;
const closing: (() => unknown)[] = [];
beforeEach(() => {
  parties = new HttpParties({ networkId: NETWORK, timing: TIMING });
});
afterEach(async () => {
  await parties.close();
  for (const close of closing.splice(0)) await close();
});

const counting = (): ((from: PublicKey, request: PeerRequest) => Promise<PeerReply>) => {
  let count = 0;
  return async () => ({ tag: "sequence", first: count++ });
};

/** Asks again until it is answered: after a failure a lane rests for a while. */
async function answered(ask: () => Promise<PeerReply>): Promise<PeerReply> {
  for (;;) {
    const reply = await ask();
    if (reply !== UNREACHABLE) return reply;
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

describe("what a server refuses", () => {
  let handled: number;
  beforeEach(async () => {
    handled = 0;
    await parties.add(signerOf("alice"), counting());
    await parties.add(signerOf("bob"), async () => {
      handled += 1;
      return { tag: "stored" };
    });
  });

  const envelope = (patch: Partial<Envelope> = {}): Envelope => ({
    networkId: NETWORK,
    from: alice,
    to: bob,
    id: seededEntropy("envelope", JSON.stringify(patch)).bytes(16),
    sentMs: Date.now(),
    messages: [encodePeerRequest(ASK)],
    ...patch,
  });
  const sealed = (patch: Partial<Envelope> = {}, signer = "alice"): Uint8Array =>
    sealEnvelope(envelope(patch), signerOf(signer)).bytes;
  const post = async (
    body: Uint8Array,
    contentType = "application/cbor",
  ): Promise<{ readonly status: number; readonly data: unknown }> => {
    const { status, data } = await axios.post(`${parties.addressOf(bob)}/peer/v1`, Buffer.from(body), {
      headers: { "content-type": contentType },
      validateStatus: null,
      maxBodyLength: Number.POSITIVE_INFINITY,
      responseType: "arraybuffer",
    });
    const text = Buffer.from(data).toString("latin1");
    return { status, data: text.startsWith("{") ? JSON.parse(text) : text };
  };

  test("nothing, when an envelope is as it should be", async () => {
    expect(await post(sealed())).toMatchObject({ status: 200 });
    expect(handled).toBe(1);
  });

  test.each<readonly [string, number, string, () => Uint8Array]>([
    ["a foreign network's", 403, "envelope_foreign", () => sealed({ networkId: "another" })],
    ["one for another receiver", 421, "envelope_misdirected", () => sealed({ to: alice })],
    ["one of nobody in the directory", 403, "sender_unknown", () => sealed({ from: keyOf("carol") }, "carol")],
    ["one signed by another", 403, "envelope_forged", () => sealed({}, "carol")],
    ["an old one", 403, "envelope_expired", () => sealed({ sentMs: Date.now() - ENVELOPE_AGE_MS_MAX - 60_000 })],
    ["one of tomorrow", 403, "envelope_expired", () => sealed({ sentMs: Date.now() + 86_400_000 })],
    ["garbage", 400, "envelope_malformed", () => Uint8Array.of(1, 2, 3)],
    ["nothing at all", 400, "envelope_malformed", () => new Uint8Array(0)],
    ["too much", 413, "envelope_too_large", () => new Uint8Array(ENVELOPE_BYTES_MAX + 1)],
  ])("%s: %i %s", async (_what, status, code, bytes) => {
    expect(await post(bytes())).toEqual({ status, data: { code } });
    expect(handled).toBe(0);
    expect(parties.faults).toEqual([]);
  });

  test("an envelope that was opened before: 409 envelope_replayed", async () => {
    const bytes = sealed();
    expect((await post(bytes)).status).toBe(200);
    expect(await post(bytes)).toEqual({ status: 409, data: { code: "envelope_replayed" } });
    expect(handled).toBe(1);
  });

  test("an envelope meant for bob is not opened by alice", async () => {
    const { status, data } = await axios.post(`${parties.addressOf(alice)}/peer/v1`, Buffer.from(sealed()), {
      headers: { "content-type": "application/cbor" },
      validateStatus: null,
    });
    expect([status, data]).toEqual([421, { code: "envelope_misdirected" }]);
  });

  test("other types of content, and other methods", async () => {
    for (const type of ["application/json", "text/plain", "application/octet-stream"])
      expect(await post(sealed(), type)).toEqual({ status: 400, data: { code: "envelope_malformed" } });
    const got = await axios.get(`${parties.addressOf(bob)}/peer/v1`, { validateStatus: null });
    expect(got.status).toBe(404);
    expect(handled).toBe(0);
  });

  test("a message that cannot be read is refused by itself: the others of its envelope are answered", async () => {
    const good = encodePeerRequest(ASK);
    expect((await post(sealed({ messages: [good, Uint8Array.of(0), good] }))).status).toBe(200);
    expect(handled).toBe(2);
  });

  test("a refused envelope is counted, and does not use up its sender's place", async () => {
    for (let index = 0; index < 50; index++) await post(sealed({ id: new Uint8Array(16).fill(index) }, "carol"));
    expect(parties.counters.envelopesRefused).toBe(50);
    expect(await parties.transport(alice).request(alice, bob, ASK)).toEqual({ tag: "stored" });
  });
});

test("a sender with too much in hand is asked to come again: sender_busy", async () => {
  const held: (() => void)[] = [];
  await parties.add(signerOf("alice"), counting());
  await parties.add(
    signerOf("bob"),
    () =>
      new Promise((resolve) => {
        held.push(() => resolve({ tag: "stored" }));
      }),
  );
  const post = (number: number): Promise<{ readonly status: number; readonly data: unknown }> => {
    const { bytes } = sealEnvelope(
      {
        networkId: NETWORK,
        from: alice,
        to: bob,
        id: new Uint8Array(16).fill(number),
        sentMs: Date.now(),
        messages: [encodePeerRequest(ASK)],
      },
      signerOf("alice"),
    );
    return axios.post(`${parties.addressOf(bob)}/peer/v1`, Buffer.from(bytes), {
      headers: { "content-type": "application/cbor" },
      validateStatus: null,
    });
  };
  const taken = Array.from({ length: 32 }, (_, number) => post(number));
  await expect.poll(() => held.length).toBe(32);
  expect(await post(32)).toMatchObject({ status: 429, data: { code: "sender_busy" } });
  for (const release of held.splice(0)) release();
  expect((await Promise.all(taken)).map(({ status }) => status)).toEqual(taken.map(() => 200));
  const again = post(32);
  await expect.poll(() => held.length).toBe(1);
  for (const release of held) release();
  expect((await again).status).toBe(200);
});

describe("what comes back", () => {
  test("a handler's error is answered, reported, and shows nothing of itself", async () => {
    const transport = await parties.add(signerOf("alice"), counting());
    await parties.add(signerOf("bob"), () => Promise.reject(new Error("a secret")));
    expect(await transport.request(alice, bob, ASK)).toEqual(UNREACHABLE);
    expect(parties.faults).toEqual([new Error("a secret")]);
    expect(transport.peers()).toMatchObject([{ party: bob, isReached: true }]);
  });

  test("what cannot be encoded is refused at home, and what is to be sent to a stranger is not sent", async () => {
    const transport = await parties.add(signerOf("alice"), counting());
    await parties.add(signerOf("bob"), counting());
    expect(await transport.request(alice, bob, { tag: "sequence", count: -1 })).toEqual({
      tag: "refused",
      refusal: { tag: "command_malformed" },
    });
    expect(await transport.request(alice, keyOf("carol"), ASK)).toEqual(UNREACHABLE);
    expect(parties.counters.envelopesSent).toBe(0);
  });

  test("answers that have no room beside each other come one by one", async () => {
    const transport = await parties.add(signerOf("alice"), counting());
    let asked = 0;
    await parties.add(signerOf("bob"), async () => bigReply(asked++));
    const replies = await Promise.all(Array.from({ length: 5 }, () => transport.request(alice, bob, ASK)));
    expect(replies.map(({ tag }) => tag)).toEqual(replies.map(() => "proved"));
    expect(parties.counters.envelopesSent).toBeGreaterThan(3);
  });

  /** A peer that answers each envelope with what `answer` makes of it. */
  const faker = async (answer: (body: Uint8Array) => Uint8Array): Promise<HttpTransport> => {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => response.end(answer(new Uint8Array(Buffer.concat(chunks)))));
    });
    const address = await listening(server);
    return transportTo(address);
  };
  const replyTo = (body: Uint8Array, request = unwrap(decodeEnvelope(body)).digest, signer = "bob"): Uint8Array => {
    const { content } = unwrap(decodeEnvelope(body));
    const replies = content.messages.map(() => encodePeerReply({ tag: "stored" }));
    return sealReplyEnvelope({ networkId: NETWORK, from: bob, to: alice, request, replies }, signerOf(signer)).bytes;
  };

  test("an honest answer is taken from that server too", async () => {
    const transport = await faker((body) => replyTo(body));
    expect(await transport.request(alice, bob, ASK)).toEqual({ tag: "stored" });
  });

  test("the answer to another envelope is none", async () => {
    let first: Uint8Array | undefined;
    const transport = await faker((body) => {
      first ??= replyTo(body);
      return first;
    });
    expect(await transport.request(alice, bob, ASK)).toEqual({ tag: "stored" });
    expect(await transport.request(alice, bob, ASK)).toEqual(UNREACHABLE);
    expect(transport.peers()).toMatchObject([{ isReached: false, lastFailure: "answer_not_sealed_by_peer" }]);
  });

  test.each<readonly [string, (body: Uint8Array) => Uint8Array]>([
    ["signed by another", (body) => replyTo(body, undefined, "carol")],
    ["to a made-up envelope", (body) => replyTo(body, hashOf("envelope"))],
    ["that is garbage", () => Uint8Array.of(1, 2, 3)],
    ["that is the question", (body) => body],
    ["that is empty", () => new Uint8Array(0)],
    ["beyond all size", () => new Uint8Array(ENVELOPE_BYTES_MAX + 1)],
  ])("an answer %s is none", async (_what, answer) => {
    const transport = await faker(answer);
    expect(await transport.request(alice, bob, ASK)).toEqual(UNREACHABLE);
  });
});

function bigReply(byte: number): Extract<PeerReply, { readonly tag: "proved" }> {
  const bytes32 = new Uint8Array(32).fill(byte);
  return {
    tag: "proved",
    dependencies: [
      {
        ref: { txId: hashOf(`${byte}`), index: 0 },
        tearOff: {
          counts: { inputs: 0, references: 0, outputs: 1 },
          hashes: [bytes32],
          revealed: [
            { position: 0, nonce: bytes32, component: new Uint8Array(1_000_000) },
            { position: 1, nonce: bytes32, component: new Uint8Array(1_000_000) },
          ],
        },
        notarySignature: { by: bob, signature: new Uint8Array(64), position: 0, path: [], batchSize: 1 },
      },
    ],
  };
}

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function listeningOn(server: FastifyInstance): Promise<string> {
  return server.listen({ host: "127.0.0.1", port: 0 });
}

function transportTo(address: string, timing: object = TIMING): HttpTransport {
  const transport = new HttpTransport({
    networkId: NETWORK,
    signer: signerOf("alice"),
    directory: { addressOf: (key) => (key === bob ? address : undefined) },
    clock: systemClock,
    entropy: seededEntropy("transport", address),
    counters: newPeerCounters(),
    timing,
  });
  closing.push(() => transport.close());
  return transport;
}

describe("a peer that cannot be reached", () => {
  test("is down: refused at once, and asked again when it is back", async () => {
    const transport = await parties.add(signerOf("alice"), counting());
    await parties.add(signerOf("bob"), counting());
    const ask = (): Promise<PeerReply> => transport.request(alice, bob, ASK);
    expect(await ask()).toEqual({ tag: "sequence", first: 0 });
    await parties.stop(bob);
    expect(await ask()).toEqual(UNREACHABLE);
    expect(await ask(), "while the lane rests").toEqual(UNREACHABLE);
    expect(transport.peers()).toMatchObject([{ party: bob, isReached: false, lastFailure: "ECONNREFUSED" }]);
    await parties.restart(bob);
    expect(await answered(ask)).toEqual({ tag: "sequence", first: 1 });
    expect(transport.peers()).toMatchObject([{ party: bob, isReached: true }]);
  });

  test("went and came back while nothing was asked: a kept connection that is dead is noticed and the request goes again", async () => {
    const transport = await parties.add(signerOf("alice"), counting());
    await parties.add(signerOf("bob"), counting());
    const ask = (): Promise<PeerReply> => transport.request(alice, bob, ASK);
    await Promise.all(Array.from({ length: 20 }, ask));
    for (let round = 0; round < 5; round++) {
      await parties.stop(bob);
      await parties.restart(bob);
      expect((await ask()).tag).toBe("sequence");
    }
  });

  test("breaks every connection: asked a few times, then not reachable", async () => {
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections += 1;
      socket.once("data", () => socket.resetAndDestroy());
      socket.on("error", () => undefined);
    });
    const transport = transportTo(await listening(server));
    expect(await transport.request(alice, bob, ASK)).toEqual(UNREACHABLE);
    expect(connections).toBe(3);
  });

  test.each<readonly [string, (socket: Socket) => void]>([
    ["accepts and never answers", () => undefined],
    [
      "answers with a byte now and then",
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
        const drip = setInterval(() => socket.write("."), 20);
        socket.on("close", () => clearInterval(drip));
      },
    ],
  ])("%s: given up after its time", async (_what, behave) => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      behave(socket);
    });
    const address = await listening(server);
    closing.unshift(() => {
      for (const socket of sockets) socket.destroy();
    });
    const transport = transportTo(address, { ...TIMING, answerMsMax: 200 });
    const asked = Array.from({ length: 100 }, () => transport.request(alice, bob, ASK));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([UNREACHABLE]));
    expect(transport.peers()).toMatchObject([{ lastFailure: "timeout", waiting: 0 }]);
  });

  test("moved: its new address is asked", async () => {
    const addresses: string[] = [];
    const counters = newPeerCounters();
    const directory = { addressOf: (key: PublicKey) => (key === alice ? "http://127.0.0.1:1" : addresses.at(-1)) };
    for (const first of [1, 2]) {
      const server = Fastify();
      const handler = { party: bob, handle: async (): Promise<PeerReply> => ({ tag: "sequence", first }) };
      const options = { networkId: NETWORK, directory, clock: systemClock, counters };
      servePeers(server, { ...options, parties: [{ signer: signerOf("bob"), handler }] });
      closing.push(() => server.close());
      addresses.push(`${await listeningOn(server)}/`);
    }
    const moved = addresses.pop();
    const transport = new HttpTransport({
      networkId: NETWORK,
      signer: signerOf("alice"),
      directory,
      clock: systemClock,
      entropy: seededEntropy("moved", ""),
      counters,
    });
    closing.unshift(() => transport.close());
    expect(await transport.request(alice, bob, ASK)).toEqual({ tag: "sequence", first: 1 });
    addresses.push(moved ?? "");
    expect(await transport.request(alice, bob, ASK)).toEqual({ tag: "sequence", first: 2 });
    expect(transport.peers().map(({ address }) => address)).toEqual([moved]);
  });

  test("the transport is closed: nothing is asked any more", async () => {
    const transport = await parties.add(signerOf("alice"), counting());
    await parties.add(signerOf("bob"), () => new Promise(() => undefined));
    const asked = transport.request(alice, bob, ASK);
    await expect.poll(() => parties.counters.messagesReceived).toBe(1);
    transport.close();
    expect(await asked).toEqual(UNREACHABLE);
    expect(await transport.request(alice, bob, ASK)).toEqual(UNREACHABLE);
  });
});

describe("two nodes that ask each other while they answer", () => {
  test("do not wait for each other for ever, however much is asked", async () => {
    let resolved = 0;
    const answering =
      (own: PublicKey, other: PublicKey) =>
      async (_from: PublicKey, request: PeerRequest): Promise<PeerReply> => {
        if (request.tag !== "sign") return { tag: "resolved", dependencies: [] };
        const reply = await parties
          .transport(own)
          .request(own, other, { tag: "resolve", txId: hashOf("transaction"), refs: [] });
        if (reply.tag === "resolved") resolved += 1;
        return { tag: "stored" };
      };
    await parties.add(signerOf("alice"), answering(alice, bob));
    await parties.add(signerOf("bob"), answering(bob, alice));
    const sign: PeerRequest = { tag: "sign", transaction: Uint8Array.of(1) };
    const flows = Array.from({ length: 400 }, (_, number) => {
      const [from, to] = number % 2 === 0 ? [alice, bob] : [bob, alice];
      return parties.transport(from).request(from, to, sign);
    });
    expect((await Promise.all(flows)).filter(({ tag }) => tag === "stored")).toHaveLength(400);
    expect(resolved).toBe(400);
    expect(parties.counters.messagesReceived).toBe(800);
    expect(parties.counters.envelopesReceived).toBeLessThan(200);
  });
});
