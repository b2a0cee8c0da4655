/** The charts: promises and forecast, price and volume over time and by hour, gains by day. */

/** Places on the time axis: each slot, a hole after a slot that has no successor, and the end of the last. */
const places = placesOf(page.timeline.startMs);

/**
 * @param {readonly number[]} starts
 * @returns {{ atMs: number, slot: number | null, isEnd: boolean }[]}
 */
function placesOf(starts) {
  const found = [];
  for (const [slot, atMs] of starts.entries()) {
    found.push({ atMs, slot, isEnd: false });
    const end = atMs + slotMs;
    if (starts[slot + 1] !== end) found.push({ atMs: end, slot: null, isEnd: slot === starts.length - 1 });
  }
  return found;
}

/**
 * A column of the timeline at the places; the last value stands at the end too, where steps need it.
 * @param {readonly (string | null)[]} column
 * @param {(value: string | null | undefined) => number | null} numberOf
 * @param {boolean} [closes]
 */
function placed(column, numberOf, closes = true) {
  return places.map((place) =>
    numberOf(place.slot !== null ? column[place.slot] : place.isEnd && closes ? column.at(-1) : null),
  );
}

/**
 * The readout of charts over time.
 * @param {readonly Entry[]} entries
 */
function slotReadout(entries) {
  return (/** @type {number} */ index) => {
    const slot = places[index]?.slot;
    return slot === null || slot === undefined ? null : { title: slotText(page.timeline.startMs[slot] ?? 0), entries };
  };
}

/**
 * The text of a column of the timeline at a place.
 * @param {readonly (string | null)[]} column
 * @param {(value: string | null) => string} textOf
 */
function slotValue(column, textOf) {
  return (/** @type {number} */ index) => textOf(column[places[index]?.slot ?? -1] ?? null);
}

/**
 * @param {string} name
 * @param {Partial<uPlot.Series>} [more]
 * @returns {uPlot.Series}
 */
function line(name, more = {}) {
  const path = steps === undefined ? {} : { paths: steps };
  return { stroke: () => colour(name), width: 1.5, points: { show: false }, ...path, ...more };
}

/**
 * @param {string} name
 * @returns {uPlot.Series}
 */
function bar(name) {
  const path = bars === undefined ? {} : { paths: bars };
  return { fill: () => colour(name), stroke: () => colour(name), width: 0, points: { show: false }, ...path };
}

/** An edge of a band: it has a path, which is not seen. */
const edge = () => line("clear", { width: 0 });

/** @type {Chart[]} */
const timeCharts = [];

/** @returns {Omit<uPlot.Options, "width" | "height" | "series">} */
function timeOptions() {
  return {
    padding: [8, 28, 0, 0],
    cursor: {
      sync: { key: "time" },
      dataIdx: stepUnder,
      drag: { x: true, y: false, dist: 6 },
      points: { size: 7 },
      y: false,
    },
    scales: { x: { time: false }, y: { range: fromZero } },
    axes: [timeAxis(), valueAxis()],
    hooks: { setScale: [(plot, key) => key === "x" && showPeriodOf(plot)] },
  };
}

let isFollowing = false;

/**
 * Shows in all charts over time the period that one of them was set to.
 * @param {uPlot} plot
 */
function showPeriodOf(plot) {
  const { min, max } = plot.scales["x"] ?? {};
  if (isFollowing || typeof min !== "number" || typeof max !== "number") return; // Null until the first drawing.
  showPeriod(min, max);
}

/**
 * @param {number} min
 * @param {number} max
 */
function showPeriod(min, max) {
  isFollowing = true;
  for (const { plot } of timeCharts) {
    const x = plot.scales["x"];
    if (x?.min !== min || x?.max !== max) plot.setScale("x", { min, max });
  }
  isFollowing = false;
  markRange(min, max);
}

function drawEnergy() {
  const { timeline } = page;
  /** @type {Entry[]} */
  const entries = [
    {
      label: "Forecast, 10–90 %",
      colour: "band",
      kind: "band",
      series: [1, 2],
      value: (index) =>
        `${slotValue(timeline.forecastQ10Wh, energyText)(index)} – ${slotValue(timeline.forecastQ90Wh, energyText)(index)}`,
    },
    {
      label: "Middle forecast",
      colour: "forecast",
      kind: "dash",
      series: [3],
      value: slotValue(timeline.forecastQ50Wh, energyText),
    },
    { label: "Produced", colour: "produced", series: [4], value: slotValue(timeline.producedWh, energyText) },
    {
      label: "Delivered",
      colour: "delivered",
      kind: "area",
      series: [5],
      value: slotValue(timeline.deliveredWh, energyText),
    },
    { label: "Promised", colour: "promised", series: [6], value: slotValue(timeline.promisedWh, energyText) },
    { label: "Short", colour: "short", kind: "area", series: [7], value: slotValue(timeline.shortfallWh, energyText) },
  ];
  const chart = drawChart(
    element("energy-plot"),
    {
      ...timeOptions(),
      series: [
        {},
        edge(),
        edge(),
        line("forecast", { dash: [4, 4], width: 1.25 }),
        line("produced"),
        line("delivered", { fill: () => colour("delivered-fill") }),
        line("promised"),
        bar("short"),
      ],
      bands: [{ series: [1, 2], fill: () => colour("band") }],
    },
    [
      places.map((place) => place.atMs),
      placed(timeline.forecastQ90Wh, energyNumber),
      placed(timeline.forecastQ10Wh, energyNumber),
      placed(timeline.forecastQ50Wh, energyNumber),
      placed(timeline.producedWh, energyNumber),
      placed(timeline.deliveredWh, energyNumber),
      placed(timeline.promisedWh, energyNumber),
      placed(timeline.shortfallWh, energyNumber, false).map((value) => (value === 0 ? null : value)),
    ],
    slotReadout(entries.map((entry) => ({ ...entry, label: `${entry.label}` }))),
  );
  timeCharts.push(chart);
  drawLegend("energy", chart, entries);
}

function drawMarket() {
  const { timeline } = page;
  const xs = places.map((place) => place.atMs);
  /** @type {Entry[]} */
  const tariffs = [
    { label: "Retail", colour: "tariff", series: [1], value: slotValue(timeline.retailMicrosPerKwh, priceText) },
    { label: "Price", colour: "price", series: [3], value: slotValue(timeline.priceMicrosPerKwh, priceText) },
    { label: "Feed-in", colour: "tariff", series: [2], value: slotValue(timeline.feedInMicrosPerKwh, priceText) },
  ];
  /** @type {Entry} */
  const volume = {
    label: `Traded, ${page.unit}`,
    colour: "volume",
    kind: "area",
    series: [1],
    value: slotValue(timeline.tradedWh, energyText),
  };
  const both = [...tariffs, volume];
  const price = drawChart(
    element("price-plot"),
    {
      ...timeOptions(),
      series: [{}, line("tariff"), line("tariff"), line("price", { width: 2, paths: slotStrokes })],
      bands: [{ series: [1, 2], fill: () => colour("tariff-fill") }],
    },
    [
      xs,
      placed(timeline.retailMicrosPerKwh, moneyNumber),
      placed(timeline.feedInMicrosPerKwh, moneyNumber),
      placed(timeline.priceMicrosPerKwh, moneyNumber, false),
    ],
    slotReadout(both),
  );
  const traded = drawChart(
    element("volume-plot"),
    { ...timeOptions(), series: [{}, bar("volume")] },
    [xs, placed(timeline.tradedWh, energyNumber, false)],
    slotReadout(both),
  );
  timeCharts.push(price, traded);
  drawKey("market", [
    { label: "Price of trades", colour: "price" },
    { label: "Feed-in to retail", colour: "tariff-fill", kind: "band" },
    { label: `Traded energy, ${page.unit}`, colour: "volume", kind: "area" },
  ]);
}

/**
 * What the colours mean, for charts in which nothing is switched.
 * @param {string} id
 * @param {readonly { label: string, colour: string, kind?: "line" | "area" | "band" | "dash" }[]} keys
 */
function drawKey(id, keys) {
  const place = document.querySelector(`[data-legend="${id}"]`);
  for (const key of keys) {
    const shown = make("span", "key");
    shown.append(swatch({ ...key, series: [], value: null }), key.label);
    place?.append(shown);
  }
}

function drawHours() {
  const { hours } = page;
  const xs = Array.from({ length: 25 }, (_, hour) => hour);
  /** @type {Entry[]} */
  const entries = [
    {
      label: "Mean retail",
      colour: "tariff",
      series: [],
      value: (hour) => priceText(hours.retailMicrosPerKwh[hour] ?? null),
    },
    { label: "Price", colour: "price", series: [], value: (hour) => priceText(hours.priceMicrosPerKwh[hour] ?? null) },
    {
      label: "Mean feed-in",
      colour: "tariff",
      series: [],
      value: (hour) => priceText(hours.feedInMicrosPerKwh[hour] ?? null),
    },
    {
      label: `Traded, ${page.unit}`,
      colour: "volume",
      kind: "area",
      series: [],
      value: (hour) => energyText(hours.tradedWh[hour] ?? null),
    },
  ];
  const readout = (/** @type {number} */ hour) => (hour > 23 ? null : { title: hourText(hour), entries });
  /** @type {Omit<uPlot.Options, "width" | "height" | "series">} */
  const options = {
    padding: [8, 8, 0, 0],
    cursor: { sync: { key: "hour" }, dataIdx: stepUnder, drag: { x: false, y: false }, y: false, points: { size: 7 } },
    scales: { x: { time: false, range: [0, 24] }, y: { range: fromZero } },
    axes: [
      {
        ...axisLook(),
        size: 30,
        splits: () => [0, 3, 6, 9, 12, 15, 18, 21, 24],
        values: (_plot, splits) => splits.map(two),
      },
      valueAxis(),
    ],
  };
  /** @param {readonly (string | null)[]} column @param {(value: string | null | undefined) => number | null} numberOf */
  const closed = (column, numberOf) => [...column.map(numberOf), numberOf(column.at(-1))];
  drawChart(
    element("hour-price-plot"),
    {
      ...options,
      series: [{}, line("tariff"), line("tariff"), line("price", { width: 2, paths: slotStrokes })],
      bands: [{ series: [1, 2], fill: () => colour("tariff-fill") }],
    },
    [
      xs,
      closed(hours.retailMicrosPerKwh, moneyNumber),
      closed(hours.feedInMicrosPerKwh, moneyNumber),
      closed(hours.priceMicrosPerKwh, moneyNumber),
    ],
    readout,
  );
  drawChart(
    element("hour-volume-plot"),
    { ...options, series: [{}, bar("volume")] },
    [xs, [...hours.tradedWh.map(energyNumber), null]],
    readout,
  );
  drawKey("by-hour", [
    { label: "Price of trades", colour: "price" },
    { label: "Feed-in to retail", colour: "tariff-fill", kind: "band" },
    { label: `Traded energy, ${page.unit}`, colour: "volume", kind: "area" },
  ]);
}

/** @param {number} hour */
const hourText = (hour) => `${two(hour)}:00–${two(hour + 1)}:00`;

/** Lines that are coloured at once; of more, one could not tell the colours apart. */
const LIT_MAX = 6;
/** Names that are shown as buttons. */
const CHIPS_MAX = 24;
/** The colour, 0…5, of each member whose line is coloured. @type {Map<string, number>} */
const lit = new Map();

function drawGains() {
  const { days, members } = page.gains;
  const best = members.slice(0, LIT_MAX / 2);
  const worst = members.slice(best.length).slice(-LIT_MAX / 2);
  for (const [index, member] of [...best, ...worst].entries()) lit.set(member.name, index);
  const stroke = (/** @type {string} */ name) => () => {
    const index = lit.get(name);
    return colour(index === undefined ? "unlit" : `line-${index}`);
  };
  const marks = (/** @type {uPlot} */ plot) => dayMarks(days, plot.bbox.width / devicePixelRatio);
  // What is coloured is drawn last, over the grey.
  const drawn = [
    ...members.filter((member) => !lit.has(member.name)),
    ...members.filter((member) => lit.has(member.name)),
  ];
  const width = members.length > CHIPS_MAX ? 1.25 : 1.75;
  /** @type {Omit<uPlot.Options, "width" | "height">} */
  const options = {
    padding: [8, 16, 0, 0],
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: {
      x: { time: false, range: [0, Math.max(1, days.length)] },
      y: { range: (_plot, min, max) => gainRange(min, max) },
    },
    axes: [
      {
        ...axisLook(),
        size: 44,
        splits: (plot) => marks(plot).map((mark) => mark.index + 1),
        values: (plot) => marks(plot).map((mark) => mark.lines.join("\n")),
      },
      valueAxis(),
    ],
    series: [{}, ...drawn.map((member) => ({ stroke: stroke(member.name), width, points: { show: false } }))],
  };
  /** @type {uPlot.AlignedData} */
  const values = [
    Array.from({ length: days.length + 1 }, (_, day) => day),
    ...drawn.map((member) => [0, ...member.gainMicros.map(moneyNumber)]),
  ];
  const chart = drawChart(element("gain-by-day-plot"), options, values, gainReadout);
  drawGainChips(chart);
}

/**
 * @param {number | null} min
 * @param {number | null} max
 * @returns {[number, number]}
 */
function gainRange(min, max) {
  const low = Math.min(0, min ?? 0);
  const high = Math.max(0, max ?? 0);
  const room = (high - low) * 0.06 || 1;
  return [low < 0 ? low - room : -room / 2, high + room];
}

/** @param {number} index */
function gainReadout(index) {
  const { days, members } = page.gains;
  if (index === 0) return null;
  const shown = members.filter((member) => lit.has(member.name));
  const at = (/** @type {{ gainMicros: readonly string[] }} */ member) => BigInt(member.gainMicros[index - 1] ?? 0);
  const sorted = [...shown].sort((left, right) => (at(right) > at(left) ? 1 : at(right) < at(left) ? -1 : 0));
  const all = members.reduce((sum, member) => sum + at(member), 0n);
  /** @type {Entry[]} */
  const entries = sorted.map((member) => ({
    label: member.name,
    colour: `line-${lit.get(member.name)}`,
    series: [],
    value: () => moneyText(at(member)),
  }));
  entries.push({ label: `All ${members.length}`, colour: "clear", series: [], value: () => moneyText(all) });
  return { title: dayName(days[index - 1] ?? ""), entries };
}

/**
 * Days that are marked at an axis of days, at least 34 pixels apart: every so many, or the first of each month.
 * @param {readonly string[]} days
 * @param {number} pixels
 * @returns {{ index: number, lines: string[] }[]}
 */
function dayMarks(days, pixels) {
  const apart = (34 * days.length) / Math.max(1, pixels);
  const step = [1, 2, 7].find((candidate) => candidate >= apart);
  const walls = days.map((day) => new Date(`${day}T00:00:00Z`));
  const month = (/** @type {Date} */ wall) => MONTHS[wall.getUTCMonth()] ?? "";
  if (step === undefined) {
    const every = [1, 3, 12].find((months) => months * 30 >= apart) ?? 12;
    return walls.flatMap((wall, index) => {
      const isMarked = wall.getUTCDate() === 1 && wall.getUTCMonth() % every === 0;
      return isMarked ? [{ index, lines: [month(wall), String(wall.getUTCFullYear())] }] : [];
    });
  }
  const marked = walls.flatMap((wall, index) => (index % step === 0 ? [{ wall, index }] : []));
  return marked.map(({ wall, index }, at) => {
    const isNewMonth = marked[at - 1]?.wall.getUTCMonth() !== wall.getUTCMonth();
    return { index, lines: isNewMonth ? [String(wall.getUTCDate()), month(wall)] : [String(wall.getUTCDate())] };
  });
}

/**
 * A button for each name: it colours the line, or takes the colour away.
 * @param {Chart} chart
 */
function drawGainChips(chart) {
  const place = document.querySelector('[data-legend="gain-by-day"]');
  const { members } = page.gains;
  const shown = members.length <= CHIPS_MAX ? members : members.filter((member) => lit.has(member.name));
  for (const member of shown) {
    const button = make("button", "chip");
    button.type = "button";
    const mark = swatch({ label: "", colour: "unlit", series: [], value: null });
    button.append(mark, visible(member.name));
    const refresh = () => {
      const index = lit.get(member.name);
      button.setAttribute("aria-pressed", String(index !== undefined));
      mark.style.setProperty("--swatch", `var(--${index === undefined ? "unlit" : `line-${index}`})`);
    };
    button.addEventListener("click", () => {
      switchLit(member.name);
      refresh();
      chart.plot.redraw(false);
    });
    refresh();
    place?.append(button);
  }
  if (shown.length < members.length)
    place?.append(make("span", "key", `and ${members.length - shown.length} more in grey`));
}

/** @param {string} name */
function switchLit(name) {
  if (lit.delete(name)) return;
  const used = new Set(lit.values());
  const free = Array.from({ length: LIT_MAX }, (_, index) => index).find((index) => !used.has(index));
  if (free !== undefined) lit.set(name, free);
}
