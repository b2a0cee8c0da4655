/**
 * Who must know of which final transaction, worked out anew from the transaction (docs/ledger.md, need-to-know): its signers
 * and whoever's mandate it was signed under know all of it; who is concerned by a state knows that state; nobody else anything.
 */
import { type NetworkParameters, participantsOf, type State, type StateTag } from "#contracts";
import type { Hash, PublicKey } from "#core";
import type { FinalTransaction, Kept, NodeRecord } from "./record.ts";

const PUBLIC: readonly StateTag[] = [
  "network-parameters",
  "member",
  "tariff",
  "curtailment",
  "auction",
  "agency-record",
];
/** What the grid authority sees of others. */
const WATCHED: readonly StateTag[] = [
  "power-promise",
  "deposit",
  "margin",
  "meter-report",
  "meter-reading",
  "delivery-record",
  "slot-settlement",
  "dispute",
  "dispute-vote",
  "bid",
  "exposure",
  "exposure-index",
  "standing-vote",
  "certificate",
  "mandate",
];

/** What the verifiers decide on together. */
const VERIFIERS: readonly StateTag[] = ["standing-vote", "dispute", "dispute-vote"];

/** Whether a state concerns a party, or is everybody's. */
export function isConcerned(key: PublicKey, state: State, parameters: NetworkParameters): boolean {
  if (PUBLIC.includes(state.tag) || participantsOf(state).includes(key)) return true;
  if (key === parameters.gridAuthority && WATCHED.includes(state.tag)) return true;
  return VERIFIERS.includes(state.tag) && parameters.verifiers.includes(key);
}

function isGranted(key: PublicKey, state: State, { observers }: NetworkParameters): boolean {
  return observers.some((observer) => observer.key === key && observer.sees.includes(state.tag));
}

/** Signers, and principals for whom their delegates signed. */
function knowAll({ content, references }: FinalTransaction): ReadonlySet<PublicKey> {
  const principals = references.flatMap((state) =>
    state.tag === "mandate" && content.signers.includes(state.delegate) ? [state.principal] : [],
  );
  return new Set([...content.signers, ...principals]);
}

/** Compares what the nodes keep with what they must and may know. */
export function knowledgeProblems(
  log: readonly FinalTransaction[],
  nodes: readonly NodeRecord[],
): { readonly problems: readonly string[]; readonly compared: number } {
  const problems: string[] = [];
  let parameters: NetworkParameters | undefined;
  for (const transaction of log) {
    // Who proposes the next rules does so under the old ones.
    const rules = parameters;
    parameters = transaction.content.outputs.find((state) => state.tag === "network-parameters") ?? parameters;
    const problemOf = (node: NodeRecord): string | undefined =>
      rules === undefined ? foundingProblem(node, transaction) : nodeProblem(node, transaction, rules);
    for (const node of nodes) {
      const problem = problemOf(node);
      if (problem !== undefined)
        problems.push(`${node.name} ${problem} of ${transaction.content.command.tag} ${transaction.id.slice(0, 16)}`);
    }
  }
  const ids = new Set<Hash>(log.map(({ id }) => id));
  const foreign = nodes.flatMap(({ name, kept }) =>
    [...kept.keys()]
      .filter((id) => !ids.has(id))
      .map((id) => `${name} keeps ${id.slice(0, 16)}, which the notary never made final`),
  );
  return { problems: [...problems, ...foreign], compared: log.length * nodes.length };
}

/** All founding members are handed the founding transaction. */
function foundingProblem({ kept }: NodeRecord, { id }: FinalTransaction): string | undefined {
  return kept.get(id)?.kind === "full" ? undefined : "lacks the whole";
}

function nodeProblem(
  { key, kept }: NodeRecord,
  transaction: FinalTransaction,
  parameters: NetworkParameters,
): string | undefined {
  const own = kept.get(transaction.id);
  if (knowAll(transaction).has(key))
    return own?.kind === "full" ? undefined : `lacks the whole${own === undefined ? "" : ", having a part,"}`;
  if (own?.kind === "full") return "keeps the whole, which does not concern it,";
  const { inputs, content } = transaction;
  const must = [...inputs, ...content.outputs].some((state) => isConcerned(key, state, parameters));
  const isObserver = parameters.observers.some((observer) => observer.key === key);
  if (own === undefined) return must || isObserver ? "lacks its part" : undefined;
  if (!must && !isObserver) return "keeps a part, which does not concern it,";
  return partProblem(key, own, transaction, parameters);
}

/** Whether the part that a node keeps shows all that it must see, and nothing that it may not. */
function partProblem(
  key: PublicKey,
  own: Extract<Kept, { readonly kind: "notice" }>,
  { inputs, content }: FinalTransaction,
  parameters: NetworkParameters,
): string | undefined {
  const { shown } = own;
  const sides = [
    ["input", inputs, shown.inputs],
    ["output", content.outputs, shown.outputs],
  ] as const;
  for (const [side, states, seen] of sides)
    for (const [index, state] of states.entries()) {
      const may = isConcerned(key, state, parameters) || isGranted(key, state, parameters);
      if (may && !seen.has(index)) return `is not shown the ${side} ${state.tag}`;
      if (!may && seen.has(index)) return `is shown the ${side} ${state.tag}, which does not concern it,`;
    }
  return undefined;
}
