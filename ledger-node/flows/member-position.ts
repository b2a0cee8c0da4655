/**
 * A member's newest exposure for a day and its exposure index: the party's own from the vault, those of others proved by their
 * node or, so that nobody can hold up the others by being silent, by the grid authority.
 */
import type { Exposure, ExposureIndex, LedgerRefusal, PeerReply } from "#contracts";
import { err, type LocalDay, ok, type PublicKey, type Result } from "#core";
import { type FlowContext, network } from "../flow-context.ts";
import type { VaultState } from "../vault.ts";

export type Position = {
  readonly exposure: VaultState<"exposure"> | undefined;
  readonly index: VaultState<"exposure-index"> | undefined;
};

/**
 * What a peer proves may be old, which the notary finds out; what is not the member's is refused here.
 * @param isWitnessFirst - Asks the grid authority first: for flows that one member's old proof would spoil for many.
 */
export async function positionOf(
  context: FlowContext,
  member: PublicKey,
  day: LocalDay,
  isWitnessFirst = false,
): Promise<Result<Position, LedgerRefusal>> {
  let result: Result<Position, LedgerRefusal> = err({ tag: "dependency_unknown" });
  for (const source of sourcesFor(context, member, isWitnessFirst)) {
    result = source === context.party ? known(context, member, day) : await proved(context, source, member, day);
    if (result.ok) return result;
  }
  return result;
}

/** Whom to ask about a member, one after the other: itself, and the grid authority, which keeps what concerns others too. */
export function sourcesFor(context: FlowContext, member: PublicKey, isWitnessFirst = false): readonly PublicKey[] {
  const { gridAuthority } = network(context);
  if (member === context.party || member === gridAuthority) return [member];
  return isWitnessFirst || context.avoid.has(member) ? [gridAuthority, member] : [member, gridAuthority];
}

function known(context: FlowContext, member: PublicKey, day: LocalDay): Result<Position, LedgerRefusal> {
  const { exposure, index } = context.vault.positionOf(member, day);
  return exposure === undefined && index === undefined ? err({ tag: "dependency_unknown" }) : ok({ exposure, index });
}

function isOf(state: Exposure | ExposureIndex, member: PublicKey): boolean {
  return state.member === member;
}

async function proved(
  context: FlowContext,
  source: PublicKey,
  member: PublicKey,
  day: LocalDay,
): Promise<Result<Position, LedgerRefusal>> {
  const reply = await context.ask(source, { tag: "position", member, day });
  if (reply.tag !== "position") return err(reply.tag === "refused" ? reply.refusal : { tag: "node_unreachable" });
  const exposure = learnAs(context, reply, "exposure", (state) => isOf(state, member) && state.day === day);
  const index = learnAs(context, reply, "index", (state) => isOf(state, member));
  return exposure.ok && index.ok && (exposure.value ?? index.value) !== undefined
    ? ok({ exposure: exposure.value, index: index.value })
    : err({ tag: "dependency_unknown" });
}

const TAGS = { exposure: "exposure", index: "exposure-index" } as const;

function learnAs<K extends keyof typeof TAGS>(
  context: FlowContext,
  reply: Extract<PeerReply, { readonly tag: "position" }>,
  part: K,
  isWanted: (state: VaultState<(typeof TAGS)[K]>["state"]) => boolean,
): Result<VaultState<(typeof TAGS)[K]> | undefined, null> {
  const proof = reply[part];
  if (proof === null) return ok(undefined);
  const learned = context.learn(proof);
  const isOfKind = (resolved: typeof learned): resolved is typeof resolved & VaultState<(typeof TAGS)[K]> =>
    resolved?.state.tag === TAGS[part];
  return isOfKind(learned) && isWanted(learned.state) ? ok(learned) : err(null);
}
