/** Client processes, seen from the bench: requests are dealt to them in turn, and sent all at once. */
import { type ChildProcess, fork } from "node:child_process";
import { clientCommandSchema, encodeJson } from "#ledger-api";
import { CommandFailure, EXIT } from "../exit.ts";
import type { BenchProgram, Sender } from "./bench-network.ts";
import { type Answer, type BenchRequest, type FromClient, fromClientSchema, type ToClient } from "./client-messages.ts";

export interface Clients {
  readonly pids: readonly number[];
  /**
   * Sends all requests at once and waits for all answers, in the order of the requests.
   * @throws CommandFailure when a client process ends before it has answered.
   */
  send(requests: readonly BenchRequest[]): Promise<readonly Answer[]>;
  close(): Promise<void>;
}

/** Milliseconds from the first request that was sent to the last answer. */
export function spanMs(answers: readonly Answer[]): number {
  const first = Math.min(...answers.map(({ sentMs }) => sentMs));
  return Math.max(...answers.map(({ answeredMs }) => answeredMs)) - first;
}

export async function startClients(count: number, { program, nodeEnv }: BenchProgram): Promise<Clients> {
  const children = Array.from({ length: count }, () => new Client(program, nodeEnv));
  try {
    await Promise.all(children.map((child) => child.next("up")));
  } catch (error) {
    await Promise.all(children.map((child) => child.close()));
    throw error;
  }
  return {
    pids: children.map(({ pid }) => pid),
    async send(requests) {
      const busy = children
        .map((client, index) => ({ client, batch: batchOf(requests, index, count) }))
        .filter(({ batch }) => batch.requests.length > 0);
      await Promise.all(busy.map(({ client, batch }) => client.ask(batch, "ready")));
      const done = await Promise.all(busy.map(({ client }) => client.ask({ tag: "go" }, "done")));
      return done.flatMap(({ answers }) => answers).sort((left, right) => left.id - right.id);
    },
    async close() {
      await Promise.all(children.map((child) => child.close()));
    },
  };
}

/** Every `count`-th request, from `index` on. */
function batchOf(
  requests: readonly BenchRequest[],
  index: number,
  count: number,
): Extract<ToClient, { readonly tag: "batch" }> {
  const senders: Sender[] = [];
  const dealt = [...requests.entries()]
    .filter(([id]) => id % count === index)
    .map(([id, { sender, command }]) => {
      let number = senders.findIndex(({ url }) => url === sender.url);
      if (number === -1) number = senders.push(sender) - 1;
      return { id, sender: number, command: encodeJson(clientCommandSchema, command) };
    });
  return { tag: "batch", senders, requests: dealt };
}

type Tag = FromClient["tag"];
type Saying<T extends Tag> = Extract<FromClient, { readonly tag: T }>;

class Client {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(program: string, env: Readonly<Record<string, string>>) {
    this.#child = fork(program, ["bench", "client"], {
      env: { ...env },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.pid = this.#child.pid ?? 0;
    this.#ended = new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", () => resolve());
    });
  }

  /** What the process says next, which must be this. */
  next<T extends Tag>(tag: T): Promise<Saying<T>> {
    const failed = (): CommandFailure => new CommandFailure(EXIT.error, "bench: a client process failed; run it again");
    return new Promise((resolve, reject) => {
      void this.#ended.then(() => reject(failed()));
      this.#child.once("message", (message: unknown) => {
        const said = fromClientSchema.safeParse(message);
        if (said.success && isSaying(said.data, tag)) resolve(said.data);
        else reject(failed());
      });
    });
  }

  ask<T extends Tag>(message: ToClient, tag: T): Promise<Saying<T>> {
    const next = this.next(tag);
    this.#child.send(message);
    return next;
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}

function isSaying<T extends Tag>(said: FromClient, tag: T): said is Saying<T> {
  return said.tag === tag;
}
