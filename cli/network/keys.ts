/**
 * Secret keys: files that only their owner may read, made from the system's entropy, or from a seed for networks that
 * must come out the same each time. A seed or key never leaves this file but as a `Signer`.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fchmodSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { type Entropy, err, fromHex, ok, type Result, type Signer, seededEntropy, signerFromSeed, toHex } from "#core";

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
const KEY_DIGITS = /^[0-9a-f]{64}$/;
const SEED_BYTES = 64;
const SEED_DIGITS = /^[0-9a-f]{128}$/;

export const systemEntropy: Entropy = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** Where the keys of a new network come from. @param seed - Undefined for real networks. */
export function keySource(seed: string | undefined): (purpose: string) => Entropy {
  return (purpose) => (seed === undefined ? systemEntropy : seededEntropy(seed, `network ${purpose}`));
}

/** Makes a key and keeps it in a new file. @throws when the file exists. */
export function createKeyFile(file: string, entropy: Entropy): Signer {
  const seed = entropy.bytes(32);
  writeSecret(file, `${toHex(seed)}\n`);
  return signerFromSeed(seed);
}

/** Keeps a secret in a new file that only its owner may read. @throws when the file exists. */
export function writeSecret(file: string, text: string): void {
  const descriptor = openSync(file, "wx", OWNER_ONLY);
  try {
    fchmodSync(descriptor, OWNER_ONLY); // Whatever the umask says.
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What is wrong with a key file, and how to mend it; never what is in it. */
export type KeyProblem = { readonly problem: string; readonly mend: string };

/** Reads a key file. */
export function readKeyFile(file: string): Result<Signer, KeyProblem> {
  const seed = readSecret(file, KEY_DIGITS);
  return seed.ok ? ok(signerFromSeed(seed.value)) : seed;
}

/** Makes the secret from which an aggregator derives its keys for members, and keeps it in a new file. @throws when the file exists. */
export function createSeedFile(file: string, entropy: Entropy): Uint8Array {
  const seed = entropy.bytes(SEED_BYTES);
  writeSecret(file, `${toHex(seed)}\n`);
  return seed;
}

/** Reads the file of such a secret. */
export function readSeedFile(file: string): Result<Uint8Array, KeyProblem> {
  return readSecret(file, SEED_DIGITS);
}

function readSecret(file: string, digits: RegExp): Result<Uint8Array, KeyProblem> {
  let text: string;
  try {
    const { mode } = statSync(file);
    if ((mode & OTHERS) !== 0)
      return err({ problem: `others than its owner may read it (mode ${octal(mode)})`, mend: `chmod 600 ${file}` });
    text = readFileSync(file, "latin1").trim();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    return err({ problem: `can't be read (${code})`, mend: "restore it from a copy, and let its owner read it" });
  }
  if (!digits.test(text)) return err({ problem: "holds no key", mend: "restore it from a copy" });
  return ok(fromHex(text));
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8);
}
