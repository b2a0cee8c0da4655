/** A member's newest exposure for a day and its exposure index: the party's own from the vault, those of others proved by their node. */
import type { Dependency, Exposure, ExposureIndex, LedgerRefusal } from "#contracts";
import { err, type LocalDay, ok, type PublicKey, type Result } from "#core";
import type { FlowContext } from "../flow-context.ts";
import type { VaultState } from "../vault.ts";

export type Position = {
  readonly exposure: VaultState<"exposure"> | undefined;
  readonly index: VaultState<"exposure-index"> | undefined;
};

/** What a peer proves may be old, which the notary finds out; what is not the member's is refused here. */
export async function positionOf(
  context: FlowContext,
  member: PublicKey,
  day: LocalDay,
): Promise<Result<Position, LedgerRefusal>> {
  const isExposure = (state: Exposure): boolean => state.member === member && state.day === day;
  const isIndex = (state: ExposureIndex): boolean => state.member === member;
  if (member === context.party) {
    const exposure = context.vault.all("exposure").find(({ state }) => isExposure(state));
    return ok({ exposure, index: context.vault.all("exposure-index").find(({ state }) => isIndex(state)) });
  }
  const reply = await context.ask(member, { tag: "position", day });
  if (reply.tag !== "position") return err({ tag: "node_unreachable" });
  const exposure = learnAs(context, reply.exposure, "exposure", isExposure);
  const index = learnAs(context, reply.index, "exposure-index", isIndex);
  return exposure.ok && index.ok
    ? ok({ exposure: exposure.value, index: index.value })
    : err({ tag: "dependency_unknown" });
}

function learnAs<T extends "exposure" | "exposure-index">(
  context: FlowContext,
  proof: Dependency | null,
  tag: T,
  isWanted: (state: VaultState<T>["state"]) => boolean,
): Result<VaultState<T> | undefined, null> {
  if (proof === null) return ok(undefined);
  const learned = context.learn(proof);
  const isOfKind = (resolved: typeof learned): resolved is typeof resolved & VaultState<T> =>
    resolved?.state.tag === tag;
  return isOfKind(learned) && isWanted(learned.state) ? ok(learned) : err(null);
}
