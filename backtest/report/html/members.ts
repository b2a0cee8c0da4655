/** Who gained what: bars by member, lines by day, and the table of members. */
import { energyUnitFor, formatCount, formatEnergy, formatMoney } from "../format.ts";
import type { MemberReport, RunReport } from "../model.ts";
import { byCountFalling, partiesOf } from "../summary.ts";
import { type Term, term } from "./definitions.ts";
import { figure } from "./figure.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { absolute, SIGNED, tone, UNSIGNED } from "./overview.ts";

/** Bars of so many members are drawn; of more, the best and the worst. */
const BARS_MAX = 24;
/** A table of more rows has a height of its own, and scrolls. */
export const TALL_FROM = 24;

export function memberSections(report: RunReport): Markup {
  const { traders, services } = partiesOf(report);
  const daily = figure({
    id: "gain-by-day",
    title: `Gain day by day, ${report.currency}`,
    caption:
      "Each member’s gain over the baseline, added up from the first day. Choose a name to colour its line, or to leave it grey.",
    label: "Line chart of each member’s gain over the baseline, cumulated by day",
    plots: [{ id: "gain-by-day-plot", className: "plot plot-gain" }],
  });
  return html`<section id="members" aria-labelledby="members-title">
  <h2 id="members-title">Members</h2>
  ${traders.length === 0 ? null : html`<div class="columns">${gainBars(report, traders)}${report.gainByDay.length === 0 ? null : daily}</div>`}
  ${memberTable(report, [...traders, ...services])}
</section>`;
}

function gainBars(report: RunReport, traders: readonly MemberReport[]): Markup {
  const half = BARS_MAX / 2;
  const shown = traders.length <= BARS_MAX ? traders : [...traders.slice(0, half), ...traders.slice(-half)];
  const left = traders.length - shown.length;
  const low = shown.reduce((least, member) => (member.gainMicros < least ? member.gainMicros : least), 0n);
  const high = shown.reduce((most, member) => (member.gainMicros > most ? member.gainMicros : most), 0n);
  const bars = shown.map((member, index) => {
    const gap =
      left > 0 && index === half ? html`<li class="bars-gap">${formatCount(left)} more in between</li>` : null;
    return html`${gap}${gainBar(member, low, high)}`;
  });
  const title = `Gain over no market, ${report.currency}`;
  return figure({
    id: "gain",
    title,
    caption: "Net less baseline over the whole run, by member.",
    label: "Bar chart of each member’s gain over the baseline; the same figures are in the table of members",
    body: html`<ol class="bars">${bars}</ol>`,
    twin: plainTable(
      ["Member", "Net", "Baseline", "Gain"],
      traders.map((member) => [
        member.name,
        formatMoney(member.netMicros, UNSIGNED),
        formatMoney(member.baselineMicros, UNSIGNED),
        formatMoney(member.gainMicros, SIGNED),
      ]),
    ),
  });
}

function gainBar(member: MemberReport, low: bigint, high: bigint): Markup {
  const span = high - low === 0n ? 1n : high - low;
  const permille = (amount: bigint): number => Number((amount * 10_000n) / span) / 100;
  const zero = permille(-low);
  const width = permille(absolute(member.gainMicros));
  const start = member.gainMicros < 0n ? zero - width : zero;
  const style = `left:${start.toFixed(2)}%;width:${width.toFixed(2)}%`;
  return html`<li class="bar"><span class="bar-name" title="${member.name}">${member.name}</span>
    <span class="bar-track"><span class="bar-zero" style="left:${zero.toFixed(2)}%"></span><span class="bar-fill ${tone(member.gainMicros)}" style="${style}"></span></span>
    <span class="bar-value">${formatMoney(member.gainMicros, SIGNED)}</span></li>`;
}

/** A table of figures that need no sorting; the first column names the row. */
export function plainTable(header: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: ${header.join(", ")}"><table><thead><tr>${header.map(
    (name, index) => html`<th scope="col"${index === 0 ? html` class="text"` : null}>${name}</th>`,
  )}</tr></thead><tbody>${rows.map(
    ([first, ...cells]) => html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

type Column = {
  readonly name: string;
  readonly term: Term | null;
  readonly unit: string;
  readonly isText: boolean;
  /** What the column is sorted by: text, or a decimal number. */
  readonly key: (member: MemberReport) => string;
  readonly cell: (member: MemberReport) => Content;
};

function memberColumns(report: RunReport): readonly Column[] {
  const unit = energyUnitFor(report.members.flatMap((one) => [one.promisedWh, one.producedWh, one.consumedWh]));
  const text = (name: string, textOf: (member: MemberReport) => string): Column => {
    return { name, term: null, unit: "", isText: true, key: textOf, cell: textOf };
  };
  const energy = (name: string, of: Term, amountOf: (member: MemberReport) => bigint): Column => {
    const style = { decimals: unit === "kWh" ? 1 : 2 };
    const cell = (member: MemberReport): Content => formatEnergy(amountOf(member), style, unit);
    return { name, term: of, unit, isText: false, key: (member) => amountOf(member).toString(), cell };
  };
  const money = (name: string, of: Term, amountOf: (member: MemberReport) => bigint, signed: boolean): Column => {
    const cell = (member: MemberReport): Content => {
      const amount = amountOf(member);
      return html`<span class="${signed ? tone(amount) : "plain"}">${formatMoney(amount, signed ? SIGNED : UNSIGNED)}</span>`;
    };
    const key = (member: MemberReport): string => amountOf(member).toString();
    return { name, term: of, unit: report.currency, isText: false, key, cell };
  };
  return [
    { ...text("Member", (member) => member.name), cell: nameAndRoles },
    text("Strategy", (member) => member.strategy ?? "–"),
    energy("Produced", "produced", (member) => member.producedWh),
    energy("Used", "consumed", (member) => member.consumedWh),
    energy("Promised", "promise", (member) => member.promisedWh),
    energy("Delivered", "delivered", (member) => member.deliveredWh),
    energy("Bought", "bought", (member) => member.boughtWh),
    energy("Sold", "sold", (member) => member.soldWh),
    money("Deposit lost", "deposit lost", (member) => lostBy(member), false),
    money("Net", "net", (member) => member.netMicros, false),
    money("Baseline", "baseline", (member) => member.baselineMicros, false),
    money("Gain", "gain", (member) => member.gainMicros, true),
    {
      name: "Denied",
      term: "denied",
      unit: "times",
      isText: false,
      key: (member) => String(deniedOf(member)),
      cell: (member) => html`<span title="${deniedCodes(member)}">${formatCount(deniedOf(member))}</span>`,
    },
  ];
}

function nameAndRoles(member: MemberReport): Markup {
  return html`<span class="member-name">${member.name}</span><small>${member.roles.join(", ")}</small>`;
}

/** Deposits that the member lost; what the power company got of them is not its loss. */
function lostBy(member: MemberReport): bigint {
  return member.strategy === null ? 0n : absolute(member.depositLostMicros);
}

function deniedOf(member: MemberReport): number {
  return Object.values(member.denials).reduce((sum, count) => sum + count, 0);
}

function deniedCodes(member: MemberReport): string {
  return byCountFalling(member.denials)
    .map(([code, count]) => `${code} ${formatCount(count)}`)
    .join(", ");
}

function memberTable(report: RunReport, members: readonly MemberReport[]): Markup {
  const columns = memberColumns(report);
  const header = columns.map((column) => {
    const unit = column.unit === "" ? null : html`<small>${column.unit}</small>`;
    const name = column.term === null ? column.name : term(column.term, column.name);
    const sorted = column.name === "Gain" ? html` aria-sort="descending"` : null;
    return html`<th scope="col"${column.isText ? html` class="text"` : null}${sorted}><button type="button" class="sort">${name}${unit}</button></th>`;
  });
  const rows = members.map((member) => {
    const cells = columns.map((column, index) => {
      const attributes = html`data-key="${column.key(member)}"${column.isText ? html` class="text"` : null}`;
      return index === 0
        ? html`<th scope="row" ${attributes}>${column.cell(member)}</th>`
        : html`<td ${attributes}>${column.cell(member)}</td>`;
    });
    return html`<tr${member.strategy === null ? html` class="service"` : null}>${cells}</tr>`;
  });
  return html`<div class="panel table-panel">
  <div class="panel-head"><h3>All members</h3>
    <div class="tools"><label class="filter"><span class="hidden">Show only members whose row holds</span><input type="search" id="member-filter" placeholder="Filter" autocomplete="off"></label>
    <button type="button" class="button" data-download="members">Download CSV</button></div></div>
  <div class="scroll${members.length > TALL_FROM ? " tall" : ""}" tabindex="0" role="region" aria-label="Table of members"><table id="member-table" class="sortable">
  <thead><tr>${header}</tr></thead>
  <tbody>${rows}</tbody></table></div>
  <p class="caption">Sorted by gain; choose a column’s name to sort by it. The download has all figures to the watt-hour and the millionth of ${report.currency}.</p>
</div>`;
}
