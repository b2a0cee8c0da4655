/** Objects and tagged unions, checked against the types that they stand for: a field or a tag without a schema is a type error. */
import { z } from "zod";
import type { Schema } from "./scalars.ts";

/** A schema for every field. */
export type FieldSchemas<T> = { readonly [K in keyof T]-?: Schema<Exclude<T[K], undefined>> | Schema<T[K]> };
type Tagged = { readonly tag: string };
/** The fields of each kind, without its tag and those that all kinds share. */
type FieldsOf<U extends Tagged, S extends string> = {
  readonly [K in U["tag"]]: FieldSchemas<Omit<Extract<U, { readonly tag: K }>, "tag" | S>>;
};

/** An object with these fields and no others. */
export function recordSchema<T>(fields: FieldSchemas<T>): Schema<T> {
  return z.strictObject(shapeOf(fields), { error: OBJECT_MEND }) as unknown as Schema<T>;
}

/** One of several objects, told apart by their `tag`; `shared` fields stand in each. */
export function taggedSchema<U extends Tagged, S extends string = never>(
  variants: FieldsOf<U, S>,
  shared?: Readonly<Record<S, Schema<string>>>,
): Schema<U> {
  const tags = Object.keys(variants);
  const options = Object.entries(variants).map(([tag, fields]) =>
    z.strictObject(
      { tag: z.literal(tag), ...shared, ...shapeOf(fields as FieldSchemas<unknown>) },
      { error: OBJECT_MEND },
    ),
  );
  const [first, ...rest] = options;
  if (first === undefined) return z.never() as unknown as Schema<U>;
  return z.discriminatedUnion("tag", [first, ...rest], {
    error: ({ input }) => (isObject(input) ? `give one of ${tags.join(", ")}` : "give an object"),
  }) as unknown as Schema<U>;
}

const OBJECT_MEND = (issue: { readonly code?: string }): string =>
  issue.code === "unrecognized_keys" ? "remove it: there is no such field" : "give an object";

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shapeOf<T>(fields: FieldSchemas<T>): Record<string, z.ZodType> {
  return { ...(fields as unknown as Record<string, z.ZodType>) };
}
