/**
 * The report of a run as one HTML file that opens offline: no request leaves it, and its content security policy
 * forbids any, as well as every script but its own.
 */
import type { RunReport } from "../model.ts";
import { pageAssets } from "./assets.ts";
import { chartSections } from "./charts.ts";
import { html, inlineAsset, inlineJson, type Markup, trusted } from "./markup.ts";
import { memberSections } from "./members.ts";
import { overview } from "./overview.ts";
import { pageDataOf } from "./page-data.ts";
import { forecastSection, ledgerSection, notesSection } from "./quality.ts";
import { servicesSection } from "./services.ts";

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%230b6e99'/%3E%3Cpath d='M9 2 4 9h3l-1 5 6-8H8z' fill='%23fff'/%3E%3C/svg%3E";

/**
 * The page. Everything that comes from the run is escaped; equal reports give equal pages.
 * @throws when the page's own files or uPlot are missing from the installation.
 */
export function renderHtml(report: RunReport): string {
  const data = pageDataOf(report);
  return html`<!doctype html>
<html lang="en">
<head>
${head(report)}
</head>
<body>
${topBar(report)}
<main id="content">
${overview(report)}
${memberSections(report)}
${chartSections(report, data.unit)}
${forecastSection(report)}
${servicesSection(report)}
${ledgerSection(report)}
${notesSection()}
</main>
<footer class="foot">DREAM ${report.version}. This page is complete in itself: it loads nothing.</footer>
<script type="application/json" id="data">${inlineJson(data)}</script>
${scripts()}
</body>
</html>
`.text;
}

function head(report: RunReport): Markup {
  const { styles, scriptHashes } = pageAssets();
  const policy = [
    "default-src 'none'",
    `script-src ${scriptHashes.join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const sheets = styles.map((style) => html`<style>${inlineAsset(style.name, style.text)}</style>`);
  return html`<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${report.community.name}: run ${report.name}</title>
<link rel="icon" href="${trusted(ICON)}">
${sheets}`;
}

function topBar(report: RunReport): Markup {
  return html`<a class="skip" href="#content">To the report</a>
<header class="top"><a class="brand" href="#overview">DREAM <span>run report</span></a>
  <nav aria-label="Sections"><a href="#members">Members</a><a href="#time">Over time</a><a href="#hours">By hour</a><a href="#forecast">Forecasts</a>${report.services.aggregator === null && report.statements.length === 0 ? null : html`<a href="#services">Services</a>`}<a href="#ledger">Ledger</a><a href="#notes">Definitions</a></nav>
  <div class="tools"><button type="button" class="button" id="theme">Theme: auto</button>
  <button type="button" class="button" id="print">Print</button></div>
</header>
<noscript><p class="noscript">The charts need scripts, which are switched off. The tables of members and forecasts and the figures are complete without.</p></noscript>`;
}

function scripts(): readonly Markup[] {
  return pageAssets().scripts.map((script) => html`<script>${inlineAsset(script.name, script.text)}</script>`);
}
