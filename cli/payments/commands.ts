/** The bodies of `dream payments file|verify|confirm|receive`. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Clock, isAcceptablePublicKey, localDayAt, parseLocalDay, sumMoney, toJson, zone } from "#core";
import {
  type BankEntry,
  confirmPayouts,
  type Evidence,
  fileFor,
  issueDeposits,
  messageOf,
  NOTIFICATION_MESSAGE,
  ORDER_MESSAGE,
  type PaymentFile,
  type PaymentPlan,
  paidByBank,
  paidByFile,
  planPayments,
  readNotification,
  readPaymentOrder,
  SIGNATURE_ENDING,
  schemaRefusal,
  verifyFile,
} from "#payments";
import { CommandFailure, EXIT, type ExitCode } from "../exit.ts";
import { writeWhole } from "../network/folder.ts";
import { atEdge, type Edge, type NodeFlags } from "./edge.ts";
import { ledgerText, mendOf, moneyText } from "./text.ts";

export type PaymentsIo = {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly clock: Clock;
};
type Json = { readonly json?: boolean };

/** `dream payments file`: orders what is owed of the bank. */
export async function file(
  flags: NodeFlags & Json & { readonly out: string; readonly day?: string; readonly again?: string },
  io: PaymentsIo,
): Promise<ExitCode> {
  const { out, day } = flags;
  if (existsSync(out))
    throw new CommandFailure(EXIT.badInput, `--out ${out}: is there already; choose another name, or take it away`);
  // What is ordered is kept before it is written: it must be possible to write it.
  if (statSync(dirname(out), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CommandFailure(EXIT.notFound, `--out ${out}: there is no folder ${dirname(out)}; make it first`);
  if (day !== undefined && !parseLocalDay(day).ok)
    throw new CommandFailure(EXIT.badInput, `--day ${day}: is no day; give one such as 2031-06-01`);
  return atEdge(flags, io.clock, async (edge) => {
    if (flags.again !== undefined) return writeAgain(flags.again, edge, flags, io);
    const plan = planPayments(await edge.client.states("redemption"), edge);
    tellHeld(plan, edge, io);
    const made = await fileFor(plan, partsOf(edge, io.clock, day));
    if (!made.ok && made.error.tag !== "nothing_to_pay")
      throw new CommandFailure(EXIT.error, `${out}: ${mendOf(made.error)}`);
    if (made.ok) write(made.value, out);
    tellFiled(made.ok ? made.value : null, plan, edge, { flags, io });
    return EXIT.ok;
  });
}

function partsOf(edge: Edge, clock: Clock, day: string | undefined): Parameters<typeof fileFor>[1] {
  const { networkId, currency, timeZone } = edge.parameters;
  const nowMs = clock.nowMs();
  return { ...edge, networkId, currency, nowMs, executionDay: day ?? localDayAt(zone(timeZone), nowMs) };
}

function write({ xml, signature }: PaymentFile, out: string): void {
  writeWhole(`${out}${SIGNATURE_ENDING}`, signature);
  writeWhole(out, xml);
}

function writeAgain(
  messageId: string,
  { payouts }: Edge,
  { out, json }: Json & { readonly out: string },
  io: PaymentsIo,
): ExitCode {
  const kept = payouts.fileOf(messageId);
  if (kept === undefined)
    throw new CommandFailure(EXIT.notFound, `--again ${messageId}: ${mendOf({ tag: "file_unknown" })}`);
  write(kept, out);
  io.stdout.write(json === true ? `${toJson({ messageId, file: out }, 2)}\n` : `${messageId} is in ${out} again.\n`);
  return EXIT.ok;
}

function tellHeld({ held }: PaymentPlan, { nameOf, parameters }: Edge, { stderr }: PaymentsIo): void {
  for (const { owner, redemptionId, account, amount, reason } of held)
    stderr.write(
      `dream: ${nameOf(owner)}: ${redemptionId} of ${moneyText(amount, parameters.currency)} to the account ${account} is held back: ${mendOf({ tag: reason })}\n`,
    );
}

function tellFiled(
  made: PaymentFile | null,
  { payouts, held }: PaymentPlan,
  { parameters, signer }: Edge,
  { flags, io }: { readonly flags: Json & { readonly out: string }; readonly io: PaymentsIo },
): void {
  const total = sumMoney(payouts.map(({ amount }) => amount));
  const report = {
    messageId: made?.messageId ?? null,
    file: made === null ? null : flags.out,
    key: signer.publicKey,
    payments: payouts.map(({ endToEndId, owner, redemptionId, amount }) => ({
      endToEndId,
      owner,
      redemptionId,
      amountMicros: amount,
    })),
    totalMicros: total,
    held: held.map(({ owner, redemptionId, account, amount, reason }) => ({
      owner,
      redemptionId,
      account,
      amountMicros: amount,
      reason,
    })),
  };
  const text =
    made === null
      ? "There is nothing to pay."
      : `${flags.out}: ${payouts.length} payments, ${moneyText(total, parameters.currency)}, as ${made.messageId}; signed in ${flags.out}${SIGNATURE_ENDING}.`;
  io.stdout.write(flags.json === true ? `${toJson(report, 2)}\n` : `${text}\n`);
}

/** `dream payments verify`: whether a payment file is as the provider signed it. */
export async function verify(path: string, flags: Json & { readonly key: string }, io: PaymentsIo): Promise<ExitCode> {
  const { key, json } = flags;
  if (!isAcceptablePublicKey(key))
    throw new CommandFailure(
      EXIT.badInput,
      `--key ${key}: is no public key; give the provider's, 64 hexadecimal digits`,
    );
  const bytes = read(path);
  const signature = new TextDecoder().decode(read(`${path}${SIGNATURE_ENDING}`));
  const xml = new TextDecoder().decode(bytes);
  const verified = verifyFile(bytes, signature, key);
  const refusal = verified.ok ? await schemaRefusal(xml, ORDER_MESSAGE) : { tag: verified.error };
  const order = readPaymentOrder(xml);
  if (refusal !== undefined || !order.ok) {
    const found = refusal ?? ({ tag: "message_malformed" } as const);
    if (json === true) io.stdout.write(`${toJson({ valid: false, refusal: found.tag }, 2)}\n`);
    io.stderr.write(`dream: ${path}: ${mendOf(found)}\n`);
    return EXIT.error;
  }
  const { messageId, payments } = order.value;
  const total = sumMoney(payments.map(({ amount }) => amount));
  io.stdout.write(
    json === true
      ? `${toJson({ valid: true, messageId, key, payments: payments.length, totalMicros: total }, 2)}\n`
      : `${path}: ${messageId} is as it was signed: ${payments.length} payments, ${moneyText(total, payments[0]?.currency ?? "")}.\n`,
  );
  return EXIT.ok;
}

/** `dream payments confirm`: closes on the ledger what the bank has paid. */
export async function confirm(path: string, flags: NodeFlags & Json, io: PaymentsIo): Promise<ExitCode> {
  const xml = new TextDecoder().decode(read(path));
  const message = await checked(path, xml);
  return atEdge(flags, io.clock, async (edge) => {
    const { paid, doubts } = message === ORDER_MESSAGE ? byFile(path, xml, edge) : byBank(path, xml, edge);
    const nowMs = io.clock.nowMs();
    const { receiversFor } = edge.accounts;
    const done = await confirmPayouts(paid, { ...edge, node: edge.client, receiversFor, nowMs });
    const problems = [
      ...doubts.map(({ what, refusal }) => ({ what, code: refusal.tag, text: mendOf(refusal) })),
      ...done.refused.map(({ payout, refusal }) => ({
        what: payout.endToEndId,
        code: refusal.tag,
        text: ledgerText(refusal),
      })),
    ];
    const report = {
      confirmed: done.confirmed.map(({ endToEndId }) => endToEndId),
      repeated: done.repeated.map(({ endToEndId }) => endToEndId),
      problems: problems.map(({ what, code }) => ({ what, code })),
    };
    const total = moneyText(sumMoney(done.confirmed.map(({ amount }) => amount)), edge.parameters.currency);
    io.stdout.write(
      flags.json === true
        ? `${toJson(report, 2)}\n`
        : `${path}: ${done.confirmed.length} payments confirmed, ${total}; ${done.repeated.length} were before.\n`,
    );
    for (const { what, text } of problems) io.stderr.write(`dream: ${what}: ${text}\n`);
    return problems.length === 0 ? EXIT.ok : EXIT.error;
  });
}

/** The operator says that the bank has carried out a whole file: it must be, byte for byte, the one that was made. */
function byFile(path: string, xml: string, { payouts }: Edge): Evidence {
  const order = readPaymentOrder(xml);
  if (!order.ok) throw new CommandFailure(EXIT.badInput, `${path}: ${mendOf({ tag: order.error })}`);
  const kept = payouts.fileOf(order.value.messageId);
  if (kept !== undefined && kept.xml !== xml)
    throw new CommandFailure(EXIT.error, `${path}: ${mendOf({ tag: "file_altered" })}`);
  return paidByFile(order.value, payouts);
}

function byBank(path: string, xml: string, edge: Edge): Evidence {
  return paidByBank(entriesIn(path, xml, edge), edge.parameters.currency, edge.payouts);
}

/** Entries of the provider's own account. */
function entriesIn(path: string, xml: string, { accounts }: Edge): readonly BankEntry[] {
  const read = readNotification(xml);
  if (!read.ok) throw new CommandFailure(EXIT.badInput, `${path}: ${mendOf({ tag: read.error })}`);
  const own = read.value.filter(({ iban }) => iban === accounts.provider.iban);
  if (own.length === 0)
    throw new CommandFailure(
      EXIT.badInput,
      `${path}: is of another account than ${accounts.provider.iban}; give a notification of the provider's own`,
    );
  return own.flatMap(({ entries }) => entries);
}

/** `dream payments receive`: issues on the ledger what members paid in. */
export async function receive(path: string, flags: NodeFlags & Json, io: PaymentsIo): Promise<ExitCode> {
  const xml = new TextDecoder().decode(read(path));
  const message = await checked(path, xml);
  if (message !== NOTIFICATION_MESSAGE)
    throw new CommandFailure(EXIT.badInput, `${path}: is a ${message}; give a ${NOTIFICATION_MESSAGE}`);
  return atEdge(flags, io.clock, async (edge) => {
    const { depositorOf, receiversFor } = edge.accounts;
    const done = await issueDeposits(entriesIn(path, xml, edge), {
      ...edge,
      node: edge.client,
      currency: edge.parameters.currency,
      depositorOf,
      receiversFor,
      nowMs: io.clock.nowMs(),
    });
    const problems = [
      ...done.doubts.map(({ entry, refusal }) => ({
        what: entry.bankReference ?? "an entry",
        code: refusal.tag,
        text: mendOf(refusal),
      })),
      ...done.refused.map(({ deposit, refusal }) => ({
        what: deposit.bankReference,
        code: refusal.tag,
        text: ledgerText(refusal),
      })),
    ];
    const told = ({ bankReference, owner, amount }: (typeof done.issued)[number]) => ({
      bankReference,
      owner,
      amountMicros: amount,
    });
    const report = {
      issued: done.issued.map(told),
      repeated: done.repeated.map(told),
      returned: done.returned.map(({ endToEndId }) => endToEndId),
      problems: problems.map(({ what, code }) => ({ what, code })),
    };
    const total = moneyText(sumMoney(done.issued.map(({ amount }) => amount)), edge.parameters.currency);
    io.stdout.write(
      flags.json === true
        ? `${toJson(report, 2)}\n`
        : `${path}: ${done.issued.length} deposits issued, ${total}; ${done.repeated.length} were before; ${done.returned.length} payments came back.\n`,
    );
    for (const { what, text } of problems) io.stderr.write(`dream: ${what}: ${text}\n`);
    return problems.length === 0 ? EXIT.ok : EXIT.error;
  });
}

/** The kind of a message that its schema holds. */
async function checked(path: string, xml: string): Promise<NonNullable<ReturnType<typeof messageOf>>> {
  const message = messageOf(xml);
  const refusal = message === undefined ? ({ tag: "message_malformed" } as const) : await schemaRefusal(xml, message);
  if (message === undefined || refusal !== undefined)
    throw new CommandFailure(EXIT.badInput, `${path}: ${mendOf(refusal ?? { tag: "message_malformed" })}`);
  return message;
}

function read(path: string): Uint8Array {
  if (!existsSync(path)) throw new CommandFailure(EXIT.notFound, `${path}: there is no such file`);
  return new Uint8Array(readFileSync(path));
}
