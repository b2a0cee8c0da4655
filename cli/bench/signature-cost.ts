/** What one signature and one verification cost on this machine now: the yardstick of every ledger benchmark. */
import { isSignatureValid, newSigner } from "#core";
import { systemEntropy } from "../network/keys.ts";

/** Microseconds each, on one core. */
export type SignatureCost = { readonly signMicros: number; readonly verifyMicros: number };

const REPEATS = 400;

/** Measures for some tenths of a second; run it close to what it is compared with, for a busy machine changes. */
export function measureSignatureCost(nowMs: () => number): SignatureCost {
  const signer = newSigner(systemEntropy);
  const messages = Array.from({ length: REPEATS }, () => systemEntropy.bytes(32));
  const signing = nowMs();
  const signatures = messages.map((message) => signer.sign(message));
  const verifying = nowMs();
  const valid = messages.filter((message, index) =>
    isSignatureValid(signer.publicKey, message, signatures[index] ?? new Uint8Array()),
  );
  const end = nowMs();
  if (valid.length !== REPEATS) throw new Error("every signature that was made just now is valid");
  return {
    signMicros: ((verifying - signing) / REPEATS) * 1_000,
    verifyMicros: ((end - verifying) / REPEATS) * 1_000,
  };
}

/** The mean of some measurements. */
export function meanCost(costs: readonly SignatureCost[]): SignatureCost {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    signMicros: mean(costs.map(({ signMicros }) => signMicros)),
    verifyMicros: mean(costs.map(({ verifyMicros }) => verifyMicros)),
  };
}
