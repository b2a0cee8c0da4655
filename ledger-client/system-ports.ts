/** Clock, entropy and timers of the machine, for clients that are given no others. */
import { randomBytes } from "node:crypto";
import type { Clock, Entropy } from "#core";
import type { After } from "#ledger-api";

export type Ports = { readonly clock: Clock; readonly entropy: Entropy; readonly after: After };

export const systemPorts: Ports = {
  clock: { nowMs: () => Date.now() },
  entropy: { bytes: (length) => new Uint8Array(randomBytes(length)) },
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
