/** What the bench and its client processes say to each other, over the channel between parent and child. */
import { z } from "zod";
import type { ClientCommand } from "#contracts";
import type { Sender } from "./bench-network.ts";

/** Commands to send at once; each as the JSON of the client interface, with the number of its sender. */
export type ToClient =
  | {
      readonly tag: "batch";
      readonly senders: readonly Sender[];
      readonly requests: readonly { readonly id: number; readonly sender: number; readonly command: string }[];
    }
  | { readonly tag: "go" };

/** Times are milliseconds of the machine's monotonic clock, which all processes read alike. */
export type Answer = {
  readonly id: number;
  readonly sentMs: number;
  readonly answeredMs: number;
  /** The code of the refusal, and behind a slash the counterparty's; null for what was carried out. */
  readonly refusal: string | null;
};
export type FromClient =
  | { readonly tag: "up" }
  | { readonly tag: "ready" }
  | { readonly tag: "done"; readonly answers: readonly Answer[] };

/** A request of a member, before it is given to a client process. */
export type BenchRequest = { readonly sender: Sender; readonly command: ClientCommand };

const senderSchema = z.strictObject({ url: z.url(), party: z.string(), networkId: z.string(), keyFile: z.string() });
const count = z.int().nonnegative();

export const toClientSchema: z.ZodType<ToClient> = z.discriminatedUnion("tag", [
  z.strictObject({
    tag: z.literal("batch"),
    senders: z.array(senderSchema),
    requests: z.array(z.strictObject({ id: count, sender: count, command: z.string() })),
  }),
  z.strictObject({ tag: z.literal("go") }),
]);

export const fromClientSchema: z.ZodType<FromClient> = z.discriminatedUnion("tag", [
  z.strictObject({ tag: z.literal("up") }),
  z.strictObject({ tag: z.literal("ready") }),
  z.strictObject({
    tag: z.literal("done"),
    answers: z.array(
      z.strictObject({ id: count, sentMs: z.number(), answeredMs: z.number(), refusal: z.string().nullable() }),
    ),
  }),
]);

/** Milliseconds of the machine's monotonic clock. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
