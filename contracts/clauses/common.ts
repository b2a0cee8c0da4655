/** Clauses that every transaction must hold, whatever its command. */
import type { CommandTag } from "../commands.ts";
import type { Facts } from "../resolved.ts";
import type { StateTag } from "../states.ts";
import { type Clause, clause, moneyChange } from "./clause.ts";

type Kinds = {
  readonly consumes: readonly StateTag[];
  readonly cites: readonly StateTag[];
  readonly makes: readonly StateTag[];
};

const EXPOSURE: readonly StateTag[] = ["exposure", "exposure-index"];
const CITED: readonly StateTag[] = ["member", "mandate"];

/** Which kinds of states each flow may touch. What is not listed is refused. Parameters may be cited by all. */
const KINDS: Readonly<Record<CommandTag, Kinds>> = {
  genesis: { consumes: [], cites: [], makes: ["network-parameters", "member", "exposure-index"] },
  join: { consumes: [], cites: [], makes: ["member", "exposure-index"] },
  "amend-member": { consumes: ["member", "standing-vote"], cites: ["member"], makes: ["member"] },
  "vote-standing": { consumes: ["standing-vote"], cites: ["member"], makes: ["standing-vote"] },
  "amend-parameters": { consumes: ["network-parameters"], cites: [], makes: ["network-parameters"] },
  "issue-funds": { consumes: [], cites: [], makes: ["funds"] },
  "redeem-funds": { consumes: ["funds"], cites: [], makes: ["funds"] },
  "publish-tariff": { consumes: ["tariff"], cites: [], makes: ["tariff"] },
  "grant-mandate": { consumes: ["mandate"], cites: ["member"], makes: ["mandate"] },
  "revoke-mandate": { consumes: ["mandate"], cites: [], makes: [] },
  "create-promises": {
    consumes: ["funds", ...EXPOSURE],
    cites: CITED,
    makes: ["power-promise", "deposit", "funds", ...EXPOSURE],
  },
  "create-auction": { consumes: ["power-promise"], cites: CITED, makes: ["power-promise", "auction"] },
  bid: {
    consumes: ["auction", "bid", "funds", ...EXPOSURE],
    cites: CITED,
    makes: ["auction", "bid", "funds", ...EXPOSURE],
  },
  "end-auction": { consumes: ["auction", "power-promise"], cites: [], makes: ["auction", "power-promise"] },
  "settle-auction": {
    consumes: ["auction", "bid", "power-promise", ...EXPOSURE],
    cites: CITED,
    makes: ["power-promise", "funds", ...EXPOSURE],
  },
  "lapse-auction": { consumes: ["auction", "bid", ...EXPOSURE], cites: [], makes: ["funds", ...EXPOSURE] },
  "place-orders": {
    consumes: ["funds", "power-promise", ...EXPOSURE],
    cites: CITED,
    makes: ["pool-order", "power-promise", "funds", ...EXPOSURE],
  },
  "cancel-orders": {
    consumes: ["pool-order", "power-promise", ...EXPOSURE],
    cites: CITED,
    makes: ["power-promise", "funds", ...EXPOSURE],
  },
  "clear-pool": {
    consumes: ["pool-order", "power-promise", ...EXPOSURE],
    cites: CITED,
    makes: ["pool-order", "power-promise", "funds", ...EXPOSURE],
  },
  "record-meters": { consumes: [], cites: [], makes: ["meter-reading"] },
  "check-delivery": {
    consumes: ["power-promise", "deposit"],
    cites: ["meter-reading", "exposure"],
    makes: ["power-promise", "delivery-record", "funds"],
  },
  "settle-slot": {
    consumes: ["meter-reading", "delivery-record", "power-promise", "exposure", "funds"],
    cites: ["tariff", "exposure-index"],
    makes: ["slot-settlement", "exposure", "funds"],
  },
};

/** Flows in which money may enter or leave the ledger. */
const MONEY_GATES: readonly CommandTag[] = ["issue-funds", "redeem-funds"];
const WINDOW_MS_MAX = 7 * 86_400_000;

export function commonClauses(facts: Facts): readonly Clause[] {
  const { content, inputs, references, command } = facts;
  const kinds = KINDS[command.tag];
  return [
    clause("parameters_cited_once", () => parametersCitedOnce(facts)),
    clause("notary_is_of_the_network", () => facts.parameters.notaries.includes(content.notary)),
    clause("states_governed_by_the_notary", () =>
      [...inputs, ...references].every(({ notary }) => notary === content.notary),
    ),
    clause("consumes_only_kinds_of_the_flow", () => inputs.every(({ state }) => kinds.consumes.includes(state.tag))),
    clause("cites_only_kinds_of_the_flow", () =>
      references.every(({ state }) => state.tag === "network-parameters" || kinds.cites.includes(state.tag)),
    ),
    clause("makes_only_kinds_of_the_flow", () => content.outputs.every(({ tag }) => kinds.makes.includes(tag))),
    clause("window_not_too_long", () => windowIsShort(facts)),
    clause("money_conserved", () => MONEY_GATES.includes(command.tag) || moneyChange(facts) === 0n),
    clause("funds_positive", () => facts.made("funds").every(({ amount }) => amount > 0n)),
    clause("promise_energy_positive", () => facts.made("power-promise").every(({ energy }) => energy > 0n)),
  ];
}

function parametersCitedOnce(facts: Facts): boolean {
  const { tag } = facts.command;
  const isAmended = tag === "amend-parameters";
  const isMade = isAmended || tag === "genesis";
  return (
    facts.cited("network-parameters").length === (isMade ? 0 : 1) &&
    (!isAmended || facts.consumed("network-parameters").length === 1) &&
    facts.made("network-parameters").length === (isMade ? 1 : 0)
  );
}

function windowIsShort({ content: { window } }: Facts): boolean {
  return (
    window.fromMs === null ||
    window.untilMs === null ||
    (window.fromMs < window.untilMs && window.untilMs - window.fromMs <= WINDOW_MS_MAX)
  );
}
