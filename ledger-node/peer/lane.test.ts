/** Lanes: what travels together, what waits, what fails at once, and that everything is answered. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PEER_MESSAGE_BYTES_MAX, type PeerReply } from "#contracts";
import { type Exchange, Lane, type LaneName, UNREACHABLE } from "./lane.ts";
import type { PeerTimers } from "./peer-timers.ts";

const TIMING = { waitMsMax: 1_000, restMsMin: 100, restMsMax: 400 };

/** Time that a test moves; deferred tasks run with `turn`. */
class TestTimers implements PeerTimers {
  #nowMs = 0;
  #deferred: (() => void)[] = [];
  readonly #pauses: { readonly atMs: number; readonly end: () => void }[] = [];
  readonly pausedMs: number[] = [];

  elapsedMs(): number {
    return this.#nowMs;
  }

  pause(durationMs: number): Promise<void> {
    this.pausedMs.push(durationMs);
    return new Promise((end) => this.#pauses.push({ atMs: this.#nowMs + durationMs, end }));
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  async turn(): Promise<void> {
    const ready = this.#deferred;
    this.#deferred = [];
    for (const task of ready) task();
    await settled();
  }

  async advance(durationMs: number): Promise<void> {
    this.#nowMs += durationMs;
    for (const pause of this.#pauses.filter(({ atMs }) => atMs <= this.#nowMs)) pause.end();
    await settled();
  }
}

/** Lets everything that is ready happen. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

type Sent = {
  readonly messages: readonly Uint8Array[];
  readonly answer: (replies: readonly (PeerReply | null)[] | undefined) => Promise<void>;
};

/** A lane to a peer that answers when the test says so. */
function laneTo(name: LaneName) {
  const timers = new TestTimers();
  const sent: Sent[] = [];
  const exchange: Exchange = (messages) =>
    new Promise((resolve) => {
      sent.push({
        messages,
        answer: async (replies) => {
          resolve(replies);
          await settled();
        },
      });
    });
  return { timers, sent, lane: new Lane(name, exchange, TIMING, timers) };
}

const message = (number: number): Uint8Array => Uint8Array.of(number & 255, number >> 8);
const reply = (number: number): PeerReply => ({ tag: "sequence", first: number });
const replyTo = (bytes: Uint8Array): PeerReply => reply((bytes[0] ?? 0) + ((bytes[1] ?? 0) << 8));
const answerAll = (one: Sent | undefined): Promise<void> | undefined => one?.answer(one.messages.map(replyTo));

describe("requests of one turn", () => {
  test("travel in one envelope, in order, and each has its own answer", async () => {
    const { lane, sent, timers } = laneTo("leaf");
    const replies = [0, 1, 2].map((number) => lane.ask(message(number)));
    expect(sent).toEqual([]);
    await timers.turn();
    expect(sent.map(({ messages }) => messages)).toEqual([[message(0), message(1), message(2)]]);
    await answerAll(sent[0]);
    expect(await Promise.all(replies)).toEqual([0, 1, 2].map(reply));
  });

  test.each([
    ["leaf", 64],
    ["asking", 16],
  ] as const)(
    "on the %s lane no more than %i travel together, in four envelopes at most; the rest collects",
    async (name, most) => {
      const { lane, sent, timers } = laneTo(name);
      const asked = Array.from({ length: most * 4 + 10 }, (_, number) => lane.ask(message(number)));
      await timers.turn();
      expect(sent.map(({ messages }) => messages.length)).toEqual([most, most, most, most]);
      expect(lane.waiting).toBe(10);
      await answerAll(sent[2]);
      expect(sent[4]?.messages).toHaveLength(10);
      for (const index of [0, 1, 3, 4]) await answerAll(sent[index]);
      expect(await Promise.all(asked)).toEqual(asked.map((_, number) => reply(number)));
    },
  );

  test("share an envelope only while they fit", async () => {
    const { lane, sent, timers } = laneTo("leaf");
    const sizes = [PEER_MESSAGE_BYTES_MAX / 2, PEER_MESSAGE_BYTES_MAX / 2, 1, PEER_MESSAGE_BYTES_MAX, 1];
    for (const size of sizes) void lane.ask(new Uint8Array(size));
    await timers.turn();
    expect(sent.map(({ messages }) => messages.map(({ length }) => length))).toEqual([
      sizes.slice(0, 2),
      [1],
      [PEER_MESSAGE_BYTES_MAX],
      [1],
    ]);
  });
});

test("an answer that had no room is asked for again, alone; if it has none then, the peer does not answer", async () => {
  const { lane, sent, timers } = laneTo("leaf");
  const asked = [0, 1, 2].map((number) => lane.ask(message(number)));
  await timers.turn();
  await sent[0]?.answer([reply(0), null, null]);
  expect(sent.slice(1).map(({ messages }) => messages)).toEqual([[message(2)], [message(1)]]);
  await sent[1]?.answer([null]);
  await answerAll(sent[2]);
  expect(await Promise.all(asked)).toEqual([reply(0), reply(1), UNREACHABLE]);
});

describe("a peer that does not answer", () => {
  test("fails all that wait, and for a while all that is asked, at once", async () => {
    const { lane, sent, timers } = laneTo("asking");
    const asked = Array.from({ length: 100 }, (_, number) => lane.ask(message(number)));
    await timers.turn();
    expect(sent).toHaveLength(4);
    for (const one of sent) await one.answer(undefined);
    expect(await Promise.all(asked)).toEqual(asked.map(() => UNREACHABLE));
    expect(await lane.ask(message(0))).toBe(UNREACHABLE);
    expect(sent).toHaveLength(4);
    expect(timers.pausedMs).toEqual([100]);
  });

  test("is tried with one envelope after each rest, which grows; when it answers, all is as before", async () => {
    const { lane, sent, timers } = laneTo("asking");
    for (let failures = 0; failures < 4; failures++) {
      const asked = lane.ask(message(0));
      await timers.turn();
      await sent.at(-1)?.answer(undefined);
      expect(await asked).toBe(UNREACHABLE);
      expect(lane.hasFailed).toBe(true);
      await timers.advance(400);
    }
    expect(timers.pausedMs).toEqual([100, 200, 400, 400]);
    const asked = Array.from({ length: 40 }, (_, number) => lane.ask(message(number)));
    await timers.turn();
    expect(sent).toHaveLength(5);
    await answerAll(sent[4]);
    expect(sent).toHaveLength(7);
    expect(lane.hasFailed).toBe(false);
    for (const one of sent.slice(5)) await answerAll(one);
    expect(await Promise.all(asked)).toEqual(asked.map((_, number) => reply(number)));
  });

  test("does not keep a request waiting for ever", async () => {
    const { lane, sent, timers } = laneTo("asking");
    const first = Array.from({ length: 64 }, (_, number) => lane.ask(message(number)));
    await timers.turn();
    const late = lane.ask(message(64));
    await timers.advance(TIMING.waitMsMax + 1);
    const later = lane.ask(message(65));
    await answerAll(sent[0]);
    expect(await late).toBe(UNREACHABLE);
    expect(sent[4]?.messages).toEqual([message(65)]);
    for (const one of sent.slice(1)) await answerAll(one);
    expect(await later).toEqual(reply(65));
    expect(await Promise.all(first)).toHaveLength(64);
  });
});

test("an answer that had no room, while the lane rests after another's failure, is asked for after the rest", async () => {
  const { lane, sent, timers } = laneTo("asking");
  const asked = Array.from({ length: 32 }, (_, number) => lane.ask(message(number)));
  await timers.turn();
  await sent[0]?.answer(undefined);
  await sent[1]?.answer([null, ...Array.from({ length: 15 }, (_, number) => reply(17 + number))]);
  expect(sent).toHaveLength(2);
  await timers.advance(TIMING.restMsMin);
  await answerAll(sent[2]);
  expect(await Promise.all(asked)).toEqual(asked.map((_, number) => (number < 16 ? UNREACHABLE : reply(number))));
});

test("law: every request has one answer, its own or that the peer is not reachable, whatever the peer does", async () => {
  const arbAnswer = fc.constantFrom("all", "none", "half", "null");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 60 }), { maxLength: 12 }),
      fc.infiniteStream(arbAnswer),
      async (turns, answers) => {
        const { lane, sent, timers } = laneTo("asking");
        const asked: Promise<PeerReply>[] = [];
        let answered = 0;
        const answerNext = async (): Promise<void> => {
          const one = sent[answered++];
          const how = answers.next().value;
          if (one === undefined || how === "all") await answerAll(one);
          else if (how === "none") await one.answer(undefined);
          else if (how === "half") await one.answer(one.messages.slice(0, 1).map(replyTo));
          else await one.answer(one.messages.map(() => null));
        };
        for (const count of turns) {
          for (let number = 0; number < count; number++) asked.push(lane.ask(message(asked.length)));
          await timers.turn();
          if (answered < sent.length) await answerNext();
          await timers.advance(60);
        }
        while (answered < sent.length || lane.waiting > 0) {
          if (answered < sent.length) await answerNext();
          await timers.advance(TIMING.restMsMax);
        }
        const replies = await Promise.all(asked);
        for (const [number, one] of replies.entries())
          expect(one === UNREACHABLE || (one.tag === "sequence" && one.first === number)).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});
