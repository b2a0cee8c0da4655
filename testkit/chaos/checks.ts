/** All checks of the stores that a chaos run has left. */
import type { ProcessNetwork } from "../process-network.ts";
import { agreementProblems } from "./agreement.ts";
import type { Outcome } from "./clients.ts";
import { knowledgeProblems } from "./knowledge.ts";
import { readNetworkRecord } from "./record.ts";
import { exposureProblems, replayLog } from "./replay.ts";
import type { Check } from "./result.ts";
import { type Views, viewProblems } from "./views.ts";

export type Checked = {
  readonly network: ProcessNetwork;
  readonly outcomes: readonly Outcome[];
  /** What the nodes showed before they were stopped. */
  readonly views: Views;
};

/** The nodes must not run. */
export function checkEverything({ network, outcomes, views }: Checked): {
  readonly checks: readonly Check[];
  readonly transactions: number;
} {
  const audited = auditCheck(network);
  const record = readNetworkRecord(network.folder, network.parties);
  const { log, nodes } = record;
  const replayed = replayLog(log);
  const agreement = agreementProblems(outcomes, log, nodes, (name) => network.key(name));
  const knowledge = knowledgeProblems(log, nodes);
  const shown = viewProblems(views, replayed.unspent, nodes);
  const underWay = nodes.flatMap(({ name, journaled }) => journaled.map((entry) => `${name}: ${entry}`));
  record.close();
  const checks = [
    audited,
    check("the stores can be read", log.length, record.problems),
    check("nothing is spent twice; money, energy and caps hold after every transaction", log.length, replayed.problems),
    check("exposures say what their states say", replayed.unspent.size, exposureProblems(replayed.unspent)),
    check("every command happened once or never, as its client was told", agreement.compared, agreement.problems),
    check("who must know of a transaction does, and nobody else", knowledge.compared, knowledge.problems),
    check("running nodes show what their stores say", shown.compared, shown.problems),
    check("no journal holds anything", nodes.length, underWay),
  ];
  return { checks, transactions: log.length };
}

function auditCheck(network: ProcessNetwork): Check {
  const name = "audits of all stores, singly and against each other";
  const audited = network.audit();
  if (!audited.ok) return check(name, 0, [`${audited.error.tag} ${audited.error.path}`]);
  const { transactions, violations } = audited.value;
  return check(
    name,
    transactions,
    violations.map(({ store, txId, problem }) => `${store}: ${txId.slice(0, 16)} ${problem}`),
  );
}

function check(name: string, compared: number, problems: readonly string[]): Check {
  return { name, compared, problems };
}
