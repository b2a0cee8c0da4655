/** Tables: sorting, filtering, the charts' figures as tables, and downloads. */

/** Rows that a chart's table shows; the download has all. */
const TWIN_ROWS_MAX = 2_000;

function startTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    for (const [index, header] of [...table.querySelectorAll("thead th")].entries())
      header.querySelector("button.sort")?.addEventListener("click", () => sortTable(table, header, index));
  }
  const filter = /** @type {HTMLInputElement} */ (element("member-filter"));
  filter.addEventListener("input", () => filterRows(element("member-table"), filter.value));
  for (const twin of document.querySelectorAll("details[data-twin]"))
    twin.addEventListener("toggle", () => fillTwin(/** @type {HTMLElement} */ (twin)));
  for (const button of document.querySelectorAll("[data-download]"))
    button.addEventListener("click", () => download(/** @type {HTMLElement} */ (button).dataset["download"] ?? ""));
}

/**
 * @param {Element} table
 * @param {Element} header
 * @param {number} column
 */
function sortTable(table, header, column) {
  const isText = header.classList.contains("text");
  const now = header.getAttribute("aria-sort");
  const rising = now === null ? isText : now === "descending";
  for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", rising ? "ascending" : "descending");
  for (const body of table.querySelectorAll("tbody")) {
    const rows = [...body.rows].map((row, index) => ({ row, index, key: keyOf(row, column, isText) }));
    rows.sort((left, right) => compareKeys(left.key, right.key) * (rising ? 1 : -1) || left.index - right.index);
    const known = rows.filter((one) => one.key !== null);
    const unknown = rows.filter((one) => one.key === null);
    body.append(...[...known, ...unknown].map((one) => one.row));
  }
}

/**
 * What a row is sorted by; null where it has no figure.
 * @param {HTMLTableRowElement} row
 * @param {number} column
 * @param {boolean} isText
 */
function keyOf(row, column, isText) {
  const key = row.cells[column]?.dataset["key"] ?? "";
  if (isText) return key.toLowerCase();
  if (key === "") return null;
  return /^-?\d+$/.test(key) ? BigInt(key) : Number(key);
}

/**
 * @param {string | number | bigint | null} left
 * @param {string | number | bigint | null} right
 */
function compareKeys(left, right) {
  if (typeof left === "string" && typeof right === "string") return left.localeCompare(right, "en", { numeric: true });
  if (left === null || right === null) return 0;
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * @param {HTMLElement} table
 * @param {string} text
 */
function filterRows(table, text) {
  const wanted = text.trim().toLowerCase();
  /** @type {NodeListOf<HTMLElement>} */
  const rows = table.querySelectorAll("tbody tr");
  for (const row of rows) row.hidden = !(row.textContent ?? "").toLowerCase().includes(wanted);
}

/** @typedef {{ header: readonly string[], rows: number, row: (index: number) => readonly string[] }} TwinSource */

/**
 * The figures of the chart with this id; null where the page has its table already.
 * @param {string} id
 * @returns {TwinSource | null}
 */
function twinSource(id) {
  const { timeline, hours, gains, unit, currency } = page;
  const rows = timeline.startMs.length;
  const energy = (/** @type {readonly string[]} */ column, /** @type {number} */ index) =>
    energyText(column[index] ?? null);
  const start = (/** @type {number} */ index) => slotText(timeline.startMs[index] ?? 0);
  if (id === "energy") {
    const columns = [
      timeline.forecastQ10Wh,
      timeline.forecastQ50Wh,
      timeline.forecastQ90Wh,
      timeline.producedWh,
      timeline.promisedWh,
      timeline.deliveredWh,
      timeline.shortfallWh,
    ];
    const names = ["Forecast 10 %", "Forecast 50 %", "Forecast 90 %", "Produced", "Promised", "Delivered", "Short"];
    return {
      header: ["Slot", ...names.map((name) => `${name}, ${unit}`)],
      rows,
      row: (index) => [start(index), ...columns.map((column) => energy(column, index))],
    };
  }
  if (id === "market") {
    const header = ["Slot", "Feed-in", "Price", "Retail"].map((name, index) =>
      index === 0 ? name : `${name}, ${currency}/kWh`,
    );
    return {
      header: [...header, `Traded, ${unit}`],
      rows,
      row: (index) => [
        start(index),
        ...[timeline.feedInMicrosPerKwh, timeline.priceMicrosPerKwh, timeline.retailMicrosPerKwh].map((column) =>
          priceText(column[index] ?? null),
        ),
        energy(timeline.tradedWh, index),
      ],
    };
  }
  if (id === "by-hour")
    return {
      header: [
        "Hour",
        `Feed-in, ${currency}/kWh`,
        `Price, ${currency}/kWh`,
        `Retail, ${currency}/kWh`,
        `Traded, ${unit}`,
      ],
      rows: 24,
      row: (hour) => [
        hourText(hour),
        ...[hours.feedInMicrosPerKwh, hours.priceMicrosPerKwh, hours.retailMicrosPerKwh].map((column) =>
          priceText(column[hour] ?? null),
        ),
        energy(hours.tradedWh, hour),
      ],
    };
  if (id === "gain-by-day")
    return {
      header: ["Day", ...gains.members.map((member) => `${member.name}, ${currency}`)],
      rows: gains.days.length,
      row: (day) => [
        dayName(gains.days[day] ?? ""),
        ...gains.members.map((member) => moneyText(member.gainMicros[day] ?? null)),
      ],
    };
  if (id === "map")
    return {
      header: ["Day", "Hour", `Traded, ${unit}`, `Gain, ${currency}`],
      rows: heat.length * HOURS,
      row: (index) => mapRow(Math.floor(index / HOURS), index % HOURS),
    };
  return null;
}

/**
 * @param {number} day
 * @param {number} hour
 */
function mapRow(day, hour) {
  const sums = heat[day];
  return [
    dayName(sums?.day ?? ""),
    hourText(hour),
    energyText(sums?.traded[hour] ?? null),
    moneyText(sums?.gain[hour] ?? null),
  ];
}

/** Makes a chart's table when it is first opened. @param {HTMLElement} twin */
function fillTwin(twin) {
  const place = twin.querySelector(".twin-body");
  const source = twinSource(twin.dataset["twin"] ?? "");
  if (place === null || source === null || place.childElementCount > 0) return;
  const shown = Math.min(source.rows, TWIN_ROWS_MAX);
  const table = make("table");
  const head = table.createTHead().insertRow();
  head.append(...source.header.map((name, index) => headerCell(name, "col", index === 0)));
  const body = table.createTBody();
  for (let index = 0; index < shown; index++) {
    const [first = "", ...cells] = source.row(index);
    body.insertRow().append(headerCell(first, "row", true), ...cells.map((cell) => make("td", "", cell)));
  }
  const scroll = make("div", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Figures of the chart");
  scroll.append(table);
  place.append(scroll);
  if (shown < source.rows) place.append(make("p", "caption", `The first ${shown} of ${source.rows} rows.`));
}

/**
 * @param {string} text
 * @param {"col" | "row"} scope
 * @param {boolean} isText
 */
function headerCell(text, scope, isText) {
  const cell = make("th", isText ? "text" : "", text);
  cell.scope = scope;
  return cell;
}

/** Hands the reader a CSV file of exact figures. @param {string} name */
function download(name) {
  const [header, rows] = name === "members" ? memberCsv() : timelineCsv();
  const text = [header, ...rows].map((row) => row.map(csvField).join(",")).join("\n");
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/csv;charset=utf-8" }));
  link.download = `${page.fileStem}-${name}.csv`;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @returns {[string[], string[][]]} */
function memberCsv() {
  const header = Object.keys(page.members[0] ?? {});
  return [header, page.members.map((member) => Object.values(member))];
}

/** @returns {[string[], string[][]]} */
function timelineCsv() {
  const columns = Object.entries(page.timeline).filter(([name]) => name !== "startMs");
  const header = ["slot", "localStart", ...columns.slice(1).map(([name]) => name)];
  const rows = page.timeline.startMs.map((startMs, index) => {
    const wall = wallClock(startMs);
    const local = `${dayKey(wall)}T${clockText(wall)}`;
    const [slot = "", ...values] = columns.map(([, column]) => String(column[index] ?? ""));
    return [slot, local, ...values];
  });
  return [header, rows];
}

/** RFC 4180: quoted where needed. @param {string} text */
const csvField = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
