/**
 * The report of a run for a terminal: at most 60 lines of 80 to 100 columns, what to beware of first.
 * Pure: it reads no terminal; the caller says how wide it is and what it can show.
 */
import {
  energyUnitFor,
  formatCount,
  formatEnergy,
  formatMoney,
  formatNumber,
  formatPeriod,
  formatPrice,
  formatSeconds,
  percentFloor,
} from "./format.ts";
import type { RunReport } from "./model.ts";
import { byCountFalling, forecastByKind, isConserved, meanPriceOf, worstForecast } from "./summary.ts";
import { hourChart } from "./terminal-chart.ts";
import { memberEnergyUnit, memberLines } from "./terminal-members.ts";
import { cut, inked, padEnd, padStart, printable, type TerminalLook, wrap } from "./terminal-text.ts";

export type TerminalOptions = TerminalLook & {
  /** Columns of the terminal; fewer than 80 or more than 100 are taken as those. */
  readonly columns: number;
  /** Where `report.html` was written, to be printed in the last line. */
  readonly htmlPath?: string | undefined;
};

export const TERMINAL_LINES_MAX = 60;
const COLUMNS_MIN = 80;
const COLUMNS_MAX = 100;
const WARNINGS_MAX = 6;

type Page = TerminalLook & { readonly width: number; readonly minus: "-" | "−"; readonly dot: string };

/**
 * The report as lines joined by "\n", without one at the end.
 * Names and sentences from the run are cut where they don't fit; only the path of the HTML report is never cut.
 */
export function renderTerminal(report: RunReport, options: TerminalOptions): string {
  const { colour, unicode } = options;
  const width = Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, Math.floor(options.columns)));
  const page: Page = { colour, unicode, width, minus: unicode ? "−" : "-", dot: unicode ? "·" : "|" };
  const blocks = [
    headLines(report, page),
    warningLines(report, page),
    energyLines(report, page),
    moneyLines(report, page),
    hourLines(report, page),
    forecastLines(report, page),
    serviceLines(report, page),
    ledgerLines(report, page, options.htmlPath),
  ];
  return joinBlocks(blocks.filter((block) => block.length > 0)).join("\n");
}

/** The blocks with an empty line between them, as long as there is room for one. */
function joinBlocks(blocks: readonly (readonly string[])[]): readonly string[] {
  const lines = blocks.reduce((sum, block) => sum + block.length, 0);
  let spare = TERMINAL_LINES_MAX - lines;
  return blocks.flatMap((block, index) => (index > 0 && spare-- > 0 ? ["", ...block] : block));
}

function headLines(report: RunReport, page: Page): readonly string[] {
  const { community } = report;
  const source = community.source === "generated" ? "generated" : "a composite of measured data";
  const said = community.description.toLowerCase().includes(community.source); // Mostly, the description says so itself.
  const text = printable(page, `${community.name}${said ? "" : `, ${source}`}: ${community.description}`);
  const [first = "", ...rest] = wrap(page, text, page.width, 3);
  const run = [
    report.name,
    formatPeriod(report.firstDay, report.lastDay),
    `${formatCount(report.slots)} slots of ${report.slotMinutes} min`,
    report.timeZone,
    `seed ${report.seed}`,
    `version ${report.version}`,
  ];
  const facts = wrap(page, printable(page, run.join(` ${page.dot} `)), page.width, 2);
  return [inked(page, "bold", first), ...rest, ...facts.map((line) => inked(page, "dim", line))];
}

function warningLines(report: RunReport, page: Page): readonly string[] {
  const lines: string[] = [];
  let shown = 0;
  for (const warning of report.warnings) {
    const room = WARNINGS_MAX - lines.length - (shown < report.warnings.length - 1 ? 1 : 0);
    if (room <= 0) break;
    const wrapped = wrap(page, printable(page, warning), page.width - 2, Math.min(2, room));
    lines.push(...wrapped.map((line, index) => inked(page, "yellow", `${index === 0 ? "!" : " "} ${line}`)));
    shown++;
  }
  const more = report.warnings.length - shown;
  if (more > 0) lines.push(inked(page, "yellow", `! ${formatCount(more)} more in the report`));
  return lines.length === 0 ? [] : [heading(page, `WARNINGS (${formatCount(report.warnings.length)})`), ...lines];
}

function heading(page: Page, title: string, note = ""): string {
  const left = inked(page, "bold", title);
  return note === "" ? left : `${left}  ${cut(page, note, page.width - title.length - 2)}`;
}

function energyLines(report: RunReport, page: Page): readonly string[] {
  const { energy } = report;
  const amounts = [
    ["promised", energy.promisedWh],
    ["delivered", energy.deliveredWh],
    ["short", energy.shortfallWh],
    ["traded", energy.tradedWh],
    ["produced", energy.producedWh],
    ["consumed", energy.consumedWh],
  ] as const;
  const unit = energyUnitFor(amounts.map(([, amount]) => amount));
  const kept = percentFloor(energy.deliveredWh, energy.promisedWh);
  const row = (cells: readonly string[]): string => cells.map((cell) => padStart(cell, 12)).join("");
  return [
    heading(
      page,
      `ENERGY, ${unit}`,
      kept === null ? "nothing was promised" : `${kept} % of what was promised was delivered`,
    ),
    inked(page, "dim", row(amounts.map(([name]) => name))),
    row(amounts.map(([, amount]) => formatEnergy(amount, { decimals: unit === "kWh" ? 1 : 2 }, unit))),
  ];
}

function moneyLines(report: RunReport, page: Page): readonly string[] {
  const { money } = report;
  const style = { minus: page.minus } as const;
  const parts = [
    `gain ${formatMoney(money.gainMicros, { ...style, plus: true })}`,
    `traded ${formatMoney(money.tradedMicros, style)}`,
    `fees ${formatMoney(absolute(money.feesMicros), style)}`,
    `deposits lost ${formatMoney(absolute(money.depositLostMicros), style)}`,
  ];
  const meaning = `Energy in ${memberEnergyUnit(report)}. Gain is net less baseline: feed-in and retail prices alone.`;
  return [
    heading(page, `MONEY, ${printable(page, report.currency)}`, parts.join(` ${page.dot} `)),
    inked(page, "dim", meaning),
    ...memberLines(report, page.width, page),
  ];
}

function absolute(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}

function hourLines(report: RunReport, page: Page): readonly string[] {
  const hours = new Map(report.market.byHour.map((one) => [one.hour, one]));
  const valuesOf = (amountOf: (hour: number) => bigint | null): readonly (number | null)[] =>
    Array.from({ length: 24 }, (_, hour) => {
      const amount = amountOf(hour);
      return amount === null ? null : Number(amount);
    });
  const volumes = valuesOf((hour) => hours.get(hour)?.tradedWh ?? 0n);
  const prices = valuesOf((hour) => hours.get(hour)?.priceMicrosPerKwh ?? null);
  const unit = energyUnitFor(report.market.byHour.map((one) => one.tradedWh));
  const mean = meanPriceOf(report);
  const { minus } = page;
  const currency = printable(page, report.currency);
  const note =
    mean === null ? "nothing was traded" : `mean ${formatPrice(mean, { minus })} ${currency}/kWh, weighted by volume`;
  const series = [
    { label: "price", values: prices, format: (top: number) => formatPrice(BigInt(top), { decimals: 3, minus }) },
    { label: unit, values: volumes, format: (top: number) => formatEnergy(BigInt(top), {}, unit) },
  ];
  const title = heading(page, `PRICE AND VOLUME BY HOUR, ${printable(page, report.timeZone)}`, note);
  return [title, ...hourChart(page, series, 7)];
}

function forecastLines(report: RunReport, page: Page): readonly string[] {
  const kinds = forecastByKind(report.forecast.series);
  const title = heading(
    page,
    "FORECASTS",
    `skill against persistence; issued ${printable(page, report.forecast.issued)}`,
  );
  if (kinds.length === 0) return [title, "No series was evaluated."];
  const row = (cells: readonly string[]): string => {
    const [kind = "", ...figures] = cells;
    return padEnd(kind, 6) + figures.map((cell) => padStart(cell, 13)).join("");
  };
  const skill = (value: number | null): string =>
    value === null ? "n/a" : formatNumber(value, { plus: true, minus: page.minus });
  const header = row(["kind", "series", "nMAE %", "pinball %", "in 80 % band", "skill %"]);
  const rows = kinds.map((kind) => {
    const scores = [kind.nMAE, kind.pinball, kind.coverage80].map((score) => formatNumber(score));
    return row([kind.kind, formatCount(kind.series), ...scores, skill(kind.skillVsPersistence)]);
  });
  const worst = worstForecast(report.forecast.series);
  const name = printable(page, worst?.name ?? "");
  const last =
    worst === undefined
      ? []
      : [
          `worst: ${cut(page, name, 36)} (${worst.kind}), skill ${skill(worst.skillVsPersistence)} %, nMAE ${formatNumber(worst.nMAE)} %`,
        ];
  return [title, inked(page, "dim", header), ...rows, ...last];
}

/** At most three lines: who serves, and what came of it. */
function serviceLines({ services, statements, currency }: RunReport, page: Page): readonly string[] {
  const { aggregator, agency, meterOperators, meters, claims, covers } = services;
  const energy = (amount: bigint): string => `${formatEnergy(amount, { decimals: 1 }, "kWh")} kWh`;
  const said = [
    ...(aggregator === null ? [] : [`${aggregator.name} serves ${formatCount(aggregator.members.length)} homes`]),
    ...(meterOperators.length === 0
      ? []
      : [`${formatCount(meters.reports)} meter reports, ${formatCount(meters.disagreements)} did not agree`]),
    ...(agency === null
      ? []
      : [
          `${agency} certified ${energy(claims.certifiedWh)}, ${energy(claims.certifiedSoldWh)} of it bought, ${energy(claims.contradictedWh)} contradicted`,
        ]),
    ...(covers.transactions === 0
      ? []
      : [
          `${energy(covers.energyWh)} covered, ${formatMoney(covers.depositReleasedMicros)} ${currency} of deposits released`,
        ]),
    ...(services.surplusMicros === 0n ? [] : [`surplus cost ${formatMoney(services.surplusMicros)} ${currency}`]),
  ];
  if (said.length === 0) return [];
  const note = statements.length === 0 ? "" : `${formatCount(statements.length)} monthly statements in statements/`;
  return [heading(page, "SERVICES", note), ...wrap(page, printable(page, said.join(` ${page.dot} `)), page.width, 3)];
}

function ledgerLines(report: RunReport, page: Page, htmlPath: string | undefined): readonly string[] {
  const { ledger, conservation, currency } = report;
  const counts = [
    `${formatCount(ledger.transactions)} transactions`,
    `${formatCount(ledger.signatures)} signatures`,
    `${formatCount(ledger.verifications)} verified`,
    `${formatNumber(ledger.tps)} tx/s`,
  ];
  const { minus } = page;
  const money = `${formatMoney(conservation.moneyErrorMicros, { decimals: 6, minus })} ${printable(page, currency)}`;
  const energy = `${formatCount(conservation.energyErrorWh, { minus })} Wh`;
  const books = isConserved(report)
    ? "money and energy balance exactly"
    : inked(page, "red", `BROKEN: off by ${money} and ${energy}`);
  const denials = byCountFalling(report.denials).map(([code, count]) => `${code} ${formatCount(count)}`);
  return [
    heading(page, "LEDGER", counts.join(` ${page.dot} `)),
    `conservation  ${books}`,
    ...wrap(page, printable(page, denials.join(", ")), page.width - 14, 2).map(
      (line, index) => `${padEnd(index === 0 ? "denied" : "", 14)}${line}`,
    ),
    `run hash      ${printable(page, report.runHash)}`,
    `wall time     ${formatSeconds(report.wallSeconds)}`,
    ...(htmlPath === undefined ? [] : [`report        ${htmlPath}`]),
  ];
}
