/** The top of the page: what the community is made of, what to beware of, and the run's key figures. */
import {
  type EnergyUnit,
  energyUnitFor,
  formatCount,
  formatEnergy,
  formatMoney,
  formatPeriod,
  formatPrice,
  percentFloor,
} from "../format.ts";
import type { RunReport } from "../model.ts";
import { gainPerTradedKwh, meanPriceOf, partiesOf, tariffRangeOf } from "../summary.ts";
import { term } from "./definitions.ts";
import { type Content, html, type Markup } from "./markup.ts";

export const SIGNED = { minus: "−", plus: true } as const;
export const UNSIGNED = { minus: "−" } as const;

/** `up`, `down` or `even`, which the style gives colours to. */
export function tone(amount: bigint): "up" | "down" | "even" {
  return amount > 0n ? "up" : amount < 0n ? "down" : "even";
}

export function overview(report: RunReport): Markup {
  const { community } = report;
  const measured = community.source === "measured";
  const badge = measured ? "Composite of measured data" : "Generated data";
  return html`<section class="overview" id="overview" aria-labelledby="title">
  <div class="intro"><div>
  <p class="eyebrow"><span class="badge badge-${community.source}">${badge}</span>
    <span>${formatPeriod(report.firstDay, report.lastDay)}</span></p>
  <h1 id="title">${community.name}</h1>
  <p class="community">${community.description}</p>
  <p class="verdict">${verdict(report)}</p></div>
  ${runFacts(report)}</div>
  ${warnings(report.warnings)}
  ${cards(report)}
</section>`;
}

function verdict(report: RunReport): Content {
  const { traders } = partiesOf(report);
  const { gainMicros } = report.money;
  const ahead = traders.filter((member) => member.gainMicros > 0n).length;
  const kept = percentFloor(report.energy.deliveredWh, report.energy.promisedWh);
  const money = html`<strong class="${tone(gainMicros)}">${formatMoney(gainMicros, SIGNED)} ${report.currency}</strong>`;
  const who = `${formatCount(ahead)} of ${formatCount(traders.length)} came out ahead.`;
  const promises = kept === null ? "Nothing was promised." : `${kept} % of the promised energy was delivered.`;
  if (gainMicros === 0n)
    return html`The market left its members together as they would have been without; ${who} ${promises}`;
  return html`The market ${gainMicros > 0n ? "gained" : "cost"} its members ${money}; ${who} ${promises}`;
}

function warnings(sentences: readonly string[]): Content {
  if (sentences.length === 0) return null;
  const [first, ...rest] = sentences;
  const title = sentences.length === 1 ? "Beware" : `Beware: ${formatCount(sentences.length)} points`;
  return html`<aside class="warnings" aria-labelledby="warnings-title">
  <h2 id="warnings-title">${title}</h2>
  <ul><li>${first}</li>${rest.map((sentence) => html`<li>${sentence}</li>`)}</ul>
</aside>`;
}

type Card = { readonly label: Markup; readonly value: Content; readonly unit: string; readonly note: Content };

function cards(report: RunReport): Markup {
  const { energy } = report;
  const unit = energyUnitFor([energy.promisedWh, energy.deliveredWh, energy.tradedWh]);
  const all = [...moneyCards(report), ...energyCards(report, unit)];
  return html`<ul class="cards">${all.map(
    (card) => html`
  <li class="card"><span class="card-label">${card.label}</span>
    <span class="card-value">${card.value}<small> ${card.unit}</small></span>
    <span class="card-note">${card.note}</span></li>`,
  )}
</ul>`;
}

function moneyCards(report: RunReport): readonly Card[] {
  const { money, currency } = report;
  const perKwh = gainPerTradedKwh(report);
  const price = meanPriceOf(report);
  const tariffs = tariffRangeOf(report);
  const gain = html`<span class="${tone(money.gainMicros)}">${formatMoney(money.gainMicros, SIGNED)}</span>`;
  const between =
    tariffs === null
      ? "no slots"
      : `between ${formatPrice(tariffs.feedIn, UNSIGNED)} feed-in and ${formatPrice(tariffs.retail, UNSIGNED)} retail`;
  return [
    {
      label: term("gain", "Gain over no market"),
      value: gain,
      unit: currency,
      note: perKwh === null ? "nothing was traded" : `${formatPrice(perKwh, SIGNED)} for each traded kWh`,
    },
    {
      label: term("price", "Mean price"),
      value: price === null ? "–" : formatPrice(price, UNSIGNED),
      unit: `${currency}/kWh`,
      note: between,
    },
    {
      label: term("deposit lost", "Deposits lost"),
      value: formatMoney(absolute(money.depositLostMicros), UNSIGNED),
      unit: currency,
      note: html`${term("fees", "fees")} ${formatMoney(absolute(money.feesMicros), UNSIGNED)} ${currency}`,
    },
  ];
}

function energyCards(report: RunReport, unit: EnergyUnit): readonly Card[] {
  const { energy, market } = report;
  const amount = (wattHours: bigint): string => formatEnergy(wattHours, { decimals: unit === "kWh" ? 1 : 2 }, unit);
  const share = (part: bigint, whole: bigint, of: string): string => {
    const percent = percentFloor(part, whole);
    return percent === null ? "–" : `${percent} % of ${of}`;
  };
  const auctions = market.auctionsOpened > 0 ? `, ${formatCount(market.auctionsSold)} auctions sold` : "";
  return [
    {
      label: term("promise", "Promised"),
      value: amount(energy.promisedWh),
      unit,
      note: share(energy.promisedWh, energy.producedWh, "production"),
    },
    {
      label: term("delivered", "Delivered"),
      value: amount(energy.deliveredWh),
      unit,
      note: share(energy.deliveredWh, energy.promisedWh, "promises"),
    },
    {
      label: term("shortfall", "Short"),
      value: amount(energy.shortfallWh),
      unit,
      note: share(energy.shortfallWh, energy.promisedWh, "promises"),
    },
    {
      label: term("traded", "Traded"),
      value: amount(energy.tradedWh),
      unit,
      note: `in ${formatCount(market.poolRoundsWithTrades)} of ${formatCount(market.poolRounds)} pool rounds${auctions}`,
    },
  ];
}

export function absolute(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}

function runFacts(report: RunReport): Markup {
  const facts: readonly (readonly [string, Content])[] = [
    ["Run", report.name],
    ["Slots", `${formatCount(report.slots)} of ${report.slotMinutes} min`],
    ["Clock", report.timeZone],
    ["Seed", String(report.seed)],
    ["Version", report.version],
    ["Run hash", html`<code title="${report.runHash}">${report.runHash.slice(0, 12)}</code>`],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
