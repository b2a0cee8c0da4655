/** `payments.yaml` in the folder of the payment provider: bank accounts, references of deposits, receivers of webhooks. */
import { z } from "zod";
import { ACCOUNT_LENGTH_MAX } from "#contracts";
import type { PublicKey, Result } from "#core";
import { type AccountDirectory, type BankAccount, compactIban, isBic, isIban } from "#payments";
import { memberName } from "../network/config-values.ts";
import { type ConfigProblem, type Finding, parseYaml } from "../network/yaml-config.ts";

export type MemberAccounts = {
  readonly member: string;
  /** What the member writes when it pays in. */
  readonly depositReference?: string | undefined;
  readonly accounts: readonly (BankAccount & { readonly account: string })[];
};
export type WebhookReceiver = {
  readonly url: string;
  /** Relative to the file. */
  readonly secretFile: string;
  /** Is told of this member alone; of all, where none is named. */
  readonly member?: string | undefined;
};
export type AccountsFile = {
  readonly provider: BankAccount;
  readonly members: readonly MemberAccounts[];
  readonly webhooks: readonly WebhookReceiver[];
};

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const bankAccount = {
  name: z
    .string()
    .min(1, "is empty; give the name of the account's holder")
    .max(70, "is too long; give up to 70 characters"),
  iban: z
    .string()
    .transform(compactIban)
    .refine(isIban, "is no IBAN, its length or check digits are wrong; correct it by a statement of the account"),
  bic: z.string().refine(isBic, "is no BIC; give 8 or 11 characters, or leave it out").nullable().default(null),
};
const reference = z
  .string()
  .regex(
    /^[A-Za-z0-9/?:().,'+ -]{1,35}$/,
    "is no reference; use up to 35 letters, digits and signs that banks hand on",
  );
const webhookUrl = z
  .url("is no address; give one such as https://example.org/hooks")
  .refine(isAllowedUrl, "is not encrypted; use https, or http on this machine only");

function isAllowedUrl(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.includes(hostname));
}

const schema = z.strictObject({
  provider: z.strictObject(bankAccount),
  members: z
    .array(
      z.strictObject({
        member: memberName,
        depositReference: reference.optional(),
        accounts: z
          .array(z.strictObject({ account: z.string().min(1).max(ACCOUNT_LENGTH_MAX).default("main"), ...bankAccount }))
          .max(20)
          .default([]),
      }),
    )
    .max(100_000)
    .default([]),
  webhooks: z
    .array(
      z.strictObject({
        url: webhookUrl,
        secretFile: z.string().min(1).max(4_096),
        member: memberName.optional(),
      }),
    )
    .max(10_000)
    .default([]),
});

export function parseAccountsFile(file: string, text: string): Result<AccountsFile, readonly ConfigProblem[]> {
  return parseYaml<AccountsFile>(file, text, {
    schema: schema as z.ZodType<AccountsFile>,
    section: "Payments",
    check: ({ members, webhooks }) => [
      ...repeats(
        members.map(({ member }) => member),
        (index) => ["members", index, "member"],
        "stands twice",
      ),
      ...repeats(
        members.map(({ depositReference }) => depositReference),
        (index) => ["members", index, "depositReference"],
        "is another member's too",
      ),
      ...members.flatMap(({ accounts }, member) =>
        repeats(
          accounts.map(({ account }) => account),
          (index) => ["members", member, "accounts", index, "account"],
          "stands twice",
        ),
      ),
      ...repeats(
        webhooks.map(({ url }) => url),
        (index) => ["webhooks", index, "url"],
        "stands twice",
      ),
    ],
  });
}

function repeats(
  names: readonly (string | undefined)[],
  pathOf: (index: number) => Finding["path"],
  problem: string,
): readonly Finding[] {
  return names.flatMap((name, index) =>
    name !== undefined && names.indexOf(name) < index
      ? [{ path: pathOf(index), problem, mend: "keep one of them" }]
      : [],
  );
}

/** The file as the payments room asks it, by the members' keys. */
export function accountDirectory(
  { provider, members, webhooks }: AccountsFile,
  nameOf: (key: PublicKey) => string | undefined,
  keyOf: (name: string) => PublicKey | undefined,
): AccountDirectory {
  return {
    provider,
    accountOf: (owner, account) =>
      members.find(({ member }) => member === nameOf(owner))?.accounts.find((each) => each.account === account),
    depositorOf: (text) => {
      const found = members.find(({ depositReference }) => depositReference === text);
      return found === undefined ? undefined : keyOf(found.member);
    },
    receiversFor: (member) =>
      webhooks
        .filter((receiver) => receiver.member === undefined || receiver.member === nameOf(member))
        .map(({ url }) => url),
  };
}
