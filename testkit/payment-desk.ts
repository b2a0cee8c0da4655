/** A payment provider's desk over a small network: its accounts, its journal, and what an operator does there. */
import { type PublicKey, unwrap } from "#core";
import {
  type AccountDirectory,
  type BankAccount,
  type Confirmed,
  type Credited,
  centsText,
  confirmPayouts,
  fileFor,
  issueDeposits,
  Outbox,
  openPaymentDatabase,
  type PaymentDatabase,
  type PaymentFile,
  type PaymentPlan,
  Payouts,
  paidByBank,
  planPayments,
  Receipts,
  readNotification,
  readPaymentOrder,
} from "#payments";
import { type Booking, bankNotification } from "./bank.ts";
import type { SmallNetwork } from "./small-network.ts";

export const PROVIDER_ACCOUNT: BankAccount = {
  name: "Village payments",
  iban: "DE89370400440532013000",
  bic: "COBADEFFXXX",
};
const MEMBERS_IBAN = "FR1420041010050500013M02606";

export class PaymentDesk {
  readonly database: PaymentDatabase = openPaymentDatabase(":memory:");
  readonly payouts: Payouts = new Payouts(this.database);
  readonly receipts: Receipts = new Receipts(this.database);
  readonly outbox: Outbox = new Outbox(this.database);
  readonly accounts: AccountDirectory;
  readonly #small: SmallNetwork;

  /** @param members - Each has the account `main`, and is told of what concerns it; it pays in with its name in capitals. */
  constructor(small: SmallNetwork, members: readonly string[]) {
    this.#small = small;
    const nameOf = (key: PublicKey): string | undefined => members.find((name) => small.key(name) === key);
    this.accounts = {
      provider: PROVIDER_ACCOUNT,
      accountOf: (owner, account) => {
        const name = nameOf(owner);
        return name === undefined || account !== "main" ? undefined : { name, iban: MEMBERS_IBAN, bic: null };
      },
      depositorOf: (reference) => {
        const name = members.find((each) => each.toUpperCase() === reference);
        return name === undefined ? undefined : small.key(name);
      },
      receiversFor: (member) => [`https://${nameOf(member)}.example/hooks`],
    };
  }

  async plan(): Promise<PaymentPlan> {
    return planPayments(await this.#small.node("payment-provider").states("redemption"), this);
  }

  /** Orders what is owed. */
  async file(plan?: PaymentPlan): ReturnType<typeof fileFor> {
    return fileFor(plan ?? (await this.plan()), {
      accounts: this.accounts,
      payouts: this.payouts,
      networkId: this.#small.ledger.networkId,
      currency: "EUR",
      signer: this.#small.signer("payment-provider"),
      nowMs: this.#small.clock.nowMs(),
      executionDay: "2031-06-02",
    });
  }

  /** The bank books each payment of a file by itself. */
  bookingsOf({ xml }: PaymentFile): readonly Booking[] {
    return unwrap(readPaymentOrder(xml)).payments.map(({ endToEndId, amount }) => ({
      direction: "DBIT",
      amount: centsText(amount),
      reference: `debit of ${endToEndId.slice(0, 8)}`,
      details: [{ endToEndId }],
    }));
  }

  /** Closes what the bank says that it has paid. */
  async confirm(bookings: readonly Booking[]): Promise<Confirmed & Pick<ReturnType<typeof paidByBank>, "doubts">> {
    const { paid, doubts } = paidByBank(this.#entries(bookings), "EUR", this.payouts);
    return { ...(await confirmPayouts(paid, this.#parts())), doubts };
  }

  /** Issues what the bank says that it has received. */
  receive(bookings: readonly Booking[]): Promise<Credited> {
    const { depositorOf } = this.accounts;
    return issueDeposits(this.#entries(bookings), {
      ...this.#parts(),
      receipts: this.receipts,
      currency: "EUR",
      depositorOf,
    });
  }

  close(): void {
    this.database.close();
  }

  #entries(bookings: readonly Booking[]): Parameters<typeof paidByBank>[0] {
    return unwrap(readNotification(bankNotification(PROVIDER_ACCOUNT.iban, bookings))).flatMap(
      ({ entries }) => entries,
    );
  }

  #parts(): Parameters<typeof confirmPayouts>[1] {
    const { database, payouts, outbox, accounts } = this;
    const node = this.#small.node("payment-provider");
    return {
      database,
      payouts,
      outbox,
      node,
      receiversFor: accounts.receiversFor,
      nowMs: this.#small.clock.nowMs(),
    };
  }
}
