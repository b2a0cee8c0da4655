/** The end of the page: how good the forecasts were, whether the books balance, and what all the words mean. */
import { formatCount, formatMoney, formatNumber, formatSeconds } from "../format.ts";
import type { ForecastReport, RunReport } from "../model.ts";
import { byCountFalling, forecastByKind, isConserved } from "../summary.ts";
import { ASSUMPTIONS, DEFINITIONS, term } from "./definitions.ts";
import { type Facts, factList } from "./facts.ts";
import { html, type Markup } from "./markup.ts";
import { plainTable, TALL_FROM } from "./members.ts";
import { absolute, SIGNED, UNSIGNED } from "./overview.ts";

const KINDS: Readonly<Record<ForecastReport["kind"], string>> = { pv: "sun", wind: "wind", load: "use" };

export function forecastSection(report: RunReport): Markup {
  const { series, issued } = report.forecast;
  const head = html`<h2 id="forecast-title">Forecasts</h2>`;
  if (series.length === 0)
    return html`<section id="forecast" aria-labelledby="forecast-title">${head}<p class="panel">No series was evaluated.</p></section>`;
  const skillMax = Math.max(1, ...series.map((one) => Math.min(100, Math.abs(one.skillVsPersistence ?? 0))));
  const sums = forecastByKind(series).map((kind) =>
    forecastRow(`All ${formatCount(kind.series)} series`, kind.kind, kind, "sum", skillMax),
  );
  const rows = series.map((one) => forecastRow(one.name, one.kind, one, "series", skillMax));
  return html`<section id="forecast" aria-labelledby="forecast-title">${head}
<div class="panel table-panel">
  <div class="scroll${series.length > TALL_FROM ? " tall" : ""}" tabindex="0" role="region" aria-label="Table of forecast quality"><table id="forecast-table" class="sortable">
  <thead><tr>
    <th scope="col" class="text"><button type="button" class="sort">Series</button></th>
    <th scope="col" class="text"><button type="button" class="sort">Kind</button></th>
    <th scope="col"><button type="button" class="sort">Readings</button></th>
    <th scope="col"><button type="button" class="sort">${term("nMAE")}<small>%</small></button></th>
    <th scope="col"><button type="button" class="sort">${term("pinball", "Pinball")}<small>%</small></button></th>
    <th scope="col"><button type="button" class="sort">${term("in 80 % band", "In 80 % band")}<small>%</small></button></th>
    <th scope="col"><button type="button" class="sort">${term("skill", "Skill")}<small>% against persistence</small></button></th>
  </tr></thead>
  <tbody>${sums}</tbody><tbody>${rows}</tbody></table></div>
  <p class="caption">Forecasts issued ${issued}, judged against the meters. Skill above zero beats repeating the last known day.</p>
</div></section>`;
}

type Scores = Pick<ForecastReport, "n" | "nMAE" | "pinball" | "coverage80" | "skillVsPersistence">;

function forecastRow(
  name: string,
  kind: ForecastReport["kind"],
  scores: Scores,
  className: "sum" | "series",
  skillMax: number,
): Markup {
  const figures = [scores.nMAE, scores.pinball, scores.coverage80].map(
    (score) => html`<td data-key="${score}">${formatNumber(score, UNSIGNED)}</td>`,
  );
  return html`<tr class="${className}"><th scope="row" data-key="${name}" class="text">${name}</th><td class="text" data-key="${KINDS[kind]}">${KINDS[kind]}</td>
    <td data-key="${scores.n}">${formatCount(scores.n)}</td>${figures}${skillCell(scores.skillVsPersistence, skillMax)}</tr>`;
}

/** The skill with a bar to the right of the middle, or to the left when it is below zero. */
function skillCell(skill: number | null, skillMax: number): Markup {
  if (skill === null) return html`<td data-key="" title="Persistence is not defined for this series">n/a</td>`;
  const size = Math.min(50, (50 * Math.abs(skill)) / skillMax).toFixed(1);
  const side = skill < 0 ? `right:50%;width:${size}%` : `left:50%;width:${size}%`;
  const tone = skill < 0 ? "down" : "up";
  return html`<td data-key="${skill}"><span class="skill"><span class="skill-track"><span class="bar-fill ${tone}" style="${side}"></span></span><span>${formatNumber(skill, SIGNED)}</span></span></td>`;
}

export function ledgerSection(report: RunReport): Markup {
  const denials = byCountFalling(report.denials);
  return html`<section id="ledger" aria-labelledby="ledger-title">
  <h2 id="ledger-title">Ledger and books</h2>
  <div class="columns">
    <div class="panel"><h3>Books</h3>${conservation(report)}${factList(moneyFacts(report))}</div>
    <div class="panel"><h3>Ledger</h3>${factList(ledgerFacts(report))}
      <p class="hash">${term("run hash", "Run hash")} <code>${report.runHash}</code></p></div>
  </div>
  ${
    denials.length === 0
      ? null
      : html`<div class="panel"><h3>${term("denied", "Denied or rejected")}</h3>
  ${plainTable(
    ["Reason", "Times"],
    denials.map(([code, count]) => [html`<code>${code}</code>`, formatCount(count)]),
  )}</div>`
  }
</section>`;
}

function conservation(report: RunReport): Markup {
  const { moneyErrorMicros, energyErrorWh } = report.conservation;
  if (isConserved(report))
    return html`<p class="seal seal-good"><span aria-hidden="true">✓</span> Money and energy balance exactly.</p>`;
  const money = `${formatMoney(moneyErrorMicros, { ...SIGNED, decimals: 6 })} ${report.currency}`;
  return html`<p class="seal seal-bad"><span aria-hidden="true">✗</span> The books do not balance: off by ${money} and ${formatCount(energyErrorWh, SIGNED)} Wh.</p>`;
}

function moneyFacts(report: RunReport): Facts {
  const { money, currency } = report;
  const amount = (value: bigint): string => `${formatMoney(value, UNSIGNED)} ${currency}`;
  return [
    ["Money issued", amount(money.issuedMicros)],
    ["Money held at the end", amount(money.heldMicros)],
    ["Paid for trades", amount(money.tradedMicros)],
    [term("fees", "Fees"), amount(absolute(money.feesMicros))],
    [term("deposit lost", "Deposits lost"), amount(absolute(money.depositLostMicros))],
  ];
}

function ledgerFacts(report: RunReport): Facts {
  const { ledger, market } = report;
  return [
    [term("transactions", "Transactions"), formatCount(ledger.transactions)],
    ["Signatures made", formatCount(ledger.signatures)],
    ["Signatures verified", formatCount(ledger.verifications)],
    ["Transactions per second", formatNumber(ledger.tps)],
    [
      "Auctions sold",
      `${formatCount(market.auctionsSold)} of ${formatCount(market.auctionsOpened)}, ${formatCount(market.bids)} bids`,
    ],
    ["Wall time", formatSeconds(report.wallSeconds)],
  ];
}

export function notesSection(): Markup {
  const words = Object.entries(DEFINITIONS).map(
    ([word, meaning]) => html`<div><dt>${titled(word)}</dt><dd>${meaning}</dd></div>`,
  );
  return html`<section id="notes" aria-labelledby="notes-title">
  <h2 id="notes-title">Assumptions and definitions</h2>
  <div class="panel notes"><h3>What the figures rest on</h3>
  <ul>${ASSUMPTIONS.map((sentence) => html`<li>${sentence}</li>`)}</ul>
  <h3>Words</h3><dl class="words">${words}</dl></div>
</section>`;
}

/** With a capital, unless the word has one already: `nMAE` stays as it is. */
function titled(word: string): string {
  return /[A-Z]/.test(word) ? word : word.slice(0, 1).toUpperCase() + word.slice(1);
}
