/** What the bank booked on the provider's account: an ISO 20022 debit and credit notification (camt.054.001.02), read. */
import { err, type Micros, ok, type Result } from "#core";
import { parseAmount } from "./amounts.ts";
import { parseXml, XmlElement } from "./xml.ts";

export const NOTIFICATION_MESSAGE = "camt.054.001.02";

/** One payment that was booked; of a batch that the bank booked as one, the whole batch. */
export type BankEntry = {
  readonly direction: "credit" | "debit";
  readonly amount: Micros;
  readonly currency: string;
  /** The bank's own name of the payment: the same however often it tells of it. Null where it gives none. */
  readonly bankReference: string | null;
  readonly endToEndId: string | null;
  /** The payment file of a batch that was booked as one. */
  readonly messageId: string | null;
  /** What the payer wrote. */
  readonly remittance: readonly string[];
};
export type BankNotification = { readonly iban: string; readonly entries: readonly BankEntry[] };

/** Reads the entries that are booked and not taken back; what is pending or for information is left out. */
export function readNotification(xml: string): Result<readonly BankNotification[], "message_malformed"> {
  const root = parseXml(xml);
  const notifications = root.ok ? (root.value.first("Document", "BkToCstmrDbtCdtNtfctn")?.all("Ntfctn") ?? []) : [];
  if (notifications.length === 0) return err("message_malformed");
  const read: BankNotification[] = [];
  for (const notification of notifications) {
    const iban = notification.text("Acct", "Id", "IBAN");
    const booked = notification.all("Ntry").filter(isBooked).map(entriesOf);
    if (iban === undefined || booked.some((entries) => entries === undefined)) return err("message_malformed");
    read.push({ iban, entries: booked.flatMap((entries) => entries ?? []) });
  }
  return ok(read);
}

function isBooked(entry: XmlElement): boolean {
  return entry.text("Sts") === "BOOK" && !["true", "1"].includes(entry.text("RvslInd") ?? "");
}

function entriesOf(entry: XmlElement): readonly BankEntry[] | undefined {
  const details = entry.all("NtryDtls").flatMap((each) => each.all("TxDtls"));
  const batch = entry.first("NtryDtls", "Btch");
  if (details.length === 0) return wholeEntry(entry, new XmlElement({}), batch?.text("MsgId") ?? null);
  const [only] = details;
  if (details.length === 1 && only !== undefined) return wholeEntry(entry, only, null);
  const entries = details.map((detail, index) => {
    const paid = detail.first("AmtDtls", "TxAmt", "Amt") ?? detail.first("AmtDtls", "InstdAmt", "Amt");
    const reference = detail.text("Refs", "AcctSvcrRef") ?? numbered(entry.text("AcctSvcrRef"), index);
    return paid === undefined ? undefined : bankEntry(entry, detail, paid, reference, null);
  });
  return entries.every((each) => each !== undefined) ? entries : undefined;
}

function wholeEntry(entry: XmlElement, detail: XmlElement, messageId: string | null): readonly BankEntry[] | undefined {
  const paid = entry.first("Amt");
  const reference = detail.text("Refs", "AcctSvcrRef") ?? entry.text("AcctSvcrRef") ?? null;
  const read = paid === undefined ? undefined : bankEntry(entry, detail, paid, reference, messageId);
  return read === undefined ? undefined : [read];
}

/** The bank's name of an entry names each payment in it by its place. */
function numbered(reference: string | undefined, index: number): string | null {
  return reference === undefined ? null : `${reference}/${index}`;
}

function bankEntry(
  entry: XmlElement,
  detail: XmlElement,
  paid: XmlElement,
  bankReference: string | null,
  messageId: string | null,
): BankEntry | undefined {
  const amount = parseAmount(paid.text() ?? "");
  const currency = paid.attribute("Ccy");
  if (!amount.ok || currency === undefined) return undefined;
  const remittance = detail.first("RmtInf");
  return {
    direction: entry.text("CdtDbtInd") === "CRDT" ? "credit" : "debit",
    amount: amount.value,
    currency,
    bankReference,
    endToEndId: detail.text("Refs", "EndToEndId") ?? null,
    messageId,
    remittance: [
      ...(remittance?.all("Ustrd") ?? []).flatMap((each) => each.text() ?? []),
      ...(remittance?.all("Strd") ?? []).flatMap((each) => each.text("CdtrRefInf", "Ref") ?? []),
    ],
  };
}
