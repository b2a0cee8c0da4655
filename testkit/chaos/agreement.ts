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
  const byId = new Map(log.map((transaction) => [transaction.id, transaction]));
  const marked = marksIn(log);
  const problems: string[] = [];
  const claimed = new Set<Hash>();
  for (const outcome of outcomes) {
    const node = nodes.find(({ name }) => name === outcome.party);
    const said = `${outcome.party}'s ${outcome.command.tag} ${outcome.command.commandId}`;
    const stored = node?.commandOf(outcome.command.commandId);
    if (outcome.told.tag === "refused") {
      if (stored !== undefined)
        problems.push(
          `${said} was refused (${outcome.told.reason}), and its node says that ${stored.slice(0, 16)} did it`,
        );
      for (const mark of commandMarks(keyOf(outcome.party), outcome.command))
        for (const id of marked.get(mark) ?? [])
          problems.push(`${said} was refused (${outcome.told.reason}), and ${id.slice(0, 16)} did it: ${mark}`);
      continue;
    }
    const { txId } = outcome.told;
    claimed.add(txId);
    if (stored !== txId)
      problems.push(`${said} was told ${txId.slice(0, 16)}, and its node says ${stored ?? "nothing"}`);
    const transaction = byId.get(txId);
    if (transaction === undefined) problems.push(`${said} was told ${txId.slice(0, 16)}, which is not final`);
    for (const mark of commandMarks(keyOf(outcome.party), outcome.command)) {
      const ids = marked.get(mark) ?? [];
      if (ids.length !== 1 || ids[0] !== txId)
        problems.push(`${said} was told ${txId.slice(0, 16)}, and was done by ${canonicalJson(ids)}: ${mark}`);
    }
  }
  return { problems: [...problems, ...unasked(log, claimed)], compared: outcomes.length };
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
