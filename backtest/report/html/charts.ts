/** The charts over time, by hour of day, and by hour and day; a script draws into them. */
import type { EnergyUnit } from "../format.ts";
import type { RunReport } from "../model.ts";
import { term } from "./definitions.ts";
import { figure } from "./figure.ts";
import { html, type Markup } from "./markup.ts";

/** @param unit - Of energy, as the script draws it. */
export function chartSections(report: RunReport, unit: EnergyUnit): Markup {
  if (report.timeline.length === 0)
    return html`<section id="time" aria-labelledby="time-title"><h2 id="time-title">Over time</h2><p class="panel">The run has no slots.</p></section>`;
  return html`${overTime(report, unit)}${byHour(report, unit)}`;
}

function overTime(report: RunReport, unit: EnergyUnit): Markup {
  const ranges = html`<div class="tools" id="ranges" role="group" aria-label="Period shown">
    <button type="button" class="button icon" data-move="-1" aria-label="Earlier">‹</button>
    <button type="button" class="button" data-days="1" aria-pressed="false">1 day</button>
    <button type="button" class="button" data-days="3" aria-pressed="false">3 days</button>
    <button type="button" class="button" data-days="7" aria-pressed="false">7 days</button>
    <button type="button" class="button" data-days="0" aria-pressed="true">All</button>
    <button type="button" class="button icon" data-move="1" aria-label="Later">›</button>
  </div>`;
  const download = html`<button type="button" class="button" data-download="timeline">Download CSV</button>`;
  return html`<section id="time" aria-labelledby="time-title">
  <div class="section-head"><h2 id="time-title">Over time</h2>${ranges}</div>
  ${figure({
    id: "energy",
    title: `Promises, deliveries and the forecast, ${unit}`,
    caption: `All members together, energy per slot of ${report.slotMinutes} min. The band is what their plants were forecast to produce (issued ${report.forecast.issued}). Drag across the chart to zoom, double-click to see all.`,
    label:
      "Chart over time of promised, delivered and missing energy, with the forecast’s band from the 10 % to the 90 % quantile",
    plots: [{ id: "energy-plot", className: "plot plot-energy" }],
    tools: download,
  })}
  ${figure({
    id: "market",
    title: "Price and traded energy",
    caption: `Mean price of each slot’s trades. The band lies between the feed-in and the retail price: within it, both sides gain.`,
    label: "Chart over time of the price between the feed-in and the retail price, with the traded energy below",
    plots: [
      { id: "price-plot", className: "plot plot-price", title: `Price, ${report.currency}/kWh` },
      { id: "volume-plot", className: "plot plot-volume", title: `Traded energy, ${unit}` },
    ],
  })}
</section>`;
}

function byHour(report: RunReport, unit: EnergyUnit): Markup {
  const choice = html`<div class="tools" role="group" aria-label="What the map shows">
    <button type="button" class="button" data-map="traded" aria-pressed="true">Traded</button>
    <button type="button" class="button" data-map="gain" aria-pressed="false">Gain</button>
  </div>`;
  return html`<section id="hours" aria-labelledby="hours-title">
  <h2 id="hours-title">By hour of day</h2>
  <div class="columns">
  ${figure({
    id: "by-hour",
    title: "Price and traded energy by hour",
    caption: html`Over all days, by the clock of ${report.timeZone}. ${term("price", "Price")}: mean of the hour’s trades; the band lies between the mean feed-in and retail prices.`,
    label: "Charts of the mean price and of the traded energy for each hour of the day",
    plots: [
      { id: "hour-price-plot", className: "plot plot-hour", title: `Price, ${report.currency}/kWh` },
      { id: "hour-volume-plot", className: "plot plot-hour", title: `Traded energy, ${unit}` },
    ],
  })}
  ${figure({
    id: "map",
    title: "Hour by day",
    caption: `Each column is a day, each row an hour of its clock. Gain: of all members with a strategy together, in ${report.currency}.`,
    label: "Heat map of traded energy or gain for each hour of each day",
    plots: [{ id: "map-plot", className: "plot plot-map" }],
    tools: choice,
  })}
  </div>
</section>`;
}
