/** Clauses that every transaction must hold, whatever its command. */
import { type CommandTag, MONEY_GATES } from "../commands.ts";
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
  genesis: { consumes: [], cites: [], makes: ["network-parameters", "member", "exposure-index", "agency-record"] },
  join: { consumes: [], cites: ["member"], makes: ["member", "exposure-index", "agency-record", "mandate"] },
  "move-member": { consumes: ["member", "mandate"], cites: ["member"], makes: ["member", "mandate"] },
  "amend-member": { consumes: ["member", "standing-vote"], cites: ["member"], makes: ["member"] },
  "vote-standing": { consumes: ["standing-vote"], cites: ["member"], makes: ["standing-vote"] },
  "amend-parameters": { consumes: ["network-parameters"], cites: [], makes: ["network-parameters"] },
  "issue-funds": { consumes: [], cites: [], makes: ["funds"] },
  "redeem-funds": { consumes: ["funds"], cites: [], makes: ["funds", "redemption"] },
  "confirm-payout": { consumes: ["redemption"], cites: [], makes: [] },
  "publish-tariff": { consumes: ["tariff"], cites: [], makes: ["tariff"] },
  "grant-mandate": { consumes: ["mandate"], cites: ["member"], makes: ["mandate"] },
  "revoke-mandate": { consumes: ["mandate"], cites: [], makes: [] },
  "create-promises": {
    consumes: ["funds", ...EXPOSURE],
    cites: [...CITED, "curtailment"],
    makes: ["power-promise", "deposit", "funds", ...EXPOSURE],
  },
  "split-promise": { consumes: ["power-promise"], cites: CITED, makes: ["power-promise"] },
  "merge-promises": { consumes: ["power-promise"], cites: CITED, makes: ["power-promise"] },
  substitute: {
    consumes: ["power-promise", "deposit", ...EXPOSURE],
    cites: CITED,
    makes: ["power-promise", "deposit", "funds", ...EXPOSURE],
  },
  "create-auction": { consumes: ["power-promise"], cites: CITED, makes: ["power-promise", "auction"] },
  "certify-claims": { consumes: ["power-promise"], cites: CITED, makes: ["power-promise", "certificate"] },
  "contradict-certificate": { consumes: ["certificate"], cites: ["member"], makes: ["certificate"] },
  "close-certificates": {
    consumes: ["certificate", "agency-record"],
    cites: ["slot-settlement"],
    makes: ["agency-record"],
  },
  bid: {
    consumes: ["auction", "bid", "funds", "margin", ...EXPOSURE],
    cites: [...CITED, "agency-record", "margin"],
    makes: ["auction", "bid", "funds", "margin", ...EXPOSURE],
  },
  "end-auction": { consumes: ["auction", "power-promise"], cites: CITED, makes: ["auction", "power-promise"] },
  "settle-auction": {
    consumes: ["auction", "bid", "power-promise", ...EXPOSURE],
    cites: CITED,
    makes: ["power-promise", "funds", ...EXPOSURE],
  },
  "lapse-auction": { consumes: ["auction", "bid", ...EXPOSURE], cites: CITED, makes: ["funds", ...EXPOSURE] },
  "place-orders": {
    consumes: ["funds", "power-promise", "margin", ...EXPOSURE],
    cites: [...CITED, "margin"],
    makes: ["pool-order", "power-promise", "funds", "margin", ...EXPOSURE],
  },
  "cancel-orders": {
    consumes: ["pool-order", "power-promise", ...EXPOSURE],
    cites: CITED,
    makes: ["power-promise", "funds", ...EXPOSURE],
  },
  "clear-pool": {
    consumes: ["pool-order", "power-promise", ...EXPOSURE],
    cites: [...CITED, "agency-record"],
    makes: ["pool-order", "power-promise", "funds", ...EXPOSURE],
  },
  "report-meters": { consumes: ["meter-report"], cites: ["member"], makes: ["meter-report"] },
  "release-margin": { consumes: ["margin"], cites: ["exposure"], makes: ["margin", "funds"] },
  "curtail-slot": {
    consumes: ["curtailment", "power-promise", "deposit", "exposure"],
    cites: [],
    makes: ["curtailment", "power-promise", "deposit", "funds", "exposure"],
  },
  "record-meters": {
    consumes: ["meter-reading", "meter-report"],
    cites: ["member", "slot-settlement"],
    makes: ["meter-reading"],
  },
  "check-delivery": {
    consumes: ["power-promise", "deposit"],
    cites: ["meter-reading", "exposure", ...CITED],
    makes: ["power-promise", "delivery-record", "funds"],
  },
  "settle-slot": {
    consumes: ["meter-reading", "delivery-record", "power-promise", ...EXPOSURE, "funds", "margin"],
    cites: ["tariff", ...CITED],
    makes: ["slot-settlement", ...EXPOSURE, "funds", "margin"],
  },
  "correct-settlement": {
    consumes: ["slot-settlement", "meter-reading", "funds"],
    cites: ["tariff", ...CITED],
    makes: ["slot-settlement", "funds"],
  },
  "raise-dispute": { consumes: [], cites: ["member"], makes: ["dispute"] },
  "vote-dispute": { consumes: ["dispute-vote"], cites: ["dispute", "member"], makes: ["dispute-vote"] },
  "decide-dispute": {
    consumes: ["dispute", "dispute-vote", "meter-reading"],
    cites: ["member", "meter-reading", "slot-settlement"],
    makes: ["meter-reading"],
  },
};

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
    clause("funds_positive", () =>
      [...facts.made("funds"), ...facts.made("margin")].every(({ amount }) => amount > 0n),
    ),
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
