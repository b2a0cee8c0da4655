/**
 * Whether nodes agree on what is final: whom a transaction concerns has it, and nobody holds as unspent what is spent. What is still
 * under way at some node, by its own journal, may not have reached all.
 */
import { decodeSignedTransaction, participantsOf, refKey, type State } from "#contracts";
import type { Hash, PublicKey } from "#core";
import type { Shown } from "./audit-replay.ts";
import type { AuditSources, StoreSource } from "./audit-sources.ts";
import { isPublic } from "./relevance.ts";

/** What a node shows: all that it says it keeps, and of that what was checked and holds. */
export type Testimony = {
  readonly store: StoreSource;
  readonly kept: ReadonlySet<Hash>;
  readonly shown: readonly Shown[];
};
type Problem = { readonly store: string; readonly txId: string; readonly problem: string };
type Final = {
  readonly txId: Hash;
  /** Who must have it, whole or in part: who signed it, and whose own states it made. */
  readonly concerned: ReadonlySet<PublicKey>;
  readonly spent: readonly string[];
  readonly made: readonly State[];
};

export function disagreements(
  { log }: Pick<AuditSources, "log">,
  testimonies: readonly Testimony[],
): readonly Problem[] {
  const finals = finalsOf(log, testimonies);
  const spentBy = new Map(finals.flatMap(({ txId, spent }) => spent.map((ref) => [ref, txId] as const)));
  const underWay = new Set(testimonies.flatMap(({ store }) => [...store.underWay()]));
  const parties = membersByName(finals);
  const served = servedIn(finals);
  return testimonies.flatMap((testimony) => {
    const party = testimony.store.party ?? parties.get(testimony.store.name);
    return party === undefined ? [] : problemsOf(testimony, party, finals, { spentBy, underWay, served });
  });
}

function problemsOf(
  { store, kept, shown }: Testimony,
  party: PublicKey,
  finals: readonly Final[],
  {
    spentBy,
    underWay,
    served,
  }: {
    readonly spentBy: ReadonlyMap<string, Hash>;
    readonly underWay: ReadonlySet<Hash>;
    readonly served: ReadonlySet<PublicKey>;
  },
): readonly Problem[] {
  const isKeptHere = (state: State): boolean =>
    participantsOf(state).includes(party) && !(isPublic(state) && served.has(party));
  const isMissing = (txId: Hash): boolean => !kept.has(txId) && !underWay.has(txId);
  const notKept = finals
    .filter(({ txId, concerned }) => concerned.has(party) && isMissing(txId))
    .map(({ txId }) => ({ store: store.name, txId, problem: "concerns it and was made final, but is not there" }));
  const stale = shown.flatMap(({ made }) =>
    made.flatMap(({ ref, state }) => {
      const spender = spentBy.get(refKey(ref));
      const isHeld = isKeptHere(state) && spender !== undefined && isMissing(spender);
      return isHeld ? [{ ref, spender }] : [];
    }),
  );
  return [
    ...notKept,
    ...stale.map(({ ref, spender }) => ({
      store: store.name,
      txId: spender ?? "",
      problem: `spent ${refKey(ref)}, which is still held as unspent`,
    })),
  ];
}

/** All that is known to be final: what the log has; and without a log, what any node has. */
function finalsOf(log: AuditSources["log"], testimonies: readonly Testimony[]): readonly Final[] {
  const finals = new Map<Hash, Final>();
  if (log !== undefined) {
    for (const { txId, bytes } of log.commits()) {
      const decoded = decodeSignedTransaction(new Uint8Array(bytes));
      if (!decoded.ok || decoded.value.transaction.id !== txId) continue;
      const { signers, inputs, outputs } = decoded.value.transaction.content;
      finals.set(txId, { txId, concerned: concernedOf(signers, outputs), spent: inputs.map(refKey), made: outputs });
    }
    return [...finals.values()];
  }
  for (const { shown } of testimonies)
    for (const { txId, signed, spent, made } of shown) {
      if (signed === undefined && finals.has(txId)) continue;
      const signers = signed?.transaction.content.signers ?? [];
      const states = made.map(({ state }) => state);
      finals.set(txId, { txId, concerned: concernedOf(signers, states), spent: spent.map(refKey), made: states });
    }
  return [...finals.values()];
}

/** Public states concern whoever is a member by then, which is not decided here. */
function concernedOf(signers: readonly PublicKey[], made: readonly State[]): ReadonlySet<PublicKey> {
  return new Set([...signers, ...made.flatMap((state) => (isPublic(state) ? [] : participantsOf(state)))]);
}

/** Members that an aggregator serves or has served: it keeps for them what is public. */
function servedIn(finals: readonly Final[]): ReadonlySet<PublicKey> {
  const states = finals.flatMap(({ made }) => made);
  return new Set(states.flatMap((state) => (state.tag === "member" && state.servedBy !== null ? [state.key] : [])));
}

function membersByName(finals: readonly Final[]): ReadonlyMap<string, PublicKey> {
  const states = finals.flatMap(({ made }) => made);
  return new Map(states.flatMap((state) => (state.tag === "member" ? [[state.name, state.key] as const] : [])));
}
