/** A bank for tests: says what it has booked, as ISO 20022 debit and credit notifications (camt.054.001.02). */

/** Amounts as decimal text; what is left out of an entry is left out of the message. */
export type Booking = {
  readonly direction: "CRDT" | "DBIT";
  readonly amount: string;
  readonly currency?: string;
  readonly status?: "BOOK" | "PDNG";
  readonly isReversal?: boolean;
  readonly reference?: string;
  /** The payment file of a batch that is booked as one. */
  readonly batchMessageId?: string;
  /** Single payments in the entry. */
  readonly details?: readonly {
    readonly amount?: string;
    readonly reference?: string;
    readonly endToEndId?: string;
    readonly remittance?: string;
  }[];
};

/** The notification, as text. */
export function bankNotification(iban: string, bookings: readonly Booking[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02"><BkToCstmrDbtCdtNtfctn>',
    "<GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2031-06-02T08:00:00</CreDtTm></GrpHdr>",
    "<Ntfctn><Id>BANK-1-1</Id><CreDtTm>2031-06-02T08:00:00</CreDtTm>",
    `<Acct><Id><IBAN>${iban}</IBAN></Id></Acct>`,
    ...bookings.map(entryXml),
    "</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>",
    "",
  ].join("\n");
}

function entryXml(booking: Booking): string {
  const { direction, amount, currency = "EUR", status = "BOOK", isReversal, reference, batchMessageId } = booking;
  return [
    "<Ntry>",
    `<Amt Ccy="${currency}">${amount}</Amt><CdtDbtInd>${direction}</CdtDbtInd>`,
    optional("RvslInd", isReversal === true ? "true" : undefined),
    `<Sts>${status}</Sts>`,
    optional("AcctSvcrRef", reference),
    "<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd>",
    "<NtryDtls>",
    batchMessageId === undefined ? "" : `<Btch><MsgId>${batchMessageId}</MsgId></Btch>`,
    ...(booking.details ?? []).map((detail) => detailXml(detail, currency)),
    "</NtryDtls></Ntry>",
  ].join("");
}

function detailXml(
  { amount, reference, endToEndId, remittance }: NonNullable<Booking["details"]>[number],
  currency: string,
): string {
  return [
    "<TxDtls>",
    `<Refs>${optional("AcctSvcrRef", reference)}${optional("EndToEndId", endToEndId)}</Refs>`,
    amount === undefined ? "" : `<AmtDtls><TxAmt><Amt Ccy="${currency}">${amount}</Amt></TxAmt></AmtDtls>`,
    remittance === undefined ? "" : `<RmtInf><Ustrd>${remittance}</Ustrd></RmtInf>`,
    "</TxDtls>",
  ].join("");
}

function optional(name: string, text: string | undefined): string {
  return text === undefined ? "" : `<${name}>${text}</${name}>`;
}
