/** The experiment as one HTML file that opens offline and runs no script: the paper's figures 5, 6 and 7 beside its words. */
import { html, inlineAsset, type Markup } from "#backtest";
import { type GrowthAim, MEMBER_NODE_BYTES_MAX, type PaperSummary } from "./aims.ts";
import { TASK_NAMES, USAGE_CLASSES } from "./experiment.ts";
import { CLASS_NAMES, memoryFigure, shareFigure, timeFigure } from "./figures.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { growthTable, memoryTable, shareTable, timeTable, VERDICT_TEXT } from "./page-tables.ts";
import { aimSentences } from "./paper-text.ts";
import { THE_PAPER_SAID } from "./paper-words.ts";
import type { Verdict } from "./statistics.ts";
import { marker } from "./svg.ts";
import { cellText, counted, listed, machineText, megabytes, ratioText, refusalsText } from "./wording.ts";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** The page; equal summaries give equal pages. */
export function paperPage(summary: PaperSummary): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>DREAM: the paper’s experiment, ${summary.machine.measuredAt.slice(0, 10)}</title>
<style>${inlineAsset("style", PAGE_STYLE)}</style>
</head>
<body>
<main>
${head(summary)}
${figures(summary)}
${contended(summary)}
${notes(summary)}
<p class="foot">This page is complete in itself: it loads nothing and runs no script. All values are in paper.csv beside it.</p>
</main>
</body>
</html>
`.text;
}

function head(summary: PaperSummary): Markup {
  const { experiment, machine, runs } = summary;
  const { nodes, requests, tasks, repeats } = experiment;
  const taskNames = listed(tasks.map((task) => TASK_NAMES[task].toLowerCase()));
  return html`<header>
<h1>Memory and time of a network of nodes</h1>
<p class="lead">The experiment of section 4.1 of the DREAM paper (Gajić et al., Energies 2022), made with this ledger: ${listed(nodes)} node processes, ${listed(requests)} requests at once, tasks ${taskNames}; ${counted(runs, "run")} in ${counted(repeats, "repeat")}, each with a network that was founded and started for it alone.</p>
<p class="lead">${machine.measuredAt.slice(0, 16).replace("T", " ")} UTC · ${machineText(machine)}</p>
<dl class="cards">${cards(summary)}</dl>
</header>`;
}

function cards(summary: PaperSummary): readonly Markup[] {
  const { byRequests, byNodes, largestMemberNode: largest, failed, requests, refusals } = summary;
  const isSmall = largest !== undefined && largest.bytes < MEMBER_NODE_BYTES_MAX;
  return [
    growthCard("Time per request, many at once to few", byRequests, "Aim: does not grow."),
    growthCard("Time per request, large network to small", byNodes, "Aim: grows by less than a third."),
    card({
      label: "Largest node of a member",
      value: largest === undefined ? "–" : `${megabytes(largest.bytes)} MB`,
      note: `${largest === undefined ? "" : `${CLASS_NAMES[largest.usageClass]}; ${cellText(largest.run)}. `}Aim: less than ${megabytes(MEMBER_NODE_BYTES_MAX)} MB.`,
      verdict: isSmall ? "met" : "missed",
      verdictText: isSmall ? "met" : "missed",
    }),
    card({
      label: "Requests carried out",
      value: `${requests - failed} of ${requests}`,
      note: failed === 0 ? "None was refused." : `Refused: ${refusalsText(refusals)}.`,
      verdict: failed === 0 ? "met" : "missed",
      verdictText: failed === 0 ? "all" : "not all",
    }),
  ];
}

function growthCard(label: string, { growths }: GrowthAim, aim: string): Markup {
  const [worst] = growths.toSorted((left, right) => right.ratio - left.ratio);
  if (worst === undefined)
    return card({
      label,
      value: "–",
      note: `${aim} One number only was measured.`,
      verdict: "noise",
      verdictText: "not measured",
    });
  const ratios = growths.map(({ ratio }) => ratio).sort((left, right) => left - right);
  const count = (verdict: Verdict): number => growths.filter((growth) => growth.verdict === verdict).length;
  const verdict = count("missed") > 0 ? "missed" : count("noise") > 0 ? "noise" : "met";
  const verdictText = (["met", "noise", "missed"] as const)
    .filter((each) => count(each) > 0)
    .map((each) => `${VERDICT_TEXT[each]} in ${count(each)}`)
    .join(", ");
  const [least = 0, most = 0] = [ratios[0], ratios.at(-1)];
  const value = growths.length === 1 ? ratioText(least) : `${ratioText(least)} to ${most.toFixed(2)}`;
  const { from, to } = worst;
  const between =
    from.nodes === to.nodes ? `${to.requests} to ${from.requests} requests` : `${to.nodes} to ${from.nodes} nodes`;
  return card({
    label,
    value,
    note: `${between}, ${counted(growths.length, "comparison")}. ${aim}`,
    verdict,
    verdictText,
  });
}

function card(options: {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly verdict: Verdict;
  readonly verdictText: string;
}): Markup {
  return html`<div class="card"><dt>${options.label}</dt><dd><div class="value">${options.value}</div><div class="note">${options.note}</div><span class="mark-${options.verdict}">${options.verdictText}</span></dd></div>`;
}

function figures(summary: PaperSummary): readonly Markup[] {
  const { byRequests, byNodes } = summary;
  const sentences = aimSentences(summary);
  return [
    figure({
      id: "figure-5",
      title: "Figure 5: memory against requests",
      legend: nodesLegend(summary),
      chart: memoryFigure(summary),
      said: THE_PAPER_SAID.memory,
      found: `${capitalised(sentences.memory)} Each value is the resident memory of all processes of a class together, the mean of the samples of a run, median of the repeats. Consumers and producers become more with the network, the other classes do not.`,
      tables: [memoryTable(summary)],
    }),
    figure({
      id: "figure-6",
      title: "Figure 6: part of the memory by class",
      legend: classLegend(),
      chart: shareFigure(summary),
      said: THE_PAPER_SAID.shares,
      found:
        "The same values as above, as parts of the memory of all processes, clients and the measuring process included.",
      tables: [shareTable(summary)],
    }),
    figure({
      id: "figure-7",
      title: "Figure 7: time per request against requests",
      legend: nodesLegend(summary),
      chart: timeFigure(summary),
      said: THE_PAPER_SAID.times,
      found: `By requests: ${sentences.byRequests} By nodes: ${sentences.byNodes} Marks are medians of the repeats, upright lines reach from the least to the most.`,
      tables: [
        timeTable(summary),
        ...growthTable("How time per request grows with the number of requests", byRequests),
        ...growthTable("How time per request grows with the number of nodes", byNodes),
      ],
    }),
  ];
}

function figure(options: {
  readonly id: string;
  readonly title: string;
  readonly legend: Markup;
  readonly chart: Markup;
  readonly said: readonly string[];
  readonly found: string;
  readonly tables: readonly Markup[];
}): Markup {
  const { id, title, legend, chart, said, found, tables } = options;
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
<div class="beside">
<div><h3>The paper reported</h3>${said.map((words) => html`<blockquote>${words}</blockquote>`)}</div>
<div><h3>Measured here</h3><p>${found}</p></div>
</div>
<figure class="panel" aria-labelledby="${id}-title">
${legend}
<div class="wide" tabindex="0" role="region" aria-label="${title}">${chart}</div>
<details><summary>Figures as tables</summary>${tables}</details>
</figure>
</section>`;
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function nodesLegend({ experiment: { nodes } }: PaperSummary): Markup {
  const items = nodes.map((count, index) => {
    const series = `series-${index % 6}`;
    return html`<li><svg viewBox="0 0 16 12" aria-hidden="true"><path class="line ${series}" d="M0 6h16"/>${marker([8, 6], index, series, "")}</svg>${count} nodes</li>`;
  });
  return html`<ul class="legend">${items}</ul>`;
}

function classLegend(): Markup {
  const items = USAGE_CLASSES.map(
    (usageClass, index) =>
      html`<li><svg viewBox="0 0 16 12" aria-hidden="true"><rect class="swatch class-${index}" width="16" height="12"/></svg>${CLASS_NAMES[usageClass]}</li>`,
  );
  return html`<ul class="legend">${items}</ul>`;
}

function contended(summary: PaperSummary): Markup | null {
  const sentence = aimSentences(summary).contended;
  return sentence === undefined
    ? null
    : html`<section id="contended" aria-labelledby="contended-title"><h2 id="contended-title">Bids on one auction</h2>
<p class="lead">Not in the paper, and not in the figures above: all bids at once on the same auction, so that each that is made final makes the others too low or out of date. ${sentence}</p></section>`;
}

function notes({ machine }: PaperSummary): Markup {
  return html`<section id="how" aria-labelledby="how-title">
<h2 id="how-title">How it was measured</h2>
<ul class="notes">
<li>Each run founds a network in a new folder, starts its processes, funds the members, and sends some requests of the task to warm up. When no node has anything under way, all requests are sent at once by two client processes and all answers are waited for. An answer comes when the transaction is final and durable.</li>
<li>Six nodes: grid authority (which is also verifier, marketplace and payment provider), power company, notary, a consumer, a producer, a prosumer. Eight and ten have a consumer and a producer more for each two nodes.</li>
<li>Requests are dealt in turn to all members that may do the task: promises and auctions to producers, prosumer and power company; bids to all but the seller, the grid authority and the notary.</li>
<li>Each bid is on an auction of its own, made before the run is measured; each auction is of a promise made before.</li>
<li>Time per request: from the first request that was sent to the last answer, by the number of requests. Infrastructure: the process that starts and watches the others.</li>
<li>All processes share the ${counted(machine.cores, "core")} of this machine, so a larger network also has less of a core for each node. A load above ${machine.cores} before the first run means that others used the machine too.</li>
<li>A comparison is within the noise when its median is beyond the aim but the repeats reach to both sides of it.</li>
</ul></section>`;
}
