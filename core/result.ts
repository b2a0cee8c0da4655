/** What an operation that may be refused returns: expected refusals are values, bugs throw. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/** A success. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** A refusal. */
export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** The value of a result that our own code knows to be a success. @throws InvariantError otherwise. */
export function unwrap<T, E>(result: Result<T, E>): T {
  if (!result.ok) throw new InvariantError(`Invariant: result must be ok, was ${describe(result.error)}`);
  return result.value;
}

/** Our own code is wrong: stop, do not carry on. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Says a thing that must be true; stays on in production. @throws InvariantError with the positive rule. */
export function invariant(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new InvariantError(`Invariant: ${rule}`);
}

function describe(error: unknown): string {
  return (
    JSON.stringify(error, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value)) ??
    String(error)
  );
}
