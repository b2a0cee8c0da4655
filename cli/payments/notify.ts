/** The bodies of `dream payments notify` and `dream payments list`. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Clock, seededPrng, toHex, toJson } from "#core";
import { type DeliveryReport, deliverDue, webhookPost } from "#payments";
import { EXIT, type ExitCode } from "../exit.ts";
import { systemEntropy } from "../network/keys.ts";
import type { PaymentsIo } from "./commands.ts";
import { openDesk } from "./edge.ts";

type Json = { readonly json?: boolean };
/** Other commands put events meanwhile. */
const LOOK_MS = 1_000;

/** Delivers the webhooks that are owed; with `watch`, until it is told to stop. */
export async function notify(
  flags: Json & { readonly home: string; readonly again?: boolean; readonly watch?: boolean },
  io: PaymentsIo & { readonly signal: AbortSignal },
): Promise<ExitCode> {
  const desk = openDesk(flags.home);
  try {
    if (flags.again === true) desk.outbox.revive(io.clock.nowMs());
    const seed = toHex(systemEntropy.bytes(16));
    const parts = { ...desk, clock: io.clock, prng: seededPrng("webhooks", seed), post: webhookPost() };
    const total: DeliveryReport = { delivered: 0, waiting: 0, dead: 0 };
    const sums = await deliverUntil(parts, total, flags.watch === true ? io.signal : AbortSignal.abort());
    const dead = desk.outbox.dead();
    const nextMs = desk.outbox.nextDueMs();
    const report = { delivered: sums.delivered, nextMs: nextMs ?? null, dead: dead.map(deadOf) };
    const waiting = nextMs === undefined ? "nothing waits" : `the next try is due ${new Date(nextMs).toISOString()}`;
    io.stdout.write(
      flags.json === true
        ? `${toJson(report, 2)}\n`
        : `${sums.delivered} webhooks delivered, ${waiting}, ${dead.length} given up.\n`,
    );
    for (const { eventId, url, attempts, problem } of dead)
      io.stderr.write(`dream: ${eventId}: ${url} ${problem}, ${attempts} times; mend it, then use --again\n`);
    return dead.length === 0 ? EXIT.ok : EXIT.error;
  } finally {
    desk.database.close();
  }
}

async function deliverUntil(
  parts: Parameters<typeof deliverDue>[0],
  before: DeliveryReport,
  signal: AbortSignal,
): Promise<DeliveryReport> {
  let sums = before;
  do {
    const { delivered, waiting, dead } = await deliverDue(parts);
    sums = { delivered: sums.delivered + delivered, waiting, dead: sums.dead + dead };
    if (!signal.aborted) await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  } while (!signal.aborted);
  return sums;
}

function deadOf({
  eventId,
  url,
  attempts,
  problem,
}: ReturnType<ReturnType<typeof openDesk>["outbox"]["dead"]>[number]) {
  return { eventId, url, attempts, problem };
}

/** Shows what was ordered, and what became of it. */
export function list(
  flags: Json & { readonly home: string },
  io: Pick<PaymentsIo, "stdout"> & { readonly clock: Clock },
): ExitCode {
  const desk = openDesk(flags.home);
  try {
    const payouts = desk.payouts.all().map(({ messageId, endToEndId, owner, redemptionId, amount, status }) => ({
      messageId,
      endToEndId,
      owner,
      redemptionId,
      amountMicros: amount,
      status,
    }));
    const lines = payouts.map(
      ({ messageId, endToEndId, redemptionId, amountMicros, status }) =>
        `${status.padEnd(8)} ${messageId} ${endToEndId} ${amountMicros} micros, ${redemptionId}`,
    );
    const text = lines.length === 0 ? "Nothing was ordered yet." : lines.join("\n");
    io.stdout.write(flags.json === true ? `${toJson({ payouts }, 2)}\n` : `${text}\n`);
    return EXIT.ok;
  } finally {
    desk.database.close();
  }
}
