/** The payment file: an ISO 20022 customer credit transfer initiation (pain.001.001.03), written and read. */
import { create } from "xmlbuilder2";
import { err, type Micros, ok, type Result, sumMoney } from "#core";
import { centsText, parseAmount } from "./amounts.ts";
import { parseXml, type XmlElement } from "./xml.ts";
import { namespaceOf } from "./xml-schema.ts";

export type BankAccount = { readonly name: string; readonly iban: string; readonly bic: string | null };
export type CreditTransfer = {
  readonly endToEndId: string;
  readonly amount: Micros;
  readonly creditor: BankAccount;
};
export type PaymentOrder = {
  readonly messageId: string;
  readonly createdMs: number;
  /** When the bank is to pay: a day such as `2031-06-01`. */
  readonly executionDay: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly debtor: BankAccount;
  readonly transfers: readonly CreditTransfer[];
};

export const ORDER_MESSAGE = "pain.001.001.03";
const NAME_MAX = 70;
const REMITTANCE = "DREAM redemption";

/** The order as XML; the same order gives the same bytes. */
export function writePaymentOrder(order: PaymentOrder): string {
  const { messageId, createdMs, currency, debtor, transfers } = order;
  const totals = {
    NbOfTxs: String(transfers.length),
    CtrlSum: centsText(sumMoney(transfers.map(({ amount }) => amount))),
  };
  const isEuro = currency === "EUR";
  return create(
    { version: "1.0", encoding: "UTF-8" },
    {
      Document: {
        "@xmlns": namespaceOf(ORDER_MESSAGE),
        CstmrCdtTrfInitn: {
          GrpHdr: {
            MsgId: messageId,
            CreDtTm: new Date(createdMs).toISOString().slice(0, 19),
            ...totals,
            InitgPty: { Nm: bankText(debtor.name) },
          },
          PmtInf: {
            PmtInfId: messageId,
            PmtMtd: "TRF",
            ...totals,
            ...(isEuro ? { PmtTpInf: { SvcLvl: { Cd: "SEPA" } } } : {}),
            ReqdExctnDt: order.executionDay,
            Dbtr: { Nm: bankText(debtor.name) },
            DbtrAcct: { Id: { IBAN: debtor.iban }, Ccy: currency },
            DbtrAgt: { FinInstnId: debtor.bic === null ? { Othr: { Id: "NOTPROVIDED" } } : { BIC: debtor.bic } },
            ...(isEuro ? { ChrgBr: "SLEV" } : {}),
            CdtTrfTxInf: transfers.map((transfer) => transferXml(transfer, currency)),
          },
        },
      },
    },
  ).end({ prettyPrint: true });
}

function transferXml({ endToEndId, amount, creditor }: CreditTransfer, currency: string): object {
  return {
    PmtId: { EndToEndId: endToEndId },
    Amt: { InstdAmt: { "@Ccy": currency, "#": centsText(amount) } },
    ...(creditor.bic === null ? {} : { CdtrAgt: { FinInstnId: { BIC: creditor.bic } } }),
    Cdtr: { Nm: bankText(creditor.name) },
    CdtrAcct: { Id: { IBAN: creditor.iban } },
    RmtInf: { Ustrd: `${REMITTANCE} ${endToEndId}` },
  };
}

/** Text in the characters that all banks of the euro area hand on; marks over letters are left out. */
export function bankText(text: string): string {
  const plain = text.replaceAll("ß", "ss").normalize("NFKD").replaceAll(/\p{M}/gu, "");
  return plain.replaceAll(/[^A-Za-z0-9/?:().,'+ -]/g, ".").slice(0, NAME_MAX);
}

export type OrderedPayment = { readonly endToEndId: string; readonly amount: Micros; readonly currency: string };
export type ReadPaymentOrder = { readonly messageId: string; readonly payments: readonly OrderedPayment[] };

/** Reads what a file orders, whoever wrote it. */
export function readPaymentOrder(xml: string): Result<ReadPaymentOrder, "message_malformed"> {
  const root = parseXml(xml);
  const initiation = root.ok ? root.value.first("Document", "CstmrCdtTrfInitn") : undefined;
  const messageId = initiation?.text("GrpHdr", "MsgId");
  if (initiation === undefined || messageId === undefined) return err("message_malformed");
  const transfers = initiation.all("PmtInf").flatMap((information) => information.all("CdtTrfTxInf"));
  const payments = transfers.map(orderedPayment);
  return payments.every((payment) => payment !== undefined) ? ok({ messageId, payments }) : err("message_malformed");
}

function orderedPayment(transfer: XmlElement): OrderedPayment | undefined {
  const endToEndId = transfer.text("PmtId", "EndToEndId");
  const instructed = transfer.first("Amt", "InstdAmt");
  const amount = parseAmount(instructed?.text() ?? "");
  const currency = instructed?.attribute("Ccy");
  if (endToEndId === undefined || currency === undefined || !amount.ok) return undefined;
  return { endToEndId, amount: amount.value, currency };
}
