/** What a chaos run has done and found. */
import type { Outcome } from "./clients.ts";

export type Check = { readonly name: string; readonly compared: number; readonly problems: readonly string[] };

export type ChaosReport = {
  readonly seed: string;
  readonly seconds: number;
  readonly nodes: number;
  readonly kills: Readonly<Record<string, number>>;
  readonly wholeStops: number;
  readonly pauses: number;
  readonly storesFilled: number;
  readonly wireFaults: Readonly<Record<string, number>>;
  readonly outcomes: readonly Outcome[];
  readonly transactions: number;
  readonly checks: readonly Check[];
  /** Where stores and logs are kept; undefined when all went well. */
  readonly folder: string | undefined;
};
