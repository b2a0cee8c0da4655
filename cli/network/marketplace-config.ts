/** How a marketplace runs its pools: the same in the members file and in the configuration of its node. */
import { z } from "zod";
import { TRADING_METHODS } from "#marketplace";
import { cronExpression } from "./config-values.ts";

export type MarketplaceEntry = {
  /** Name of a trading method. */
  readonly method: string;
  /** When rounds of all open pools run, by the network's clock. */
  readonly roundsCron: string;
  /** A slot's final round runs this long before its gate. */
  readonly finalRoundLeadSeconds: number;
};

const METHODS = TRADING_METHODS.map(({ name }) => name);

export const marketplaceSchema: z.ZodType<MarketplaceEntry> = z.strictObject({
  method: z.enum(METHODS, `is no trading method; use ${METHODS.join(" or ")}`).default("pay-as-clear"),
  roundsCron: cronExpression.default("*/15 * * * *"),
  finalRoundLeadSeconds: z.int().min(0).max(86_400).default(600),
});
