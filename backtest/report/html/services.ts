/** What the services of the community did, and the members' months: where the energy that they used came from. */
import { energyUnitFor, formatCount, formatEnergy, formatMoney } from "../format.ts";
import type { RunReport, StatementReport } from "../model.ts";
import { term } from "./definitions.ts";
import { type Facts, factList } from "./facts.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { plainTable } from "./members.ts";
import { UNSIGNED } from "./overview.ts";

/** Nothing where the community hired nobody and nobody has used anything. */
export function servicesSection(report: RunReport): Markup | null {
  const facts = serviceFacts(report);
  if (facts.length === 0 && report.statements.length === 0) return null;
  return html`<section id="services" aria-labelledby="services-title">
  <h2 id="services-title">Services and statements</h2>
  ${facts.length === 0 ? null : html`<div class="panel"><h3>Services</h3>${factList(facts)}</div>`}
  ${report.statements.length === 0 ? null : statementsPanel(report.statements)}
</section>`;
}

function serviceFacts({ services, currency }: RunReport): Facts {
  const { aggregator, agency, meterOperators, meters, claims, covers } = services;
  const energy = (amount: bigint): string => `${formatEnergy(amount, { decimals: 1 }, "kWh")} kWh`;
  const money = (amount: bigint): string => `${formatMoney(amount, UNSIGNED)} ${currency}`;
  return [
    ...facts(aggregator !== null, [
      [
        term("aggregator", "Aggregator"),
        `${aggregator?.name}, serves ${formatCount(aggregator?.members.length ?? 0)} homes`,
      ],
    ]),
    ...facts(meterOperators.length > 0, [
      [term("meter operator", "Meter operators"), `${meterOperators.join(", ")} and the grid authority`],
      ["Readings reported, and made of them", `${formatCount(meters.reports)}, ${formatCount(meters.readings)}`],
      ["Reports that did not agree", formatCount(meters.disagreements)],
    ]),
    ...facts(agency !== null, [
      [term("certified", "Certified"), `${energy(claims.certifiedWh)} by ${agency}`],
      ["Certified and bought", energy(claims.certifiedSoldWh)],
      [term("contradicted", "Contradicted since"), energy(claims.contradictedWh)],
    ]),
    ...facts(covers.transactions > 0, [
      [term("covered", "Promises covered"), `${energy(covers.energyWh)} in ${formatCount(covers.transactions)} times`],
      ["Deposits released by it", money(covers.depositReleasedMicros)],
    ]),
    ...facts(services.surplusMicros > 0n, [[term("surplus cost", "Surplus cost paid"), money(services.surplusMicros)]]),
  ];
}

function facts(isShown: boolean, rows: Facts): Facts {
  return isShown ? rows : [];
}

function statementsPanel(statements: readonly StatementReport[]): Markup {
  const unit = energyUnitFor(statements.map(({ consumedWh }) => consumedWh));
  const cell = (amount: bigint): Content => formatEnergy(amount, { decimals: unit === "kWh" ? 1 : 2 }, unit);
  return html`<div class="panel"><h3>${term("statement", "Statements")}</h3>
  ${plainTable(
    [
      "Member",
      "Month",
      `Used, ${unit}`,
      "Own production",
      "Certified renewable",
      "Other bought",
      "Last resort",
      "File",
    ],
    statements.map((one) => [
      one.member,
      one.month,
      cell(one.consumedWh),
      cell(one.ownWh),
      cell(one.certifiedRenewableWh),
      cell(one.otherBoughtWh),
      cell(one.lastResortWh),
      html`<code>${one.file}</code>`,
    ]),
  )}</div>`;
}
