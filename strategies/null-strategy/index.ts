/** Does nothing: the yardstick of what feed-in and retail prices alone come to. */
import { z } from "zod";
import { defineStrategy, type Strategy } from "../strategy.ts";

export type NullConfig = Record<string, never>;
export type NullMemory = Record<string, never>;

export const nullStrategy: Strategy<NullConfig, NullMemory> = defineStrategy({
  name: "null-strategy",
  description: "Does nothing: the yardstick of what feed-in and retail prices alone come to.",
  config: z.strictObject({}),
  warmup: { days: 0 },
  initialMemory: () => ({}),
});
