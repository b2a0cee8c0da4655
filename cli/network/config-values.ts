/** Values that occur in several configuration files. Messages read "what is wrong; how to mend it". */
import { z } from "zod";
import { isAcceptablePublicKey, type PublicKey, parseZone, publicKey } from "#core";

/** Names of members are names of folders too. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
export const memberName: z.ZodType<string> = z
  .string()
  .regex(NAME, "is no name for a member; use 1 to 40 small letters, digits and hyphens");

/** A whole number as a bigint; large ones may be written as text of digits. */
export function wholeNumber(min: bigint, max: bigint = 10n ** 15n): z.ZodType<bigint> {
  return z
    .union([z.int(), z.string().regex(/^-?\d{1,16}$/)], "is no whole number; write digits only")
    .transform((value) => BigInt(value))
    .refine((value) => value >= min && value <= max, `is out of range; give a whole number from ${min} to ${max}`);
}

export const timeZone: z.ZodType<string> = z
  .string()
  .refine((name) => parseZone(name).ok, "is no time zone; give an IANA name such as Europe/Madrid");

export const publicKeyText: z.ZodType<PublicKey> = z
  .string()
  .refine(isAcceptablePublicKey, "is no public key; give 64 hexadecimal digits")
  .transform((hex) => publicKey(hex));

export const host: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9.:-]{1,253}$/, "is no host; give a name or an address, without scheme and port");
export const port: z.ZodType<number> = z.int().min(1).max(65_535, "is no port; give a number from 1 to 65535");

/** Five or six fields; what stands in them is checked by the scheduler. */
export const cronExpression: z.ZodType<string> = z
  .string()
  .regex(/^\S+(?: \S+){4,5}$/, "is no cron expression; write five fields, such as */15 * * * *");
