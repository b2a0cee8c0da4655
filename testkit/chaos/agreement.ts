/** Whether every command happened exactly once or not at all, as its client was told. */
import { canonicalJson, type Hash, type PublicKey } from "#core";
import type { Outcome } from "./clients.ts";
import { commandMarks, transactionMarks } from "./marks.ts";
import type { FinalTransaction, NodeRecord } from "./record.ts";

export type Agreement = { readonly problems: readonly string[]; readonly compared: number };

/** @param keyOf - The party of a name. */
export function agreementProblems(
  outcomes: readonly Outcome[],
  log: readonly FinalTransaction[],
  nodes: readonly NodeRecord[],
  keyOf: (name: string) => PublicKey,
): Agreement {
  const ledger: Ledger = { ids: new Set(log.map(({ id }) => id)), marked: marksIn(log) };
  const claimed = new Set<Hash>();
  const problems = outcomes.flatMap((outcome) => {
    const { party, command, told } = outcome;
    if (told.tag !== "refused") claimed.add(told.txId);
    const stored = nodes.find(({ name }) => name === party)?.commandOf(command.commandId);
    const found = told.tag === "refused" ? refusedProblems : createdProblems;
    const marks = commandMarks(keyOf(party), command);
    return found(outcome, { stored, marks }, ledger).map(
      (problem) => `${party}'s ${command.tag} ${command.commandId} ${problem}`,
    );
  });
  return { problems: [...problems, ...unasked(log, claimed)], compared: outcomes.length };
}

/** The notary's log: which transactions are final, and which of them bear which mark. */
type Ledger = { readonly ids: ReadonlySet<Hash>; readonly marked: ReadonlyMap<string, readonly Hash[]> };
/** What the node has stored as having carried out the command, and what such a transaction must bear. */
type Expected = { readonly stored: Hash | undefined; readonly marks: readonly string[] };

function refusedProblems({ told }: Outcome, { stored, marks }: Expected, { marked }: Ledger): readonly string[] {
  const reason = told.tag === "refused" ? told.reason : told.tag;
  const done = marks.flatMap((mark) => (marked.get(mark) ?? []).map((id) => `${short(id)} did it: ${mark}`));
  return [...(stored === undefined ? [] : [`its node says that ${short(stored)} did it`]), ...done].map(
    (problem) => `was refused (${reason}), and ${problem}`,
  );
}

function createdProblems({ told }: Outcome, { stored, marks }: Expected, { ids, marked }: Ledger): readonly string[] {
  if (told.tag === "refused") return [];
  const { txId } = told;
  const problems = [
    ...(stored === txId ? [] : [`its node says ${stored === undefined ? "nothing" : short(stored)}`]),
    ...(ids.has(txId) ? [] : ["that is not final"]),
    ...marks.flatMap((mark) => {
      const bearers = marked.get(mark) ?? [];
      return bearers.length === 1 && bearers[0] === txId ? [] : [`it was done by ${canonicalJson(bearers)}: ${mark}`];
    }),
  ];
  return problems.map((problem) => `was told ${short(txId)}, and ${problem}`);
}

function short(id: Hash): string {
  return id.slice(0, 16);
}

function marksIn(log: readonly FinalTransaction[]): ReadonlyMap<string, readonly Hash[]> {
  const marked = new Map<string, Hash[]>();
  for (const transaction of log)
    for (const mark of new Set(transactionMarks(transaction)))
      marked.set(mark, [...(marked.get(mark) ?? []), transaction.id]);
  return marked;
}

/** What nodes never begin by themselves. */
const ASKED_FOR: readonly string[] = [
  "create-promises",
  "place-orders",
  "create-auction",
  "bid",
  "grant-mandate",
  "revoke-mandate",
  "redeem-funds",
  "record-meters",
  "amend-parameters",
  "vote-standing",
  "publish-tariff",
];

function unasked(log: readonly FinalTransaction[], claimed: ReadonlySet<Hash>): readonly string[] {
  return log
    .filter(({ id, content }) => ASKED_FOR.includes(content.command.tag) && !claimed.has(id))
    .map(({ id, content }) => `${content.command.tag} ${id.slice(0, 16)} is final, and no client was told so`);
}
